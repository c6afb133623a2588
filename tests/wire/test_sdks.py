"""The official SDK reads a replay as it reads the original."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from khazad_mitm.exchange import ParsedRequest
from tests.wire.sdks import readers
from tests.wire.sdks.readers import Reader
from tests.wire.sdks.server import Canned, canned
from tests.wire.sdks.shown import (
    FLIPPED,
    KEPT,
    OF_A_STREAM,
    OF_NO_ANSWER,
    as_flipped,
    as_replayed,
    as_sent,
    parse,
    said,
)
from tests.wires import Wire

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


@dataclass
class Show:
    """A reader, and where it is shown something."""

    server: Canned
    read: Reader

    def __call__(self, parsed: ParsedRequest, body: bytes) -> Any:
        self.server.body = body
        self.server.content_type = parsed.provider.content_type(parsed)
        return self.read(self.server.url, parsed.framing.is_stream)


@pytest.fixture(scope="module")
def server() -> Iterator[Canned]:
    with canned() as running:
        yield running


def show_to_its_sdk(server: Canned, wire: Wire) -> Show:
    provider = parse(wire.request).provider.name
    for name, part, package, read in READERS:
        if name == provider and part in wire.request.host + wire.request.path:
            pytest.importorskip(package)
            return Show(server, read)
    pytest.skip("no SDK reads this")


def original(show: Show, wire: Wire) -> Any:
    """What the SDK makes of the provider's own bytes."""
    if wire.name in QUIRKS:
        pytest.skip(f"the SDK misreads the original: {QUIRKS[wire.name]}")
    try:
        return show(*as_sent(wire))
    except Exception as error:
        pytest.skip(f"the SDK does not read the original: {type(error).__name__}: {error}")


def is_handed_on(wire: Wire) -> bool:
    """Bedrock's SDK hands a model's own events on: that it reads the frames is all there is."""
    return parse(wire.request).provider.name == "bedrock-invoke"


@pytest.mark.parametrize("wire", KEPT, ids=lambda wire: wire.name)
def test_an_sdk_reads_a_replay_as_the_original(server: Canned, wire: Wire) -> None:
    show = show_to_its_sdk(server, wire)
    before = original(show, wire)

    after = show(*as_replayed(wire))

    assert is_handed_on(wire) or said(before) == said(after)


@pytest.mark.parametrize("wire", FLIPPED, ids=lambda wire: wire.name)
def test_an_sdk_reads_the_other_framing_as_the_original(server: Canned, wire: Wire) -> None:
    show = show_to_its_sdk(server, wire)
    before = original(show, wire)

    after = show(*as_flipped(wire))

    leaving_out = OF_NO_ANSWER | OF_A_STREAM
    assert is_handed_on(wire) or said(before, leaving_out) == said(after, leaving_out)
