"""AWS event streams (`application/vnd.amazon.eventstream`): bytes cut into frames, read, written.

A frame is the length of all and of the headers, a CRC of these two, the headers, the payload and
a CRC of everything before it; numbers are big-endian. Knows nothing of what the events say.
Source: Smithy specification, "Amazon Event Stream Specification"; `botocore.eventstream` 1.44.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from khazad_mitm.wire.unfit import Unfit

MEDIA_TYPE = "application/vnd.amazon.eventstream"

_PRELUDE = struct.Struct(">III")  # length of all, length of the headers, CRC of both
_CRC = struct.Struct(">I")
_AROUND = _PRELUDE.size + _CRC.size

# The specification allows 24 MiB of payload and 128 KiB of headers; botocore refuses more too.
MAX_FRAME_BYTES = 24 * 1024 * 1024 + 128 * 1024 + _AROUND

_STRING = 7
# Bytes of a header's value by its type: true, false, byte, short, integer, long, timestamp, uuid.
_SIZES = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}
_SIZED_BY_PREFIX = (6, _STRING)  # bytes and strings say their length in two bytes


@dataclass(frozen=True, slots=True)
class Event:
    """One event that says something; exceptions are raised instead."""

    name: str
    """The header `:event-type`."""
    payload: bytes


def split(stream: bytes) -> tuple[list[bytes], bytes]:
    """Cut a stream into whole frames and the rest; `b"".join(frames) + rest == stream`.

    Behind a length that cannot be, nothing can be found any more: all of it is the rest.
    """
    frames = []
    start = 0
    while len(stream) - start >= _AROUND:
        length = _PRELUDE.unpack_from(stream, start)[0]
        if not _AROUND <= length <= min(MAX_FRAME_BYTES, len(stream) - start):
            break
        frames.append(stream[start : start + length])
        start += length
    return frames, stream[start:]


def read(frame: bytes) -> tuple[dict[str, str], bytes]:
    """The headers of one frame that are strings, and its payload.

    Raises ValueError where a CRC or a length is wrong, or a header cannot be read.
    """
    if len(frame) < _AROUND:
        raise ValueError("too short for a frame")
    length, headers_length, crc = _PRELUDE.unpack_from(frame)
    if zlib.crc32(frame[: _PRELUDE.size - _CRC.size]) != crc:
        raise ValueError("CRC of the prelude")
    if length != len(frame) or headers_length > length - _AROUND:
        raise ValueError("length")
    if zlib.crc32(frame[: -_CRC.size]) != _CRC.unpack_from(frame, length - _CRC.size)[0]:
        raise ValueError("CRC of the message")
    end = _PRELUDE.size + headers_length
    return _headers(frame[_PRELUDE.size : end]), frame[end : -_CRC.size]


def events(stream: bytes) -> Iterator[Event]:
    """The events of a stream, in order; whoever has read the last one reads no further.

    Raises Unfit("error") at an exception, Unfit("cut") at the end of the bytes, ValueError as
    `read` does.
    """
    for frame in split(stream)[0]:
        headers, payload = read(frame)
        if headers.get(":message-type") != "event":
            raise Unfit("error")
        yield Event(headers.get(":event-type", ""), payload)
    raise Unfit("cut")


def write(event: Event) -> bytes:
    """One frame, its headers in the order Bedrock sends them; the payload is JSON."""
    headers = b"".join(
        _header(name, value)
        for name, value in (
            (":event-type", event.name),
            (":content-type", "application/json"),
            (":message-type", "event"),
        )
    )
    lengths = struct.pack(">II", _AROUND + len(headers) + len(event.payload), len(headers))
    frame = lengths + _CRC.pack(zlib.crc32(lengths)) + headers + event.payload
    return frame + _CRC.pack(zlib.crc32(frame))


def _header(name: str, value: str) -> bytes:
    told, said = name.encode(), value.encode()
    return struct.pack(">B", len(told)) + told + struct.pack(">BH", _STRING, len(said)) + said


def _headers(block: bytes) -> dict[str, str]:
    headers = {}
    at = 0
    while at < len(block):
        name, at = _taken(block, at + 1, block[at])
        (kind,), at = _taken(block, at, 1)
        size = _SIZES.get(kind)
        if kind in _SIZED_BY_PREFIX:
            prefix, at = _taken(block, at, 2)
            size = int.from_bytes(prefix, "big")
        if size is None:
            raise ValueError("type of a header")
        value, at = _taken(block, at, size)
        if kind == _STRING:
            headers[name.decode()] = value.decode()
    return headers


def _taken(block: bytes, start: int, size: int) -> tuple[bytes, int]:
    end = start + size
    if end > len(block):
        raise ValueError("length of a header")
    return block[start:end], end
