"""Bedrock Converse: which requests are ours, and how an answer is put on the wire."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khazad_mitm.exchange import Answer, Framing, ParsedRequest, Unkept
from khazad_mitm.messages import Request
from khazad_mitm.wire import eventstream
from khazad_mitm.wire.bedrock_converse import BedrockConverse
from tests import wires

CONVERSE = BedrockConverse()
HOST = "https://bedrock-runtime.us-east-1.amazonaws.com"
URL = f"{HOST}/model/m/converse"
BODY = {"messages": [{"role": "user", "content": [{"text": "Hi."}]}]}
PROMPT = "arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Aprompt%2FABC%3A1"


def ask(url: str = URL, method: str = "POST", **more: Any) -> ParsedRequest | None:
    body = {name: value for name, value in {**BODY, **more}.items() if value is not None}
    return CONVERSE.recognise(Request.to(url, json.dumps(body).encode(), method=method))


def asked(url: str = URL, **more: Any) -> ParsedRequest:
    parsed = ask(url, **more)
    assert parsed is not None
    return parsed


@pytest.mark.parametrize(
    ("path", "model"),
    [
        ("/model/us.amazon.nova-lite-v1%3A0", "us.amazon.nova-lite-v1:0"),
        ("/model/us.amazon.nova-lite-v1:0", "us.amazon.nova-lite-v1:0"),
        ("/model/arn%3Aaws%3Aa%3Aprofile%2Fm", "arn:aws:a:profile/m"),
        ("/model/arn:aws:a:profile/m", "arn:aws:a:profile/m"),
    ],
)
def test_both_framings_of_one_question_are_one_resource(path: str, model: str) -> None:
    plain, streamed = asked(f"{HOST}{path}/converse"), asked(f"{HOST}{path}/converse-stream")

    assert "/model/{model}/converse" == plain.resource == streamed.resource
    assert model == plain.model == streamed.model
    assert (Framing("json"), Framing("eventstream")) == (plain.framing, streamed.framing)
    assert "application/json" == CONVERSE.content_type(plain)
    assert "application/vnd.amazon.eventstream" == CONVERSE.content_type(streamed)


@pytest.mark.parametrize(
    "path",
    [
        "/model/m/count-tokens",
        "/model/m/invoke",
        "/model/converse",
        "/async-invoke",
        "/guardrail/g/version/1/apply",
    ],
)
def test_other_endpoints_pass(path: str) -> None:
    assert ask(HOST + path) is None
    assert ask(method="GET") is None


@pytest.mark.parametrize("messages", [None, [], "Hi.", [{"role": "user", "content": "Hi."}]])
def test_other_bodies_pass(messages: Any) -> None:
    assert ask(messages=messages) is None
    assert CONVERSE.recognise(Request.to(URL, b"Hi.")) is None


def test_a_prompt_whose_words_the_server_has_is_for_exact_repeats() -> None:
    for parsed in (
        asked(f"{HOST}/model/{PROMPT}/converse", messages=None),
        asked(promptVariables={"name": {"text": "Ada"}}),
    ):
        assert (None, "prompt") == (parsed.question, parsed.exact_only)


def test_labels_do_not_change_the_answer() -> None:
    assert {"requestMetadata"} == asked().ignored


def test_a_replayed_stream_has_the_events_of_bedrock_in_their_order() -> None:
    wire = wires.one("bedrock_converse/reasoning-stream")
    parsed = asked(f"{HOST}/model/m/converse-stream")
    answer = CONVERSE.assemble(wire.body, parsed)
    assert isinstance(answer, Answer)

    stream = b"".join(CONVERSE.replay(answer.body, parsed))
    frames = [eventstream.read(frame) for frame in eventstream.split(stream)[0]]

    assert [
        "messageStart",
        "contentBlockDelta",
        "contentBlockDelta",
        "contentBlockStop",
        "contentBlockDelta",
        "contentBlockStop",
        "messageStop",
        "metadata",
    ] == [headers[":event-type"] for headers, _ in frames]
    assert {"event"} == {headers[":message-type"] for headers, _ in frames}
    assert {"application/json"} == {headers[":content-type"] for headers, _ in frames}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (
            "tool-use-stream",
            [
                {"text": "Let me see."},
                {
                    "toolUse": {
                        "input": {"city": "Paris", "digits": 12345678901234567890},
                        "name": "warmth",
                        "toolUseId": "tooluse_1",
                    }
                },
                {
                    "toolUse": {
                        "input": {"city": "Oslo"},
                        "name": "warmth",
                        "toolUseId": "tooluse_2",
                    }
                },
                {"toolUse": {"input": {}, "name": "now", "toolUseId": "tooluse_3"}},
            ],
        ),
        ("line-separators-stream", [{"text": "a\u2028b\u0085c\rd 🦊"}]),
        (
            "image-stream",
            [
                {"text": "Here:"},
                {"image": {"format": "png", "source": {"bytes": "iVBORw0KGgo="}}},
            ],
        ),
        (
            "redacted-stream",
            [
                {"reasoningContent": {"redactedContent": "c2VjcmV0IQ=="}},
                {
                    "reasoningContent": {
                        "reasoningText": {"signature": "EqQBCkgIBRABGAI=", "text": ""}
                    }
                },
                {"text": "Hello!"},
            ],
        ),
    ],
)
def test_a_stream_is_kept_as_the_plain_answer_would_be(name: str, content: Any) -> None:
    wire = wires.one(f"bedrock_converse/{name}")
    answer = CONVERSE.assemble(wire.body, asked(f"{HOST}/model/m/converse-stream"))

    assert isinstance(answer, Answer)
    assert content == json.loads(answer.body)["output"]["message"]["content"]
    assert 21 == answer.tokens


def test_a_plain_answer_is_replayed_as_it_was_sent() -> None:
    wire = wires.one("bedrock_converse/text-json")

    assert [wire.body] == list(CONVERSE.replay(wire.body, asked()))


STREAM = wires.one("bedrock_converse/tool-use-stream").body


@given(st.integers(0, len(STREAM) - 1), st.integers(1, 255))
def test_a_wrong_byte_is_never_kept(position: int, change: int) -> None:
    wrong = bytearray(STREAM)
    wrong[position] ^= change

    outcome = CONVERSE.assemble(bytes(wrong), asked(f"{HOST}/model/m/converse-stream"))

    assert isinstance(outcome, Unkept)
