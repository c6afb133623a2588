"""Stored answers, asked about through the running proxy, else in the store itself.

One is named by its id; several are selected by tag, model or age.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from khazad_mitm.cache.inventory import Selection
from khazad_mitm.cli import flags, magic
from khazad_mitm.errors import CacheUnavailable, ConfigError, UnknownEntry

if TYPE_CHECKING:
    from khazad_mitm.cache.front import Cache

UNITS_S = {"": 1, "s": 1, "m": 60, "h": 3_600, "d": 86_400}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help="its X-Khazad-Entry, or the beginning of it")
    add_common(parser)


def add_selection(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--tag", help="only those with this tag (X-Khazad-Tag)")
    parser.add_argument("--model", help="only those of this model, which may have *")
    parser.add_argument(
        "--older", type=age, metavar="AGE", help="only those stored so long ago: 90s, 15m, 2h, 7d"
    )


def add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="as JSON, for scripts")
    magic.add_proxy(parser)
    flags.add_settings(parser)


def age(text: str) -> float:
    """Seconds of `90s`, `15m`, `2h`, `7d`, or of a number."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", text.strip())
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no age: 90s, 15m, 2h, 7d")
    return float(found[1]) * UNITS_S[found[2]]


def selection(args: argparse.Namespace) -> Selection:
    return Selection(tuple(getattr(args, "ids", ())), args.tag, args.model, args.older)


def query(args: argparse.Namespace) -> dict[str, Any]:
    ids = list(getattr(args, "ids", ())) or None
    return {"id": ids, "tag": args.tag, "model": args.model, "older": args.older}


def found(args: argparse.Namespace, most: int | None) -> dict[str, Any]:
    """What `Cache.entries` tells of the selection in the arguments."""
    wanted = selection(args)
    return ask(
        args,
        "GET",
        "/entries",
        {**query(args), "most": most},
        lambda cache: cache.entries(wanted, most),
    )


def counted(told: Mapping[str, Any]) -> str:
    """How many answers are meant, for people."""
    return f"{told['count']:,} answers, {told['size_bytes'] / 1e6:,.1f} MB"


def ask(
    args: argparse.Namespace,
    method: str,
    page: str,
    asked: Mapping[str, Any],
    itself: Callable[[Cache], dict[str, Any]],
) -> dict[str, Any]:
    """What the magic host says at `page`; where no proxy answers, what `itself` gives.

    Raises ConfigError, which is also what becomes of an id that names nothing.
    """
    settings = flags.settings_of(args)
    given = {name: value for name, value in asked.items() if value is not None}
    try:
        told: dict[str, Any] = magic.ask(args, method, f"{page}?{urlencode(given, doseq=True)}")
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
