"""How fragments grow together, whatever field they belong to."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from khazad_mitm.wire.openai_deltas import grow
from khazad_mitm.wire.unfit import Unfit
from tests.strategies import json_values


@pytest.mark.parametrize(
    ("old", "new", "whole"),
    [
        (None, "a", "a"),
        ("a", None, "a"),
        ("a", "b", "ab"),
        (1, 2, 2),
        ([1], [2], [1, 2]),
        ({"a": "1"}, {"a": "2", "b": 3}, {"a": "12", "b": 3}),
        ("", [{"type": "thinking"}], [{"type": "thinking"}]),
        ([{"type": "text", "text": "a"}], "b", [{"type": "text", "text": "ab"}]),
        ([{"index": 0, "text": "a"}], [{"index": 0, "text": "b"}], [{"index": 0, "text": "ab"}]),
        ([{"index": 0}], [{"index": 1}], [{"index": 0}, {"index": 1}]),
        ([{"type": "url_citation"}], [{"type": "url_citation"}], [{"type": "url_citation"}] * 2),
    ],
)
def test_values_grow_by_their_kind(old: Any, new: Any, whole: Any) -> None:
    assert whole == grow(old, new)


def test_a_label_sent_again_is_still_one() -> None:
    assert "analysis" == grow("analysis", "analysis", "channel")
    assert "f" == grow("", "f", "name")


def test_items_of_one_list_never_join_each_other() -> None:
    parts = [{"index": 0, "text": "a"}, {"index": 0, "text": "b"}]

    assert parts == grow([], list(parts))


@pytest.mark.parametrize(("old", "new"), [("a", 1), (1, "a"), ({}, []), ("a", {})])
def test_values_of_two_kinds_are_not_one(old: Any, new: Any) -> None:
    with pytest.raises(Unfit):
        grow(old, new)


@given(json_values)
def test_a_value_that_comes_alone_is_itself(value: Any) -> None:
    assert value == grow(None, value) == grow(value, None)
