"""A chat completion taken apart into chunks and put together from them.

`merge` reads the chunks of a stream as one `chat.completion`; `split` is its inverse. What is
neither known nor needed here travels along: fields of the chunk, of the choice and of the
delta. Knows nothing of bytes, frames and requests.

Keys have one order, so that merging what was split gives the same bytes: the well-known ones
first (reasoning before the text, as it is thought before it is said), then by name.
Source: OpenAI API reference, "The chat completion chunk object".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from khazad_mitm.exchange import Json
from khazad_mitm.wire.openai_deltas import ToolCalls, grow
from khazad_mitm.wire.ordered import ordered
from khazad_mitm.wire.unfit import Unfit

_TOP = ("id", "object", "created", "model", "choices", "usage")
_CHOICE = ("index", "message", "logprobs", "finish_reason")
_MESSAGE = (
    "role",
    "reasoning",
    "reasoning_content",
    "reasoning_details",
    "content",
    "refusal",
    "tool_calls",
    "function_call",
)

# Random padding against guessing a token by the length of its frame: OpenAI's and Mistral's.
PADDING = frozenset({"obfuscation", "p"})

# Read apart from the fields that travel along.
_OF_CHUNK = frozenset({"object", "choices", "usage"})
# `message` in a chunk, `delta` in a completion: Perplexity repeats what the other one says.
_OF_CHOICE = frozenset({"index", "delta", "message", "logprobs", "finish_reason"})


def merge(chunks: Iterable[Json]) -> dict[str, Json]:
    """One completion from all chunks of a stream. Raises Unfit where they make none."""
    top: dict[str, Json] = {"object": "chat.completion"}
    choices: dict[int, _Choice] = {}
    usage = None
    for chunk in chunks:
        if not isinstance(chunk, dict):
            raise Unfit("malformed")
        if is_error(chunk):
            raise Unfit("error")
        pieces = chunk.get("choices")
        usage = chunk.get("usage") or usage  # cumulative where every chunk has it
        if pieces is None and "usage" in chunk:
            pieces = []
        if not isinstance(pieces, list) or not isinstance(usage, dict | None):
            raise Unfit("malformed")
        for position, piece in enumerate(pieces):
            _choice_at(choices, piece, position).add(piece)
        _update(top, chunk, _OF_CHUNK | PADDING)
    if not choices:
        raise Unfit("empty")
    top["choices"] = [choices[index].result(index) for index in sorted(choices)]
    usage = _without_groq_usage(top, usage)
    if usage is not None:
        top["usage"] = usage
    return ordered(top, _TOP)


def split(
    completion: dict[str, Json], *, whole_calls: bool = False, usage_at: str = ""
) -> Iterator[dict[str, Json]]:
    """The chunks that say what `completion` says, in the order a server sends them.

    `whole_calls`: a tool call in one piece instead of an opening and its arguments. `usage_at`:
    "last" puts usage into the last chunk, "own" gives it one without choices, "" leaves it out.
    """
    usage = completion.get("usage")
    announced = usage is not None and usage_at == "own"
    shared, once = _shared_fields(completion, announced)
    choices = completion["choices"]
    for position, choice in enumerate(choices):
        pieces = list(_choice_pieces(choice, position, whole_calls))
        for piece in pieces[:-1]:
            yield {**shared, "choices": [piece]}
        if position < len(choices) - 1:
            yield {**shared, "choices": [pieces[-1]]}
            continue
        last = {**shared, **once, "choices": [pieces[-1]]}
        yield {**last, "usage": usage} if usage is not None and usage_at == "last" else last
    if usage is not None and usage_at == "own":
        yield {**shared, "choices": [], "usage": usage}


def is_error(value: dict[str, Json]) -> bool:
    """A chunk or an answer that reports a failure, inside a 200."""
    return bool(value.get("error")) or "error" in (value.get("object"), value.get("type"))


@dataclass(slots=True)
class _Choice:
    """One choice while its pieces come in."""

    message: dict[str, Json] = field(default_factory=lambda: {"role": "assistant"})
    calls: ToolCalls = field(default_factory=ToolCalls)
    logprobs: list[Json] = field(default_factory=list)
    """Empty where no piece has the field."""
    finish_reasons: list[Json] = field(default_factory=list)
    others: dict[str, Json] = field(default_factory=dict)

    def add(self, piece: dict[str, Json]) -> None:
        delta = piece.get("delta")
        if delta is None and "message" not in piece:  # Azure's asynchronous filter says nothing
            delta = {}
        if not isinstance(delta, dict):
            raise Unfit("malformed")
        if piece.get("error"):
            raise Unfit("error")
        for key, value in delta.items():
            if key == "tool_calls" and value:
                if not isinstance(value, list):
                    raise Unfit("malformed")
                for fragment in value:
                    self.calls.add(fragment)
                value = None
            if key == "role" and value:
                self.message[key] = value
            else:
                self.message[key] = grow(self.message.get(key), value, key)
        if "logprobs" in piece:
            before = self.logprobs[0] if self.logprobs else None
            self.logprobs = [grow(before, piece["logprobs"])]
        if piece.get("finish_reason"):
            self.finish_reasons.append(piece["finish_reason"])
        _update(self.others, piece, _OF_CHOICE)

    def result(self, index: int) -> dict[str, Json]:
        if not self.finish_reasons:
            raise Unfit("cut")
        if len({*map(str, self.finish_reasons)}) > 1:
            raise Unfit("malformed")
        calls = self.calls.result()
        if calls:
            self.message["tool_calls"] = calls
        choice = {
            "index": index,
            "message": ordered(self.message, _MESSAGE),
            "finish_reason": self.finish_reasons[-1],
            **self.others,
        }
        if self.logprobs:
            choice["logprobs"] = self.logprobs[0]
        return ordered(choice, _CHOICE)


def _choice_at(choices: dict[int, _Choice], piece: Json, position: int) -> _Choice:
    if not isinstance(piece, dict):
        raise Unfit("malformed")
    index = piece.get("index")
    if index is None:
        index = position
    if type(index) is not int or index < 0:
        raise Unfit("malformed")
    return choices.setdefault(index, _Choice())


def _update(into: dict[str, Json], fields: dict[str, Json], apart: frozenset[str]) -> None:
    """The latest value that says something wins; objects take over what they did not have.

    Azure's first and last chunks have an empty id and 0 for `created`.
    """
    for key, value in fields.items():
        if key in apart:
            continue
        before = into.get(key)
        if isinstance(before, dict) and isinstance(value, dict):
            into[key] = {**before, **value}
        elif value or key not in into:
            into[key] = value


def _without_groq_usage(top: dict[str, Json], usage: Json) -> Json:
    """Groq's usage stands in `x_groq` of the last chunk, but at the top of its plain JSON."""
    match top.get("x_groq"):
        case {"usage": dict(in_groq), **others}:
            top["x_groq"] = others
            return usage or in_groq or None
    return usage


def _shared_fields(
    completion: dict[str, Json], announced: bool
) -> tuple[dict[str, Json], dict[str, Json]]:
    """Top-level fields for every chunk, and lists and objects, which are sent once."""
    shared: dict[str, Json] = {}
    once = {}
    for key, value in completion.items():
        if key in _OF_CHUNK | PADDING:
            continue
        if isinstance(value, dict | list):
            once[key] = value
        else:
            shared[key] = value
    shared["object"] = "chat.completion.chunk"
    shared["choices"] = []
    if announced:
        shared["usage"] = None  # OpenAI: null in every chunk before the one that has it
    return ordered(shared, _TOP), once


def _choice_pieces(choice: dict[str, Json], index: int, whole_calls: bool) -> Iterator[Json]:
    """The opening, one piece per field of the message, and the end with the other fields."""
    quiet: dict[str, Json] = {"logprobs": None} if "logprobs" in choice else {}
    logprobs = choice.get("logprobs")
    for delta in _deltas(choice["message"], whole_calls):
        piece = {"index": index, "delta": delta, **quiet, "finish_reason": None}
        if logprobs is not None and (delta.get("content") or delta.get("refusal")):
            piece["logprobs"] = logprobs
            logprobs = None
        yield piece
    if logprobs is not None:
        quiet = {"logprobs": logprobs}
    others = {key: value for key, value in choice.items() if key not in _OF_CHOICE}
    yield {
        "index": index,
        "delta": {},
        **quiet,
        "finish_reason": choice["finish_reason"],
        **others,
    }


def _deltas(message: dict[str, Json], whole_calls: bool) -> Iterator[dict[str, Json]]:
    opening: dict[str, Json] = {"role": message.get("role") or "assistant"}
    rest: list[dict[str, Json]] = []
    for key, value in ordered(message, _MESSAGE).items():
        if key == "role":
            continue
        if key == "tool_calls" and value:
            for position, call in enumerate(value):
                rest += ({key: [piece]} for piece in _call_pieces(call, position, whole_calls))
        elif value and isinstance(value, str | list | dict):
            if key == "content" and isinstance(value, str):
                opening[key] = ""
            rest.append({key: value})
        else:
            opening[key] = value
    yield opening
    yield from rest


def _call_pieces(call: dict[str, Json], index: int, whole: bool) -> Iterator[dict[str, Json]]:
    """An opening with empty arguments, then the arguments: code written after OpenAI's examples
    appends the arguments of *every* piece to those of the first."""
    call = {"index": index, **{key: value for key, value in call.items() if key != "index"}}
    match call.get("function"):
        case {"arguments": str(arguments)} if arguments and not whole:
            yield {**call, "function": {**call["function"], "arguments": ""}}
            yield {"index": index, "function": {"arguments": arguments}}
        case _:
            yield call
