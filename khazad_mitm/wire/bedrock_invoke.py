"""Bedrock InvokeModel: any model of Amazon Bedrock, each in its own vocabulary.

`/model/{modelId}/invoke` answers in the model's JSON, `/invoke-with-response-stream` in an AWS
event stream whose chunks hold, in base64, the model's own events; they are one question under two
names. `bedrock_families` knows the vocabularies; what none of them says is not kept.

A stream is complete when its family's last event has come or, where it has none, the chunk with
Bedrock's `amazon-bedrock-invocationMetrics`, which ends every stream. The metrics are kept where a
plain answer of the family counts no tokens, and made up from its counts where it does: their
latencies are then 0, those of an answer that was there already. The padding `p` is not kept.

Compared by meaning are conversations in the words of Anthropic, Nova and OpenAI; a prompt that
somebody's template has put together is for exact repeats.
Source: Amazon Bedrock API reference, "InvokeModel", "InvokeModelWithResponseStream"; wires in
tests/wires/bedrock_invoke.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from urllib.parse import unquote

from khazad_mitm.exchange import Answer, Framing, Json, ParsedRequest, Path, Unkept
from khazad_mitm.messages import Request
from khazad_mitm.wire import anthropic_message, bedrock_message, eventstream, target, turns
from khazad_mitm.wire import bedrock_families as families
from khazad_mitm.wire import body as bodies
from khazad_mitm.wire.unfit import Unfit, outcome

_PATH = re.compile(r".*/model/(?P<model>.+)/(?P<verb>invoke|invoke-with-response-stream)/?")

# What Bedrock adds to the answers of every model.
_BEDROCK = "amazon-bedrock-"
_ACTION = "amazon-bedrock-guardrailAction"
_METRICS = "amazon-bedrock-invocationMetrics"


class BedrockInvoke:
    """The provider `bedrock-invoke`."""

    name = "bedrock-invoke"

    def recognise(self, request: Request) -> ParsedRequest | None:
        """Read a POST of any JSON object: its words are the model's."""
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
        is_anthropic = "anthropic_version" in body and anthropic_message.is_conversation(body)
        model = unquote(path["model"])
        question, exact_only = _question(body, model, is_anthropic)
        whole = path.string[: path.end("model")] + "/invoke"
        return ParsedRequest(
            provider=self,
            request=request,
            resource=target.resource(
                target.with_placeholder(whole, path.span("model")), request.query
            ),
            model=model,
            framing=Framing("json" if path["verb"] == "invoke" else "eventstream"),
            body=body,
            spellings=read.spellings,
            question=question,
            exact_only=exact_only,
            bypass=anthropic_message.bypass(body) if is_anthropic else "",
        )

    def assemble(self, body: bytes, parsed: ParsedRequest) -> Answer | Unkept:
        """Read a whole answer; JSON is kept as sent, a stream as the family's plain answer."""
        return outcome(lambda: _read(body, parsed.framing))

    def replay(self, answer: bytes, parsed: ParsedRequest) -> Iterator[bytes]:
        """JSON as it is, or the frames of a stream."""
        if not parsed.framing.is_stream:
            yield answer
            return
        for chunk in _apart(bodies.parse(answer.decode())):
            payload = {"bytes": b64encode(bodies.write(chunk)).decode()}
            yield eventstream.write(eventstream.Event("chunk", bodies.write(payload)))

    def content_type(self, parsed: ParsedRequest) -> str:
        """As Bedrock sends it."""
        return eventstream.MEDIA_TYPE if parsed.framing.is_stream else "application/json"


def _question(body: dict[str, Json], model: str, is_anthropic: bool) -> tuple[Path | None, str]:
    if ":prompt/" in model:
        return None, "prompt"
    if is_anthropic:
        return anthropic_message.question(body)
    messages = body.get("messages")
    if body.get("n") not in (None, 1):
        return None, "n"
    if bedrock_message.is_conversation(body) and not any(
        "type" in block for turn in body["messages"] for block in turn["content"]
    ):
        return bedrock_message.question(body)
    return turns.question(body["messages"]) if turns.are_turns(messages) else (None, "no-question")


def _read(body: bytes, framing: Framing) -> Answer:
    if framing.is_stream:
        told = _together(body)
        body = bodies.write(told)
    else:
        told = bodies.parse(body.decode())
        bodies.write(told)  # fails where no stream could be made of it
    if not isinstance(told, dict) or not isinstance(told.get("usage"), dict | None):
        raise Unfit("malformed")
    answer = {name: value for name, value in told.items() if not name.startswith(_BEDROCK)}
    if _is_error(answer):
        raise Unfit("error")
    if told.get(_ACTION) == "INTERVENED":
        raise Unfit("guardrail-intervened")
    family = families.of_answer(answer)
    # Told whole, in one chunk: a stream of it has to be read as the same family's.
    if family.streams is family.answers and families.of_stream(answer) is not family:
        raise Unfit("unknown-shape")
    exact_only = family.judge(answer)
    tokens = family.tokens(answer) if family.tokens else 0
    prompt, completion = families.counts(answer) or _counted(told)
    return Answer(body, exact_only, tokens or prompt + completion, completion)


def _is_error(answer: dict[str, Json]) -> bool:
    match answer:
        case {"error": error} if error:
            return True
        case {"__type": _}:
            return True
    return answer.keys() <= {"message", "Message"}


@dataclass(slots=True)
class _Chunks:
    """The model's own events of a stream, up to the one with Bedrock's metrics.

    Raises Unfit("cut") where the metrics never come.
    """

    body: bytes
    beside: dict[str, Json] = field(default_factory=dict)
    """What Bedrock has added to them so far."""
    reads_on: bool = False
    """The family has a last event of its own, which may come after the metrics."""

    def __iter__(self) -> Iterator[dict[str, Json]]:
        for event in eventstream.events(self.body):
            chunk = _decoded(event)
            for name in [name for name in chunk if name.startswith(_BEDROCK)]:
                value = chunk.pop(name)
                if name in self.beside and self.beside[name] not in (value, "NONE"):
                    raise Unfit("unknown-event")
                self.beside[name] = value
            if chunk:
                yield chunk
            if _METRICS in self.beside and not self.reads_on:
                return


def _decoded(event: eventstream.Event) -> dict[str, Json]:
    if event.name != "chunk":
        raise Unfit("unknown-event")
    match bodies.parse(event.payload.decode()):
        case {"bytes": str(encoded), **others} if not others.keys() - {"p"}:
            chunk = bodies.parse(b64decode(encoded, validate=True).decode())
            if isinstance(chunk, dict):
                return chunk
    raise Unfit("malformed")


def _together(body: bytes) -> dict[str, Json]:
    """The plain answer that a stream tells."""
    chunks = _Chunks(body)
    pieces = iter(chunks)
    first = next(pieces, None)
    if first is None:
        raise Unfit("empty")
    family = families.of_stream(first)
    chunks.reads_on = family.ends_itself
    answer = family.merge(chain([first], pieces))
    beside = chunks.beside
    if families.counts(answer) is not None or not any(_counted(beside)):
        beside.pop(_METRICS, None)
    return {**answer, **dict(sorted(beside.items()))}


def _apart(told: dict[str, Json]) -> Iterator[dict[str, Json]]:
    """The chunks of a stream that tells a plain answer."""
    answer = {name: value for name, value in told.items() if not name.startswith(_BEDROCK)}
    beside = {name: value for name, value in told.items() if name.startswith(_BEDROCK)}
    prompt, completion = families.counts(answer) or (0, 0)
    made_up = {
        "inputTokenCount": prompt,
        "outputTokenCount": completion,
        "invocationLatency": 0,
        "firstByteLatency": 0,
    }
    *most, last = families.of_answer(answer).split(answer)
    yield from most
    yield {**last, _METRICS: made_up, **beside}


def _counted(told: dict[str, Json]) -> tuple[int, int]:
    """The tokens of Bedrock's own metrics."""
    match told.get(_METRICS):
        case {"inputTokenCount": int(prompt), "outputTokenCount": int(completion)}:
            return prompt, completion
    return 0, 0
