from __future__ import annotations

from typing import Any

import pytest

from khazad_mitm.wire.embedding_formats import FORMATS, Format, tokens
from khazad_mitm.wire.unfit import Unfit


def at(path: str) -> Format:
    return next(form for form in FORMATS if form.path.fullmatch(path))


OPENAI = at("/v1/embeddings")
COHERE = at("/v2/embed")
GEMINI = at("/v1beta/models/m:batchEmbedContents")


@pytest.mark.parametrize(
    ("given", "items"),
    [
        ("a", ["a"]),
        (["a", "b"], ["a", "b"]),
        ([1, 2], [[1, 2]]),
        ([[1, 2], [3]], [[1, 2], [3]]),
        ([{"text": "a"}, {"image": "b"}], [{"text": "a"}, {"image": "b"}]),
        ([True], [True]),
    ],
)
def test_items_are_texts_token_lists_or_objects(given: Any, items: list[Any]) -> None:
    assert ("input", items) == OPENAI.asked({"input": given})


@pytest.mark.parametrize("given", ["", [], None, 5, {"text": "a"}])
def test_nothing_to_embed_is_no_request(given: Any) -> None:
    assert OPENAI.asked({"input": given}) is None


def test_what_to_embed_stands_in_one_field_only() -> None:
    assert ("images", ["i"]) == COHERE.asked({"texts": None, "images": ["i"]})
    assert COHERE.asked({"texts": ["t"], "images": ["i"]}) is None


def rows(*vectors: Any) -> dict[str, Any]:
    return {"data": [{"index": n, "embedding": vector} for n, vector in enumerate(vectors)]}


@pytest.mark.parametrize("vector", [[0.5], [1, -2], "zczM", [[0.5], [0.25]], {"float": [1.0]}])
def test_a_vector_is_numbers_text_or_several_of_them(vector: Any) -> None:
    OPENAI.judge(rows(vector), 1)


@pytest.mark.parametrize("vector", [[], "", [None], [True], ["a", 1], [[]], {}, None, 5])
def test_anything_else_is_no_vector(vector: Any) -> None:
    with pytest.raises(Unfit, match="malformed"):
        OPENAI.judge(rows(vector), 1)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"error": {"message": "no"}}, "error"),
        ({"data": []}, "empty"),
        ({"message": "no"}, "empty"),
        ([], "malformed"),
        (rows([1]), "incomplete"),
        (rows([1], [2], [3]), "incomplete"),
        ({"data": [{"index": 0, "embedding": [1]}, {"embedding": [2]}]}, "incomplete"),
        ({"data": [{"index": 1, "embedding": [1]}, {"index": 2, "embedding": [2]}]}, "incomplete"),
        ({"data": [{"embedding": [1]}, 7]}, "malformed"),
    ],
)
def test_what_is_no_whole_answer_to_two_items_is_named(answer: Any, reason: str) -> None:
    with pytest.raises(Unfit, match=reason):
        OPENAI.judge(answer, 2)


def test_rows_may_be_numbered_in_any_order_or_not_at_all() -> None:
    OPENAI.judge({"data": [{"index": 1, "embedding": [1]}, {"index": 0, "embedding": [2]}]}, 2)
    GEMINI.judge({"embeddings": [{"values": [1]}, {"values": [2]}]}, 2)


def test_every_kind_of_number_has_a_row_for_each_item() -> None:
    COHERE.judge({"embeddings": {"float": [[1.0], [2.0]], "int8": [], "uint8": None}}, 2)
    with pytest.raises(Unfit, match="incomplete"):
        COHERE.judge({"embeddings": {"float": [[1.0], [2.0]], "int8": [[1]]}}, 2)


@pytest.mark.parametrize(
    ("answer", "count"),
    [
        ({"usage": {"prompt_tokens": 5, "total_tokens": 6}}, 6),
        ({"usage": {"prompt_tokens": 5}}, 5),
        ({"usageMetadata": {"promptTokenCount": 4}}, 4),
        ({"meta": {"billed_units": {"input_tokens": 3}}}, 3),
        ({"prompt_eval_count": 2}, 2),
        ({"usage": {"total_tokens": -1}}, 0),
        ({"usage": None}, 0),
    ],
)
def test_tokens_are_read_where_each_says_them(answer: Any, count: int) -> None:
    assert count == tokens(answer)
