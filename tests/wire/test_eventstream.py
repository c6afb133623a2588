"""AWS event streams: frames as AWS writes them, and whatever else may arrive."""

from __future__ import annotations

from struct import pack
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khazad_mitm.wire import eventstream
from khazad_mitm.wire.eventstream import Event
from khazad_mitm.wire.unfit import Unfit
from tests.wires import aws_frames

HEADERS = {":event-type": "chunk", ":content-type": "application/json", ":message-type": "event"}
FRAME = aws_frames.frame(HEADERS, b'{"a":1}')

events = st.builds(Event, st.text(max_size=20), st.binary(max_size=200))


def sealed(headers: bytes, payload: bytes = b"") -> bytes:
    """A frame whose CRCs are right, whatever its headers are."""
    prelude = pack(">LL", 16 + len(headers) + len(payload), len(headers))
    message = prelude + pack(">L", crc32(prelude)) + headers + payload
    return message + pack(">L", crc32(message))


def test_a_frame_is_written_as_bedrock_writes_it() -> None:
    assert FRAME == eventstream.write(Event("chunk", b'{"a":1}'))


@given(st.lists(events, max_size=4))
def test_what_was_written_is_read(some: list[Event]) -> None:
    stream = b"".join(map(eventstream.write, some))
    read = eventstream.events(stream)

    assert some == [next(read) for _ in some]
    with pytest.raises(Unfit, match=r"^cut$"):
        next(read)


@given(st.lists(events, max_size=3), st.binary(max_size=40), st.integers(0, 400))
def test_frames_and_the_rest_are_the_stream(some: list[Event], more: bytes, end: int) -> None:
    stream = (b"".join(map(eventstream.write, some)) + more)[:end]
    frames, rest = eventstream.split(stream)

    assert stream == b"".join(frames) + rest


@pytest.mark.parametrize("position", range(len(FRAME)))
def test_a_frame_with_a_wrong_byte_is_refused(position: int) -> None:
    wrong = bytearray(FRAME)
    wrong[position] ^= 0x40

    with pytest.raises(ValueError, match=r"CRC|length"):
        eventstream.read(bytes(wrong))


@pytest.mark.parametrize("length", [0, 15, 2**32 - 1])
def test_behind_an_impossible_length_nothing_is_found(length: int) -> None:
    wrong = pack(">L", length) + FRAME[4:]

    assert ([FRAME], wrong + FRAME) == eventstream.split(FRAME + wrong + FRAME)


@pytest.mark.parametrize(
    "headers",
    [
        b"\x01",
        b"\x01a",
        b"\x01a\x07",
        b"\x01a\x07\x00\x09b",
        b"\x01a\x63",
        b"\x01a\x09short",
        b"\x01\xff\x07\x00\x00",
    ],
)
def test_headers_that_cannot_be_read_are_refused(headers: bytes) -> None:
    with pytest.raises(ValueError, match=r"header|decode"):
        eventstream.read(sealed(headers))


def test_headers_of_every_type_are_passed_over() -> None:
    kinds = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}
    block = b"".join(b"\x01x" + bytes([kind]) + bytes(size) for kind, size in kinds.items())
    block += b"\x01b\x06\x00\x02hi" + b"\x01s\x07\x00\x02hi"

    assert ({"s": "hi"}, b"{}") == eventstream.read(sealed(block, b"{}"))


def test_an_exception_ends_the_reading() -> None:
    stream = aws_frames.encoded(b'chunk {}\n!throttlingException {"message":"Slow."}\nchunk {}')
    read = eventstream.events(stream)

    assert "chunk" == next(read).name
    with pytest.raises(Unfit, match=r"^error$"):
        next(read)


@given(st.binary(max_size=120))
def test_garbage_is_refused_and_nothing_else(garbage: bytes) -> None:
    with pytest.raises(ValueError, match=r"cut|CRC|length"):
        list(eventstream.events(garbage))
    with pytest.raises(ValueError, match=r"short|CRC|length"):
        eventstream.read(garbage)


@given(st.lists(events, min_size=1, max_size=3))
def test_botocore_reads_what_was_written(some: list[Event]) -> None:
    botocore = pytest.importorskip("botocore.eventstream")
    buffer = botocore.EventStreamBuffer()
    buffer.add_data(b"".join(map(eventstream.write, some)))

    assert some == [Event(one.headers[":event-type"], one.payload) for one in buffer]
