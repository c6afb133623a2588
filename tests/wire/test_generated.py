from __future__ import annotations

import json
from typing import Any

import pytest

from khazad_mitm.exchange import Answer
from khazad_mitm.wire import PROVIDERS, recognise
from khazad_mitm.wire.generated import output_tokens
from tests import wires
from tests.wires import Wire

KEPT = [
    wire
    for provider in PROVIDERS
    for wire in wires.of(provider.name)
    if wire.expect.startswith("answer")
]


@pytest.mark.parametrize(
    ("answer", "count"),
    [
        ({"usage": {"prompt_tokens": 9, "completion_tokens": 3}}, 3),
        ({"usage": {"input_tokens": 9, "output_tokens": 4}}, 4),
        ({"usage": {"inputTokens": 9, "outputTokens": 5}}, 5),
        ({"usage": {"tokens": {"input_tokens": 9.0, "output_tokens": 6.0}}}, 6),
        ({"meta": {"tokens": {"output_tokens": 7.0}}}, 7),
        ({"usageMetadata": {"candidatesTokenCount": 8, "thoughtsTokenCount": 2}}, 10),
        ({"usageMetadata": {"candidatesTokenCount": 8}}, 8),
        ({"eval_count": 9}, 9),
        ({"generation_token_count": 1}, 1),
        ({"results": [{"tokenCount": 2}]}, 2),
        ({"usage": {"completion_tokens": None}}, 0),
        ({"usage": {"completion_tokens": -1}}, 0),
        ({"usage": {"completion_tokens": True}}, 0),
        ({"usage": None}, 0),
        ({}, 0),
        ([], 0),
    ],
)
def test_each_format_is_understood(answer: Any, count: int) -> None:
    assert count == output_tokens(answer)


@pytest.mark.parametrize("wire", KEPT, ids=lambda wire: wire.name)
def test_of_every_answer_less_was_written_than_counted(wire: Wire) -> None:
    parsed = recognise(wire.request)
    assert parsed is not None
    answer = parsed.provider.assemble(wire.body, parsed)
    assert isinstance(answer, Answer)
    written = 0 if parsed.provider.name == "embeddings" else output_tokens(json.loads(answer.body))

    assert 0 <= answer.output_tokens <= answer.tokens
    # Bedrock may count beside the answer.
    assert answer.output_tokens >= written
