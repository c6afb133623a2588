from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khazad_mitm.record.spelling import Spelling, spelt
from tests.strategies import json_objects

SPELLINGS = [
    Spelling(indent, spaced, ascii, html)
    for indent, spaced in ((None, False), (None, True), (2, False), (4, False))
    for ascii in (False, True)
    for html in (False, True)
]


@given(json_objects, st.sampled_from(SPELLINGS), st.sampled_from(["", "\n", " \n  "]))
def test_a_text_that_is_taken_apart_comes_back_byte_for_byte(
    value: dict[str, Any], spelling: Spelling, white: str
) -> None:
    text = white + spelling.write(value) + white

    taken = spelt(text)

    assert taken is None or text == taken.text()


@pytest.mark.parametrize("spelling", SPELLINGS, ids=str)
def test_every_spelling_is_found_and_named(spelling: Spelling) -> None:
    value = {"a": ["ü<&>", 1, 2.5], "b": {"c": None, "d": []}}

    taken = spelt(spelling.write(value))

    assert taken is not None
    assert value == taken.value
    assert spelling == Spelling.named(str(taken.spelling))


@pytest.mark.parametrize(
    "text", ['{"a": 1.00}', '{"a":1,"a":2}', '{ "a": 1 }', '{"a":"\\/"}', '"text"', "no", "", "[1,"]
)
def test_what_would_lose_bytes_is_left_as_it_is(text: str) -> None:
    assert spelt(text) is None


def test_a_name_nobody_has_given_is_refused() -> None:
    with pytest.raises(ValueError, match="'fancy' is no way of writing JSON"):
        Spelling.named("fancy")


def test_nothing_is_written_that_is_no_json() -> None:
    with pytest.raises(ValueError, match="JSON"):
        Spelling().write(json.loads("NaN"))
