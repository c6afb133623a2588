"""An Ollama answer taken apart into chunks and put together from them.

`merge` reads the lines of a stream as the one object that `"stream": false` gives; `split` is its
inverse. A chunk of `/api/chat` says something in its `message`, one of `/api/generate` at the
top; the rest is the same. Knows nothing of bytes and requests.

Texts are joined, lists of tool calls, images and logprobs get longer, numbers and `created_at`
are those of the last chunk. What nobody has heard of travels along if it is said once or always
the same; if it changes from chunk to chunk, nobody knows how to put it together, and the answer is
not kept.
Source: Ollama, docs/api.md and api/types.go, read 2026-11.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from khazad_mitm.exchange import Json
from khazad_mitm.wire.ordered import ordered
from khazad_mitm.wire.unfit import Unfit

# As Go writes the fields of `ChatResponse` and `GenerateResponse`.
_IN_EVERY_CHUNK = ("model", "remote_model", "remote_host", "created_at")
_TOP = (*_IN_EVERY_CHUNK, "message", "response", "thinking", "done", "done_reason", "context")
_MESSAGE = ("role", "content", "thinking", "images", "tool_calls")

_TEXTS = frozenset({"content", "response", "thinking"})
_LISTS = frozenset({"images", "tool_calls", "logprobs"})


def merge(chunks: Iterable[Json]) -> dict[str, Json]:
    """The answer that the chunks up to `"done": true` make. Raises Unfit where they make none."""
    answer: dict[str, Json] = {}
    for chunk in chunks:
        if not isinstance(chunk, dict):
            raise Unfit("malformed")
        if chunk.get("error"):
            raise Unfit("error")
        _add(answer, chunk)
        if chunk.get("done") is True:
            if answer.get("message"):
                answer["message"] = ordered(answer["message"], _MESSAGE)
            return ordered(answer, _TOP)
    raise Unfit("cut")


def split(answer: dict[str, Json]) -> Iterator[dict[str, Json]]:
    """The chunks that say what a well-formed `answer` says, in the order Ollama sends them."""
    shared = {name: answer[name] for name in _IN_EVERY_CHUNK if name in answer}
    last = dict(answer)
    message = answer.get("message")
    if message is None:
        pieces, rest = _pieces(answer, "response")
        last = rest
    else:
        role = {"role": message["role"]} if "role" in message else {}
        pieces, rest = _pieces(message, "content")
        pieces = [{"message": {**role, **piece}} for piece in pieces]
        last["message"] = rest
    for piece in pieces:
        said = piece.get("message", piece)
        if last.get("logprobs") and (said.get("content") or said.get("response")):
            piece["logprobs"] = last.pop("logprobs")
        yield {**shared, **piece, "done": False}
    yield last


def _add(into: dict[str, Json], chunk: dict[str, Json]) -> None:
    for key, value in chunk.items():
        before = into.get(key)
        match key, value:
            case _, None:
                into.setdefault(key, None)
            case "message", dict():
                into[key] = before or {}
                _add(into[key], value)
            case _, str() if key in _TEXTS:
                into[key] = (before or "") + value
            case _, list() if key in _LISTS:
                into[key] = [*(before or []), *value]
            case _ if key == "message" or key in _TEXTS | _LISTS:
                raise Unfit("malformed")
            case ("created_at", _) | (_, int() | float()):
                into[key] = value
            case _ if before and value and before != value:
                raise Unfit("unknown-field")
            case _:
                into[key] = before or value


def _pieces(said: dict[str, Json], text: str) -> tuple[list[dict[str, Json]], dict[str, Json]]:
    """What is said, a field at a time, and the last chunk's share of `said`.

    Ollama repeats an empty `content` or `response` in every chunk; clients add it up blindly.
    """
    names = ("thinking", text, "images", "tool_calls")
    quiet = {text: ""} if isinstance(said.get(text), str) else {}
    pieces = [{**quiet, name: said[name]} for name in names if said.get(name)]
    rest = {name: value for name, value in said.items() if name not in names or not value}
    return pieces, {**rest, **quiet}
