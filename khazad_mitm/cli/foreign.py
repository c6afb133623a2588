"""`khazad-mitm cassette import FILE DIR` and `export DIR`: recordings from and for other tools."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from khazad_mitm.cli import proxying
from khazad_mitm.cli.recordings import interactions

if TYPE_CHECKING:
    from khazad_mitm.record.exchanges import Exchange

FORMATS = ("har", "mitm", "vcr")
LEFT_OUT = 1


def add_to(verbs: Any) -> None:
    parser = verbs.add_parser(
        "import", help="take over a HAR file, flows of mitmproxy or a cassette of vcrpy"
    )
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.set_defaults(command=import_)
    parser = verbs.add_parser("export", help="the recordings in a format of others, to stdout")
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument(
        "--format",
        choices=FORMATS,
        default="har",
        help="HAR, flows of mitmproxy, or a cassette of vcrpy (default: har)",
    )
    parser.set_defaults(command=export)


def import_(args: argparse.Namespace) -> int:
    from khazad_mitm.record.exchanges import take_over

    report = take_over(_read(args.file), args.folder)
    print(f"{report.recorded} recordings written to {args.folder}", file=sys.stderr)
    for why in report.lost:
        print(f"not taken over: {why}", file=sys.stderr)
    return LEFT_OUT if report.lost else 0


def _read(path: Path) -> list[Exchange]:
    from khazad_mitm.record import foreign

    if not foreign.has_flows(path):
        return foreign.read(path)
    with proxying.proxy_extra("reading flows of mitmproxy"):
        from khazad_mitm.proxy import flow_files
    return flow_files.read(path)


def export(args: argparse.Namespace) -> int:
    found = interactions(args.folder)
    match args.format:
        case "har":
            from khazad_mitm.record.har import har_of

            print(json.dumps(har_of(found), ensure_ascii=False, indent=1))
        case "vcr":
            from khazad_mitm.record.vcr import vcr_of

            sys.stdout.write(vcr_of(found))
        case "mitm":
            with proxying.proxy_extra("writing flows of mitmproxy"):
                from khazad_mitm.proxy import flow_files
            flow_files.write(found, sys.stdout.buffer)
            sys.stdout.flush()
    return 0
