"""Ollama's own API: `POST */api/chat` and `*/api/generate`, on any host.

Streams unless told not to: lines of JSON, of which the last has `"done": true`. That object is
the proof of the end, with its line end or without. An answer is kept with `done_reason` `stop`,
for exact repeats with `length`; `load` and `unload` say that a model came or went and nothing was
answered. Servers before 2024-05 have no `done_reason` and do not tell a whole answer from one cut
by `num_predict`: kept for exact repeats, as both are true for the same `num_predict`. So is a
picture, whose every word was chosen for it. Thinking alone is no answer.

All of the body is in the key but `keep_alive`, which is about the server's memory. `context`, the
conversation so far as tokens of the server's own, is in the key too and makes the request exact
only, as does what takes the prompt out of its frame: `raw`, `template`, `suffix`.

Pulling, showing, listing and embedding pass by, and so do the searches of the web on ollama.com.
Source: Ollama, docs/api.md and api/types.go, read 2026-11; wires in tests/wires/ollama.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from khazad_mitm.exchange import Answer, Framing, Json, ParsedRequest, Path, Unkept
from khazad_mitm.messages import Request
from khazad_mitm.wire import body as bodies
from khazad_mitm.wire import ndjson, target, turns
from khazad_mitm.wire.generated import output_tokens
from khazad_mitm.wire.ollama_chunks import merge, split
from khazad_mitm.wire.said import is_filled
from khazad_mitm.wire.unfit import Unfit, outcome

_PATH = re.compile(r".*/api/(?P<verb>chat|generate)/?")
_TURNS = {"chat": "messages", "generate": "prompt"}
_IGNORED = frozenset({"keep_alive"})
_OUT_OF_FRAME = ("raw", "template", "suffix", "context")

# `tool_calls`: gateways that speak Ollama to their callers pass OpenAI's words on.
_FINISHED = frozenset({"stop", "tool_calls"})
_TEXTS = ("content", "response", "thinking")
_LISTS = ("tool_calls", "images", "logprobs")
_SAID = ("content", "response", "tool_calls", "images", "image")


class Ollama:
    """The provider `ollama`."""

    name = "ollama"

    def recognise(self, request: Request) -> ParsedRequest | None:
        """Read a POST of `messages` or of a `prompt`; without one it only loads a model."""
        if request.method != "POST":
            return None
        path = _PATH.fullmatch(request.path)
        if path is None:
            return None
        read = bodies.read(request)
        if isinstance(read, bodies.NotJson):
            target.passed_by(self.name, read.reason)
            return None
        body = read.value
        turns_field = _TURNS[path["verb"]]
        framing = _framing(body)
        model = body.get("model")
        if framing is None or not isinstance(model, str) or not _is_asked(body, turns_field):
            target.passed_by(self.name, f"no {path['verb']} request")
            return None
        question, exact_only = _question(body, turns_field)
        return ParsedRequest(
            provider=self,
            request=request,
            resource=target.resource(request.path, request.query),
            model=model,
            framing=framing,
            body=body,
            spellings=read.spellings,
            turns_field=turns_field,
            question=question,
            exact_only=exact_only,
            ignored=_IGNORED,
        )

    def assemble(self, body: bytes, parsed: ParsedRequest) -> Answer | Unkept:
        """Read a whole answer; JSON is kept as sent, a stream as the object it adds up to."""
        return outcome(lambda: _read(body, parsed))

    def replay(self, answer: bytes, parsed: ParsedRequest) -> Iterator[bytes]:
        """JSON as it is, or a line for each thing said and one for the end."""
        if not parsed.framing.is_stream:
            yield answer
            return
        for chunk in split(bodies.parse(answer.decode())):
            yield ndjson.write(chunk)

    def content_type(self, parsed: ParsedRequest) -> str:
        """As Ollama sends it."""
        if parsed.framing.is_stream:
            return "application/x-ndjson"
        return "application/json; charset=utf-8"


def _framing(body: dict[str, Json]) -> Framing | None:
    match body.get("stream"):
        case None | True:
            return Framing("ndjson")
        case False:
            return Framing("json")
        case _:
            return None


def _is_asked(body: dict[str, Json], turns_field: str) -> bool:
    if turns_field == "prompt":
        return isinstance(body.get("prompt"), str)
    return turns.are_turns(body.get("messages"))


def _question(body: dict[str, Json], turns_field: str) -> tuple[Path | None, str]:
    """Where the last user text stands, or why there is none to compare by meaning."""
    if turns_field == "messages":
        return turns.question(body["messages"])
    for name in _OUT_OF_FRAME:
        if body.get(name):
            return None, name
    return (("prompt",), "") if body["prompt"].strip() else (None, "no-text")


def _read(body: bytes, parsed: ParsedRequest) -> Answer:
    if parsed.framing.is_stream:
        whole = merge(ndjson.values(body))
        answer = bodies.write(whole)
    else:
        whole = bodies.parse(body.decode())
        bodies.write(whole)  # fails where no stream could be made of it
        answer = body
    return Answer(answer, _judge(whole, parsed.turns_field), _tokens(whole), output_tokens(whole))


def _judge(answer: Json, turns_field: str) -> str:
    """Why this answer may serve exact repeats only, or "". Raises Unfit where it serves none."""
    if not isinstance(answer, dict):
        raise Unfit("malformed")
    if answer.get("error"):
        raise Unfit("error")
    if answer.get("done") is not True:
        raise Unfit("cut")
    word = answer.get("done_reason") or ""
    match turns_field, answer.get("message"):
        case "messages", dict(said):
            pass
        case "prompt", None:
            said = answer
        case _:
            raise Unfit("malformed")
    if not _is_well_formed(answer) or not _is_well_formed(said) or not isinstance(word, str):
        raise Unfit("malformed")
    if word and word != "length" and word not in _FINISHED:
        raise Unfit(word.lower().replace("_", "-"))
    if not any(is_filled(said.get(name)) for name in _SAID):
        raise Unfit("empty")
    if word == "length":
        return "length"
    if answer.get("image"):
        return "image"
    return "" if word else "no-done-reason"


def _is_well_formed(said: dict[str, Json]) -> bool:
    return all(isinstance(said.get(name), str | None) for name in _TEXTS) and all(
        isinstance(said.get(name), list | None) for name in _LISTS
    )


def _tokens(answer: dict[str, Json]) -> int:
    """A prompt that the server still had in memory has no count in some versions."""
    counts = (answer.get("prompt_eval_count"), answer.get("eval_count"))
    return sum(count for count in counts if type(count) is int and count > 0)
