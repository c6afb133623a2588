"""The events of a response: taken apart and put together without loss."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khazad_mitm.wire.openai_response_events import merge, split
from khazad_mitm.wire.unfit import Unfit
from tests.strategies import json_objects, json_values, texts

parts = st.one_of(
    st.fixed_dictionaries(
        {"type": st.just("output_text"), "text": texts},
        optional={"annotations": st.lists(json_objects, max_size=2), "logprobs": json_values},
    ),
    st.fixed_dictionaries({"type": st.just("refusal"), "refusal": texts}),
    json_objects,
)
items = st.one_of(
    st.fixed_dictionaries(
        {"type": st.just("message"), "content": st.lists(parts, max_size=3)},
        optional={"id": texts, "status": texts},
    ),
    st.fixed_dictionaries(
        {"type": st.just("reasoning"), "id": texts},
        optional={"summary": st.lists(parts, max_size=2), "content": json_values},
    ),
    st.fixed_dictionaries(
        {
            "type": st.sampled_from(
                ["function_call", "custom_tool_call", "mcp_call", "code_interpreter_call"]
            ),
        },
        optional={"arguments": texts, "input": texts, "code": st.none() | texts, "error": texts},
    ),
    st.fixed_dictionaries(
        {"type": st.sampled_from(["web_search_call", "mcp_list_tools", "item_of_tomorrow"])}
    ),
)
responses = st.fixed_dictionaries(
    {
        "id": texts,
        "status": st.just("completed"),
        "output": st.lists(items, min_size=1, max_size=3),
    },
    optional={"usage": json_objects, "field_of_tomorrow": json_values},
)


@given(responses)
def test_what_was_split_merges_to_itself(response: dict[str, Any]) -> None:
    assert response == merge(split(response))


@given(responses)
def test_events_are_numbered_from_zero(response: dict[str, Any]) -> None:
    events = list(split(response))

    assert list(range(len(events))) == [event["sequence_number"] for event in events]


@given(responses)
def test_nothing_but_the_last_event_makes_it_whole(response: dict[str, Any]) -> None:
    with pytest.raises(Unfit, match="cut"):
        merge(list(split(response))[:-1])


def test_the_pieces_of_a_text_come_between_its_part_and_its_end() -> None:
    part = {"type": "output_text", "text": "Hi", "annotations": [{"type": "a"}], "logprobs": [1]}
    item = {"id": "m", "type": "message", "status": "completed", "content": [part]}
    events = {event["type"]: event for event in split({"id": "r", "output": [item]})}

    assert [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.annotation.added",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ] == list(events)
    empty = {**part, "text": "", "annotations": [], "logprobs": []}
    assert {**item, "status": "in_progress", "content": []} == events["response.output_item.added"][
        "item"
    ]
    assert empty == events["response.content_part.added"]["part"]
    assert ("Hi", [1]) == (
        events["response.output_text.delta"]["delta"],
        events["response.output_text.delta"]["logprobs"],
    )


def test_a_tool_of_the_provider_goes_through_its_steps() -> None:
    call = {"id": "c", "type": "mcp_call", "arguments": "{}", "error": "away"}

    assert [
        "response.mcp_call.in_progress",
        "response.mcp_call_arguments.delta",
        "response.mcp_call_arguments.done",
        "response.mcp_call.failed",
    ] == [event["type"] for event in split({"output": [call]})][3:-2]


def test_items_that_the_last_event_leaves_out_are_those_that_were_done() -> None:
    done = {"type": "response.output_item.done", "output_index": 0, "item": {"type": "message"}}

    merged = merge([done, {"type": "response.completed", "response": {"output": None}}])

    assert [{"type": "message"}] == merged["output"]


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ({"type": "response.failed"}, "failed"),
        ({"type": "response.incomplete"}, "incomplete"),
        ({"type": "error"}, "error"),
        ({"error": {"message": "no"}}, "error"),
        ({"type": "response.completed", "response": None}, "cut"),
        ({}, "malformed"),
        ([], "malformed"),
        (None, "malformed"),
    ],
)
def test_another_end_is_no_answer(event: Any, reason: str) -> None:
    with pytest.raises(Unfit, match=f"^{reason}$"):
        merge([event])
