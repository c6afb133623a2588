"""Anthropic Messages, and everyone who speaks them: compatible hosts, gateways, Vertex.

A request is ours if its path ends in `/v1/messages` (or is one of an Anthropic model on Vertex)
and its body has `messages`. On Vertex the model stands in the path and the verb says what the
body's `stream` says: `rawPredict` or `streamRawPredict`, one question under two names.

A stream is complete when `message_stop` has arrived and every block was stopped. Blocks are kept
in order and by type; the input of a tool arrives as fragments of JSON, joined before they are
parsed, so that its numbers keep their value and not their spelling. `ping` is not kept.

`count_tokens` has an answer too, for exact repeats. Breakpoints of prompt caching
(`cache_control`) change nothing but the price, and yet are part of the key: who moves them from
turn to turn loses hits, never rightness. Batches and `/v1/complete` pass untouched.
Source: Anthropic API reference, "Messages", "Streaming messages", "Count tokens"; Google Cloud,
"Claude on Vertex AI"; wires in tests/wires/anthropic_messages.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote

from khazad_mitm.exchange import Answer, Framing, Json, ParsedRequest, Unkept
from khazad_mitm.messages import Request
from khazad_mitm.wire import anthropic_message as meaning
from khazad_mitm.wire import body as bodies
from khazad_mitm.wire import sse, target
from khazad_mitm.wire.anthropic_events import merge, split
from khazad_mitm.wire.generated import output_tokens
from khazad_mitm.wire.unfit import Unfit, outcome

_PATH = re.compile(
    r".*/v1/messages(?P<count>/count_tokens)?/?"
    r"|.*/publishers/anthropic/models/(?:(?P<vertex_count>count-tokens)|(?P<model>[^/:]+))"
    r":(?P<verb>rawPredict|streamRawPredict)"
)


class AnthropicMessages:
    """The provider `anthropic-messages`."""

    name = "anthropic-messages"

    def recognise(self, request: Request) -> ParsedRequest | None:
        """Read a POST of `messages`; on Vertex the model stands in the path."""
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
        counts = bool(path["count"] or path["vertex_count"])
        model = unquote(path["model"]) if path["model"] else body.get("model", "")
        is_streamed = body.get("stream")
        if (
            not meaning.is_conversation(body)
            or not isinstance(model, str)
            or not isinstance(is_streamed, bool | None)
            or (counts and is_streamed)
        ):
            target.passed_by(self.name, "no messages request")
            return None
        question, exact_only = (None, "count") if counts else meaning.question(body)
        return ParsedRequest(
            provider=self,
            request=request,
            resource=_resource(path, request.query),
            model=model,
            framing=Framing("sse" if is_streamed else "json"),
            body=body,
            spellings=read.spellings,
            question=question,
            exact_only=exact_only,
            bypass=meaning.bypass(body),
        )

    def assemble(self, body: bytes, parsed: ParsedRequest) -> Answer | Unkept:
        """Read a whole answer; JSON is kept as sent, a stream as one message."""
        return outcome(lambda: _read(body, parsed))

    def replay(self, answer: bytes, parsed: ParsedRequest) -> Iterator[bytes]:
        """JSON as it is, or the events of a stream."""
        if not parsed.framing.is_stream:
            yield answer
            return
        for event in split(bodies.parse(answer.decode())):
            yield sse.write(bodies.write(event).decode(), event["type"])

    def content_type(self, parsed: ParsedRequest) -> str:
        """As Anthropic sends it."""
        return (
            "text/event-stream; charset=utf-8" if parsed.framing.is_stream else "application/json"
        )


def _resource(path: re.Match[str], query: str) -> str:
    if not path["verb"]:
        return target.resource(path.string.removesuffix("/"), query)
    whole = path.string[: path.start("verb")] + "rawPredict"
    if path["model"]:
        whole = target.with_placeholder(whole, path.span("model"))
    return target.resource(whole, query)


def _read(body: bytes, parsed: ParsedRequest) -> Answer:
    if parsed.framing.is_stream:
        message = merge(_events(body))
        return _answer(bodies.write(message), message)
    message = bodies.parse(body.decode())
    bodies.write(message)  # fails where no stream could be made of it
    if parsed.exact_only == "count":
        return _count(body, message)
    return _answer(body, message)


def _answer(body: bytes, message: Json) -> Answer:
    judged = meaning.judge(message)
    return Answer(body, judged, meaning.tokens(message), output_tokens(message))


def _count(body: bytes, counted: Json) -> Answer:
    match counted:
        case {"error": error} if error:
            raise Unfit("error")
        case {"input_tokens": int()}:
            return Answer(body, "count")
        case _:
            raise Unfit("malformed")


def _events(body: bytes) -> Iterator[Json]:
    for event in sse.events(body):
        yield {"type": "error"} if event.name == "error" else bodies.parse(event.data)
