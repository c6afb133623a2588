"""The table of families: an answer and its own stream belong to one row."""

from __future__ import annotations

import json
from typing import Any

import pytest

from khazad_mitm.exchange import Answer
from khazad_mitm.wire import bedrock_families as families
from khazad_mitm.wire import recognise
from khazad_mitm.wire.unfit import Unfit
from tests import wires
from tests.wires import Wire

KEPT = [wire for wire in wires.of("bedrock-invoke") if wire.expect.startswith("answer")]


@pytest.mark.parametrize("wire", KEPT, ids=lambda wire: wire.name)
def test_an_answer_and_its_stream_are_of_one_family(wire: Wire) -> None:
    parsed = recognise(wire.request)
    assert parsed is not None
    outcome = parsed.provider.assemble(wire.body, parsed)
    assert isinstance(outcome, Answer)
    answer = json.loads(outcome.body)
    family = families.of_answer(answer)

    assert family is families.of_stream(next(iter(family.split(answer))))
    assert 1 == sum(family.answers(answer) for family in families.FAMILIES)


@pytest.mark.parametrize("told", [{}, {"haiku": ["a"]}, {"choices": []}, {"text": "a"}])
def test_a_shape_of_nobody_is_refused(told: dict[str, Any]) -> None:
    with pytest.raises(Unfit, match=r"^unknown-shape$"):
        families.of_answer(told)


@pytest.mark.parametrize(
    ("answer", "counts"),
    [
        ({"usage": {"input_tokens": 1, "output_tokens": 2}}, (1, 2)),
        ({"usage": {"inputTokens": 1, "outputTokens": 2}}, (1, 2)),
        ({"usage": {"prompt_tokens": 1, "completion_tokens": 2}}, (1, 2)),
        ({"prompt_token_count": 1, "generation_token_count": 2}, (1, 2)),
        ({"inputTextTokenCount": 1, "results": [{"tokenCount": 2}]}, (1, 2)),
        ({"inputTextTokenCount": 1.0, "results": [{"tokenCount": 2.0}]}, (1, 2)),
        ({"inputTextTokenCount": 1, "embedding": [0.5]}, (1, 0)),
        ({"inputTextTokenCount": "many", "results": [{"tokenCount": 0.5}]}, (0, 0)),
        ({"usage": "many"}, None),
        ({}, None),
    ],
)
def test_tokens_are_counted_where_the_family_says_them(answer: dict[str, Any], counts: Any) -> None:
    assert counts == families.counts(answer)
