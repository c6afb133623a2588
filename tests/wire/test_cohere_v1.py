"""Cohere's v1 events: the whole answer in the last, and told in pieces as Cohere does."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khazad_mitm.wire.cohere_v1 import merge, says_something, split, tokens
from khazad_mitm.wire.unfit import Unfit
from tests.strategies import json_objects, texts

ANSWER = {"text": "Hello!", "generation_id": "g", "finish_reason": "COMPLETE"}


def end(answer: Any = None, **others: Any) -> dict[str, Any]:
    return {"event_type": "stream-end", "is_finished": True, "response": answer or ANSWER, **others}


def told(kind: str, **fields: Any) -> dict[str, Any]:
    return {"is_finished": False, "event_type": kind, **fields}


def test_the_end_has_the_whole_answer() -> None:
    assert ANSWER == merge([told("stream-start"), told("text-generation", text="H"), end(), 7])


def test_the_reason_for_the_end_may_stand_beside_the_answer() -> None:
    assert {"text": "Hi", "finish_reason": "MAX_TOKENS"} == merge(
        [end({"text": "Hi"}, finish_reason="MAX_TOKENS")]
    )


@pytest.mark.parametrize(
    ("events", "reason"),
    [
        ([], "cut"),
        ([told("text-generation", text="H")], "cut"),
        ([7], "malformed"),
        ([{"event_type": "stream-end"}], "malformed"),
        ([{"event_type": "stream-end", "finish_reason": "ERROR"}], "error"),
        ([{"message": "boom"}], "error"),
        ([told("text-generation", error="boom"), end()], "error"),
        ([told("artifact"), end()], "unknown-event"),
        ([end(seen="new")], "unknown-event"),
        ([end(finish_reason="ERROR")], "malformed"),
    ],
)
def test_what_makes_no_answer_is_unfit(events: list[Any], reason: str) -> None:
    with pytest.raises(Unfit, match=f"^{reason}$"):
        merge(events)


def test_a_search_is_told_before_the_text_and_its_citations() -> None:
    search = {"search_queries": [{"text": "q"}], "search_results": [], "documents": [{"id": "d"}]}
    answer = {**ANSWER, **search, "citations": [{"start": 0}, {"start": 2}], "prompt": "p"}

    assert [
        told("stream-start", generation_id="g"),
        told("debug", prompt="p"),
        told("search-queries-generation", search_queries=[{"text": "q"}]),
        told("search-results", search_results=[], documents=[{"id": "d"}]),
        told("text-generation", text="Hello!"),
        told("citation-generation", citations=[{"start": 0}]),
        told("citation-generation", citations=[{"start": 2}]),
        end(answer, finish_reason="COMPLETE"),
    ] == list(split(answer))


def test_tool_calls_are_told_in_chunks_and_then_whole() -> None:
    calls = [{"name": "f", "parameters": {"a": 1}}, {"name": "g"}]
    answer = {**ANSWER, "tool_calls": calls}

    assert [
        told("stream-start", generation_id="g"),
        told("tool-calls-chunk", text="Hello!"),
        told("tool-calls-chunk", tool_call_delta={"index": 0, "name": "f"}),
        told("tool-calls-chunk", tool_call_delta={"index": 0, "parameters": '{"a":1}'}),
        told("tool-calls-chunk", tool_call_delta={"index": 1, "name": "g"}),
        told("tool-calls-generation", text="Hello!", tool_calls=calls),
        end(answer, finish_reason="COMPLETE"),
    ] == list(split(answer))


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (ANSWER, True),
        ({"text": "", "tool_calls": [{"name": "f"}]}, True),
        ({"text": "", "search_queries": [{"text": "q"}]}, True),
        ({"text": " ", "documents": [{"id": "d"}]}, False),
        ({}, False),
    ],
)
def test_documents_alone_say_nothing(answer: Any, said: bool) -> None:
    assert said is says_something(answer)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"message": "boom"}, "error"),
        ({"text": 5}, "malformed"),
        ({"text": "a", "citations": {}}, "malformed"),
        ({"text": "a", "tool_calls": ["f"]}, "malformed"),
    ],
)
def test_another_shape_is_no_answer(answer: Any, reason: str) -> None:
    with pytest.raises(Unfit, match=f"^{reason}$"):
        says_something(answer)


def test_tokens_are_those_of_meta() -> None:
    assert {"input_tokens": 1} == tokens({"meta": {"tokens": {"input_tokens": 1}}})
    assert tokens({"meta": None}) is None


ANSWERS = st.fixed_dictionaries(
    {"text": texts, "finish_reason": st.just("COMPLETE")},
    optional={
        "generation_id": texts,
        "prompt": texts,
        "tool_calls": st.lists(json_objects, max_size=3),
        "citations": st.lists(json_objects, max_size=3),
        "documents": st.lists(json_objects, max_size=2),
        "new": json_objects,
    },
)


@given(ANSWERS)
def test_an_answer_taken_apart_and_put_together_is_the_same(answer: Any) -> None:
    assert answer == merge(json.loads(json.dumps(list(split(answer)))))
