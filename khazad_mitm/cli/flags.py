"""The settings as command-line flags, made from the one table."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Collection

from khazad_mitm.settings import OPTIONS, Settings, from_mapping


def add_settings(parser: argparse.ArgumentParser, *, but: Collection[str] = ()) -> None:
    """One flag per setting; those named in `but` are the caller's to declare."""
    group = parser.add_argument_group("settings", "each also as KHAZAD_NAME in the environment")
    for option in OPTIONS:
        if option.name in but:
            continue
        group.add_argument(
            f"--{option.name.replace('_', '-')}",
            dest=f"khazad_{option.name}",
            metavar=option.kind.upper(),
            help=f"{option.help} (default: {option.default or 'unset'})".replace("%", "%%"),
        )


def settings_of(args: argparse.Namespace, **unless_given: str) -> Settings:
    """The checked settings; `unless_given` stands behind the flags and the environment's back.

    Raises ConfigError naming the flag.
    """
    given = {
        option.name: getattr(args, f"khazad_{option.name}")
        for option in OPTIONS
        if getattr(args, f"khazad_{option.name}") is not None
    }
    return from_mapping(unless_given | given, prefix="--")


def log_to_stderr() -> None:
    """Let the lines of `[Khazad]` be seen; their level is the settings'."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    logging.getLogger("khazad").addHandler(handler)
