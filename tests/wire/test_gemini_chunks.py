"""Gemini's chunks: taken apart and put together."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khazad_mitm.wire.gemini_chunks import merge, split
from khazad_mitm.wire.unfit import Unfit
from tests.strategies import json_objects, json_values, texts

parts = st.one_of(
    st.fixed_dictionaries(
        {"text": texts}, optional={"thought": st.booleans(), "thoughtSignature": texts}
    ),
    st.fixed_dictionaries(
        {"functionCall": st.fixed_dictionaries({"name": texts, "args": json_objects})}
    ),
    st.fixed_dictionaries({"partOfTomorrow": json_values}),
)
candidates = st.fixed_dictionaries(
    {
        "content": st.fixed_dictionaries(
            {"parts": st.lists(parts, max_size=4), "role": st.just("model")}
        ),
        "finishReason": st.just("STOP"),
    },
    optional={"groundingMetadata": json_objects, "citationMetadata": json_objects},
)
answers = st.builds(
    lambda found, others: {
        "candidates": [{**one, "index": index} for index, one in enumerate(found)],
        **others,
    },
    st.lists(candidates, min_size=1, max_size=3),
    st.fixed_dictionaries(
        {"usageMetadata": json_objects, "modelVersion": texts},
        optional={"responseId": texts, "fieldOfTomorrow": json_objects},
    ),
)


def said(*pieces: Any, **more: Any) -> dict[str, Any]:
    return {"candidates": [{"content": {"parts": list(pieces), "role": "model"}, **more}]}


def parts_of(*chunks: Any) -> Any:
    return merge(chunks)["candidates"][0]["content"].get("parts")


@given(answers)
def test_what_was_merged_survives_being_split(answer: dict[str, Any]) -> None:
    once = merge(split(answer))

    assert once == merge(split(once))
    others = {name: value for name, value in answer.items() if name != "candidates"}
    assert others == {name: value for name, value in once.items() if name != "candidates"}


@given(answers)
def test_all_that_is_said_is_said_again(answer: dict[str, Any]) -> None:
    def words(one: dict[str, Any]) -> list[str]:
        return [
            "".join(part.get("text", "") for part in candidate["content"].get("parts", []))
            for candidate in one["candidates"]
        ]

    assert words(answer) == words(merge(split(answer)))


@given(st.lists(json_values, max_size=3))
def test_nonsense_raises_nothing_else(chunks: list[Any]) -> None:
    try:
        merge(chunks)
    except Unfit:
        pass


def test_plain_text_goes_on_where_it_is_of_the_same_kind() -> None:
    thought = {"text": "a", "thought": True}

    assert [{"text": "aa", "thought": True}, {"text": "bb"}] == parts_of(
        said(thought), said(thought), said({"text": "b"}), said({"text": "b"})
    )


def test_a_signature_keeps_the_borders_of_its_part() -> None:
    signed = {"text": "", "thoughtSignature": "s"}

    assert [{"text": "a"}, signed, {"text": "b"}] == parts_of(
        said({"text": "a"}), said(signed), said({"text": "b"})
    )


def test_an_empty_text_that_ends_a_stream_is_no_part() -> None:
    call = {"functionCall": {"name": "f"}}

    assert [call] == parts_of(said(call), said({"text": ""}, finishReason="STOP"))


def test_the_last_word_counts_and_lists_about_a_text_grow() -> None:
    first = said({"text": "a"}, groundingMetadata={"q": [1]}, citationMetadata={"c": [1]})
    last = said({"text": "b"}, groundingMetadata={"g": [2]}, citationMetadata={"c": [2]})

    (candidate,) = merge([first, last])["candidates"]

    assert {"q": [1], "g": [2]} == candidate["groundingMetadata"]
    assert {"c": [1, 2]} == candidate["citationMetadata"]


def test_interleaved_candidates_are_told_apart() -> None:
    merged = merge(
        [said({"text": "a"}, index=1), said({"text": "b"}), said({"text": "c"}, index=1)]
    )

    texts = [candidate["content"]["parts"] for candidate in merged["candidates"]]
    assert [[{"text": "b"}], [{"text": "ac"}]] == texts


@pytest.mark.parametrize(
    ("chunk", "reason"),
    [
        ({"error": {"code": 503}}, "error"),
        ([], "malformed"),
        ({"candidates": {}}, "cut"),
        ({"candidates": [1]}, "malformed"),
        ({"candidates": [{"index": "0"}]}, "malformed"),
        ({"candidates": [{"index": -1}]}, "malformed"),
        ({"candidates": [{"content": []}]}, "malformed"),
        ({"candidates": [{"content": {"parts": {}}}]}, "malformed"),
        (said("a"), "malformed"),
        (said({"functionCall": {"willContinue": True}}), "unknown-event"),
        (said({"functionCall": {"partialArgs": []}}), "unknown-event"),
    ],
)
def test_chunks_out_of_shape_make_no_answer(chunk: Any, reason: str) -> None:
    if reason == "cut":
        assert "candidates" not in merge([chunk])
        return
    with pytest.raises(Unfit, match=f"^{reason}$"):
        merge([chunk])
