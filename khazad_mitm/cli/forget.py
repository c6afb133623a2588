"""`khazad-mitm forget`: forget some of what is stored, by id, tag, model or age.

What is named by its id is forgotten at once. How many fit a tag, a model or an age is said first.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from khazad_mitm.cli import entries
from khazad_mitm.errors import ConfigError


def add_to(commands: Any) -> None:
    parser = commands.add_parser("forget", help="forget stored answers by id, tag, model or age")
    parser.add_argument(
        "ids", nargs="*", metavar="ID", help="their X-Khazad-Entry, or the beginning of it"
    )
    entries.add_selection(parser)
    parser.add_argument("--yes", action="store_true", help="do not ask whether they are meant")
    entries.add_common(parser)
    parser.set_defaults(command=forget)


def forget(args: argparse.Namespace) -> int:
    wanted = entries.selection(args)
    if wanted.is_all:
        raise ConfigError(
            "forget: nothing is said of what to forget",
            "an ID, --tag, --model or --older; `khazad-mitm flush` forgets all",
        )
    is_by_id = bool(wanted.ids) and not (args.tag or args.model or args.older is not None)
    if not args.yes and not is_by_id:
        told = entries.found(args, 0)
        print(entries.counted(told), file=sys.stderr)
        if not told["count"] or not _is_meant():
            return 0 if not told["count"] else 1
    told = entries.ask(
        args,
        "POST",
        "/forget",
        entries.query(args),
        lambda cache: {"forgotten": cache.forget(wanted)},
    )
    if args.json:
        print(json.dumps(told))
    else:
        print(f"{told['forgotten']} answers forgotten", file=sys.stderr)
    return 0


def _is_meant() -> bool:
    if not sys.stdin.isatty():
        raise ConfigError("forget: nobody can be asked whether these are meant", "say --yes")
    print("forget them? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")
