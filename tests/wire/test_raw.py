from __future__ import annotations

import json

import pytest
from hypothesis import given

from khazad_mitm.wire import raw
from tests.strategies import json_objects, json_values


@given(json_objects)
def test_members_written_again_mean_the_same(value: dict[str, object]) -> None:
    for text in (json.dumps(value), json.dumps(value, indent=2, ensure_ascii=False)):
        assert value == json.loads(raw.write_members(raw.members(text)))
        assert list(value) == list(raw.members(text))


@given(json_values)
def test_elements_written_again_mean_the_same(value: object) -> None:
    for text in (json.dumps([value, value]), json.dumps([value, value], indent=1)):
        assert [value, value] == json.loads(raw.write_elements(raw.elements(text)))


def test_numbers_stay_as_they_were_written() -> None:
    assert ["1.0e-05", "0.10", "-0", "1E5"] == raw.elements("[1.0e-05, 0.10,-0 ,1E5\n]")
    assert {"a": "[0.10]"} == raw.members('{"a" : [0.10] }')


def test_what_is_empty_has_no_parts() -> None:
    assert ({}, []) == (raw.members(" { } "), raw.elements("[\n]"))


@pytest.mark.parametrize(
    "text", ["", "[", "1", '"a"', "{", '{"a"', '{"a":', '{"a":1', '{"a":1 "b":2}', "{1:2}", "nope"]
)
def test_what_is_no_object_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        raw.members(text)


def test_a_name_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        raw.members('{"a":1,"a":2}')


@pytest.mark.parametrize("text", ["", "{}", "[1", "[1 2]", "[,]"])
def test_what_is_no_list_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        raw.elements(text)
