"""A Cohere v2 answer taken apart into events and put together from them.

`merge` reads the events of a stream as the one object that `"stream": false` gives; `split` is its
inverse. The `message` of an event's `delta` is a piece of the answer's message; where that has a
list (content blocks, tool calls, citations), the piece is one item, `index` tells which, and
`-start`, `-delta`, `-end` come around it. `message-end` brings the top-level fields. The opening's
empty lists are not kept: plain answers leave them out. An event that brings something with no
place in the answer makes it unfit.

`debug` brings what a plain answer has in `prompt` (asked for by `return_prompt`).
Source: cohere package 7.3, `cohere/v2/types`, and docs.cohere.com, "Streaming", read 2026-11.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from khazad_mitm.exchange import Json
from khazad_mitm.wire.openai_deltas import grow
from khazad_mitm.wire.ordered import ordered
from khazad_mitm.wire.said import is_filled
from khazad_mitm.wire.unfit import Unfit

_TOP = ("id", "prompt", "message", "finish_reason", "usage", "logprobs")
_MESSAGE = ("role", "tool_plan", "tool_calls", "content", "citations")

_LISTS = {"content": "content", "tool-call": "tool_calls", "citation": "citations"}
"""Where in the message the items stand of which events tell: `content-start` ..."""

# What comes in pieces; a block has the one that its type names.
_TEXTS = ("text", "thinking")


def merge(events: Iterable[Json]) -> dict[str, Json]:
    """The answer that the events up to `message-end` make. Raises Unfit where they make none."""
    merging = _Merging()
    for event in events:
        if not isinstance(event, dict):
            raise Unfit("malformed")
        kind = event.get("type")
        if not isinstance(kind, str):
            raise Unfit("error" if event.keys() & {"message", "error"} else "malformed")
        what, _, when = kind.rpartition("-")
        match what, when:
            case "message", "start":
                merging.open(event)
            case _ if not merging.message:
                raise Unfit("malformed")
            case "message", "end":
                return merging.result(event)
            case (("content" | "tool-call" | "citation"), ("start" | "delta" | "end")):
                merging.add(_LISTS[what], when, event)
            case "tool-plan", "delta":
                plan = _piece(event, "tool_plan")
                merging.message["tool_plan"] = grow(merging.message.get("tool_plan"), plan)
            case "", "debug":
                merging.answer["prompt"] = _alone(event, "prompt")
            case _:
                raise Unfit("unknown-event")
    raise Unfit("cut")


def split(answer: dict[str, Json]) -> Iterator[dict[str, Json]]:
    """The events that say what a well-formed `answer` says, in the order Cohere sends them."""
    message = answer["message"]
    others = {name: value for name, value in message.items() if name not in _MESSAGE}
    role = message.get("role") or "assistant"
    empty = {"content": [], "tool_plan": "", "tool_calls": [], "citations": []}
    opening = {"role": role, **empty, **others}
    identity = {"id": answer["id"]} if "id" in answer else {}
    yield {**identity, "type": "message-start", "delta": {"message": opening}}

    rest = {name: value for name, value in answer.items() if name not in ("id", "message")}
    if isinstance(rest.get("prompt"), str) and rest["prompt"]:
        yield {"type": "debug", "prompt": rest.pop("prompt")}
    blocks = message.get("content") or []
    calls = message.get("tool_calls") or []
    logprobs: list[Json] = []
    if rest.get("logprobs") and blocks and _has_text(blocks[-1]):
        logprobs = rest.pop("logprobs")  # without a text to go with, they stay with the end
    cited = message.get("citations") or []
    for index, block in enumerate(blocks):
        last = index == len(blocks) - 1
        yield from _block(index, block, logprobs if last else [])
        if last:
            yield from _citations(cited)
        yield {"type": "content-end", "index": index}
    if message.get("tool_plan"):
        yield _delta("tool-plan-delta", {"tool_plan": message["tool_plan"]})
    for index, call in enumerate(calls):
        yield from _call(index, call)
    if not blocks:
        yield from _citations(cited)
    yield {"type": "message-end", "delta": ordered(rest, _TOP)}


def says_something(answer: dict[str, Json]) -> bool:
    """A text or a tool call; thinking and a plan alone are no answer. Raises Unfit("malformed")."""
    match answer.get("message"):
        case {"role": role} if not isinstance(role, str | None):
            raise Unfit("malformed")
        case dict(message) if isinstance(message.get("tool_plan"), str | None):
            lists = [message.get(name) or [] for name in _LISTS.values()]
        case str():
            raise Unfit("error")
        case _:
            raise Unfit("malformed")
    if not all(isinstance(some, list) for some in lists):
        raise Unfit("malformed")
    if not all(isinstance(item, dict) for some in lists for item in some):
        raise Unfit("malformed")
    if not isinstance(answer.get("logprobs"), list | None):
        raise Unfit("malformed")
    return bool(message.get("tool_calls")) or any(
        is_filled({**block, "type": None}) for block in lists[0] if block.get("type") != "thinking"
    )


def tokens(answer: dict[str, Json]) -> Json:
    """`{"input_tokens", "output_tokens"}`, or anything else where the answer has no usage."""
    usage = answer.get("usage")
    return usage.get("tokens") if isinstance(usage, dict) else None


@dataclass(slots=True)
class _Items:
    """One list of the message while its items come in, several at a time."""

    items: list[tuple[int, dict[str, Json]]] = field(default_factory=list)
    unended: dict[int, dict[str, Json]] = field(default_factory=dict)

    def add(self, when: str, index: Json, piece: Json) -> None:
        if type(index) is not int or index < 0 or (index in self.unended) == (when == "start"):
            raise Unfit("malformed")
        match when, piece:
            case "start", dict():
                self.items.append((index, piece))
                self.unended[index] = piece
            case "delta", dict() | None:
                grow(self.unended[index], piece)
            case "end", _:
                del self.unended[index]
            case _:
                raise Unfit("malformed")

    def result(self) -> list[Json]:
        if self.unended:
            raise Unfit("cut")
        return [item for _, item in sorted(self.items, key=lambda numbered: numbered[0])]


@dataclass(slots=True)
class _Merging:
    """An answer while its events come in."""

    answer: dict[str, Json] = field(default_factory=dict)
    message: dict[str, Json] = field(default_factory=dict)
    lists: dict[str, _Items] = field(
        default_factory=lambda: {name: _Items() for name in _LISTS.values()}
    )
    logprobs: list[Json] = field(default_factory=list)

    def open(self, event: dict[str, Json]) -> None:
        message, more, around = _taken_apart(event)
        if self.message or any(message.get(name) for name in self.lists):
            raise Unfit("malformed")
        once = {name: value for name, value in message.items() if name not in self.lists}
        self.message = {**once, "role": once.get("role") or "assistant"}
        self.answer |= {**around, **more}

    def add(self, name: str, when: str, event: dict[str, Json]) -> None:
        logprobs = event.pop("logprobs", None)
        if logprobs is not None:
            self.logprobs += logprobs if isinstance(logprobs, list) else [logprobs]
        self.lists[name].add(when, event.get("index"), _piece(event, name))

    def result(self, event: dict[str, Json]) -> dict[str, Json]:
        message, more, around = _taken_apart(event)
        if is_filled(message):
            raise Unfit("unknown-event")
        answer = {**around, **self.answer, **more}
        if "message" in answer:
            raise Unfit("malformed")
        for name, items in self.lists.items():
            if some := items.result():
                self.message[name] = some
        if not self.message.get("tool_plan"):
            self.message.pop("tool_plan", None)
        if self.logprobs and answer.setdefault("logprobs", self.logprobs) is not self.logprobs:
            raise Unfit("unknown-event")
        answer["message"] = ordered(self.message, _MESSAGE)
        return ordered(answer, _TOP)


def _taken_apart(
    event: dict[str, Json],
) -> tuple[dict[str, Json], dict[str, Json], dict[str, Json]]:
    """The message of an event's delta, the delta without it, the event without type and place."""
    around = {name: event[name] for name in event if name not in ("type", "index", "delta")}
    delta = event.get("delta") or {}
    message = delta.get("message") or {} if isinstance(delta, dict) else None
    if not isinstance(message, dict):
        raise Unfit("malformed")
    return message, {name: delta[name] for name in delta if name != "message"}, around


def _piece(event: dict[str, Json], name: str) -> Json:
    """`delta.message[name]`; whatever says something beside it has no place in the answer."""
    message, more, around = _taken_apart(event)
    piece = message.pop(name, None)
    if any(map(is_filled, (message, more, around))):
        raise Unfit("unknown-event")
    return piece


def _alone(event: dict[str, Json], name: str) -> Json:
    value = event.pop(name, None)
    if event.keys() - {"type"}:
        raise Unfit("unknown-event")
    return value


def _has_text(block: dict[str, Json]) -> bool:
    return isinstance(block.get("text"), str) and bool(block["text"])


def _delta(kind: str, piece: dict[str, Json], index: int | None = None) -> dict[str, Json]:
    place = {} if index is None else {"index": index}
    return {"type": kind, **place, "delta": {"message": piece}}


def _block(index: int, block: dict[str, Json], logprobs: list[Json]) -> Iterator[dict[str, Json]]:
    """An opening without its text, then the text, in as many pieces as it has probabilities."""
    texts = {name: block[name] for name in _TEXTS if isinstance(block.get(name), str)}
    yield _delta("content-start", {"content": {**block, **dict.fromkeys(texts, "")}}, index)
    for name, text in texts.items():
        if not text:
            continue
        with_it = logprobs if name == "text" else []
        for position, piece in enumerate(_as_probed(text, with_it)):
            event = _delta("content-delta", {"content": {name: piece}}, index)
            yield {**event, "logprobs": with_it[position]} if with_it else event


def _as_probed(text: str, logprobs: list[Json]) -> list[str]:
    """`text` cut where `logprobs` cut it; whole, then nothing, where they say something else."""
    pieces = [str(item.get("text")) for item in logprobs if isinstance(item, dict)]
    if len(pieces) == len(logprobs) and "".join(pieces) == text:
        return pieces
    return [text, *[""] * (len(logprobs) - 1)]


def _call(index: int, call: dict[str, Json]) -> Iterator[dict[str, Json]]:
    """An opening with empty arguments, then the arguments."""
    match call.get("function"):
        case {"arguments": str(arguments)} if arguments:
            opening = {**call, "function": {**call["function"], "arguments": ""}}
            yield _delta("tool-call-start", {"tool_calls": opening}, index)
            piece = {"function": {"arguments": arguments}}
            yield _delta("tool-call-delta", {"tool_calls": piece}, index)
        case _:
            yield _delta("tool-call-start", {"tool_calls": call}, index)
    yield {"type": "tool-call-end", "index": index}


def _citations(citations: list[Json]) -> Iterator[dict[str, Json]]:
    for index, citation in enumerate(citations):
        yield _delta("citation-start", {"citations": citation}, index)
        yield {"type": "citation-end", "index": index}
