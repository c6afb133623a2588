"""Anthropic's stream events: taken apart and put together without loss."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khazad_mitm.wire.anthropic_events import merge, split
from khazad_mitm.wire.unfit import Unfit
from tests.strategies import json_objects, json_values, texts

START = {"type": "message_start", "message": {"role": "assistant", "content": []}}
END = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}}
STOP = {"type": "message_stop"}

blocks = st.one_of(
    st.fixed_dictionaries(
        {"type": st.just("text"), "text": texts},
        optional={"citations": st.none() | st.lists(json_objects, max_size=2), "x": json_values},
    ),
    st.fixed_dictionaries(
        {"type": st.just("thinking"), "thinking": texts}, optional={"signature": texts}
    ),
    st.fixed_dictionaries(
        {
            "type": st.sampled_from(["tool_use", "server_tool_use", "mcp_tool_use"]),
            "id": texts,
            "name": texts,
            "input": json_objects,
        }
    ),
    st.fixed_dictionaries({"type": st.just("redacted_thinking"), "data": texts}),
    st.fixed_dictionaries({"type": st.just("compaction"), "content": st.none() | texts}),
    st.fixed_dictionaries({"type": st.just("block_of_tomorrow"), "value": json_values}),
)
messages = st.fixed_dictionaries(
    {
        "id": texts,
        "type": st.just("message"),
        "role": st.just("assistant"),
        "model": texts,
        "content": st.lists(blocks, max_size=4),
        "stop_reason": st.sampled_from(["end_turn", "tool_use", "max_tokens"]),
        "stop_sequence": st.none() | texts,
        "usage": st.just({"input_tokens": 3, "output_tokens": 7, "server_tool_use": None}),
    },
    optional={
        "container": st.none() | json_objects,
        "context_management": json_objects,
        "field_of_tomorrow": json_values,
    },
)


def block(index: int, start: Any, *deltas: Any) -> list[Any]:
    return [
        {"type": "content_block_start", "index": index, "content_block": start},
        *({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": index},
    ]


@given(messages)
def test_what_was_split_merges_to_itself(message: dict[str, Any]) -> None:
    assert message == merge(split(message))


@given(messages)
def test_a_stream_is_complete_with_its_last_event_only(message: dict[str, Any]) -> None:
    events = list(split(message))

    for end in range(len(events)):
        with pytest.raises(Unfit):
            merge(events[:end])


@given(st.lists(json_objects | json_values, max_size=4))
def test_events_of_nobody_make_no_message(events: list[Any]) -> None:
    with pytest.raises(Unfit):
        merge([START, *events, STOP])


def test_fragments_of_an_input_are_joined_before_they_are_read() -> None:
    pieces = [{"type": "input_json_delta", "partial_json": text} for text in ('{"a": "', 'b"}')]
    tool = {"type": "tool_use", "id": "t", "name": "f", "input": {}}

    message = merge([START, *block(0, tool, *pieces), END, STOP])

    assert [{**tool, "input": {"a": "b"}}] == message["content"]


def test_totals_of_usage_replace_what_the_start_said_and_leave_the_rest() -> None:
    start = {"input_tokens": 5, "output_tokens": 1, "service_tier": "standard"}
    opening = {"type": "message_start", "message": {"content": [], "usage": start}}
    ending = {**END, "usage": {"input_tokens": None, "output_tokens": 9}}

    message = merge([opening, ending, STOP])

    assert {**start, "output_tokens": 9} == message["usage"]


def test_a_fallback_names_who_answers_from_there_on() -> None:
    fallback = {"type": "fallback", "to": {"model": "the-other"}}

    assert "the-other" == merge([START, *block(0, fallback), END, STOP])["model"]


@pytest.mark.parametrize(
    ("events", "reason"),
    [
        ([STOP], "malformed"),
        ([START, START], "malformed"),
        ([START, *block(1, {"type": "text", "text": ""}), END, STOP], "malformed"),
        ([START, *block(0, {"type": "text", "text": ""})[:1], END, STOP], "cut"),
        ([START, STOP], "cut"),
        ([START, {"type": "error"}], "error"),
        ([START, {"type": "event_of_tomorrow"}], "unknown-event"),
        ([START, *block(0, {"type": "text"}, {"type": "text_delta", "text": 1})], "malformed"),
        ([START, *block(0, {"type": "text"}, {"type": "a_delta"})], "unknown-event"),
        ([START, *block(0, {"type": "text"}), *block(0, {"type": "text"})], "malformed"),
        ([START, {"type": "content_block_stop", "index": 0}], "malformed"),
        ([START, {"type": "message_delta", "delta": None}], "malformed"),
        ([START, {**END, "usage": 7}], "malformed"),
        ([START, {**END, "delta": {"usage": [7]}}], "malformed"),
    ],
)
def test_events_out_of_place_make_no_message(events: list[Any], reason: str) -> None:
    with pytest.raises(Unfit, match=f"^{reason}$"):
        merge(events)


def test_nothing_after_the_end_is_read() -> None:
    assert "end_turn" == merge([START, END, STOP, {"type": "error"}])["stop_reason"]
