"""Function calls that Vertex streams argument by argument."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khazad_mitm.exchange import Json
from khazad_mitm.wire.gemini_calls import StreamedCall, is_piece
from khazad_mitm.wire.unfit import Unfit
from tests.strategies import json_values, texts


def call(**fields: Any) -> dict[str, Any]:
    return {"functionCall": fields}


def args_of(*pieces: Any) -> Json:
    streamed = StreamedCall()
    streamed.add(call(name="f", willContinue=True))
    streamed.add(call(partialArgs=list(pieces)))
    return streamed.result()["functionCall"]["args"]


def said(path: str, value: Any, goes_on: bool = False) -> dict[str, Any]:
    kinds = {str: "stringValue", bool: "boolValue", type(None): "nullValue"}
    kind = kinds.get(type(value), "numberValue")
    more = {"willContinue": True} if goes_on else {}
    return {"jsonPath": path, kind: "NULL_VALUE" if value is None else value, **more}


@pytest.mark.parametrize(
    ("part", "is_one"),
    [
        (call(name="f", args={}), False),
        (call(name="f", willContinue=True), True),
        (call(partialArgs=[]), True),
        ({"functionCall": None}, False),
        ({"text": "a"}, False),
    ],
)
def test_a_piece_is_known_by_what_a_plain_call_does_not_have(part: Any, is_one: bool) -> None:
    assert is_one == is_piece(part)


def test_a_call_keeps_its_name_its_id_and_what_stands_beside_it() -> None:
    streamed = StreamedCall()
    streamed.add({**call(name="f", id="1", willContinue=True), "thoughtSignature": "s"})
    streamed.add(call())

    expected = {**call(name="f", id="1", args={}), "thoughtSignature": "s"}
    assert expected == streamed.result()


@pytest.mark.parametrize(
    ("pieces", "args"),
    [
        ([said("$.a", "x", True), said("$.a", "y")], {"a": "xy"}),
        ([{"jsonPath": "$.a", "willContinue": True}, said("$.a", "y")], {"a": "y"}),
        ([said("$.a", "x", True), {"jsonPath": "$.a"}], {"a": "x"}),
        (
            [said("$.a", 5), said("$.b", 0.5), said("$.c", False), said("$.d", None)],
            {"a": 5, "b": 0.5, "c": False, "d": None},
        ),
        (
            [said("$.a[0].b", 1), said("$.a[0].c", 2), said("$.a[1].b", 3)],
            {"a": [{"b": 1, "c": 2}, {"b": 3}]},
        ),
        ([said("$['a b'][\"c.d\"]", 1)], {"a b": {"c.d": 1}}),
        ([said("$.a[0][0]", 1), said("$.a[0][1]", 2)], {"a": [[1, 2]]}),
    ],
)
def test_arguments_are_put_where_their_paths_say(pieces: list[Any], args: Any) -> None:
    assert args == args_of(*pieces)


@pytest.mark.parametrize(
    "pieces",
    [
        [said("$.a", 1), said("$.a", 2)],
        [said("$.a", "x"), said("$.a", "y")],
        [said("$.a", "x", True), said("$.a", 2)],
        [said("$.a", 1), said("$.a.b", 2)],
        [said("$.a", 1), said("$.a[0]", 2)],
        [said("$.a[1]", 1)],
        [said("$[0]", 1)],
        [said("$", 1)],
        [said("$..a", 1)],
        [said("$.a[*]", 1)],
        [said("a", 1)],
        [{"stringValue": "x"}],
        [{**said("$.a", 1), "boolValue": True}],
        [{**said("$.a", 1), "valueOfTomorrow": 1}],
        ["$.a"],
    ],
)
def test_what_cannot_be_put_anywhere_is_not_kept(pieces: list[Any]) -> None:
    with pytest.raises(Unfit, match=r"^unknown-event$"):
        args_of(*pieces)


@pytest.mark.parametrize(
    "part",
    [
        {"text": "a"},
        call(name="g"),
        call(args={}),
        call(partialArgs={}),
        {**call(), "thoughtSignature": "t"},
    ],
)
def test_what_is_no_further_piece_of_the_call_is_not_kept(part: Any) -> None:
    streamed = StreamedCall()
    streamed.add({**call(name="f", willContinue=True), "thoughtSignature": "s"})

    with pytest.raises(Unfit, match=r"^unknown-event$"):
        streamed.add(part)


def test_a_call_that_has_not_ended_is_cut() -> None:
    with pytest.raises(Unfit, match=r"^cut$"):
        args_of(said("$.a", "x", True))


@given(st.dictionaries(st.from_regex(r"[a-z_]{1,5}", fullmatch=True), st.lists(texts, min_size=1)))
def test_texts_come_through_however_they_are_cut(args: dict[str, list[str]]) -> None:
    pieces = [
        said(f"$.{name}", text, number < len(fragments) - 1)
        for name, fragments in args.items()
        for number, text in enumerate(fragments)
    ]

    assert {name: "".join(fragments) for name, fragments in args.items()} == args_of(*pieces)


@given(st.lists(st.fixed_dictionaries({"jsonPath": texts.map("$.".__add__)}) | json_values))
def test_nonsense_raises_nothing_else(pieces: list[Any]) -> None:
    try:
        args_of(*pieces)
    except Unfit:
        pass
