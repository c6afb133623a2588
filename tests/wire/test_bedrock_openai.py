"""Mistral Large's words are OpenAI's under other names."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from khazad_mitm.wire.bedrock_openai import has_choices, judge, merge, opens, split
from khazad_mitm.wire.unfit import Unfit
from tests.strategies import completions


@given(completions)
def test_what_was_split_merges_to_itself(completion: dict[str, Any]) -> None:
    for choice in completion["choices"]:
        choice["stop_reason"] = choice.pop("finish_reason")

    chunks = list(split(completion))

    assert completion == merge(chunks)
    assert all(has_choices(chunk, "message", "stop_reason") for chunk in chunks[:-1])
    assert not opens(chunks[0])


def test_the_word_that_ended_it_decides() -> None:
    def said(word: str) -> dict[str, Any]:
        return {"choices": [{"index": 0, "message": {"content": "a"}, "stop_reason": word}]}

    assert ("", "length") == (judge(said("stop")), judge(said("length")))
    with pytest.raises(Unfit, match=r"^content-filter$"):
        judge(said("content_filter"))


@pytest.mark.parametrize("chunk", [7, None, []])
def test_malformed_chunks_make_no_answer(chunk: Any) -> None:
    with pytest.raises(Unfit, match=r"^malformed$"):
        merge([chunk])
