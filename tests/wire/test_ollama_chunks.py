"""Ollama's chunks: put together, and taken apart as Ollama sends them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khazad_mitm.wire.ollama_chunks import merge, split
from khazad_mitm.wire.unfit import Unfit
from tests.strategies import json_objects, texts

DONE = {"created_at": "2", "message": {"role": "assistant", "content": ""}, "done": True}


def chunk(**said: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": "", **said}
    return {"created_at": "1", "message": message, "done": False}


def message_of(*chunks: Any) -> Any:
    return merge([*chunks, DONE])["message"]


def test_texts_are_joined_and_lists_get_longer() -> None:
    first, second = {"function": {"name": "a"}}, {"function": {"name": "b"}}

    assert {
        "role": "assistant",
        "content": "Hello!",
        "thinking": "Hm.",
        "images": ["AA="],
        "tool_calls": [first, second],
    } == message_of(
        chunk(thinking="H"),
        chunk(thinking="m."),
        chunk(content="Hel", tool_calls=[first]),
        chunk(content="lo!", images=["AA="]),
        chunk(tool_calls=[second]),
    )


def test_the_time_and_the_counts_are_those_of_the_end() -> None:
    chunks = [{"created_at": "1", "completed": 1, "response": "a"}]
    last = {"created_at": "2", "completed": 2, "response": "", "done": True, "context": [1]}

    assert {**last, "response": "a"} == merge([*chunks, last])


def test_what_is_always_the_same_is_kept_once() -> None:
    remote = {"model": "m", "remote_host": "https://ollama.com"}

    assert remote.items() <= merge([{**remote, **chunk()}, {**remote, **DONE}]).items()


def test_what_follows_the_end_is_not_read() -> None:
    assert merge([DONE]) == merge([DONE, {"error": "late"}, 7])


@pytest.mark.parametrize(
    ("chunks", "reason"),
    [
        ([], "cut"),
        ([chunk(content="a")], "cut"),
        ([7], "malformed"),
        ([{"error": "boom"}], "error"),
        ([{"message": "Hello!"}], "malformed"),
        ([chunk(content=5)], "malformed"),
        ([chunk(tool_calls={})], "malformed"),
        ([chunk(refusal="N"), chunk(refusal="o")], "unknown-field"),
        ([{"sources": [1]}, {"sources": [2]}], "unknown-field"),
    ],
)
def test_what_makes_no_answer_is_unfit(chunks: list[Any], reason: str) -> None:
    with pytest.raises(Unfit, match=f"^{reason}$"):
        merge(chunks if reason == "cut" else [*chunks, DONE])


def test_an_answer_is_told_a_field_at_a_time_and_ends_in_silence() -> None:
    calls, probed = [{"function": {"name": "a"}}], [{"token": "Hi", "logprob": -1}]
    said = {"role": "assistant", "content": "Hi", "thinking": "Hm.", "tool_calls": calls}
    answer = {"model": "m", "message": said, "done": True, "logprobs": probed, "eval_count": 3}

    def quiet(**more: Any) -> dict[str, Any]:
        return {"model": "m", "message": {"role": "assistant", "content": "", **more}}

    assert [
        {**quiet(thinking="Hm."), "done": False},
        {**quiet(content="Hi"), "logprobs": probed, "done": False},
        {**quiet(tool_calls=calls), "done": False},
        {**quiet(), "done": True, "eval_count": 3},
    ] == list(split(answer))


LISTS = st.lists(json_objects, max_size=3)
UNKNOWN = st.dictionaries(st.sampled_from(["new", "newer"]), json_objects | texts | st.none())
ENDS = st.fixed_dictionaries(
    {"model": st.just("m"), "created_at": texts, "done": st.just(True)},
    optional={"done_reason": texts, "eval_count": st.integers(0), "logprobs": LISTS},
)


def saying(text: str) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {text: texts | st.none()},
        optional={"thinking": texts, "tool_calls": LISTS, "images": st.lists(texts)},
    )


@given(ENDS, saying("content"), UNKNOWN, UNKNOWN)
def test_a_chat_taken_apart_and_put_together_is_the_same(
    end: Any, said: Any, more: Any, others: Any
) -> None:
    answer = {**end, **others, "message": {"role": "assistant", **said, **more}}

    assert answer == merge(split(answer))


@given(ENDS, saying("response"), UNKNOWN)
def test_a_completion_taken_apart_and_put_together_is_the_same(
    end: Any, said: Any, others: Any
) -> None:
    answer = {**end, **said, **others}

    assert answer == merge(split(answer))
