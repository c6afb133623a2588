"""How each provider speaks: bytes in, bytes out.

A new provider is one file here, one line in `PROVIDERS` and one folder of wires under
`tests/wires`. Nothing in this room knows clients, proxies, stores, clocks or randomness.
"""

from __future__ import annotations

from khazad_mitm.exchange import ParsedRequest, Provider
from khazad_mitm.messages import Request
from khazad_mitm.wire.anthropic_messages import AnthropicMessages
from khazad_mitm.wire.bedrock_converse import BedrockConverse
from khazad_mitm.wire.bedrock_invoke import BedrockInvoke
from khazad_mitm.wire.cohere_chat import CohereChat
from khazad_mitm.wire.embeddings import Embeddings
from khazad_mitm.wire.gemini import Gemini
from khazad_mitm.wire.ollama import Ollama
from khazad_mitm.wire.openai_chat import OpenAIChat
from khazad_mitm.wire.openai_completions import OpenAICompletions
from khazad_mitm.wire.openai_responses import OpenAIResponses

PROVIDERS: tuple[Provider, ...] = (
    OpenAIChat(),
    OpenAIResponses(),
    OpenAICompletions(),
    AnthropicMessages(),
    Gemini(),
    BedrockConverse(),
    BedrockInvoke(),
    CohereChat(),
    Ollama(),
    Embeddings(),
)


def recognise(request: Request) -> ParsedRequest | None:
    """What the first provider that knows this request reads from it; None: no one's."""
    for provider in PROVIDERS:
        parsed = provider.recognise(request)
        if parsed is not None:
            return parsed
    return None
