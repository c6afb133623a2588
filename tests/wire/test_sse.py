"""Frames and events, as the WHATWG rules have them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khazad_mitm.wire import sse
from khazad_mitm.wire.sse import Event
from tests.strategies import texts

EOLS = st.sampled_from([b"\n", b"\r\n", b"\r"])
MODEL_LINES = texts.map(lambda text: text.replace("\r\n", "\n").replace("\r", "\n"))


@given(st.binary(max_size=200) | st.text("\r\n:da t", max_size=60).map(str.encode))
def test_frames_and_rest_are_the_stream(stream: bytes) -> None:
    frames, rest = sse.split(stream)

    assert stream == b"".join(frames) + rest
    assert all(sse.split(frame) == ([frame], b"") for frame in frames)


@given(MODEL_LINES, EOLS)
def test_what_is_written_is_read_whatever_the_line_ends(data: str, eol: bytes) -> None:
    frame = sse.write(data, "message").replace(b"\n", eol)

    assert [Event(data, "message")] == list(sse.events(frame))


@given(st.lists(MODEL_LINES, max_size=4))
def test_events_come_out_in_order(datas: list[str]) -> None:
    stream = b"".join(map(sse.write, datas))

    assert datas == [event.data for event in sse.events(stream)]


def test_a_frame_without_its_blank_line_is_no_event() -> None:
    assert ([b"data: 1\n\n"], b"data: 2\n") == sse.split(b"data: 1\n\ndata: 2\n")
    assert [Event("1")] == list(sse.events(b"data: 1\n\ndata: 2\n"))


def test_a_lone_line_end_of_two_bytes_is_no_blank_line() -> None:
    assert ([], b"data: 1\r\ndata: 2\r\n") == sse.split(b"data: 1\r\ndata: 2\r\n")


def test_several_data_lines_are_one_text() -> None:
    assert Event("a\n\n b") == sse.parse(b"data:a\ndata\ndata:  b\n\n")


def test_comments_and_other_fields_are_no_data() -> None:
    assert sse.parse(b": OPENROUTER PROCESSING\n\n") is None
    assert sse.parse(b"id: 7\nretry: 10\nerror: x\n\n") is None
    assert Event("") == sse.parse(b": c\ndata\n\n")


def test_the_byte_order_mark_is_no_part_of_the_first_field() -> None:
    assert [Event("1")] == list(sse.events(b"\xef\xbb\xbfdata: 1\n\n"))


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c"])
def test_a_line_separator_of_unicode_is_text(separator: str) -> None:
    frame = f"data: one{separator}data: two\n\n".encode()

    assert Event(f"one{separator}data: two") == sse.parse(frame)


def test_bytes_that_are_not_utf_8_are_an_error() -> None:
    with pytest.raises(ValueError, match="utf-8"):
        sse.parse(b"data: \xff\n\n")
