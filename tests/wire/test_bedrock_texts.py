"""Texts of models that continue a prompt: taken apart and put together without loss."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khazad_mitm.wire.bedrock_texts import Texts, verdict
from khazad_mitm.wire.unfit import Unfit
from tests.strategies import json_objects, json_values, texts

ALONE = Texts("generation", "stop_reason")
LISTED = Texts("text", "stop_reason", among="outputs")
TITAN = Texts(
    "outputText",
    "completionReason",
    among="results",
    is_flat=True,
    beside=("inputTextTokenCount",),
    renamed={"totalOutputTextTokenCount": "tokenCount"},
)
COHERE = Texts("text", "finish_reason", among="generations", is_flat=True, at_end="is_finished")

_reasons = st.sampled_from(["stop", "LENGTH", "FINISH"])


def _of(text: str, reason: str, **more: Any) -> Any:
    return st.fixed_dictionaries(
        {text: texts, reason: _reasons}, optional={"field_of_tomorrow": json_values, **more}
    )


def _among(name: str, candidate: Any, **more: Any) -> Any:
    return st.fixed_dictionaries({name: st.lists(candidate, min_size=1, max_size=3), **more})


@pytest.mark.parametrize(
    ("told", "answers"),
    [
        (ALONE, _of("generation", "stop_reason", prompt_token_count=st.integers(0, 9))),
        (LISTED, _among("outputs", _of("text", "stop_reason"), usage=json_values)),
        (
            TITAN,
            _among(
                "results",
                _of("outputText", "completionReason", tokenCount=st.integers(0, 9)),
                inputTextTokenCount=st.integers(0, 9),
            ),
        ),
        (COHERE, _among("generations", _of("text", "finish_reason", id=texts))),
    ],
)
def test_what_was_split_merges_to_itself(told: Texts, answers: Any) -> None:
    @given(answers)
    def law(answer: dict[str, Any]) -> None:
        chunks = list(told.split(answer))

        assert told.answers(answer)
        assert told.streams(chunks[0])
        assert answer == told.merge(chunks)

    law()


@given(st.sampled_from([ALONE, LISTED, TITAN, COHERE]), st.lists(json_objects | json_values))
def test_chunks_of_nobody_are_refused_and_nothing_else(told: Texts, chunks: list[Any]) -> None:
    with pytest.raises(Unfit):
        told.merge(chunks)


def test_flat_chunks_of_several_texts_say_which_they_are_of() -> None:
    chunks = [
        {"is_finished": False, "text": "b", "index": 1},
        {"is_finished": False, "text": "a", "index": 0},
        {"is_finished": True, "finish_reason": "COMPLETE", "index": 0},
        {"is_finished": True, "finish_reason": "MAX_TOKENS", "index": 1},
    ]

    answer = COHERE.merge(chunks)

    assert {
        "generations": [
            {"finish_reason": "COMPLETE", "text": "a"},
            {"finish_reason": "MAX_TOKENS", "text": "b"},
        ]
    } == answer
    assert "length" == COHERE.judge(answer)


def test_counts_grow_and_null_says_nothing() -> None:
    chunks = [
        {"generation": "a", "prompt_token_count": 5, "n": 1, "stop_reason": None},
        {"generation": "b", "prompt_token_count": None, "n": 2, "stop_reason": "stop"},
    ]

    assert {
        "generation": "ab",
        "n": 2,
        "prompt_token_count": 5,
        "stop_reason": "stop",
    } == ALONE.merge(chunks)


def test_a_titan_chunk_may_number_its_text_with_a_float() -> None:
    chunk = {"outputText": "a", "index": 0.0, "completionReason": "FINISH"}

    assert {"results": [{"completionReason": "FINISH", "outputText": "a"}]} == TITAN.merge([chunk])


@pytest.mark.parametrize(
    ("chunks", "reason"),
    [
        ([], "empty"),
        ([7], "malformed"),
        ([{"generation": 7}], "malformed"),
        ([{"generation": "a"}], "malformed"),
        ([{"error": "boom"}], "error"),
        ([{"generation": "a", "x": [1]}, {"generation": "b", "x": [2]}], "unknown-event"),
    ],
)
def test_doubtful_chunks_make_no_answer(chunks: list[Any], reason: str) -> None:
    with pytest.raises(Unfit, match=f"^{reason}$"):
        ALONE.merge(chunks)


@pytest.mark.parametrize(
    ("told", "chunk"),
    [
        (LISTED, {"outputs": "a"}),
        (LISTED, {"outputs": ["a"]}),
        (LISTED, {"outputs": [{"text": "a", "index": -1}]}),
        (TITAN, {"outputText": "a", "index": "0"}),
        (TITAN, {"outputText": "a", "index": 0.5}),
    ],
)
def test_malformed_chunks_make_no_answer(told: Texts, chunk: Any) -> None:
    with pytest.raises(Unfit, match=r"^malformed$"):
        told.merge([chunk])


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ([("a", "stop")], ""),
        ([("a", "STOP_CRITERIA_MET"), ("", "end_turn")], ""),
        ([("a", "stop"), ("b", "LENGTH")], "length"),
    ],
)
def test_a_text_that_ended_well_is_kept(said: Any, why: str) -> None:
    assert why == verdict(said)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ([("a", "CONTENT_FILTERED")], "content-filtered"),
        ([("a", "length"), ("b", "ERROR_TOXIC")], "error-toxic"),
        ([("a", None)], "cut"),
        ([("  ", "stop")], "empty"),
        ([(None, "stop")], "malformed"),
        ([], "empty"),
    ],
)
def test_a_doubtful_text_is_not_kept(said: Any, reason: str) -> None:
    with pytest.raises(Unfit, match=f"^{reason}$"):
        verdict(said)
