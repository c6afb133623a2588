"""Anthropic Messages: which requests are ours, and how an answer is put on the wire."""

from __future__ import annotations

import json
from typing import Any

import pytest

from khazad_mitm.exchange import Answer, Framing, ParsedRequest
from khazad_mitm.messages import Request
from khazad_mitm.wire import sse
from khazad_mitm.wire.anthropic_messages import AnthropicMessages
from tests import wires

MESSAGES = AnthropicMessages()
URL = "https://api.anthropic.com/v1/messages"
VERTEX = "https://us-east5-aiplatform.googleapis.com/v1/projects/p/locations/l/publishers/anthropic/models"
BODY = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi."}]}


def ask(url: str = URL, method: str = "POST", **more: Any) -> ParsedRequest | None:
    body = json.dumps({**BODY, **more}).encode()
    return MESSAGES.recognise(Request.to(url, body, method=method))


@pytest.mark.parametrize(
    ("url", "resource", "model"),
    [
        (URL, "/v1/messages", "m"),
        (URL + "?beta=true", "/v1/messages?beta=true", "m"),
        ("https://api.z.ai/api/anthropic/v1/messages/", "/api/anthropic/v1/messages", "m"),
        (
            f"{VERTEX}/claude%40001:streamRawPredict",
            "/v1/projects/p/locations/l/publishers/anthropic/models/{model}:rawPredict",
            "claude@001",
        ),
        (
            f"{VERTEX}/count-tokens:rawPredict",
            "/v1/projects/p/locations/l/publishers/anthropic/models/count-tokens:rawPredict",
            "m",
        ),
    ],
)
def test_model_and_framing_are_no_part_of_the_resource(url: str, resource: str, model: str) -> None:
    parsed = ask(url)

    assert parsed is not None
    assert (resource, model) == (parsed.resource, parsed.model)


@pytest.mark.parametrize(
    "url",
    [
        URL + "/batches",
        URL + "/msg_1",
        "https://api.anthropic.com/v1/complete",
        "https://api.openai.com/v1/threads/t/messages",
        f"{VERTEX}/claude:predict",
    ],
)
def test_other_endpoints_pass(url: str) -> None:
    assert ask(url) is None


@pytest.mark.parametrize(
    "more",
    [{"messages": []}, {"messages": "Hi."}, {"model": 4}, {"stream": "yes"}, {"stream": {}}],
)
def test_other_bodies_pass(more: dict[str, Any]) -> None:
    assert ask(**more) is None


def test_another_method_passes() -> None:
    assert ask(method="GET") is None


def test_counting_is_for_exact_repeats_and_never_streamed() -> None:
    counted = ask(URL + "/count_tokens")

    assert counted is not None
    assert (None, "count") == (counted.question, counted.exact_only)
    assert ask(URL + "/count_tokens", stream=True) is None


def test_a_replayed_stream_has_the_events_of_the_api_in_their_order() -> None:
    wire = wires.one("anthropic_messages/thinking-stream")
    parsed = MESSAGES.recognise(wire.request)
    assert parsed is not None
    answer = MESSAGES.assemble(wire.body, parsed)
    assert isinstance(answer, Answer)

    events = list(sse.events(b"".join(MESSAGES.replay(answer.body, parsed))))

    assert [
        "message_start",
        "content_block_start",
        "ping",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ] == [event.name for event in events]
    assert all(event.name == json.loads(event.data)["type"] for event in events)
    assert Framing("sse") == parsed.framing
    assert "text/event-stream; charset=utf-8" == MESSAGES.content_type(parsed)
