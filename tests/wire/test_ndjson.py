"""Newline-delimited JSON: where a line ends, and what a last line without its end proves."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khazad_mitm.wire import ndjson
from tests.strategies import json_objects, json_values


def test_frames_keep_their_line_ends_and_the_rest_has_none() -> None:
    assert ([b'{"a":1}\r\n', b"\n", b"{}\n"], b'{"b"') == ndjson.split(b'{"a":1}\r\n\n{}\n{"b"')


@given(
    st.binary() | st.lists(st.sampled_from([b"\n", b"\r", b"{}", b"\xe2\x80\xa8"])).map(b"".join)
)
def test_nothing_is_lost_in_cutting(stream: bytes) -> None:
    frames, rest = ndjson.split(stream)

    assert stream == b"".join(frames) + rest
    assert all(1 == frame.count(b"\n") and frame.endswith(b"\n") for frame in frames)
    assert b"\n" not in rest


def test_blank_lines_and_carriage_returns_say_nothing() -> None:
    assert [{"a": 1}, 2] == list(ndjson.values(b'\n \r\n{"a":1}\r\n\n2\n'))


def test_a_line_separator_is_text() -> None:
    assert [{"a": "1\u20282\x85"}] == list(ndjson.values('{"a":"1\u20282\x85"}\n'.encode()))


@pytest.mark.parametrize("rest", ["1", '"a"', "[]", "null", '{"a":1', '{"a":1}}', "", " "])
def test_a_last_line_without_its_end_is_dropped(rest: str) -> None:
    assert [{}] == list(ndjson.values(b"{}\n" + rest.encode()))


def test_a_whole_object_needs_no_line_end() -> None:
    assert [{}, {"a": 1}] == list(ndjson.values(b'{}\n{"a":1}'))


@given(json_objects)
def test_nothing_cut_from_an_object_is_one(value: dict[str, Any]) -> None:
    line = ndjson.write(value)[:-1]

    assert all([] == list(ndjson.values(line[:end])) for end in range(len(line)))


@pytest.mark.parametrize(
    ("broken", "why"), [(b"{\n{}\n", "property name"), (b"\xff\n", "utf-8"), (b"NaN\n", "NaN")]
)
def test_a_broken_line_is_an_error(broken: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        list(ndjson.values(broken))


@given(json_values)
def test_what_is_written_is_one_line_for_every_reader(value: Any) -> None:
    line = ndjson.write(value)

    assert [value] == list(ndjson.values(line))
    assert 1 == len(line.decode().splitlines())
