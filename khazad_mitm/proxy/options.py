"""The table of settings as mitmproxy options, and back.

mitmproxy carries our options as text (`hosts` as a list) and `settings` parses them: mitmproxy's
own parsing fails in silence while a script loads, and it knows no floats.
"""

from __future__ import annotations

import difflib
import logging
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Optional

from mitmproxy import exceptions

from khazad_mitm import settings
from khazad_mitm.errors import ConfigError

if TYPE_CHECKING:
    from mitmproxy.addonmanager import Loader
    from mitmproxy.options import Options

    from khazad_mitm.settings import Settings

PREFIX = "khazad_"

logger = logging.getLogger("khazad")


def load(loader: Loader) -> None:
    """Add one mitmproxy option per setting; what `KHAZAD_*` says is the default shown.

    Values that cannot be taken (an option given twice) are logged as errors, which ends a
    starting mitmproxy, and forgotten.
    """
    for option in settings.OPTIONS:
        default = os.environ.get(f"KHAZAD_{option.name.upper()}", option.default)
        if option.kind == "list":
            names = default.replace(",", " ").split()
            loader.add_option(PREFIX + option.name, Sequence[str], names, option.help)
        else:
            # mitmproxy compares with `typing.Optional[str]`; `str | None` is another object.
            loader.add_option(PREFIX + option.name, Optional[str], default, option.help)  # type: ignore[arg-type]  # noqa: UP045
    options = loader.master.options
    try:
        options.process_deferred()
    except exceptions.OptionsError as error:
        logger.error("khazad: %s", error)
        for option in settings.OPTIONS:
            options.deferred.pop(PREFIX + option.name, None)


def read(options: Options) -> Settings:
    """The checked settings. Raises OptionsError with option, value, bound and hint."""
    values: dict[str, Any] = {}
    for option in settings.OPTIONS:
        value = getattr(options, PREFIX + option.name)
        values[option.name] = ",".join(value) if option.kind == "list" else (value or "")
    try:
        return settings.from_mapping(values, prefix=PREFIX)
    except ConfigError as error:
        raise exceptions.OptionsError(str(error)) from error


def misspelt(options: Options) -> str:
    """A message on options given in our name that nobody has declared, or "".

    mitmproxy keeps what `--set` and `config.yaml` say of unknown options and never mentions it.
    """
    unknown = sorted(name for name in options.deferred if name.startswith(PREFIX))
    if not unknown:
        return ""
    known = [option.name for option in settings.OPTIONS]
    close = difflib.get_close_matches(unknown[0].removeprefix(PREFIX), known, n=1)
    hint = f"did you mean {PREFIX}{close[0]}?" if close else f"options are {', '.join(known)}"
    return f"{unknown[0]}: no such option\n\nhint: {hint}"
