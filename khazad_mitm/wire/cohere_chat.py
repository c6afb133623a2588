"""Cohere's own chat: `POST */v1/chat` (a `message`) and `*/v2/chat` (`messages`), on any host.

The path alone says little (Writer has a `/v1/chat` of another kind, and OpenAI's continues), so
the body must have the shape of its version. v2 streams server-sent events, complete with
`message-end` and everything begun ended; the `[DONE]` after it is not waited for. v1 streams lines
of JSON, or server-sent events for `Accepts: text/event-stream`, complete with `stream-end`. That
header is what Cohere documents; whether `Accept` does the same is not written anywhere, so it
counts, and which of the two came is read from the first byte.

`connectors` of v1 search the web or the caller's documents: exact only. Its `conversation_id` has
the conversation kept by Cohere, where every call changes it: neither answered nor kept. What v1
echoes in `chat_history` are the words of the call that was answered first: what follows continues
that conversation.

Generating, embedding, reranking, classifying and tokenizing pass by.
Source: docs.cohere.com, "Chat API" v1 and v2, and the cohere package 7.3, read 2026-11; wires in
tests/wires/cohere_chat.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import ModuleType

from khazad_mitm.exchange import Answer, Framing, Json, ParsedRequest, Path, Unkept
from khazad_mitm.messages import Request
from khazad_mitm.wire import body as bodies
from khazad_mitm.wire import cohere_v1, cohere_v2, ndjson, sse, target, turns
from khazad_mitm.wire.generated import output_tokens
from khazad_mitm.wire.unfit import Unfit, outcome

_PATH = re.compile(r".*/(?P<version>v1|v2)/chat/?")
_TURNS = {"v1": "message", "v2": "messages"}
_IGNORED = frozenset({"priority"})  # how soon, not what

_FINISHED = frozenset({"COMPLETE", "STOP_SEQUENCE", "TOOL_CALL"})
_DONE = "[DONE]"
_EVENT_STREAM = "text/event-stream"


class CohereChat:
    """The provider `cohere-chat`."""

    name = "cohere-chat"

    def recognise(self, request: Request) -> ParsedRequest | None:
        """Read a POST of one `message` with its history (v1) or of `messages` (v2)."""
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
        turns_field = _TURNS[path["version"]]
        framing = _framing(request, body, turns_field)
        model = body.get("model")
        if framing is None or not _is_asked(body, turns_field):
            target.passed_by(self.name, "no chat request")
            return None
        question, exact_only = _question(body, turns_field)
        return ParsedRequest(
            provider=self,
            request=request,
            resource=target.resource(request.path, request.query),
            model=model or "",
            framing=framing,
            body=body,
            spellings=read.spellings,
            turns_field=turns_field,
            question=question,
            exact_only=exact_only,
            bypass="conversation"
            if turns_field == "message" and body.get("conversation_id")
            else "",
            ignored=_IGNORED,
        )

    def assemble(self, body: bytes, parsed: ParsedRequest) -> Answer | Unkept:
        """Read a whole answer; JSON is kept as sent, a stream as what its events add up to."""
        return outcome(lambda: _read(body, parsed))

    def replay(self, answer: bytes, parsed: ParsedRequest) -> Iterator[bytes]:
        """JSON as it is, or the events of its version."""
        if not parsed.framing.is_stream:
            yield answer
            return
        whole = bodies.parse(answer.decode())
        if parsed.turns_field == "messages":
            for event in cohere_v2.split(whole):
                yield sse.write(ndjson.one_line(event), event["type"])
            yield sse.write(_DONE)
            return
        for event in cohere_v1.split(whole):
            if parsed.framing.media == "sse":
                yield sse.write(ndjson.one_line(event), event["event_type"])
            else:
                yield ndjson.write(event)

    def content_type(self, parsed: ParsedRequest) -> str:
        """As Cohere sends it."""
        match parsed.framing.media:
            case "sse":
                return _EVENT_STREAM
            case "ndjson":
                return "application/stream+json"
            case _:
                return "application/json"


def _framing(request: Request, body: dict[str, Json], turns_field: str) -> Framing | None:
    match body.get("stream"):
        case None | False:
            return Framing("json")
        case True if turns_field == "messages":
            return Framing("sse")
        case True:
            wanted = request.headers.joined("accepts") + request.headers.joined("accept")
            return Framing("sse" if _EVENT_STREAM in wanted.lower() else "ndjson")
        case _:
            return None


def _is_asked(body: dict[str, Json], turns_field: str) -> bool:
    """v1 has a model of its own where none is named."""
    model = body.get("model")
    if turns_field == "message":
        return isinstance(body.get("message"), str) and isinstance(model, str | None)
    return turns.are_turns(body.get("messages")) and isinstance(model, str)


def _question(body: dict[str, Json], turns_field: str) -> tuple[Path | None, str]:
    """Where the last user text stands, or why there is none to compare by meaning."""
    if turns_field == "messages":
        return turns.question(body["messages"])
    if body.get("connectors"):
        return None, "live-tools"
    if body.get("tool_results"):
        return None, "tool-result"
    if body.get("raw_prompting"):  # the text is a whole prompt with its own marks
        return None, "raw"
    return (("message",), "") if body["message"].strip() else (None, "no-text")


def _read(body: bytes, parsed: ParsedRequest) -> Answer:
    version = cohere_v2 if parsed.turns_field == "messages" else cohere_v1
    if parsed.framing.is_stream:
        whole = version.merge(_events(body))
        answer = bodies.write(whole)
    else:
        whole = bodies.parse(body.decode())
        bodies.write(whole)  # fails where no stream could be made of it
        answer = body
    return Answer(
        answer, _judge(whole, version), _tokens(version.tokens(whole)), output_tokens(whole)
    )


def _events(body: bytes) -> Iterator[Json]:
    if body.lstrip().startswith(b"{"):
        yield from ndjson.values(body)
        return
    for event in sse.events(body):
        if event.data == _DONE:
            return
        yield bodies.parse(event.data)


def _judge(answer: Json, version: ModuleType) -> str:
    """Why this answer may serve exact repeats only, or "". Raises Unfit where it serves none."""
    if not isinstance(answer, dict):
        raise Unfit("malformed")
    if answer.get("error"):
        raise Unfit("error")
    says_something = version.says_something(answer)
    match answer.get("finish_reason"):
        case None:
            raise Unfit("cut")
        case str(word) if word in _FINISHED:
            why = ""
        case "MAX_TOKENS":
            why = "length"
        case str(word):
            raise Unfit(word.lower().replace("_", "-"))
        case _:
            raise Unfit("malformed")
    if not says_something:
        raise Unfit("empty")
    return why


def _tokens(counts: Json) -> int:
    """The counts are floats in Cohere's own schema."""
    match counts:
        case {"input_tokens": int() | float() as asked, "output_tokens": int() | float() as said}:
            return max(0, int(asked + said))
    return 0
