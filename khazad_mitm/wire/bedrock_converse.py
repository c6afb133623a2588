"""Bedrock Converse: one question to any model of Amazon Bedrock, in one vocabulary.

`/model/{modelId}/converse` answers in JSON, `/converse-stream` in an AWS event stream; they are
one question under two names. The model is percent-encoded: an id, an inference profile or, with
its text on the server, a prompt.

A stream is complete when `messageStop` and then `metadata` have arrived and every block was
stopped. The input of a tool arrives as fragments of JSON, joined before they are parsed, so that
its numbers keep their value and not their spelling. The padding `p` is not kept.

Prompts of Bedrock's prompt management are for exact repeats: their words are not in the request.
Counting tokens, guardrails on their own and asynchronous calls pass untouched.
Source: Amazon Bedrock API reference, "Converse", "ConverseStream"; service model of
bedrock-runtime in botocore 1.44; wires in tests/wires/bedrock_converse.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote

from khazad_mitm.exchange import Answer, Framing, Json, ParsedRequest, Path, Unkept
from khazad_mitm.messages import Request
from khazad_mitm.wire import bedrock_message as meaning
from khazad_mitm.wire import body as bodies
from khazad_mitm.wire import eventstream, target
from khazad_mitm.wire.bedrock_converse_events import merge, split
from khazad_mitm.wire.generated import output_tokens
from khazad_mitm.wire.unfit import outcome

_PATH = re.compile(r".*/model/(?P<model>.+)/converse(?P<stream>-stream)?/?")

# Labels for the log of invocations.
_IGNORED = frozenset({"requestMetadata"})


class BedrockConverse:
    """The provider `bedrock-converse`."""

    name = "bedrock-converse"

    def recognise(self, request: Request) -> ParsedRequest | None:
        """Read a POST of `messages`, or of a managed prompt, which may have none."""
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
        model = unquote(path["model"])
        is_prompt = ":prompt/" in model or bool(body.get("promptVariables"))
        if not meaning.is_conversation(body) and (not is_prompt or body.get("messages")):
            target.passed_by(self.name, "no converse request")
            return None
        question: Path | None
        question, exact_only = (None, "prompt") if is_prompt else meaning.question(body)
        whole = path.string[: path.end("model")] + "/converse"
        return ParsedRequest(
            provider=self,
            request=request,
            resource=target.resource(
                target.with_placeholder(whole, path.span("model")), request.query
            ),
            model=model,
            framing=Framing("eventstream" if path["stream"] else "json"),
            body=body,
            spellings=read.spellings,
            question=question,
            exact_only=exact_only,
            ignored=_IGNORED,
        )

    def assemble(self, body: bytes, parsed: ParsedRequest) -> Answer | Unkept:
        """Read a whole answer; JSON is kept as sent, a stream as one answer of Converse."""
        return outcome(lambda: _read(body, parsed.framing))

    def replay(self, answer: bytes, parsed: ParsedRequest) -> Iterator[bytes]:
        """JSON as it is, or the frames of a stream."""
        if not parsed.framing.is_stream:
            yield answer
            return
        for name, fields in split(bodies.parse(answer.decode())):
            yield eventstream.write(eventstream.Event(name, bodies.write(fields)))

    def content_type(self, parsed: ParsedRequest) -> str:
        """As Bedrock sends it."""
        return eventstream.MEDIA_TYPE if parsed.framing.is_stream else "application/json"


def _read(body: bytes, framing: Framing) -> Answer:
    if framing.is_stream:
        answer = merge(_events(body))
        return _answer(bodies.write(answer), answer)
    answer = bodies.parse(body.decode())
    bodies.write(answer)  # fails where no stream could be made of it
    return _answer(body, answer)


def _answer(body: bytes, answer: Json) -> Answer:
    judged = meaning.judge(answer)
    return Answer(body, judged, meaning.tokens(answer), output_tokens(answer))


def _events(body: bytes) -> Iterator[tuple[str, Json]]:
    for event in eventstream.events(body):
        yield event.name, bodies.parse(event.payload.decode())
