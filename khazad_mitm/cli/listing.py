"""`khazad-mitm list`: what is stored, without prompts and answers."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from typing import Any

from khazad_mitm.cli import entries

MOST = 50


def add_to(commands: Any) -> None:
    parser = commands.add_parser("list", help="list stored answers, newest first")
    entries.add_selection(parser)
    parser.add_argument(
        "--most",
        type=int,
        default=MOST,
        metavar="N",
        help=f"so many at most; 0: all (default: {MOST})",
    )
    entries.add_common(parser)
    parser.set_defaults(command=list_)


def list_(args: argparse.Namespace) -> int:
    told = entries.found(args, max(0, args.most) or None)
    if args.json:
        print(json.dumps(told))
        return 0
    print("\n".join(_lines(told["entries"])))
    print(entries.counted(told), file=sys.stderr)
    return 0


def _lines(listed: list[dict[str, Any]]) -> Iterator[str]:
    now = time.time()
    yield f"{'ID':<12}  {'AGE':>5}  {'LEFT':>5}  {'SIZE':>9}  MODEL"
    for one in listed:
        left = "-" if one["expires_at"] is None else _span(one["expires_at"] - now)
        tags = f"  [{', '.join(one['tags'])}]" if one["tags"] else ""
        yield (
            f"{one['id'][:12]}  {_span(now - one['stored_at']):>5}  {left:>5}"
            f"  {one['size_bytes']:>9,}  {one['provider']} {one['model']}".rstrip()
            + tags
        )


def _span(seconds: float) -> str:
    for unit, length in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds >= length:
            return f"{seconds / length:.0f}{unit}"
    return f"{max(0.0, seconds):.0f}s"
