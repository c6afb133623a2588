"""Server-sent events: a stream of bytes cut into frames, frames read as events, events written.

Knows nothing of what the events say. Lines end with CR LF, LF or CR and with nothing else:
U+2028, U+0085 and form feeds are text, so `str.splitlines` would tear a model's words apart.

Source: WHATWG HTML, section 9.2 "Server-sent events".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

# Without the look-ahead a lone CR LF could be read as two line ends, that is as a blank line.
_END = rb"(?:\r\n|\r(?!\n)|\n)"
_BLANK_LINE = re.compile(_END + _END)
_LINE_END = re.compile(r"\r\n|\r|\n")
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Event:
    """One dispatched event; `id` and `retry` are for reconnecting and are not kept."""

    data: str
    name: str = ""
    """The `event` field, "" where the stream has none."""


def split(stream: bytes) -> tuple[list[bytes], bytes]:
    """Cut a stream into frames, each with the blank line that ends it, and the unended rest.

    `b"".join(frames) + rest == stream`. The rest is no event, however whole it looks
    ("discard the pending event" at the end of the file).
    """
    frames = []
    start = 0
    for blank in _BLANK_LINE.finditer(stream):
        frames.append(stream[start : blank.end()])
        start = blank.end()
    return frames, stream[start:]


def parse(frame: bytes) -> Event | None:
    """Read one frame; None where it dispatches nothing (comments, blank lines, no data).

    Raises ValueError where the frame is not UTF-8: a replacement character would be kept as
    if the model had said it.
    """
    name = ""
    data = []
    for line in _LINE_END.split(frame.removeprefix(_BOM).decode()):
        key, _, value = line.partition(":")
        match key:
            case "data":
                data.append(value.removeprefix(" "))
            case "event":
                name = value.removeprefix(" ")
    return Event("\n".join(data), name) if data else None


def events(stream: bytes) -> Iterator[Event]:
    """The events of a stream, in order. Raises ValueError as `parse` does."""
    for frame in split(stream)[0]:
        event = parse(frame)
        if event is not None:
            yield event


def write(data: str, name: str = "") -> bytes:
    """One frame. Line ends in `data` become LF, as every parser would read them back."""
    lines = [f"event: {name}"] if name else []
    lines += [f"data: {line}" for line in _LINE_END.split(data)]
    return ("\n".join(lines) + "\n\n").encode()
