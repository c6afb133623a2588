"""A JSON array that is sent while it grows: cut into its elements, read, and written.

Google streams answers so where nobody asks for server-sent events. Knows nothing of what the
elements say. The array is whole when its bracket closes.

Source: Gemini API reference, `models.streamGenerateContent`, as answered without `alt=sse`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from khazad_mitm.exchange import Json
from khazad_mitm.wire import body as bodies

# Strings are skipped whole, so that brackets inside them are not seen. One that never ends runs
# to the end and is not tried again from each quote in it, which would take quadratic time.
_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\Z)|[\[\]{}]', re.DOTALL)


def split(stream: bytes) -> tuple[list[bytes], bytes]:
    """Cut a stream after each element of the array, and the rest: what follows the last one.

    `b"".join(frames) + rest == stream`. What is no array has no frames.
    """
    frames: list[bytes] = []
    depth = start = 0
    for token in _TOKEN.finditer(stream):
        if token[0] in (b"[", b"{"):
            depth += 1
        elif token[0] in (b"]", b"}"):
            depth -= 1
            if depth == 1:
                frames.append(stream[start : token.end()])
                start = token.end()
    return frames, stream[start:]


def values(stream: bytes) -> list[Json]:
    """The elements of a whole array. Raises ValueError or RecursionError where it is none."""
    elements = bodies.parse(stream.decode())
    if not isinstance(elements, list):
        raise ValueError("not an array")
    return elements


def write(elements: Iterable[Json]) -> Iterator[bytes]:
    """The frames of an array, one for each element and one for its end."""
    before = b"["
    for element in elements:
        yield before + bodies.write(element)
        before = b"\n,\r\n"
    yield b"[]" if before == b"[" else b"\n]"
