"""Converse's stream events: taken apart and put together without loss."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khazad_mitm.wire.bedrock_converse_events import merge, split
from khazad_mitm.wire.unfit import Unfit
from tests.strategies import json_objects, json_values, texts
from tests.wire.test_bedrock_converse_blocks import blocks

START = ("messageStart", {"role": "assistant", "p": "abc"})
STOP = ("messageStop", {"stopReason": "end_turn", "p": "a"})
META = ("metadata", {"usage": {"totalTokens": 3}, "metrics": {"latencyMs": 1}, "p": ""})

answers = st.fixed_dictionaries(
    {
        "output": st.fixed_dictionaries(
            {
                "message": st.fixed_dictionaries(
                    {"content": st.lists(blocks, max_size=4), "role": st.just("assistant")},
                    optional={"messageFieldOfTomorrow": json_values},
                )
            },
            optional={"outputFieldOfTomorrow": json_values},
        ),
        "stopReason": st.sampled_from(["end_turn", "tool_use", "max_tokens"]),
        "usage": st.just({"inputTokens": 1, "outputTokens": 2, "totalTokens": 3}),
        "metrics": st.just({"latencyMs": 4}),
    },
    optional={
        "additionalModelResponseFields": json_values,
        "trace": json_objects,
        "fieldOfTomorrow": json_values,
    },
)


def text(index: Any, *pieces: str) -> list[tuple[str, Any]]:
    return [
        *(
            ("contentBlockDelta", {"contentBlockIndex": index, "delta": {"text": piece}})
            for piece in pieces
        ),
        ("contentBlockStop", {"contentBlockIndex": index}),
    ]


@given(answers)
def test_what_was_split_merges_to_itself(answer: dict[str, Any]) -> None:
    assert answer == merge(split(answer))


@given(answers)
def test_a_stream_is_complete_with_its_last_event_only(answer: dict[str, Any]) -> None:
    events = list(split(answer))

    for end in range(len(events)):
        with pytest.raises(Unfit):
            merge(events[:end])


@given(st.lists(st.tuples(texts, json_objects | json_values), min_size=1, max_size=4))
def test_events_of_nobody_make_no_answer(events: list[Any]) -> None:
    with pytest.raises(Unfit):
        merge([START, *events, STOP, META])


def test_padding_is_not_kept_and_nothing_after_the_end_is_read() -> None:
    answer = merge([START, *text(0, "Hel", "lo"), STOP, META, ("boom", None)])

    assert {
        "metrics": {"latencyMs": 1},
        "output": {"message": {"content": [{"text": "Hello"}], "role": "assistant"}},
        "stopReason": "end_turn",
        "usage": {"totalTokens": 3},
    } == answer


def test_blocks_may_grow_side_by_side_and_leave_numbers_out() -> None:
    first, second = text(2, "a", "b"), text(7, "c", "d")
    mixed = [event for pair in zip(second, first, strict=True) for event in pair]

    message = merge([START, *mixed, STOP, META])["output"]["message"]

    assert [{"text": "ab"}, {"text": "cd"}] == message["content"]


@pytest.mark.parametrize(
    ("events", "reason"),
    [
        ([STOP], "malformed"),
        ([START, START], "malformed"),
        ([START, META], "malformed"),
        ([START, ("messageStop", {})], "malformed"),
        ([START, STOP, STOP], "malformed"),
        ([START, STOP, *text(0, "a")], "malformed"),
        ([START, *text(0, "a"), *text(0, "b")], "malformed"),
        ([START, *text(-1, "a")], "malformed"),
        ([START, *text("0", "a")], "malformed"),
        ([START, *text(True, "a")], "malformed"),
        ([START, ("contentBlockDelta", {"delta": {"text": "a"}})], "malformed"),
        ([START, ("contentBlockStop", {})], "malformed"),
        (
            [
                START,
                text(0, "a")[0],
                ("contentBlockStart", {"contentBlockIndex": 0, "start": {"toolUse": {}}}),
            ],
            "malformed",
        ),
        ([START, ("contentBlockStop", {"contentBlockIndex": 0, "why": 1})], "unknown-event"),
        ([START, ("contentBlockRevised", {})], "unknown-event"),
        ([START, ("metadata", [])], "malformed"),
        ([START, text(0, "a")[0], STOP, META], "cut"),
        ([START, *text(0, "a"), STOP], "cut"),
    ],
)
def test_events_out_of_place_make_no_answer(events: list[Any], reason: str) -> None:
    with pytest.raises(Unfit, match=f"^{reason}$"):
        merge(events)


def test_a_text_has_no_start_and_a_tool_has_one() -> None:
    content = [{"text": "a"}, {"toolUse": {"input": {}, "name": "f", "toolUseId": "t"}}]
    answer = {"output": {"message": {"role": "assistant", "content": content}}}

    names = [name for name, _ in split({**answer, "stopReason": "tool_use"})]

    assert [
        "messageStart",
        "contentBlockDelta",
        "contentBlockStop",
        "contentBlockStart",
        "contentBlockDelta",
        "contentBlockStop",
        "messageStop",
        "metadata",
    ] == names
