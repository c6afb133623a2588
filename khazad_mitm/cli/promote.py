"""`khazad-mitm cassette promote ID DIR`: a live entry of the cache becomes a recording."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from khazad_mitm.cli import entries

NOT_WRITTEN = 1


def add_to(verbs: Any) -> None:
    parser = verbs.add_parser("promote", help="make a recording of what the cache has stored")
    entries.add_arguments(parser)
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument(
        "--replace", action="store_true", help="in place of a recording of the same request"
    )
    parser.add_argument(
        "--framing",
        choices=("json", "stream"),
        help="for calls that ask so (default: as the call that was stored)",
    )
    parser.set_defaults(command=promote)


def promote(args: argparse.Namespace) -> int:
    from khazad_mitm.record.exchanges import put
    from khazad_mitm.record.promoted import exchange_of, is_stream

    told = entries.ask(args, "GET", "/entry", {"id": args.id}, lambda cache: cache.export(args.id))
    streams = None if args.framing is None else args.framing == "stream"
    exchange = exchange_of(told, streams=streams)
    report = put(exchange, args.folder, replaces=args.replace)
    for path in report.written:
        print(path)
    if report.written and streams is None:
        what, other = ("stream", "json") if is_stream(exchange) else ("answer in JSON", "stream")
        told_more = f"answers calls that want a {what}; --framing {other} makes the other"
        print(told_more.replace("a answer", "an answer"), file=sys.stderr)
    for why in report.lost:
        print(f"khazad-mitm: not written: {why}", file=sys.stderr)
    if report.unchanged:
        print("on file as it is", file=sys.stderr)
    return NOT_WRITTEN if report.lost else 0
