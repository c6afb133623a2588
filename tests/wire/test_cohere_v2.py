"""Cohere's v2 events: put together, and taken apart as Cohere sends them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khazad_mitm.wire.cohere_v2 import merge, says_something, split, tokens
from khazad_mitm.wire.unfit import Unfit
from tests.strategies import json_objects, texts

EMPTY = {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}
START = {"type": "message-start", "id": "a", "delta": {"message": EMPTY}}
END = {"type": "message-end", "delta": {"finish_reason": "COMPLETE", "usage": {"tokens": {}}}}


def event(kind: str, index: Any = 0, **piece: Any) -> dict[str, Any]:
    return {"type": kind, "index": index, "delta": {"message": piece}}


def opened(index: Any = 0, kind: str = "text") -> dict[str, Any]:
    return event("content-start", index, content={"type": kind, kind: ""})


def says(text: Any, index: Any = 0) -> dict[str, Any]:
    return event("content-delta", index, content={"text": text})


def ended(index: Any = 0) -> dict[str, Any]:
    return {"type": "content-end", "index": index}


def merged(*events: Any) -> Any:
    return merge(json.loads(json.dumps([START, *events, END])))


def test_blocks_come_in_pieces_and_interleaved() -> None:
    answer = merged(
        opened(1), opened(0, "thinking"), says("Hel", 1), says("lo", 1), ended(1), ended()
    )

    assert {
        "id": "a",
        "message": {
            "role": "assistant",
            "content": [{"type": "thinking", "thinking": ""}, {"type": "text", "text": "Hello"}],
        },
        "finish_reason": "COMPLETE",
        "usage": {"tokens": {}},
    } == answer
    assert ["id", "message", "finish_reason", "usage"] == list(answer)


def test_a_tool_call_grows_by_its_arguments_after_the_plan() -> None:
    call = {"id": "t", "type": "function", "function": {"name": "f", "arguments": ""}}

    def arguments(piece: str) -> dict[str, Any]:
        return event("tool-call-delta", tool_calls={"function": {"arguments": piece}})

    assert {
        "role": "assistant",
        "tool_plan": "I will.",
        "tool_calls": [{**call, "function": {"name": "f", "arguments": '{"a":1}'}}],
    } == merged(
        {"type": "tool-plan-delta", "delta": {"message": {"tool_plan": "I "}}},
        {"type": "tool-plan-delta", "delta": {"message": {"tool_plan": "will."}}},
        event("tool-call-start", tool_calls=call),
        arguments('{"a"'),
        arguments(":1}"),
        {"type": "tool-call-end", "index": 0},
    )["message"]


def test_citations_keep_their_order_and_fields() -> None:
    cited = [{"start": 0, "sources": [{"type": "tool", "new": 1}]}, {"start": 5}]
    events = [
        piece
        for index, citation in enumerate(cited)
        for piece in (
            event("citation-start", index, citations=citation),
            {"type": "citation-end", "index": index},
        )
    ]

    assert cited == merged(*events)["message"]["citations"]


def test_log_probabilities_are_collected() -> None:
    probed = [{"text": "H", "token_ids": [1]}, {"text": "i", "token_ids": [2]}]
    pieces = [{**says(item["text"]), "logprobs": item} for item in probed]

    assert probed == merged(opened(), *pieces, ended())["logprobs"]


def test_what_follows_the_end_is_not_read() -> None:
    assert merged() == merged() == merge(json.loads(json.dumps([START, END, {"type": "odd"}])))


@pytest.mark.parametrize(
    ("events", "reason"),
    [
        ([7], "malformed"),
        ([{"message": "boom"}], "error"),
        ([{"error": "boom"}], "error"),
        ([{"delta": {}}], "malformed"),
        ([{"type": "content"}], "unknown-event"),
        ([{"type": "image-start", "index": 0}], "unknown-event"),
        ([START], "malformed"),
        ([opened()], "cut"),
        ([opened(), opened(), ended()], "malformed"),
        ([says("a")], "malformed"),
        ([ended()], "malformed"),
        ([opened(), ended(), says("a")], "malformed"),
        ([opened(None), ended(None)], "malformed"),
        ([opened(-1), ended(-1)], "malformed"),
        ([opened(True), ended(True)], "malformed"),
        ([opened("0"), ended("0")], "malformed"),
        ([opened(), says(5), ended()], "malformed"),
        ([event("content-start", content="a")], "malformed"),
        ([{"type": "content-start", "index": 0, "delta": "a"}], "malformed"),
        ([{**opened(), "seen": "new"}], "unknown-event"),
        ([event("content-start", content={"type": "text"}, seen="new")], "unknown-event"),
        ([{"type": "debug", "prompt": "a", "seen": "new"}], "unknown-event"),
    ],
)
def test_what_makes_no_answer_is_unfit(events: list[Any], reason: str) -> None:
    with pytest.raises(Unfit, match=f"^{reason}$"):
        merged(*events)


@pytest.mark.parametrize("events", [[], [START], [START, opened(), ended()]])
def test_a_stream_without_its_end_is_cut(events: list[Any]) -> None:
    with pytest.raises(Unfit, match="cut"):
        merge(json.loads(json.dumps(events)))


@pytest.mark.parametrize("events", [[END], [opened(), ended(), END]])
def test_an_answer_without_its_opening_is_unfit(events: list[Any]) -> None:
    with pytest.raises(Unfit, match="malformed"):
        merge(json.loads(json.dumps(events)))


def test_who_speaks_may_be_left_out() -> None:
    opening = {"type": "message-start", "delta": {"message": {"role": None}}}

    assert "assistant" == merge([opening, END])["message"]["role"]


def test_events_come_in_the_order_of_cohere() -> None:
    call = {"id": "t", "function": {"name": "f", "arguments": "{}"}}
    answer = {
        "id": "a",
        "prompt": "<|START|>",
        "message": {
            "role": "assistant",
            "tool_plan": "I will.",
            "tool_calls": [call, {"id": "u"}],
            "content": [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "Hi"}],
            "citations": [{"start": 0}],
        },
        "finish_reason": "TOOL_CALL",
        "logprobs": [{"text": "H"}, {"text": "i"}],
    }
    events = list(split(answer))

    assert [
        "message-start debug",
        "content-start content-delta content-end",
        "content-start content-delta content-delta citation-start citation-end content-end",
        "tool-plan-delta tool-call-start tool-call-delta tool-call-end",
        "tool-call-start tool-call-end message-end",
    ] == [
        " ".join(each["type"] for each in events[start:end])
        for start, end in ((0, 2), (2, 5), (5, 11), (11, 15), (15, 18))
    ]
    assert START == events[0]
    assert ["H", "i"] == [each["logprobs"]["text"] for each in events if "logprobs" in each]
    assert {"finish_reason": "TOOL_CALL"} == events[-1]["delta"]


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ({"content": [{"type": "text", "text": "Hi"}]}, True),
        ({"content": [{"type": "new", "data": "Hi"}]}, True),
        ({"tool_calls": [{"id": "t"}]}, True),
        ({"content": [{"type": "text", "text": " "}]}, False),
        ({"content": [{"type": "thinking", "thinking": "Hm."}]}, False),
        ({"content": None, "tool_plan": "I will."}, False),
    ],
)
def test_thinking_and_a_plan_alone_say_nothing(message: Any, said: bool) -> None:
    assert said is says_something({"message": message})


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"message": "boom"}, "error"),
        ({}, "malformed"),
        ({"message": {"content": "Hi"}}, "malformed"),
        ({"message": {"content": ["Hi"]}}, "malformed"),
        ({"message": {"tool_plan": 5}}, "malformed"),
        ({"message": {"role": False}}, "malformed"),
        ({"message": {}, "logprobs": 5}, "malformed"),
    ],
)
def test_another_shape_is_no_answer(answer: Any, reason: str) -> None:
    with pytest.raises(Unfit, match=f"^{reason}$"):
        says_something(answer)


def test_tokens_are_those_of_the_usage() -> None:
    assert {"input_tokens": 1} == tokens({"usage": {"tokens": {"input_tokens": 1}}})
    assert tokens({"usage": 5}) is None


NEW = st.dictionaries(st.sampled_from(["new", "newer"]), json_objects | texts | st.none())
BLOCKS = st.tuples(st.sampled_from(["text", "thinking", "other"]), texts, NEW).map(
    lambda block: {"type": block[0], block[0]: block[1], **block[2]}
)
CALLS = st.tuples(texts, texts, NEW).map(
    lambda call: {"id": call[0], "function": {"name": "f", "arguments": call[1]}, **call[2]}
)
MESSAGES = st.fixed_dictionaries(
    {"role": st.just("assistant")},
    optional={
        "tool_plan": texts.filter(bool),
        "tool_calls": st.lists(CALLS, min_size=1, max_size=3),
        "content": st.lists(BLOCKS, min_size=1, max_size=3),
        "citations": st.lists(json_objects, min_size=1, max_size=3),
    },
)
ANSWERS = st.fixed_dictionaries(
    {"id": texts, "finish_reason": st.just("COMPLETE")},
    optional={
        "prompt": texts,
        "usage": json_objects,
        "logprobs": st.lists(st.fixed_dictionaries({"text": texts}), max_size=3),
    },
)


@given(ANSWERS, MESSAGES, NEW, NEW)
def test_an_answer_taken_apart_and_put_together_is_the_same(
    top: Any, message: Any, more: Any, others: Any
) -> None:
    answer = {**top, **others, "message": {**message, **more}}

    assert answer == merge(json.loads(json.dumps(list(split(answer)))))
