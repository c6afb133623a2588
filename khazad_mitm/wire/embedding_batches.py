"""Batches of embeddings answered item by item: what is still to be asked, the whole from parts.

An answer is a sheet: columns of one element for each item (vectors, and where Cohere repeats them
the texts), and around them what belongs to the call as a whole. Elements are moved as the text
they came in, digit for digit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from khazad_mitm.exchange import Json, ParsedRequest
from khazad_mitm.wire import body as bodies
from khazad_mitm.wire import raw
from khazad_mitm.wire.embedding_formats import VECTOR_NAMES, Format

Column: TypeAlias = tuple[str, ...]
"""Where a list of elements stands: ("data",), or ("embeddings", "int8")."""

# The same in every answer of one model; anything else of the call as a whole may differ.
_OF_THE_MODEL = ("model", "response_type")


@dataclass(frozen=True, slots=True)
class EmbeddingBatch:
    """`Batch` for one format."""

    form: Format

    def rest(self, parsed: ParsedRequest, wanted: Sequence[int]) -> ParsedRequest:
        """The request for some of the items."""
        field = parsed.turns_field
        body = {**parsed.body, field: [parsed.body[field][place] for place in wanted]}
        headers = parsed.request.headers.without("content-encoding", "content-length")
        request = replace(parsed.request, headers=headers, body=bodies.write(body))
        return replace(parsed, request=request, body=body)

    def apart(self, answer: bytes) -> tuple[bytes, ...]:
        """An answer for each item."""
        try:
            sheet = self._sheet(answer)
            count = len(sheet.columns[self._vectors(sheet)[0]])
            if count == 1:
                return (answer,)
            # A list that nobody knows may say something of each item.
            if any(sheet.top[name].startswith("[") for name in sheet.top.keys() - self.form.rows):
                return ()
            free = sheet.unbilled(self.form.bill)
            return tuple(free.with_row(place).written() for place in range(count))
        except (ValueError, LookupError, RecursionError):
            return ()

    def together(self, answers: Sequence[bytes], around: bytes | None) -> bytes | None:
        """The answer to all items from one for each of them."""
        try:
            sheets = [self._sheet(answer) for answer in answers]
            outside = self._sheet(around) if around else sheets[0].unbilled(self.form.bill)
            kind = self._kind(outside)
            if any(self._kind(sheet) != kind for sheet in sheets):
                return None
            columns = {
                column: [text for sheet in sheets for text in sheet.columns[column]]
                for column in outside.columns
            }
            return replace(outside, columns=columns).written()
        except (ValueError, LookupError, RecursionError):
            return None

    def _sheet(self, answer: bytes) -> _Sheet:
        top = raw.members(answer.decode())
        columns: dict[Column, list[str]] = {}
        for name in self.form.rows:
            value = top.get(name, "")
            if value.startswith("["):
                columns[(name,)] = raw.elements(value)
            elif value.startswith("{"):
                for kind, inner in raw.members(value).items():
                    if inner.startswith("["):
                        columns[(name, kind)] = raw.elements(inner)
        return _Sheet(top, {column: _in_order(texts) for column, texts in columns.items()})

    def _vectors(self, sheet: _Sheet) -> list[Column]:
        """The columns of vectors that have any."""
        return [c for c, texts in sheet.columns.items() if c[0] == self.form.rows[0] and texts]

    def _kind(self, sheet: _Sheet) -> Json:
        """What must be equal in all answers that are put together."""
        return [
            [sheet.top.get(name) for name in _OF_THE_MODEL],
            list(sheet.columns),
            [_dimension(sheet.columns[column][0]) for column in self._vectors(sheet)],
        ]


@dataclass(frozen=True, slots=True)
class _Sheet:
    top: dict[str, str]
    columns: dict[Column, list[str]]

    def unbilled(self, names: Iterable[str]) -> _Sheet:
        """The same, for a call that the upstream was not asked for."""
        nothing = {name: _nothing(self.top[name]) for name in names if name in self.top}
        return replace(self, top={**self.top, **nothing})

    def with_row(self, place: int) -> _Sheet:
        """The same with the elements of one item; raises LookupError where it has none."""
        row = {column: texts and [texts[place]] for column, texts in self.columns.items()}
        return replace(self, columns=row)

    def written(self) -> bytes:
        top = dict(self.top)
        for column, texts in self.columns.items():
            numbered = raw.write_elements(_numbered(text, n) for n, text in enumerate(texts))
            if len(column) == 1:
                top[column[0]] = numbered
            else:
                name, kind = column
                top[name] = raw.write_members({**raw.members(top[name]), kind: numbered})
        return raw.write_members(top).encode()


def _in_order(texts: list[str]) -> list[str]:
    """OpenAI numbers its rows, and may send them in any order."""
    if not texts or not texts[0].startswith("{"):
        return texts
    return sorted(texts, key=lambda text: int(raw.members(text).get("index", "0")))


def _numbered(text: str, number: int) -> str:
    if not text.startswith("{"):
        return text
    row = raw.members(text)
    return raw.write_members({**row, "index": str(number)}) if "index" in row else text


def _dimension(text: str) -> Json:
    """Numbers of a vector, characters of one in base64, or those of each kind (Jina)."""
    if text.startswith("{"):
        row = raw.members(text)
        named = [name for name in VECTOR_NAMES if name in row] or row
        return [(name, _dimension(row[name])) for name in named]
    return text.partition("]")[0].count(",") if text.startswith("[") else len(text)


def _nothing(text: str) -> str:
    return bodies.write(_zero(bodies.parse(text))).decode()


def _zero(value: Json) -> Json:
    match value:
        case bool():
            return value
        case int() | float():
            return 0
        case list():
            return [_zero(item) for item in value]
        case dict():
            return {name: _zero(item) for name, item in value.items()}
        case _:
            return value
