"""The official SDK reads a replay as it reads the original."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from khazad_mitm.exchange import Answer, ParsedRequest
from khazad_mitm.messages import Request
from khazad_mitm.wire import PROVIDERS, recognise
from tests import wires
from tests.wire.sdks import readers
from tests.wire.sdks.readers import Reader
from tests.wire.sdks.server import Canned, canned
from tests.wires import Wire
from tests.wires.flip import flipped

KEPT = [
    wire
    for provider in PROVIDERS
    for wire in wires.of(provider.name)
    if wire.expect.startswith("answer")
]

# Provider, and what its address has in it: the first that fits.
READERS: tuple[tuple[str, str, str, Reader], ...] = (
    ("openai-chat", "mistral.ai/", "mistralai", readers.mistral_chat),
    ("openai-chat", "", "openai", readers.openai_chat),
    ("openai-completions", "", "openai", readers.openai_completions),
    ("openai-responses", "", "openai", readers.openai_responses),
    ("embeddings", "/embeddings", "openai", readers.openai_embeddings),
    ("anthropic-messages", "", "anthropic", readers.anthropic_messages),
    ("gemini", "", "google.genai", readers.google_genai),
    ("cohere-chat", "/v2/", "cohere", readers.cohere_v2),
    ("cohere-chat", "/v1/", "cohere", readers.cohere_v1),
    ("ollama", "/api/chat", "ollama", readers.ollama_chat),
    ("ollama", "/api/generate", "ollama", readers.ollama_generate),
    ("bedrock-converse", "", "boto3", readers.bedrock_converse),
    ("bedrock-invoke", "", "boto3", readers.bedrock_invoke),
)

# What the SDK does not make of these originals what they say.
QUIRKS = {
    "openai_chat/comments-crlf-stream": "labels that are sent again are added up",
    "openai_chat/tool-calls-same-index-stream": "two calls of one index become one",
    "openai_chat/groq-usage-stream": "usage in x_groq is not read",
    "openai_chat/citations-json": "of a stream, fields of later chunks are not read",
    "openai_chat/azure-filter-stream": "of a stream, fields of later chunks are not read",
    "openai_chat/tool-call-unindexed-stream": "without an index both calls are number 0",
    "gemini/partial-arguments-stream": "arguments that come in pieces are left in pieces",
}

# Of one moment, of one chunk, or padding.
OF_NO_ANSWER = frozenset({"sdk_http_response", "obfuscation", "p", "x_groq"})

# What an SDK makes of a stream and not of a plain answer, or the other way round.
OF_A_STREAM = frozenset({"deltas", "index", "parsed", "created_at", "object", "prefix"})


@dataclass
class Shown:
    """A reader, and what it is to be shown."""

    server: Canned
    read: Reader

    def __call__(self, body: bytes, parsed: ParsedRequest) -> Any:
        self.server.body = body
        self.server.content_type = parsed.provider.content_type(parsed)
        return self.read(self.server.url, parsed.framing.is_stream)


@pytest.fixture(scope="module")
def server() -> Iterator[Canned]:
    with canned() as running:
        yield running


def shown(server: Canned, wire: Wire) -> Shown:
    provider = parse(wire.request).provider.name
    for name, part, package, read in READERS:
        if name == provider and part in wire.request.host + wire.request.path:
            pytest.importorskip(package)
            return Shown(server, read)
    pytest.skip("no SDK reads this")


def parse(request: Request) -> ParsedRequest:
    parsed = recognise(request)
    assert parsed is not None
    return parsed


def answer_of(wire: Wire) -> bytes:
    parsed = parse(wire.request)
    answer = parsed.provider.assemble(wire.body, parsed)
    assert isinstance(answer, Answer)
    return answer.body


def original(show: Shown, wire: Wire) -> Any:
    """What the SDK makes of the provider's own bytes."""
    if wire.name in QUIRKS:
        pytest.skip(f"the SDK misreads the original: {QUIRKS[wire.name]}")
    parsed = parse(wire.request)
    body = wire.body
    if parsed.framing.media == "array":
        # google-genai asks for events; the elements are the same.
        parsed = replace(parsed, framing=replace(parsed.framing, media="sse"))
        body = b"".join(parsed.provider.replay(answer_of(wire), parsed))
    try:
        return show(body, parsed)
    except Exception as error:
        pytest.skip(f"the SDK does not read the original: {type(error).__name__}: {error}")


def said(value: Any, leaving_out: frozenset[str] = OF_NO_ANSWER) -> Any:
    """Without what is empty: an SDK fills in what is missing. Joins halves of a character."""
    match value:
        case str():
            return value.encode("utf-16", "surrogatepass").decode("utf-16")
        case dict():
            kept = {
                name: said(inner, leaving_out)
                for name, inner in value.items()
                if name not in leaving_out
            }
            return {name: inner for name, inner in kept.items() if inner not in (None, [], {}, "")}
        case list():
            return [said(inner, leaving_out) for inner in value]
        case _:
            return value


def is_handed_on(parsed: ParsedRequest) -> bool:
    """Bedrock's SDK hands a model's own events on: that it reads the frames is all there is."""
    return parsed.provider.name == "bedrock-invoke"


@pytest.mark.parametrize("wire", KEPT, ids=lambda wire: wire.name)
def test_an_sdk_reads_a_replay_as_the_original(server: Canned, wire: Wire) -> None:
    show = shown(server, wire)
    parsed = parse(wire.request)
    if parsed.framing.media == "array":
        parsed = replace(parsed, framing=replace(parsed.framing, media="sse"))
    before = original(show, wire)

    after = show(b"".join(parsed.provider.replay(answer_of(wire), parsed)), parsed)

    assert is_handed_on(parsed) or said(before) == said(after)


@pytest.mark.parametrize(
    "wire", [wire for wire in KEPT if flipped(wire) is not None], ids=lambda wire: wire.name
)
def test_an_sdk_reads_the_other_framing_as_the_original(server: Canned, wire: Wire) -> None:
    show = shown(server, wire)
    request = flipped(wire)
    assert request is not None
    other = parse(request)
    if other.framing.is_stream:
        other = replace(other, framing=replace(other.framing, include_usage=True))
    before = original(show, wire)

    after = show(b"".join(other.provider.replay(answer_of(wire), other)), other)

    leaving_out = OF_NO_ANSWER | OF_A_STREAM
    assert is_handed_on(other) or said(before, leaving_out) == said(after, leaving_out)
