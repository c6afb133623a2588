"""A body means one thing, or it is not read."""

from __future__ import annotations

import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khazad_mitm.messages import Headers, Request
from khazad_mitm.wire import body as bodies
from khazad_mitm.wire.body import JsonBody, NotJson
from tests.strategies import json_objects, json_values


def read(data: bytes, **headers: str) -> JsonBody | NotJson:
    named = Headers((key.replace("_", "-"), value) for key, value in headers.items())
    return bodies.read(Request.to("https://api.openai.com/v1/x", data, named))


@given(json_objects)
def test_what_json_writes_is_read(value: dict[str, object]) -> None:
    assert JsonBody(value) == read(json.dumps(value).encode())
    assert JsonBody(value) == read(json.dumps(value, ensure_ascii=False).encode())


@given(json_values)
def test_what_is_written_is_parsed(value: object) -> None:
    assert value == bodies.parse(bodies.write(value).decode())


@given(st.binary(max_size=100))
def test_garbage_never_raises(data: bytes) -> None:
    assert isinstance(read(data), JsonBody | NotJson)


def test_content_codings_are_undone() -> None:
    assert JsonBody({"a": 1}) == read(gzip.compress(b'{"a":1}'), content_encoding="gzip")
    assert NotJson("content-encoding") == read(b'{"a":1}', content_encoding="gzip")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not json"),
        (b"{", "not json"),
        (b"\xef\xbb\xbf{}", "not json"),
        (b"[1]", "not an object"),
        (b'"text"', "not an object"),
        (b'{"a":"\xff"}', "not utf-8"),
        (b'{"a":"\\ud83d"}', "not utf-8"),
        (b'{"a":NaN}', "NaN"),
        (b'{"a":-Infinity}', "-Infinity"),
        (b'{"a":1e999}', "number"),
        (b'{"a":' + b"9" * 500 + b"}", "number"),
        (b'{"a":1,"b":{"c":1,"c":1}}', "duplicate key"),
        (b'{"a":' + b"[" * 150 + b"]" * 150 + b"}", "too deep"),
        (b'{"a":' * 99_999, "too deep"),
    ],
)
def test_what_could_be_read_in_two_ways_is_refused(data: bytes, reason: str) -> None:
    assert NotJson(reason) == read(data)


def test_a_long_flat_body_is_not_deep() -> None:
    value = {"turns": [{"parts": [{"text": "x"}]}] * 200}

    assert JsonBody(value) == read(json.dumps(value).encode())


def test_the_spelling_of_numbers_is_kept_apart() -> None:
    read_body = read(b'{"a":1.00,"b":[1e2,-0,0.7,12],"c":1E5}')

    assert JsonBody(
        {"a": 1.0, "b": [100.0, 0, 0.7, 12], "c": 1e5}, ("-0", "1.00", "1E5", "1e2")
    ) == (read_body)


def test_a_surrogate_pair_split_between_two_fragments_is_one_character() -> None:
    assert '{"a":"🦊"}'.encode() == bodies.write({"a": "\ud83e" + "\udd8a"})


@pytest.mark.parametrize("value", [float("inf"), float("nan"), "\ud83e"])
def test_what_json_cannot_say_is_not_written(value: object) -> None:
    with pytest.raises(ValueError, match=r".+"):
        bodies.write(value)
