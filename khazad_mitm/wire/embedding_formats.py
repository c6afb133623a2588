"""Where each kind of embedding request holds what is to be embedded, and its answer the vectors.

A table, and the reading of bodies by it. An answer is whole if it has one vector for each item
asked, none of them empty, and, where they are numbered, every number once.
Source: API references of OpenAI ("Create embeddings"), Voyage, Jina, Mistral, Cohere ("Embed" v1
and v2), Gemini ("embedContent", "batchEmbedContents") and Ollama, read 2026-11.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from khazad_mitm.exchange import Json
from khazad_mitm.wire.unfit import Unfit


@dataclass(frozen=True, slots=True)
class Format:
    """One row of the table."""

    path: re.Pattern[str]
    """A group `model` where the model stands in the path."""
    fields: tuple[str, ...]
    """Of the request; one of them holds what is to be embedded."""
    rows: tuple[str, ...]
    """Of the answer; lists of one element for each item, the first of them of vectors."""
    bill: tuple[str, ...] = ()
    """Of the answer: what was counted and charged for this call."""
    known: frozenset[str] = frozenset()
    """Other request fields that do not let one item's vector depend on another item. A field
    that nobody knows may: Jina's `late_chunking` does."""
    ignored: frozenset[str] = frozenset()
    """As in `ParsedRequest`."""
    is_single: bool = False
    """There are no batches."""

    def asked(self, body: dict[str, Json]) -> tuple[str, list[Json]] | None:
        """The field that says what to embed, and its items; None where not exactly one does."""
        given = [name for name in self.fields if body.get(name) is not None]
        if len(given) != 1:
            return None
        items = self._items(body[given[0]])
        return (given[0], items) if items else None

    def _items(self, value: Json) -> list[Json]:
        match value:
            case list() if value and not self.is_single:
                # A list of numbers is one text, as tokens.
                return [value] if all(type(item) is int for item in value) else value
            case str() if value:
                return [value]
            case dict() if self.is_single and value:
                return [value]
            case _:
                return []

    def judge(self, answer: Json, count: int) -> None:
        """Raises Unfit where this is no whole answer to `count` items."""
        if not isinstance(answer, dict):
            raise Unfit("malformed")
        if answer.get("error"):
            raise Unfit("error")
        lists = self._lists(answer.get(self.rows[0]))
        if not lists:
            raise Unfit("empty")
        for rows in lists:
            if len(rows) != count:
                raise Unfit("incomplete")
            if not all(map(_is_embedding, rows)):
                raise Unfit("malformed")
            numbers = [row.get("index") for row in rows if isinstance(row, dict)]
            if any(number is not None for number in numbers) and not _is_numbering(numbers):
                raise Unfit("incomplete")

    def _lists(self, value: Json) -> list[list[Json]]:
        """The lists of vectors: one, or one for each kind of number that was asked for."""
        match value:
            case list() | dict() if value and self.is_single:
                return [[value]]
            case list() if value:
                return [value]
            case dict():
                return [rows for rows in value.values() if isinstance(rows, list) and rows]
            case _:
                return []


def tokens(answer: Json) -> int:
    """What the items cost, 0 where the answer does not say."""
    match answer:
        case (
            {"usage": {"total_tokens": int(count)}}
            | {"usage": {"prompt_tokens": int(count)}}
            | {"usageMetadata": {"promptTokenCount": int(count)}}
            | {"meta": {"billed_units": {"input_tokens": int(count)}}}
            | {"prompt_eval_count": int(count)}
        ):
            return max(0, count)
    return 0


VECTOR_NAMES = ("embedding", "embeddings", "values")
"""What a vector is called where it stands in an object of its own."""


def _is_embedding(row: Json) -> bool:
    if isinstance(row, dict):
        return any(_is_vector(row[name]) for name in VECTOR_NAMES if name in row)
    return _is_vector(row)


def _is_vector(value: Json) -> bool:
    """Numbers, base64, a vector for each token, or one for each kind of number (Jina)."""
    match value:
        case str():
            return bool(value)
        case list():
            kinds = set(map(type, value))
            if kinds <= {list}:
                return bool(value) and all(map(_is_vector, value))
            return kinds <= {int, float}
        case dict():
            return bool(value) and all(map(_is_vector, value.values()))
        case _:
            return False


def _is_numbering(numbers: list[Json]) -> bool:
    return all(type(number) is int for number in numbers) and sorted(numbers) == list(
        range(len(numbers))
    )


_OPENAI = frozenset(
    "model encoding_format dimensions user metadata".split()
    # Voyage, Mistral, Jina, NVIDIA, OpenRouter, vLLM
    + "input_type truncation output_dimension output_dtype task normalized embedding_type".split()
    + "truncate provider truncate_prompt_tokens add_special_tokens".split()
)
_COHERE = "model input_type embedding_types truncate output_dimension max_tokens priority".split()

FORMATS = (
    Format(
        re.compile(
            r".*/(?:deployments|engines)/(?P<model>[^/]+)/embeddings/?"
            r"|.*/embeddings/?"
        ),
        fields=("input",),
        rows=("data",),
        bill=("usage",),
        known=_OPENAI,
    ),
    Format(
        re.compile(r".*/serving-endpoints/(?P<model>[^/]+)/invocations/?"),
        fields=("input",),
        rows=("data",),
        bill=("usage",),
        known=_OPENAI,
    ),
    Format(
        re.compile(r".*/api/embed/?"),
        fields=("input",),
        rows=("embeddings",),
        bill=("total_duration", "load_duration", "prompt_eval_count"),
        known=frozenset({"model", "truncate", "options", "keep_alive", "dimensions"}),
        ignored=frozenset({"keep_alive"}),
    ),
    Format(
        re.compile(r".*/api/embeddings/?"),
        fields=("prompt",),
        rows=("embedding",),
        ignored=frozenset({"keep_alive"}),
        is_single=True,
    ),
    Format(
        re.compile(r".*/(?P<model>[^/:]+):batchEmbedContents"),
        fields=("requests",),
        rows=("embeddings",),
        bill=("usageMetadata",),
    ),
    Format(
        re.compile(r".*/(?P<model>[^/:]+):embedContent"),
        fields=("content",),
        rows=("embedding",),
        is_single=True,
    ),
    Format(
        re.compile(r".*/v[12]/embed/?"),
        fields=("texts", "inputs", "images"),
        rows=("embeddings", "texts", "images"),
        bill=("meta",),
        known=frozenset((*_COHERE, "texts", "inputs", "images")),
    ),
)
