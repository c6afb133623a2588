"""Prints docs/tuning.md with the guards that `khazad_mitm.cache` has; `make docs` writes it."""

from __future__ import annotations

import re
from pathlib import Path

from khazad_mitm.cache.verify import GUARDS

PAGE = Path(__file__).resolve().parent.parent / "docs" / "tuning.md"
TABLE = re.compile(r"(<!-- guards: .*? -->\n).*(<!-- guards end -->)", re.DOTALL)

REASONS = {
    "moment": "the question is about now",
    "creative": "the answer is to be another each time",
    "retry": "another answer to the question before is wanted",
}
"""Of `khazad_mitm.cache.moment`."""


def page() -> str:
    rows = [f"| `{guard.name}` | {guard.reason} |\n" for guard in GUARDS]
    rows += [f"| `{name}` | {meaning} |\n" for name, meaning in REASONS.items()]
    table = "".join(["\n| name | looks at |\n| --- | --- |\n", *rows, "\n"])
    return TABLE.sub(lambda found: found[1] + table + found[2], PAGE.read_text())


if __name__ == "__main__":
    print(page(), end="")
