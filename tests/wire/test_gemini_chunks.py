"""Gemini's chunks: taken apart and put together."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khazad_mitm.wire.gemini_chunks import Merger, merge, split
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
        {"usageMetadata": json_objects.filter(bool), "modelVersion": texts},
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
        ({"candidates": {}}, "malformed"),
        ({"candidates": [1]}, "malformed"),
        ({"candidates": [{"index": "0"}]}, "malformed"),
        ({"candidates": [{"index": -1}]}, "malformed"),
        ({"candidates": [{"content": []}]}, "malformed"),
        ({"candidates": [{"content": {"parts": {}}}]}, "malformed"),
        (said("a"), "malformed"),
        (said({"functionCall": {"willContinue": True}}), "cut"),
    ],
)
def test_chunks_out_of_shape_make_no_answer(chunk: Any, reason: str) -> None:
    with pytest.raises(Unfit, match=f"^{reason}$"):
        merge([chunk])


@pytest.mark.parametrize(
    ("name", "first", "last", "merged"),
    [
        ("groundingMetadata", {"q": [1]}, {}, {"q": [1]}),
        ("groundingMetadata", {"q": [1]}, {"q": [], "g": [2]}, {"q": [1], "g": [2]}),
        ("citationMetadata", {"c": [1]}, {"c": [1, 2]}, {"c": [1, 2]}),
        ("citationMetadata", {"c": [1]}, None, {"c": [1]}),
        ("logprobsResult", {"c": [1], "t": [1]}, {"c": [2], "t": [2]}, {"c": [1, 2], "t": [1, 2]}),
        ("safetyRatings", [1], [2], [2]),
        ("fieldOfTomorrow", {"a": "x", "b": 1}, {"a": "xy", "b": 2}, {"a": "xy", "b": 2}),
        ("fieldOfTomorrow", None, "x", "x"),
        ("fieldOfTomorrow", "x", "", "x"),
    ],
)
def test_what_comes_twice_is_one(name: str, first: Any, last: Any, merged: Any) -> None:
    found = merge([said({"text": "a"}, **{name: first}), said({"text": "b"}, **{name: last})])

    assert merged == found["candidates"][0][name]


@pytest.mark.parametrize(
    ("first", "last"), [("a", "b"), ([1], [2]), ({"a": "x"}, {"a": "y"}), ("a", 1), (1, [1])]
)
def test_what_nobody_knows_how_to_merge_is_not_kept(first: Any, last: Any) -> None:
    with pytest.raises(Unfit, match=r"^unknown-event$"):
        merge([{"fieldOfTomorrow": first}, {"fieldOfTomorrow": last}])


def test_two_ends_of_one_candidate_must_be_the_same() -> None:
    ended = [said(finishReason="STOP"), said(finishReason="SAFETY")]

    assert merge(ended[:1] * 2)["candidates"][0]["finishReason"] == "STOP"
    with pytest.raises(Unfit, match=r"^malformed$"):
        merge(ended)


def test_it_has_finished_when_all_that_were_asked_for_have() -> None:
    merger = Merger()

    merger.add(said({"text": "a"}, finishReason="STOP"))
    assert merger.has_finished(1)
    assert not merger.has_finished(2)
    merger.add(said({"text": "b"}, index=1, finishReason="FINISH_REASON_UNSPECIFIED"))
    assert not merger.has_finished(1)
    merger.add(said(index=1, finishReason="STOP"))
    assert merger.has_finished(2)


@pytest.mark.parametrize("usage", [None, {}, {"totalTokenCount": 3}])
def test_only_the_last_chunk_of_a_replay_has_usage(usage: Any) -> None:
    two = [
        {**said({"text": t}, finishReason="STOP")["candidates"][0], "index": i}
        for i, t in enumerate("ab")
    ]
    chunks = list(split({"candidates": two, "usageMetadata": usage}))

    assert ["usageMetadata" in chunk for chunk in chunks] == [False, True]
