"""A GenerateContentResponse taken apart into the chunks of a stream and put together from them.

Every chunk is a GenerateContentResponse itself. `merge` reads many as one, `Merger` while they
come in; `split` is its inverse. What comes in more than one chunk is of three kinds:

- Parts follow one another. Bare text goes on with the text before it; a part with anything else
  in it keeps its borders: a signature must come back in the part it came with. An empty bare
  text, such as may bring the `finishReason`, says nothing and is dropped.
- Of usage, grounding and other summaries the latest that says something counts: Google sends
  them again as they grow.
- Citations and log probabilities belong to the chunk they come in and are added up, unless the
  new list begins with the old one.

A field that nobody has heard of travels along if it stays as it is or grows. Where its text
changes it may be a fragment or a correction, and the stream is not kept.

Knows nothing of bytes, frames and requests.
Source: Gemini API reference, "GenerateContentResponse"; google-genai 3.4; how generative-ai-go
joins chunks (`joinCandidateLists`: citations add up, of the rest the last counts).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from khazad_mitm.exchange import Json
from khazad_mitm.wire.gemini_calls import StreamedCall, is_piece
from khazad_mitm.wire.ordered import ordered
from khazad_mitm.wire.unfit import Unfit

_TOP = ("candidates", "promptFeedback", "usageMetadata", "modelVersion", "createTime", "responseId")
_CANDIDATE = ("content", "finishReason", "finishMessage", "index")
_CONTENT = ("parts", "role")

_LATEST = frozenset(
    {"promptFeedback", "usageMetadata", "modelVersion", "createTime", "responseId", "modelStatus"}
    | {"finishMessage", "safetyRatings", "avgLogprobs", "tokenCount", "continuationToken"}
)
# Queries may come first and their sources later, with or without the queries.
_LATEST_BY_NAME = frozenset({"groundingMetadata", "urlContextMetadata"})
_ADDED_UP = frozenset({"citationMetadata", "logprobsResult"})

_UNSPECIFIED = (None, "", 0, "FINISH_REASON_UNSPECIFIED")


class Merger:
    """The answer so far, while the chunks of a stream come in."""

    def __init__(self) -> None:
        self._top: dict[str, Json] = {}
        self._candidates: dict[int, _Candidate] = {}

    def add(self, chunk: Json) -> None:
        """Raises Unfit where the chunk is no part of an answer."""
        match chunk:
            case {"error": error} if error:
                raise Unfit("error")
            case {"candidates": list(pieces)}:
                pass
            case dict() if chunk.get("candidates") is None:
                pieces = []
            case _:
                raise Unfit("malformed")
        for piece in pieces:
            self._candidates.setdefault(index_of(piece), _Candidate()).add(piece)
        _take(self._top, chunk, apart=("candidates",))

    def has_finished(self, count: int) -> bool:
        """Have `count` candidates appeared, and all that appeared come to their end?"""
        return len(self._candidates) >= count and all(
            candidate.finish_reasons for candidate in self._candidates.values()
        )

    def result(self) -> dict[str, Json]:
        """The answer so far; a candidate that has not come to its end has no `finishReason`."""
        top = dict(self._top)
        if not top.get("usageMetadata"):
            top.pop("usageMetadata", None)  # `split` ends a stream with an empty one
        if self._candidates:
            top["candidates"] = [self._candidates[i].result() for i in sorted(self._candidates)]
        return ordered(top, _TOP)


def merge(chunks: Iterable[Json]) -> dict[str, Json]:
    """One answer from all chunks of a stream. Raises Unfit where they make none."""
    merger = Merger()
    for chunk in chunks:
        merger.add(chunk)
    return merger.result()


def split(response: dict[str, Json]) -> Iterator[dict[str, Json]]:
    """The chunks that say what `response` says: one for each part, in order.

    Only the last one has `usageMetadata`, an empty one if need be: together with the last
    `finishReason` it tells the end of a stream.
    """
    pieces = [piece for candidate in response["candidates"] for piece in _pieces_of(candidate)]
    labels: dict[str, Json] = {}
    last: dict[str, Json] = {"usageMetadata": response.get("usageMetadata") or {}}
    for name, value in response.items():
        if name not in ("candidates", "promptFeedback", "usageMetadata"):
            (last if isinstance(value, dict | list) else labels)[name] = value
    # "Sent only in the first stream chunk" (GenerateContentResponse.promptFeedback).
    first = {name: response[name] for name in ("promptFeedback",) if name in response}
    for position, piece in enumerate(pieces):
        chunk = {"candidates": [piece], **labels}
        if position == 0:
            chunk |= first
        if position == len(pieces) - 1:
            chunk |= last
        yield ordered(chunk, _TOP)


def index_of(candidate: Json) -> int:
    """A candidate's place; Vertex leaves out the first one's. Raises Unfit where it has none."""
    match candidate:
        case {"index": int(index)} if index >= 0:
            return int(index)
        case dict() if candidate.get("index") is None:
            return 0
        case _:
            raise Unfit("malformed")


def parts_of(candidate: dict[str, Json]) -> list[dict[str, Json]]:
    """What a candidate says; Google leaves out what is empty. Raises Unfit where malformed."""
    match candidate.get("content"):
        case None | {"parts": None}:
            return []
        case {"parts": list(parts)} if all(isinstance(part, dict) for part in parts):
            return parts
        case dict(content) if "parts" not in content:
            return []
        case _:
            raise Unfit("malformed")


@dataclass(slots=True)
class _Candidate:
    """One candidate while its pieces come in."""

    parts: list[dict[str, Json]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    """Fragments of the last part, a bare text; empty where that is another kind of part."""
    call: StreamedCall | None = None
    """The function call that follows the parts, while its arguments come in."""
    content: dict[str, Json] | None = None
    """Its fields beside `parts`; None where there was no content at all."""
    finish_reasons: list[Json] = field(default_factory=list)
    others: dict[str, Json] = field(default_factory=dict)

    def add(self, piece: dict[str, Json]) -> None:
        for part in parts_of(piece):
            self._add_part(part)
        if piece.get("content") is not None:
            self.content = self.content or {}
            _take(self.content, piece["content"], apart=("parts",))
        if piece.get("finishReason") not in _UNSPECIFIED:
            self.finish_reasons.append(piece["finishReason"])
        _take(self.others, piece, apart=("content", "finishReason"))

    def result(self) -> dict[str, Json]:
        candidate = {**self.others}
        if self.finish_reasons:
            candidate["finishReason"] = self.finish_reasons[-1]
        if len({*map(str, self.finish_reasons)}) > 1:
            raise Unfit("malformed")
        parts = list(self.parts)
        if self.texts:
            parts[-1] = {**parts[-1], "text": "".join(self.texts)}
        if self.call is not None:
            parts.append(self.call.result())
        if self.content is not None:
            content = {**self.content, "parts": parts} if parts else self.content
            candidate["content"] = ordered(content, _CONTENT)
        return ordered(candidate, _CANDIDATE)

    def _add_part(self, part: dict[str, Json]) -> None:
        text = _bare_text(part)
        if text == "":
            return
        if self.call is not None or is_piece(part):
            self._close_text()
            self.call = self.call or StreamedCall()
            self.call.add(part)
            if not self.call.is_open:
                self.parts.append(self.call.result())
                self.call = None
            return
        goes_on = self.texts and text and self.parts[-1].get("thought") == part.get("thought")
        if not goes_on:
            self._close_text()
            self.parts.append(part)
        if text:
            self.texts.append(text)

    def _close_text(self) -> None:
        if self.texts:
            self.parts[-1] = {**self.parts[-1], "text": "".join(self.texts)}
            self.texts = []


def _bare_text(part: dict[str, Json]) -> str | None:
    """The text of a part with nothing else in it but whether it is a thought."""
    match part:
        case {"text": str(text), "thought": bool(), **others} if not others:
            return text
        case {"text": str(text), **others} if not others:
            return text
        case _:
            return None


def _pieces_of(candidate: dict[str, Json]) -> Iterator[dict[str, Json]]:
    """The candidate with one part at a time; the last piece has all the other fields."""
    around = {name: candidate[name] for name in ("index",) if name in candidate}
    content = candidate.get("content") or {}
    role = {name: content[name] for name in ("role",) if name in content}
    parts = parts_of(candidate)
    for part in parts[:-1]:
        yield {"content": {"parts": [part], **role}, **around}
    yield {**candidate, "content": {**content, "parts": parts[-1:]}} if parts else candidate


def _take(into: dict[str, Json], fields: dict[str, Json], apart: tuple[str, ...]) -> None:
    """Take over what a further chunk says of the same thing, but the fields of `apart`."""
    for name, value in fields.items():
        if name in apart:
            continue
        before = into.get(name)
        if name in _LATEST:
            into[name] = value if value or before is None else before
        elif name in _LATEST_BY_NAME and isinstance(before, dict) and isinstance(value, dict):
            into[name] = {**before, **{key: item for key, item in value.items() if item}}
        else:
            into[name] = _grown(before, value, name in _ADDED_UP)


def _grown(old: Json, new: Json, adds_up: bool) -> Json:
    """What `old` has become; `adds_up`: a list that does not begin with the old one goes on."""
    match old, new:
        case (None, _):
            return new
        case _ if new is None or new in ("", [], {}):
            return old
        case dict(), dict():
            return {
                **old,
                **{name: _grown(old.get(name), value, adds_up) for name, value in new.items()},
            }
        case list(), list() if new[: len(old)] == old:
            return new
        case list(), list() if adds_up:
            return old + new
        case str(), str() if new.startswith(old):
            return new
        case (str() | list() | dict(), _) | (_, str() | list() | dict()):
            raise Unfit("unknown-event")
        case _:
            return new
