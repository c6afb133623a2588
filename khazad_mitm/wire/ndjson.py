"""Newline-delimited JSON: a stream of bytes cut into frames, frames read as values, values written.

Knows nothing of what the values say. A line ends with LF, and a CR before it is white space to
JSON; U+2028 and a lone CR end nothing. Blank lines say nothing.

Source: github.com/ndjson/ndjson-spec, read 2026-11.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from khazad_mitm.exchange import Json
from khazad_mitm.wire import body as bodies

_LINE = re.compile(rb"[^\n]*\n")

# Where Python's `str.splitlines` ends a line and JSON does not: the official Python clients of
# Ollama and Cohere read lines with it. Go's encoder, which made the originals, escapes the first
# two as well.
_LINE_ENDS_OF_PYTHON = str.maketrans(
    {"\u2028": "\\u2028", "\u2029": "\\u2029", "\u0085": "\\u0085"}
)


def split(stream: bytes) -> tuple[list[bytes], bytes]:
    """Cut a stream into frames, each a line with its end, and the unended rest.

    `b"".join(frames) + rest == stream`.
    """
    frames = _LINE.findall(stream)
    return frames, stream[sum(map(len, frames)) :]


def values(stream: bytes) -> Iterator[Json]:
    """The values of a stream, in order. Raises ValueError or RecursionError in a broken line.

    A last line without its end counts where it is a whole object, as nothing that is cut from
    an object is one itself. `12` might have been `123`, and is dropped.
    """
    frames, rest = split(stream)
    for frame in frames:
        if not frame.isspace():
            yield bodies.parse(frame.decode())
    try:
        last = bodies.parse(rest.decode())
    except ValueError:
        return
    if isinstance(last, dict):
        yield last


def one_line(value: Json) -> str:
    """JSON that every reader of lines takes for one."""
    return bodies.write(value).decode().translate(_LINE_ENDS_OF_PYTHON)


def write(value: Json) -> bytes:
    """One frame. Raises as `body.write` does."""
    return one_line(value).encode() + b"\n"
