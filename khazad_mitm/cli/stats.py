"""`khazad-mitm stats`: what a running proxy has done so far."""

from __future__ import annotations

import argparse
import json
from typing import Any

from khazad_mitm.cli import magic


def add_to(commands: Any) -> None:
    parser = commands.add_parser("stats", help="show what a running proxy has done so far")
    magic.add_proxy(parser)
    parser.add_argument("--json", action="store_true", help="as JSON, for scripts")
    parser.set_defaults(command=show)


def show(args: argparse.Namespace) -> int:
    stats = magic.ask(args, "GET", "/stats")
    if args.json:
        print(json.dumps(stats))
        return 0
    stats["workers"] = len(stats.get("workers", [0]))
    for name, value in stats.items():
        if isinstance(value, dict):
            value = ", ".join(f"{why} {count}" for why, count in sorted(value.items())) or "none"
        print(f"{name:<20} {value}")
    return 0
