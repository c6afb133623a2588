"""A Gemini answer taken apart into the chunks of a stream and put together from them.

Each chunk is a GenerateContentResponse that says a little more; `merge` reads them as the one that
a plain call gives, `split` is its inverse. Parts keep their order and their borders: only plain
text that goes on as plain text of the same kind (thought or not) is joined. A signature belongs
to the part it came with, even where that part is an empty text. Knows nothing of bytes and frames.

Source: Gemini API reference, "Generating content", `GenerateContentResponse`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from khazad_mitm.exchange import Json
from khazad_mitm.wire.ordered import ordered
from khazad_mitm.wire.unfit import Unfit

_TOP = ("candidates", "promptFeedback", "usageMetadata", "modelVersion", "createTime", "responseId")
_CANDIDATE = ("content", "finishReason", "index")
_CONTENT = ("parts", "role")

# What every chunk repeats.
_SHARED = ("modelVersion", "createTime", "responseId")

# Lists in here are about the text of their own chunk; anywhere else the last word counts.
_GROWING = frozenset({"citationMetadata", "logprobsResult"})

_PLAIN_TEXT = frozenset({"text", "thought"})


def merge(chunks: Iterable[Json]) -> dict[str, Json]:
    """One answer from all chunks of a stream. Raises Unfit where they make none.

    Whether it is finished is for the reader to judge: the chunks have no end but the last.
    """
    top: dict[str, Json] = {}
    candidates: dict[int, _Candidate] = {}
    for chunk in chunks:
        if not isinstance(chunk, dict):
            raise Unfit("malformed")
        if chunk.get("error"):
            raise Unfit("error")
        pieces = chunk.get("candidates") or []
        if not isinstance(pieces, list):
            raise Unfit("malformed")
        for piece in pieces:
            _candidate_at(candidates, piece).add(piece)
        for name, value in chunk.items():
            if name != "candidates" and value is not None:
                top[name] = value
    if candidates:
        top["candidates"] = [candidates[index].result() for index in sorted(candidates)]
    return ordered(top, _TOP)


def split(answer: dict[str, Json]) -> Iterator[dict[str, Json]]:
    """The chunks that say what `answer` says: a part in each, all else in the last."""
    shared = {name: answer[name] for name in _SHARED if name in answer}
    last = {name: value for name, value in answer.items() if name != "candidates"}
    pieces = [piece for candidate in answer["candidates"] for piece in _pieces(candidate)]
    for piece in pieces[:-1]:
        yield {"candidates": [piece], **shared}
    yield {"candidates": pieces[-1:], **last}


@dataclass(slots=True)
class _Candidate:
    """One candidate while its pieces come in."""

    parts: list[dict[str, Json]] = field(default_factory=list)
    content: dict[str, Json] | None = None
    """None until a piece has some."""
    others: dict[str, Json] = field(default_factory=dict)

    def add(self, piece: dict[str, Json]) -> None:
        for name, value in piece.items():
            match name, value:
                case "content", dict(content):
                    self._say(content)
                case "content", None:
                    pass
                case "content", _:
                    raise Unfit("malformed")
                case _ if name in _GROWING:
                    self.others[name] = _grown(self.others.get(name), value)
                case _:
                    self.others[name] = _later(self.others.get(name), value)

    def result(self) -> dict[str, Json]:
        if self.content is None:
            return ordered(self.others, _CANDIDATE)
        said = {**self.content, "parts": self.parts} if self.parts else self.content
        return ordered({**self.others, "content": ordered(said, _CONTENT)}, _CANDIDATE)

    def _say(self, content: dict[str, Json]) -> None:
        parts = content.get("parts")
        if not isinstance(parts, list | None):
            raise Unfit("malformed")
        self.content = {**(self.content or {}), **content}
        self.content.pop("parts", None)
        for part in parts or []:
            self._append(part)

    def _append(self, part: Json) -> None:
        match part:
            case {"functionCall": {"partialArgs": _}} | {"functionCall": {"willContinue": _}}:
                raise Unfit("unknown-event")
            case {"text": "", **others} if not others:
                return  # ends a stream; a plain answer has no such part
            case dict():
                pass
            case _:
                raise Unfit("malformed")
        last = self.parts[-1] if self.parts else None
        if last is not None and _goes_on(last, part):
            last["text"] += part["text"]
        else:
            self.parts.append(dict(part))


def _candidate_at(candidates: dict[int, _Candidate], piece: Json) -> _Candidate:
    if not isinstance(piece, dict):
        raise Unfit("malformed")
    index = piece.get("index") or 0
    if type(index) is not int or index < 0:
        raise Unfit("malformed")
    return candidates.setdefault(index, _Candidate())


def _goes_on(last: dict[str, Json], part: dict[str, Json]) -> bool:
    return (
        last.keys() <= _PLAIN_TEXT
        and part.keys() <= _PLAIN_TEXT
        and isinstance(last.get("text"), str)
        and isinstance(part.get("text"), str)
        and last.get("thought") == part.get("thought")
    )


def _later(old: Json, new: Json) -> Json:
    """The later word counts; an object keeps what the later one leaves out."""
    if isinstance(old, dict) and isinstance(new, dict):
        return old | new
    return old if new is None else new


def _grown(old: Json, new: Json) -> Json:
    """Like `_later`, but lists get longer, by what they do not have yet."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        return _later(old, new)
    grown = {**old}
    for name, value in new.items():
        known = old.get(name)
        if isinstance(known, list) and isinstance(value, list):
            grown[name] = known + value
        else:
            grown[name] = _later(known, value)
    return grown


def _pieces(candidate: dict[str, Json]) -> list[dict[str, Json]]:
    """A candidate part by part; the last piece has all that is said once."""
    content = candidate.get("content")
    parts = content.get("parts") if isinstance(content, dict) else None
    if not isinstance(content, dict) or not parts:
        return [candidate]
    place = {"index": candidate["index"]} if "index" in candidate else {}
    said = [{"content": {**content, "parts": [part]}, **place} for part in parts]
    return [*said[:-1], {**candidate, **said[-1]}]
