"""`khazad-mitm cassette ...`: look at recordings, compare them, and keep them in order.

A directory may hold cassettes below it, as a directory of tests does: all of them are meant, but
by `prune`, which plays one.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from khazad_mitm.cli import foreign, promote, rebase, record
from khazad_mitm.cli.recordings import folders, interactions, read_file

if TYPE_CHECKING:
    from khazad_mitm.record.interaction import Interaction

MOST_MODELS = 10

FOUND = 1
"""Exit status of `check` and `diff` where there is something to see."""


def add_to(commands: Any) -> None:
    parser = commands.add_parser("cassette", help="look at recordings and keep them in order")
    verbs = parser.add_subparsers(title="what", metavar="VERB", required=True)
    for name, command, help_, arguments in (
        ("ls", list_, "the recordings, one a line", ("folder", "--json")),
        ("show", show, "one recording: question, answer, times", ("file",)),
        ("diff", diff, "what two recordings ask differently, field by field", ("file", "other")),
        ("check", check, "secrets, files that cannot be read or found, strays", ("folder",)),
        ("age", age, "recordings older than some days", ("folder", "--days", "--json")),
        ("stats", stats, "how many of what, and how large", ("folder", "--json")),
    ):
        verb = verbs.add_parser(name, help=help_)
        for argument in arguments:
            _ARGUMENTS[argument](verb)
        verb.set_defaults(command=command)
    record.add_prune(verbs)
    foreign.add_to(verbs)
    promote.add_to(verbs)
    rebase.add_to(verbs)


def _file(parser: argparse.ArgumentParser, name: str) -> None:
    parser.add_argument(name, type=Path, metavar=name.upper())


_ARGUMENTS: dict[str, Any] = {
    "folder": lambda parser: parser.add_argument("folder", type=Path, metavar="DIR"),
    "file": lambda parser: _file(parser, "file"),
    "other": lambda parser: _file(parser, "other"),
    "--json": lambda parser: parser.add_argument("--json", action="store_true"),
    "--days": lambda parser: parser.add_argument(
        "--days", type=int, default=90, help="older than this (default: 90)"
    ),
}


def list_(args: argparse.Namespace) -> int:
    rows = [_row(found) for found in interactions(args.folder)]
    _print(rows, args.json, "{status} {recorded} {model:<24} {frames:>4} {file}")
    return 0


def show(args: argparse.Namespace) -> int:
    found = read_file(args.file)
    request, answer, label = found.request, found.answer, found.label
    print(f"{request.method} {request.host}{request.path}   {label.provider} {label.model}")
    print(f"recorded {label.recorded} by {label.tool}\n")
    print(request.body.decode("utf-8", "replace"))
    print(f"\n{answer.status} {answer.headers.get('content-type') or ''}\n")
    for frame in answer.frames:
        prefix = f"{frame.at_ms:>6} ms  " if answer.is_stream else ""
        print(f"{prefix}{frame.data.decode('utf-8', 'replace').rstrip()}")
    return 0


def diff(args: argparse.Namespace) -> int:
    from khazad_mitm.record.matching import essence
    from khazad_mitm.record.rules import read_rules
    from khazad_mitm.record.why import differences

    tolerances = read_rules(args.file.parent).tolerances
    one, other = (essence(read_file(path).request, tolerances) for path in (args.file, args.other))
    changes = differences(one, other)
    for change in changes:
        print(change)
    return FOUND if changes else 0


def check(args: argparse.Namespace) -> int:
    from khazad_mitm.record.care import complaints

    found = [said for folder in folders(args.folder) for said in complaints(folder)]
    for line in found:
        print(line)
    return FOUND if found else 0


def age(args: argparse.Namespace) -> int:
    before = (date.today() - timedelta(days=args.days)).isoformat()
    rows = [_row(found) for found in interactions(args.folder)]
    old = sorted(
        (row for row in rows if row["recorded"] < before), key=lambda row: str(row["recorded"])
    )
    _print(old, args.json, "{recorded} {model:<24} {file}")
    return 0


def stats(args: argparse.Namespace) -> int:
    found = list(interactions(args.folder))
    paths = [path for folder in folders(args.folder) for path in folder.iterdir()]
    said = {
        "recordings": len(found),
        "cassettes": len({one.path.parent for one in found if one.path is not None}),
        "bytes": sum(path.stat().st_size for path in paths if path.is_file()),
        "streams": sum(one.answer.is_stream for one in found),
        "errors": sum(one.answer.status >= 400 for one in found),
        "by provider": dict(Counter(one.label.provider for one in found).most_common()),
        "by model": dict(Counter(one.label.model for one in found).most_common(MOST_MODELS)),
    }
    if args.json:
        print(json.dumps(said))
        return 0
    for name, value in said.items():
        told = (
            ", ".join(f"{k or '-'} {n}" for k, n in value.items())
            if isinstance(value, dict)
            else value
        )
        print(f"{name:<12} {told}")
    return 0


def _row(found: Interaction) -> dict[str, Any]:
    return {
        "file": str(found.path),
        "provider": found.label.provider,
        "model": found.label.model,
        "host": found.request.host,
        "status": found.answer.status,
        "frames": len(found.answer.frames),
        "recorded": found.label.recorded,
    }


def _print(rows: list[dict[str, Any]], as_json: bool, line: str) -> None:
    if as_json:
        print(json.dumps(rows))
        return
    for row in rows:
        print(line.format(**row))
    print(f"{len(rows)} recordings", file=sys.stderr)
