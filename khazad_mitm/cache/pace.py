"""How fast a stored stream is replayed: as it came, at so many tokens a second, or at once."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import TypeAlias

Pace: TypeAlias = float | str
"""Tokens per second, `recorded`, or `off`."""

Marks: TypeAlias = Sequence[tuple[int, int]]
"""How a body came: so many bytes after so many milliseconds, both rising."""

# Enough to see the hand of a model in a stream of a thousand frames; a hit reads them all.
MAX_MARKS = 64

# A frame is a token, as providers send them; one that was put together from a whole answer is
# longer than any envelope, and so many bytes of the rest are a token of English text.
ENVELOPE_BYTES = 400
BYTES_PER_TOKEN = 4


def waits(pace: Pace, frames: Sequence[bytes], marks: Marks) -> tuple[float, ...]:
    """Seconds to wait before each frame; () where nothing is to be waited for."""
    if pace == "off" or not frames:
        return ()
    if isinstance(pace, str):
        return _recorded(frames, marks) if marks else ()
    return tuple(_tokens(frame) / pace for frame in frames)


def _tokens(frame: bytes) -> int:
    return 1 + max(0, len(frame) - ENVELOPE_BYTES) // BYTES_PER_TOKEN


def thinned(marks: Marks, wire_size: int, size: int) -> tuple[tuple[int, int], ...]:
    """A few marks that tell the same, of a body of this size as it was before it was coded.

    Codings are taken to compress every part alike.
    """
    if not marks or not wire_size:
        return ()
    step = -(-len(marks) // MAX_MARKS)
    kept = [*marks[:1], *marks[step::step]]
    if kept[-1] != marks[-1]:
        kept[-1] = marks[-1]
    return tuple((count * size // wire_size, when) for count, when in kept)


def _recorded(frames: Sequence[bytes], marks: Marks) -> tuple[float, ...]:
    """A frame comes when its last byte came; between two marks bytes came evenly."""
    counts = [count for count, _ in marks]
    result, sent, before = [], 0, 0.0
    for frame in frames:
        sent += len(frame)
        index = min(bisect_left(counts, sent), len(marks) - 1)
        count, when = marks[index]
        if index and sent < count:
            earlier, began = marks[index - 1]
            when_exactly = began + (when - began) * (sent - earlier) / (count - earlier)
        else:
            when_exactly = float(when)
        result.append(max(0.0, when_exactly - before) / 1000)
        before = max(before, when_exactly)
    return tuple(result)
