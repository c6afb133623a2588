"""Amazon Nova's streams: Converse's events, a block for every piece."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khazad_mitm.wire.bedrock_nova import merge, split
from khazad_mitm.wire.unfit import Unfit
from tests.strategies import json_objects, json_values
from tests.wire.test_bedrock_converse_events import answers, text

START = {"messageStart": {"role": "assistant"}}
END = [{"messageStop": {"stopReason": "end_turn"}}, {"metadata": {"usage": {}}}]


@given(answers)
def test_what_was_split_merges_to_itself_but_for_neighbouring_texts(answer: dict[str, Any]) -> None:
    once = merge(split(answer))

    assert once == merge(split(once))
    assert answer | {"output": None} == once | {"output": None}


def test_neighbouring_texts_are_one() -> None:
    tool = {"toolUse": {"name": "f", "toolUseId": "t"}}
    chunks = [
        START,
        *({name: told} for name, told in (*text(0, "Hel"), *text(1, "lo"))),
        {"contentBlockStart": {"contentBlockIndex": 2, "start": tool}},
        {"contentBlockStop": {"contentBlockIndex": 2}},
        *({name: told} for name, told in text(4, "!")),
        *END,
    ]

    called = {"toolUse": {**tool["toolUse"], "input": {}}}

    assert [{"text": "Hello"}, called, {"text": "!"}] == merge(chunks)["output"]["message"][
        "content"
    ]


@given(st.lists(json_objects | json_values, min_size=1, max_size=3))
def test_chunks_of_nobody_make_no_answer(chunks: list[Any]) -> None:
    with pytest.raises(Unfit):
        merge([START, *chunks, *END])
