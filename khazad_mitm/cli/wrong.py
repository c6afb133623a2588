"""`khazad-mitm wrong ID`: take an answer back that should not have been served."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from khazad_mitm.cli import entries


def add_to(commands: Any) -> None:
    parser = commands.add_parser(
        "wrong", help="forget an answer, and keep the question it was wrong for apart from it"
    )
    entries.add_arguments(parser)
    parser.add_argument(
        "--ask",
        metavar="TEXT",
        help="the question it was wrong for (default: all it has answered by meaning lately)",
    )
    parser.set_defaults(command=wrong)


def wrong(args: argparse.Namespace) -> int:
    told = entries.ask(
        args,
        "POST",
        "/wrong",
        {"id": args.id, "ask": args.ask},
        lambda cache: cache.wrong(args.id, args.ask),
    )
    if args.json:
        print(json.dumps(told))
    else:
        print(
            f"{told['id']} is forgotten, {told['blocked']} questions are kept apart from it",
            file=sys.stderr,
        )
    return 0
