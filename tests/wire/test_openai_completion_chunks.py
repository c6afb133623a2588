"""Legacy completions: taken apart and put together."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khazad_mitm.wire.openai_completion_chunks import merge, split
from khazad_mitm.wire.unfit import Unfit
from tests.strategies import json_objects, json_values, texts

choices = st.fixed_dictionaries(
    {"text": texts, "finish_reason": st.sampled_from(["stop", "length"])},
    optional={
        "logprobs": st.none() | st.fixed_dictionaries({"tokens": st.lists(texts, max_size=3)}),
        "choice_of_tomorrow": json_values,
    },
)
completions = st.builds(
    lambda found, others: {
        "id": "cmpl-1",
        "object": "text_completion",
        "choices": [{**choice, "index": index} for index, choice in enumerate(found)],
        **others,
    },
    st.lists(choices, min_size=1, max_size=3),
    st.fixed_dictionaries({}, optional={"usage": json_objects, "field_of_tomorrow": json_values}),
)


def piece(text: Any, finish: Any = None, **more: Any) -> dict[str, Any]:
    return {"choices": [{"text": text, "index": 0, "finish_reason": finish, **more}]}


@given(completions, st.sampled_from(["own", "last"]))
def test_what_was_merged_survives_being_split(completion: dict[str, Any], usage_at: str) -> None:
    once = merge(split(completion, usage_at))

    assert once == merge(split(once, usage_at))
    assert [choice["text"] for choice in completion["choices"]] == [
        choice["text"] for choice in once["choices"]
    ]
    assert completion.get("usage") == once.get("usage")


def test_usage_is_left_out_where_nobody_asked() -> None:
    completion = {**piece("a", "stop"), "usage": {"total_tokens": 3}}

    assert all("usage" not in chunk for chunk in split(completion, ""))


def test_logprobs_grow_with_the_text() -> None:
    first, last = {"tokens": ["a"], "top_logprobs": None}, {"tokens": ["b"], "text_offset": [1]}

    merged = merge([piece("a", logprobs=first), piece("b", "stop", logprobs=last)])

    assert {"tokens": ["a", "b"], "text_offset": [1]} == {
        name: value for name, value in merged["choices"][0]["logprobs"].items() if value
    }


@pytest.mark.parametrize(
    ("chunks", "reason"),
    [
        ([piece("a", logprobs=["a"]), piece("b", "stop", logprobs={})], "malformed"),
        ([], "empty"),
        ([{"choices": []}], "empty"),
        ([{"error": {"message": "no"}}], "error"),
        ([1], "malformed"),
        ([{"choices": {}}], "malformed"),
        ([{"choices": ["a"]}], "malformed"),
        ([piece(1)], "malformed"),
        ([piece("a", index="0")], "malformed"),
        ([piece("a", "stop"), piece("b")], "malformed"),
    ],
)
def test_chunks_out_of_shape_make_no_completion(chunks: list[Any], reason: str) -> None:
    with pytest.raises(Unfit, match=f"^{reason}$"):
        merge(chunks)
