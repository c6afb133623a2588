from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khazad_mitm.exchange import Json
from khazad_mitm.record import streams
from khazad_mitm.record.bodies import Shelf
from khazad_mitm.record.interaction import Frame
from khazad_mitm.record.yamls import dump, load
from khazad_mitm.wire import eventstream
from tests.strategies import texts

AWS = eventstream.write(eventstream.Event("contentBlockDelta", b'{"delta":{"text":"hi"}}'))


def document_of(*pieces: bytes) -> Json:
    frames = tuple(Frame(at, piece) for at, piece in enumerate(pieces))
    shelf = Shelf("x")
    document = load(dump(streams.write(frames, shelf)))
    assert frames == streams.read(document, Shelf("x", shelf.files.__getitem__))
    return document


@given(
    st.lists(st.binary(min_size=1, max_size=80) | texts.filter(bool).map(str.encode), max_size=6)
)
def test_a_stream_comes_back_byte_for_byte(pieces: list[bytes]) -> None:
    document_of(*pieces)


@pytest.mark.parametrize(
    ("piece", "form"),
    [
        (b'data: {"a":1}\n\n', {"data": '{"a":1}'}),
        (b"event: ping\ndata: {}\n\n", {"event": "ping", "data": "{}"}),
        (b'{"done":true}\n', {"line": '{"done":true}'}),
        (b": keep-alive\n\n", {"text": ": keep-alive\n\n"}),
        (b"data:x\n\n", {"text": "data:x\n\n"}),
        (b"data: one\ndata: two\n\n", {"text": "data: one\ndata: two\n\n"}),
        (AWS, {"event": "contentBlockDelta", "payload": '{"delta":{"text":"hi"}}'}),
        (AWS[:-1], {"base64": "AAAA"}),
    ],
)
def test_a_frame_is_written_in_the_first_form_that_fits(piece: bytes, form: dict[str, str]) -> None:
    (line,) = document_of(piece)

    assert 0 == line.pop("at")
    assert form.keys() == line.keys()
    assert all(line[name].startswith(value) for name, value in form.items())


def test_other_line_ends_are_said_once() -> None:
    assert {"line_end": "\r\n", "frames": [{"at": 0, "data": "x"}]} == document_of(
        b"data: x\r\n\r\n"
    )


def test_a_long_stream_lies_beside() -> None:
    assert {"file": "x.response.stream", "frames": [[0, 70_000], [1, 3]]} == document_of(
        b"x" * 70_000, b"end"
    )


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("text", "a stream is a list of frames"),
        ([{"at": 1}], "a frame has one of"),
        ([{"at": "soon", "text": ""}], "'soon' is no time"),
        ({"file": "x", "frames": [[0, 4]]}, "the lengths of the frames"),
        ({"file": "x", "frames": [0]}, "frames are pairs"),
    ],
)
def test_what_is_no_stream_is_refused(document: Json, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        streams.read(document, Shelf("x", lambda name: b"123"))
