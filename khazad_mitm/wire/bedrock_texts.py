"""Answers of models that continue a prompt on Bedrock: a text and why it ended, in many words.

Llama, Titan, Mistral and the others tell the same with other names: a text in pieces, a word at
the end, counts. A chunk looks like the answer, or is flat: one candidate of its list with the
number of the candidate inside. What a chunk repeats must be the same each time, but for counts,
which grow; whatever else changes is a piece of something unknown.
Source: Amazon Bedrock User Guide, "Inference request parameters and response fields for
foundation models".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from khazad_mitm.exchange import Json
from khazad_mitm.wire.said import is_filled
from khazad_mitm.wire.unfit import Unfit

_FINISHED = frozenset(
    {"stop", "end_turn", "stop_sequence", "stop_criteria_met"}
    | {"finish", "finished", "complete", "eos", "eos_token", "endoftext", "end_of_text"}
)
_LENGTH = frozenset({"length", "max_tokens"})


@dataclass(frozen=True, slots=True)
class Texts:
    """The names in which one family tells its texts."""

    text: str
    reason: str
    """Why the text ended; null before the end."""
    among: str = ""
    """The list of candidates; "" where the answer is the only one."""
    is_flat: bool = False
    """A chunk is one candidate, not a list of them."""
    beside: tuple[str, ...] = ()
    """What a flat chunk says of the whole answer."""
    renamed: dict[str, str] = field(default_factory=dict)
    """Name in a flat chunk -> name in the candidate."""
    at_end: str = ""
    """A flag that flat chunks have, true in the last of a candidate."""

    def answers(self, answer: dict[str, Json]) -> bool:
        """Is this answer told in these names?"""
        candidates = self._candidates(answer)
        return bool(candidates) and all(
            isinstance(one, dict) and self.text in one and self.reason in one for one in candidates
        )

    def streams(self, chunk: dict[str, Json]) -> bool:
        """Does this chunk open a stream in these names?"""
        if self.at_end:
            return self.at_end in chunk and "event_type" not in chunk
        if self.among and not self.is_flat:
            return self.answers(chunk)  # several families have lists of the same name
        return isinstance(chunk.get(self.text), str)  # behind a guardrail Titan omits null

    def judge(self, answer: dict[str, Json]) -> str:
        """Why an answer may serve exact repeats only, or "". Raises Unfit where it serves none."""
        candidates = self._candidates(answer)
        for position, one in enumerate(candidates):
            if one.get("error"):
                raise Unfit("error")
            if one.get("index") not in (None, position):
                raise Unfit("malformed")
        return verdict((one[self.text], one[self.reason]) for one in candidates)

    def merge(self, chunks: Iterable[Json]) -> dict[str, Json]:
        """One answer from all chunks. Raises Unfit where they make none."""
        top: dict[str, Json] = {}
        found: dict[int, dict[str, Json]] = {}
        for chunk in chunks:
            if not isinstance(chunk, dict):
                raise Unfit("malformed")
            if chunk.get("error"):
                raise Unfit("error")
            for index, piece in self._pieces(chunk, top):
                self._grow(found.setdefault(index, {}), piece)
        if not found:
            raise Unfit("empty")
        candidates = [dict(sorted(found[index].items())) for index in sorted(found)]
        answer = {**top, self.among: candidates} if self.among else candidates[0]
        if not self.answers(answer):
            raise Unfit("malformed")
        return dict(sorted(answer.items()))

    def split(self, answer: dict[str, Json]) -> Iterator[dict[str, Json]]:
        """Two chunks for each text: all of it, then its end.

        In two, because LangChain looks at no text in a chunk that ends it.
        """
        top = {name: value for name, value in answer.items() if name != self.among}
        candidates = self._candidates(answer)
        begun = [{**one, self.reason: None} for one in candidates]
        ended = [{**one, self.text: ""} for one in candidates]
        if self.is_flat:
            for index, (first, last) in enumerate(zip(begun, ended, strict=True)):
                yield self._flat(index, len(candidates), first, top, False)
                yield self._flat(index, len(candidates), last, top, True)
        elif self.among:
            yield {**top, self.among: begun}
            yield {**top, self.among: ended}
        else:
            yield from (*begun, *ended)

    def _candidates(self, answer: dict[str, Json]) -> list[Json]:
        if not self.among:
            return [answer]
        candidates = answer.get(self.among)
        return candidates if isinstance(candidates, list) else []

    def _pieces(
        self, chunk: dict[str, Json], top: dict[str, Json]
    ) -> Iterator[tuple[int, dict[str, Json]]]:
        """The candidates a chunk tells of, by number; the rest of it is settled in `top`."""
        if self.is_flat:
            if "event_type" in chunk:
                raise Unfit("unknown-event")  # Cohere's later models tell events
            piece = {self.renamed.get(name, name): value for name, value in chunk.items()}
            piece.pop(self.at_end, None)
            for name in self.beside:
                if name in piece:
                    _settle(top, name, piece.pop(name))
            yield _number(piece.pop("index", None), 0), piece
            return
        if not self.among:
            yield 0, chunk
            return
        for name, value in chunk.items():
            if name != self.among:
                _settle(top, name, value)
        candidates = chunk.get(self.among)
        if not isinstance(candidates, list):
            raise Unfit("malformed")
        for position, piece in enumerate(candidates):
            if not isinstance(piece, dict):
                raise Unfit("malformed")
            yield _number(piece.get("index"), position), piece

    def _grow(self, into: dict[str, Json], piece: dict[str, Json]) -> None:
        for name, value in piece.items():
            if name != self.text:
                _settle(into, name, value)
            elif isinstance(value, str):
                into[name] = into.get(name, "") + value
            elif value is not None:
                raise Unfit("malformed")

    def _flat(
        self, index: int, count: int, piece: dict[str, Json], top: dict[str, Json], is_last: bool
    ) -> dict[str, Json]:
        names = {value: name for name, value in self.renamed.items()}
        chunk = {names.get(name, name): value for name, value in piece.items()}
        if count > 1 or not self.at_end:
            chunk["index"] = index  # Cohere numbers several texts only
        if self.at_end:
            chunk[self.at_end] = is_last
        return {**top, **chunk}


def verdict(texts: Iterable[tuple[Json, Json]]) -> str:
    """What `judge` of a family says of texts and the words that ended them."""
    words = set()
    is_said = False
    for text, word in texts:
        match text, word:
            case str(), str():
                words.add(word.lower())
                is_said = is_said or is_filled(text)
            case str(), None:
                raise Unfit("cut")
            case _:
                raise Unfit("malformed")
    for word in sorted(words - _FINISHED - _LENGTH):
        raise Unfit(word.replace("_", "-"))
    if not is_said:
        raise Unfit("empty")
    return "length" if words & _LENGTH else ""


def _settle(into: dict[str, Json], name: str, value: Json) -> None:
    before = into.get(name)
    match before, value:
        case (None, _) | (int() | float(), int() | float()):
            into[name] = value
        case _, None:
            pass
        case _ if before != value:
            raise Unfit("unknown-event")


def _number(index: Json, default: int) -> int:
    """Titan's guardrails write 0.0."""
    match index:
        case None:
            return default
        case int() | float() if index >= 0 and index == int(index):
            return int(index)
        case _:
            raise Unfit("malformed")
