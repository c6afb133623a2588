"""Bedrock InvokeModel: which requests are ours, and how an answer is put on the wire."""

from __future__ import annotations

import json
from base64 import b64decode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khazad_mitm.exchange import Answer, Framing, ParsedRequest, Unkept
from khazad_mitm.messages import Request
from khazad_mitm.wire import eventstream
from khazad_mitm.wire.bedrock_invoke import BedrockInvoke
from tests import wires
from tests.strategies import json_objects, json_values
from tests.wires import aws_frames

INVOKE = BedrockInvoke()
HOST = "https://bedrock-runtime.us-east-1.amazonaws.com"
URL = f"{HOST}/model/m/invoke"
STREAM_URL = f"{HOST}/model/m/invoke-with-response-stream"
METRICS = "amazon-bedrock-invocationMetrics"
CLAUDE = {
    "anthropic_version": "bedrock-2023-05-31",
    "messages": [{"role": "user", "content": "Hi."}],
}


def asked(body: Any, url: str = URL) -> ParsedRequest:
    parsed = INVOKE.recognise(Request.to(url, json.dumps(body).encode()))
    assert parsed is not None
    return parsed


def stream(*chunks: Any) -> bytes:
    return aws_frames.encoded(b"\n".join(b"chunk " + json.dumps(one).encode() for one in chunks))


def kept(name: str) -> dict[str, Any]:
    wire = wires.one(f"bedrock_invoke/{name}")
    answer = INVOKE.assemble(wire.body, asked({}, STREAM_URL))
    assert isinstance(answer, Answer)
    assert 21 == answer.tokens
    return dict(json.loads(answer.body))


def test_both_framings_of_one_question_are_one_resource() -> None:
    path = f"{HOST}/model/us.amazon.nova-lite-v1%3A0"
    plain = asked(CLAUDE, f"{path}/invoke")
    streamed = asked(CLAUDE, f"{path}/invoke-with-response-stream")

    assert "/model/{model}/invoke" == plain.resource == streamed.resource
    assert "us.amazon.nova-lite-v1:0" == plain.model == streamed.model
    assert (Framing("json"), Framing("eventstream")) == (plain.framing, streamed.framing)
    assert "application/json" == INVOKE.content_type(plain)
    assert "application/vnd.amazon.eventstream" == INVOKE.content_type(streamed)


@pytest.mark.parametrize(
    "path",
    [
        "/model/m/converse",
        "/model/m/invoke-with-bidirectional-stream",
        "/async-invoke",
        "/guardrail-checks/invoke",
    ],
)
def test_other_endpoints_pass(path: str) -> None:
    body = json.dumps(CLAUDE).encode()

    assert INVOKE.recognise(Request.to(HOST + path, body)) is None
    assert INVOKE.recognise(Request.to(URL, body, method="GET")) is None
    assert INVOKE.recognise(Request.to(URL, b"Hi.")) is None


@pytest.mark.parametrize(
    ("body", "question"),
    [
        (CLAUDE, ("messages", 0, "content")),
        (
            {"messages": [{"role": "user", "content": [{"text": "Hi."}]}]},
            ("messages", 0, "content", 0, "text"),
        ),
        ({"messages": [{"role": "user", "content": "Hi."}]}, ("messages", 0, "content")),
        (
            {"messages": [{"role": "user", "content": [{"type": "text", "text": "Hi."}]}]},
            ("messages", 0, "content", 0, "text"),
        ),
    ],
)
def test_conversations_are_compared_by_their_last_text(body: Any, question: Any) -> None:
    parsed = asked(body)

    assert (question, "") == (parsed.question, parsed.exact_only)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({"prompt": "Hi."}, "no-question"),
        ({"inputText": "Hi."}, "no-question"),
        ({"texts": ["Hi."], "input_type": "search_query"}, "no-question"),
        ({"messages": "Hi."}, "no-question"),
        ({"messages": [{"role": "user", "content": "Hi."}], "n": 2}, "n"),
        ({"messages": [{"role": "tool", "content": "4"}]}, "tool-result"),
        (
            {"messages": [{"role": "user", "content": [{"toolResult": {"toolUseId": "t"}}]}]},
            "tool-result",
        ),
    ],
)
def test_what_is_no_question_is_for_exact_repeats(body: Any, why: str) -> None:
    parsed = asked(body)

    assert (None, why) == (parsed.question, parsed.exact_only)


def test_a_prompt_whose_words_the_server_has_is_for_exact_repeats() -> None:
    assert "prompt" == asked(CLAUDE, f"{HOST}/model/a%3Aprompt%2FA%3A1/invoke").exact_only


def test_a_sandbox_of_the_server_is_passed_by() -> None:
    assert "container" == asked({**CLAUDE, "container": "c"}).bypass


def test_metrics_are_kept_only_where_the_family_counts_no_tokens() -> None:
    assert METRICS in kept("mistral-stream")
    assert METRICS not in kept("titan-stream")
    assert METRICS not in kept("anthropic-stream")
    assert METRICS not in kept("nova-stream")


def test_what_bedrock_adds_beside_the_metrics_is_kept() -> None:
    assert "NONE" == kept("anthropic-guarded-stream")["amazon-bedrock-guardrailAction"]


def test_a_replayed_stream_ends_with_the_metrics() -> None:
    wire = wires.one("bedrock_invoke/llama-json")

    frames = list(INVOKE.replay(wire.body, asked({}, STREAM_URL)))
    chunks = [
        json.loads(b64decode(json.loads(eventstream.read(frame)[1])["bytes"])) for frame in frames
    ]

    assert ["Hello!", ""] == [chunk["generation"] for chunk in chunks]
    assert [None, "stop"] == [chunk["stop_reason"] for chunk in chunks]
    assert [METRICS not in chunks[0], (9, 12)] == [
        True,
        (chunks[1][METRICS]["inputTokenCount"], chunks[1][METRICS]["outputTokenCount"]),
    ]


LLAMA = {"generation": "a", "stop_reason": "stop"}
ENDED = {METRICS: {"inputTokenCount": 1, "outputTokenCount": 2}}


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (stream(LLAMA), "cut"),
        (stream(ENDED), "empty"),
        (stream({"generation": "a", "stop_reason": None, **ENDED}), "cut"),
        (stream({"generation": " ", "stop_reason": "stop", **ENDED}), "empty"),
        (stream(7, {**LLAMA, **ENDED}), "malformed"),
        (stream({**LLAMA, "amazon-bedrock-trace": 1}, {**LLAMA, "amazon-bedrock-trace": 2}), ""),
        (aws_frames.encoded(b"other {}"), "unknown-event"),
        (aws_frames.frame({":event-type": "chunk", ":message-type": "event"}, b"{}"), "malformed"),
        (
            aws_frames.frame({":event-type": "chunk", ":message-type": "event"}, b'{"bytes":"~"}'),
            "undecodable",
        ),
    ],
)
def test_a_doubtful_stream_is_not_kept(body: bytes, reason: str) -> None:
    outcome = INVOKE.assemble(body, asked({}, STREAM_URL))

    assert Unkept(reason or "unknown-event") == outcome


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ([], "malformed"),
        ({}, "error"),
        ({"message": "Throttled."}, "error"),
        ({"__type": "ThrottlingException"}, "error"),
        ({**LLAMA, "error": {"message": "boom"}}, "error"),
        ({**LLAMA, "usage": [7]}, "malformed"),
        ({"outputs": [{"text": "a", "stop_reason": "stop", "index": 1}]}, "malformed"),
        ({"outputs": [{"text": "a", "stop_reason": "stop", "error": "boom"}]}, "error"),
        ({**LLAMA, "amazon-bedrock-guardrailAction": "INTERVENED"}, "guardrail-intervened"),
        ({"haiku": "a"}, "unknown-shape"),
        # As a stream it would be read as Claude's.
        ({"completion": "a", "embedding": [1.0]}, "unknown-shape"),
    ],
)
def test_a_doubtful_answer_is_not_kept(answer: Any, reason: str) -> None:
    assert Unkept(reason) == INVOKE.assemble(json.dumps(answer).encode(), asked({}))


@given(st.lists(json_objects | json_values, max_size=3))
def test_chunks_of_anything_never_raise(chunks: list[Any]) -> None:
    INVOKE.assemble(stream(*chunks, ENDED), asked({}, STREAM_URL))
    for chunk in chunks:
        INVOKE.assemble(json.dumps(chunk).encode(), asked({}))


_FAMILY_FIELDS: st.SearchStrategy[dict[str, Any]] = st.dictionaries(
    st.sampled_from(
        "type content message stop_reason output stopReason choices outputs results generations"
        " generation text finish_reason completion finishReason completions embedding embeddings"
        " embeddingsByType data images artifacts finish_reasons usage messageStart is_finished"
        " event_type outputText response prompt_token_count inputTextTokenCount".split()
    ),
    json_values | st.lists(st.just({}) | json_objects) | st.just("message") | st.just([{}]),
    max_size=5,
)


@given(_FAMILY_FIELDS)
def test_answers_of_any_mixture_never_raise(answer: dict[str, Any]) -> None:
    plain, streamed = asked({}), asked({}, STREAM_URL)
    INVOKE.assemble(stream(answer, {**answer, **ENDED}), streamed)
    outcome = INVOKE.assemble(json.dumps(answer).encode(), plain)

    if isinstance(outcome, Answer):
        once = INVOKE.assemble(b"".join(INVOKE.replay(outcome.body, streamed)), streamed)
        assert isinstance(once, Answer)
