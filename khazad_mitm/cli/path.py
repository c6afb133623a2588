"""`khazad-mitm path`: where `addon.py` lies, for `mitmdump -s "$(khazad-mitm path)"`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any


def add_to(commands: Any) -> None:
    parser = commands.add_parser("path", help="print where addon.py lies, for mitmdump -s")
    parser.set_defaults(command=show)


def show(_args: argparse.Namespace) -> int:
    print(Path(__file__).parents[1] / "addon.py")
    return 0
