"""How many bytes an entry takes, all that goes with it included.

Measured on Redis 8.2.3 as the growth of `used_memory_dataset` per entry (4,000 of each kind): a sum
of these is within a few percent of it. What the memory store takes is taken for the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from khazad_mitm.exchange import Entry

if TYPE_CHECKING:
    from khazad_mitm.exchange import Vector

ENTRY = 450
"""Key, facts, two indexes, links."""
VECTOR = 870
"""Beside a byte per dimension (Q8): name, links of the graph."""
SET = 2_000
"""A vector set of its own."""
LINK = 170
"""An alias, or the alias of a conversation."""
HISTORY = 200
"""A list of what was asked, beside its items."""


def of_entry(body_bytes: int, dimensions: int) -> int:
    # A tenth for the allocator, whose sizes go up in steps.
    vector = VECTOR + dimensions if dimensions else 0
    return ENTRY + body_bytes + body_bytes // 10 + vector


def of_body(entry: Entry) -> int:
    """About what `codec.encode` makes of it."""
    original = 0 if entry.original == entry.answer else len(entry.original)
    question = len(entry.question or "")
    headers = sum(len(name) + len(value) + 8 for name, value in entry.headers)
    return 150 + len(entry.answer) + original + len(entry.request) + question + headers


def dimensions(vector: Vector | None) -> int:
    return 0 if vector is None else len(vector)
