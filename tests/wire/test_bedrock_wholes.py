"""Answers of models that do not stream: embeddings, rankings, pictures, Jurassic-2."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from khazad_mitm.wire import bedrock_wholes as wholes
from khazad_mitm.wire.unfit import Unfit

JURASSIC = {"data": {"text": "a"}, "finishReason": {"reason": "length", "length": 9}}


@pytest.mark.parametrize(
    ("is_one", "judge", "answer", "why"),
    [
        (wholes.is_embedding, wholes.judge_embedding, {"embedding": [0.5, 1]}, ""),
        (
            wholes.is_embedding,
            wholes.judge_embedding,
            {"embeddingsByType": {"binary": [0, 1]}, "message": None},
            "",
        ),
        (
            wholes.is_embedding,
            wholes.judge_embedding,
            {"embeddings": [{"embeddingType": "TEXT", "embedding": [1]}]},
            "",
        ),
        (wholes.is_embedding, wholes.judge_embedding, {"data": [{"embedding": [1]}]}, ""),
        (
            wholes.is_ranking,
            wholes.judge_ranking,
            {"results": [{"index": 0, "relevance_score": 0.5}]},
            "",
        ),
        (
            wholes.is_picture,
            wholes.judge_picture,
            {"artifacts": [{"base64": "AA==", "finishReason": "SUCCESS"}]},
            "",
        ),
        (wholes.is_picture, wholes.judge_picture, {"images": ["AA=="], "error": None}, ""),
        (wholes.is_jurassic, wholes.judge_jurassic, {"completions": [JURASSIC]}, "length"),
    ],
)
def test_a_whole_answer_is_kept(
    is_one: Callable[[Any], bool], judge: Callable[[Any], str], answer: Any, why: str
) -> None:
    assert is_one(answer)
    assert why == judge(answer)
    assert answer == wholes.merge(wholes.split(answer))


@pytest.mark.parametrize(
    ("judge", "answer", "reason"),
    [
        (wholes.judge_embedding, {"embedding": []}, "empty"),
        (wholes.judge_embedding, {"embedding": None}, "empty"),
        (wholes.judge_embedding, {"embeddings": [[0.5], []]}, "empty"),
        (wholes.judge_embedding, {"embeddings": [[0.5], None]}, "empty"),
        (wholes.judge_embedding, {"embedding": [0.5], "message": "Too large."}, "error"),
        (
            wholes.judge_ranking,
            {"results": [{"index": 0, "relevance_score": 0.5}, {"index": 1}]},
            "malformed",
        ),
        (wholes.judge_picture, {"images": []}, "empty"),
        (wholes.judge_picture, {"images": [None]}, "empty"),
        (wholes.judge_picture, {"images": ["AA=="], "error": "Blocked."}, "error"),
        (
            wholes.judge_picture,
            {"images": ["AA=="], "finish_reasons": ["Filter reason: prompt"]},
            "content-filter",
        ),
        (
            wholes.judge_picture,
            {"artifacts": [{"base64": "AA==", "finishReason": "CONTENT_FILTERED"}]},
            "content-filter",
        ),
        (wholes.judge_picture, {"artifacts": ["AA=="]}, "malformed"),
        (wholes.judge_picture, {"images": ["AA=="], "finish_reasons": 7}, "malformed"),
        (wholes.judge_jurassic, {"completions": [JURASSIC, {}]}, "malformed"),
    ],
)
def test_a_doubtful_answer_is_not_kept(
    judge: Callable[[Any], str], answer: Any, reason: str
) -> None:
    with pytest.raises(Unfit, match=f"^{reason}$"):
        judge(answer)


def test_two_chunks_are_not_one_answer() -> None:
    with pytest.raises(Unfit, match=r"^unknown-event$"):
        wholes.merge([{"embedding": [1]}, {"embedding": [2]}])
