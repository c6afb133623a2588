"""Prints docs/providers.md: what is spoken, what is kept, what passes. `make docs` writes it.

The hosts come from `khazad_mitm.wire.hosts`, the order of the formats from
`khazad_mitm.wire.PROVIDERS`; what cannot be read from code is said here.
`tests/test_providers_page.py` holds it to the wires.
"""

from __future__ import annotations

from dataclasses import dataclass

from khazad_mitm.wire import PROVIDERS
from khazad_mitm.wire.hosts import KNOWN


@dataclass(frozen=True)
class Format:
    """What the page says of one provider file."""

    endpoints: str
    framings: str
    kept: str
    exact_only: tuple[str, ...]
    """Words of `WHY`."""
    passes: str
    bypass: tuple[str, ...] = ()
    """Words of `WHY_NOT`."""


# The words after `exact-only` in `Cache-Status: khazad; fwd=miss; detail="exact-only ..."`.
WHY = {
    "tool-result": "the last turn brings the result of a tool: a step of the model's, no question",
    "assistant-last": "the last turn is the assistant's, to be continued word by word",
    "no-text": "the last turn has no text: an image alone, say",
    "no-question": "the last turn is not the user's, or the body has no turns",
    "n": "several answers were asked for",
    "live-tools": "the answer comes from the web, from files or from a sandbox, as they are now",
    "length": "the answer was cut by the caller's own token limit, which is in the key",
    "prompt": "a text to be continued, or a prompt that lies with the provider",
    "prompt-template": "a prompt that lies with the provider: its words are not in the request",
    "previous-response": "the conversation lies with the provider: it is not in the request",
    "item-reference": "a part of the conversation lies with the provider",
    "cached-content": "a part of the conversation lies with the provider",
    "context": "the conversation is given as tokens of the server's own",
    "raw": "the prompt is taken out of the frame the model knows",
    "template": "the prompt is put into a frame of the caller's",
    "suffix": "a gap in a text is to be filled",
    "image": "the answer is a picture, for which every word counts",
    "no-done-reason": "the server does not say whether its token limit cut the answer",
    "count": "tokens are counted, and words of the same meaning have other tokens",
    "embedding": "a vector belongs to its very words",
    "moment": "the question is about now: today, the latest, a price, the weather",
    "creative": "the answer is to be another each time: a joke, a random name, one more idea",
    "retry": "it is no question but asks for another answer to the one before",
    "window": "the question is longer than the embedding model reads",
    "mode": "the option `mode` is `exact`",
}

# The words of `Cache-Status: khazad; fwd=bypass; detail="..."` that formats say.
WHY_NOT = {
    "background": "the answer is fetched later, under an id of its own",
    "conversation": "the provider keeps a conversation that grows with each call",
    "container": "the request works in a sandbox that each call changes",
}

TURNS = ("tool-result", "assistant-last", "no-text", "no-question", "length")

FORMATS = {
    "openai-chat": Format(
        "`*/chat/completions`; Azure's `deployments/{model}/chat/completions`; Databricks'"
        " `serving-endpoints/{model}/invocations`",
        "JSON, SSE",
        "texts, refusals, tool calls, reasoning, audio, images, annotations, log probabilities,"
        " every choice, usage. A stream ends with `[DONE]` and a `finish_reason` for every choice;"
        " usage is told if it was asked for, or where the host tells it unasked",
        ("n", "live-tools", *TURNS),
        "stored completions (`GET`), audio, images, moderations, files, batches, fine-tuning",
    ),
    "openai-responses": Format(
        "`*/responses`; Azure's `deployments/{model}/responses`",
        "JSON, SSE",
        "messages, refusals, function calls, built-in tools, reasoning with its encrypted content."
        " A stream ends with `response.completed`; sequence numbers and ids are kept. Labels that"
        " an answer repeats (`user`, `metadata` ...) are those of whoever asks",
        ("previous-response", "prompt-template", "item-reference", "live-tools", *TURNS[:-1]),
        "reading, deleting, cancelling, compacting and counting responses; conversations, threads,"
        " assistants, realtime",
        ("background", "conversation", "container"),
    ),
    "openai-completions": Format(
        "`*/completions` with a `prompt`; Azure's `deployments/{model}/completions`",
        "JSON, SSE",
        "every choice with its log probabilities, usage. A stream ends with `[DONE]`",
        ("prompt", "length"),
        "Mistral's `fim/completions`",
    ),
    "anthropic-messages": Format(
        "`*/v1/messages`, `*/v1/messages/count_tokens`; Vertex' `publishers/anthropic/models/"
        "{model}:rawPredict` and `:streamRawPredict`",
        "JSON, SSE",
        "texts, tool calls, thinking and its signatures, redacted thinking, citations, server"
        " tools, usage. A stream ends with `message_stop`, every block stopped",
        ("count", "live-tools", *TURNS),
        "batches, files, models, `/v1/complete`",
        ("container",),
    ),
    "gemini": Format(
        "`*/models/{model}:generateContent` and `:streamGenerateContent`, on Vertex too",
        "JSON, SSE (`alt=sse`), JSON array",
        "texts, thoughts and their signatures, function calls, code and its results, inline data,"
        " grounding, citations, every candidate, usage. An array ends with its bracket; a stream"
        " of events with a `finishReason` for every candidate and usage, read to the end of the"
        " message",
        ("n", "cached-content", "live-tools", *TURNS),
        "`countTokens`, `predict`, `interactions`, live sessions, cached contents, files, batches",
    ),
    "bedrock-converse": Format(
        "`/model/{model}/converse`, `/model/{model}/converse-stream`",
        "JSON, event stream",
        "texts, tool calls, reasoning, citations, images, guardrail traces, usage. A stream ends"
        " with `messageStop` and `metadata`; CRCs are checked",
        ("prompt", "live-tools", *TURNS),
        "`count-tokens`, `guardrail/.../apply`, asynchronous calls, agents, the control plane",
    ),
    "bedrock-invoke": Format(
        "`/model/{model}/invoke`, `/model/{model}/invoke-with-response-stream`",
        "JSON, event stream",
        "answers in the words of Anthropic, Nova, OpenAI, Llama, Mistral, Cohere, Titan, DeepSeek,"
        " AI21 and TwelveLabs, whatever the model's id; embeddings, rankings, pictures. A stream"
        " ends as its family's does, or with Bedrock's metrics. What no family says is not kept",
        ("prompt", "n", "live-tools", *TURNS),
        "as above",
        ("container",),
    ),
    "cohere-chat": Format(
        "`*/v1/chat` with a `message`, `*/v2/chat` with `messages`",
        "JSON; v1: lines of JSON, or SSE for `Accepts: text/event-stream`; v2: SSE",
        "texts, tool plans and calls, citations, documents, search queries, usage. A stream ends"
        " with `stream-end` (v1) or `message-end` (v2)",
        ("raw", "live-tools", *TURNS),
        "generating, reranking, classifying, tokenizing",
        ("conversation",),
    ),
    "ollama": Format(
        "`*/api/chat`, `*/api/generate`",
        "JSON, lines of JSON",
        'texts, thinking, tool calls, images, counts and durations. A stream ends with `"done":'
        " true`",
        ("context", "raw", "template", "suffix", "image", "no-done-reason", *TURNS),
        "pulling, showing, listing, loading and unloading models",
    ),
    "embeddings": Format(
        "`*/embeddings` (OpenAI, Azure, Voyage, Jina, Mistral ...), `:embedContent` and"
        " `:batchEmbedContents` (Gemini), `*/v1/embed` and `*/v2/embed` (Cohere), `*/api/embed` and"
        " `*/api/embeddings` (Ollama)",
        "JSON",
        "vectors in every encoding. Of a batch of which some items are known, only the rest is"
        " asked for (`split_batches`, and never in mode `exact`, nor where anything in the request"
        " may vouch for its body); the answer is put together digit for digit",
        ("embedding",),
        "Vertex' `:predict`, contextualised embeddings, reranking",
    ),
}

HEAD = """\
<!-- printed by `make docs` from scripts/providers_page.py and khazad_mitm/wire; do not edit -->

# What is spoken, what is kept, what passes

A request is recognised by its path and the shape of its body, on any host. The host decides one
thing: whether the proxy opens the TLS to look. It does for the table at the end, or for what the
option `hosts` names instead.

**Kept** is a complete `200` and nothing else: the end was seen, everything begun was finished, no
error is in it and something is said. Never kept: errors, cut streams, answers touched by a
filter, refused by a safety rule, `incomplete` or `failed`, and any ending that nobody documents.

**Answered** is a request in the framing it asks for. In the one an answer came in, it is sent as it
came, frame by frame; in the other, in the frames the provider would send.

**By meaning** questions are compared where the last turn is a text of the user's; all that stands
around it must be equal. Everything else is answered to an exact repeat only. `Cache-Status` says
why:

| `exact-only` | because |
| --- | --- |
"""

BYPASSED = """\

Some requests are neither looked up nor kept, as the answer depends on what is not in them:

| `fwd=bypass` | because |
| --- | --- |
"""

HOSTS = """\

## Hosts

What a host serves beside the formats named here (files, batches, models, audio, images, realtime)
passes untouched, and so does all that a format says to pass. The model stands in the body, except
where a segment of the path is named.

| host | formats | model |
| --- | --- | --- |
"""


def page() -> str:
    parts = [HEAD, *_rows(WHY), BYPASSED, *_rows(WHY_NOT)]
    for provider in PROVIDERS:
        said = FORMATS[provider.name]
        parts.append(f"\n## {provider.name}\n\n")
        parts.append(f"- Endpoints: {said.endpoints}\n")
        parts.append(f"- Framings: {said.framings}\n")
        parts.append(f"- Kept: {said.kept}\n")
        parts.append(f"- Exact repeats only: {_words(said.exact_only)}\n")
        if said.bypass:
            parts.append(f"- Neither looked up nor kept: {_words(said.bypass)}\n")
        parts.append(f"- Passes: {said.passes}\n")
    parts.append(HOSTS)
    for host in KNOWN:
        model = f"`{host.model_in_path}/...`" if host.model_in_path else ""
        parts.append(f"| `{host.pattern}` | {', '.join(host.speaks.split())} | {model} |\n")
    return "".join(parts)


def _rows(table: dict[str, str]) -> list[str]:
    return [f"| `{word}` | {meaning} |\n" for word, meaning in table.items()]


def _words(words: tuple[str, ...]) -> str:
    return ", ".join(f"`{word}`" for word in words)


if __name__ == "__main__":
    print(page(), end="")
