"""One stored answer, asked about by its id: through the running proxy, else in the store itself."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from khazad_mitm.cli import flags, magic
from khazad_mitm.errors import CacheUnavailable, ConfigError, UnknownEntry

if TYPE_CHECKING:
    from khazad_mitm.cache.front import Cache


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help="its X-Khazad-Entry, or the beginning of it")
    parser.add_argument("--json", action="store_true", help="as JSON, for scripts")
    magic.add_proxy(parser)
    flags.add_settings(parser)


def ask(
    args: argparse.Namespace,
    method: str,
    page: str,
    asked: dict[str, str | None],
    itself: Callable[[Cache], dict[str, Any]],
) -> dict[str, Any]:
    """What the magic host says at `page`; where no proxy answers, what `itself` gives.

    Raises ConfigError, which is also what becomes of an id that names nothing.
    """
    settings = flags.settings_of(args)
    query = urlencode({name: value for name, value in asked.items() if value is not None})
    try:
        told: dict[str, Any] = magic.ask(args, method, f"{page}?{query}")
        return told
    except magic.Refused:
        raise
    except ConfigError:
        if args.proxy or settings.redis_url == "memory":
            raise
    from khazad_mitm.assembly import build_cache

    cache = build_cache(settings, warms_up=False)
    try:
        return itself(cache)
    except UnknownEntry as error:
        raise ConfigError(str(error)) from error
    except CacheUnavailable as error:
        raise ConfigError(f"the store does not answer: {error}") from error
    finally:
        cache.close()
