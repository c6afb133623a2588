"""A streamed JSON array: cut into elements, read and written."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khazad_mitm.wire import json_array
from tests.strategies import json_objects


@given(st.lists(json_objects, max_size=4))
def test_what_is_written_is_read_again(elements: list[Any]) -> None:
    stream = b"".join(json_array.write(elements))

    assert elements == json_array.values(stream)


@given(st.lists(json_objects, max_size=4), st.sampled_from([None, 2]))
def test_there_is_a_frame_for_each_element(elements: list[Any], indent: int | None) -> None:
    stream = json.dumps(elements, indent=indent).encode()

    frames, rest = json_array.split(stream)

    assert stream == b"".join(frames) + rest
    assert len(elements) == len(frames)
    assert elements == [json.loads(frame.lstrip(b"[, \r\n")) for frame in frames]


@given(st.binary(max_size=60) | st.text('[]{}",\\a', max_size=60).map(str.encode))
def test_nothing_is_lost_whatever_comes(stream: bytes) -> None:
    frames, rest = json_array.split(stream)

    assert stream == b"".join(frames) + rest


@pytest.mark.parametrize("stream", [b"", b"[{}", b"[{},", b"{}", b"[{}] x", b"[" * 5000, b"\xff"])
def test_an_array_that_is_not_whole_is_none(stream: bytes) -> None:
    with pytest.raises((ValueError, RecursionError)):
        json_array.values(stream)


def test_a_string_that_never_ends_is_read_once() -> None:
    stream = b'[{"' + b'\\"' * 200_000

    assert ([], stream) == json_array.split(stream)
