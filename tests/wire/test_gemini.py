"""Gemini: which requests are ours, and which answers are worth keeping."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given

from khazad_mitm.exchange import Answer, Framing, ParsedRequest, Unkept
from khazad_mitm.messages import Request
from khazad_mitm.wire.gemini import Gemini
from tests.strategies import json_values

GEMINI = Gemini()
MODELS = "https://generativelanguage.googleapis.com/v1beta/models"
PLAIN = f"{MODELS}/gemini-3-flash:generateContent"
STREAM = f"{MODELS}/gemini-3-flash:streamGenerateContent"
VERTEX = "https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/l"
HELLO = {"role": "user", "parts": [{"text": "Hello!"}]}


def ask(url: str = PLAIN, method: str = "POST", **body: Any) -> ParsedRequest | None:
    body = {"contents": [HELLO], **body}
    return GEMINI.recognise(Request.to(url, json.dumps(body).encode(), method=method))


def asked(url: str = PLAIN, **body: Any) -> ParsedRequest:
    parsed = ask(url, **body)
    assert parsed is not None
    return parsed


def turn(*parts: Any, role: str | None = "user") -> list[dict[str, Any]]:
    return [{"role": role, "parts": list(parts)}]


def answered(*parts: Any, **more: Any) -> bytes:
    content = {"parts": list(parts) or [{"text": "Hi."}], "role": "model"}
    candidate = {"content": content, "finishReason": "STOP", **more}
    return json.dumps({"candidates": [candidate]}).encode()


@pytest.mark.parametrize(
    ("url", "resource", "model"),
    [
        (PLAIN, "/v1beta/models/{model}:generateContent", "gemini-3-flash"),
        (
            f"{STREAM}?alt=sse&key=s&a=1",
            "/v1beta/models/{model}:generateContent?a=1",
            "gemini-3-flash",
        ),
        (
            f"{VERTEX}/publishers/google/models/g%401:streamGenerateContent",
            "/v1/projects/p/locations/l/publishers/google/models/{model}:generateContent",
            "g@1",
        ),
        (
            f"{VERTEX}/endpoints/123:generateContent",
            "/v1/projects/p/locations/l/endpoints/{model}:generateContent",
            "123",
        ),
    ],
)
def test_model_framing_and_credentials_are_no_part_of_the_resource(
    url: str, resource: str, model: str
) -> None:
    assert (resource, model) == (asked(url).resource, asked(url).model)


@pytest.mark.parametrize(
    ("url", "media"),
    [
        (PLAIN, "json"),
        (STREAM, "array"),
        (f"{STREAM}?alt=json", "array"),
        (f"{STREAM}?alt=sse", "sse"),
        (f"{STREAM}?%24alt=sse%3Benum-encoding%3Dint", "sse"),
    ],
)
def test_the_address_says_how_the_answer_is_framed(url: str, media: Any) -> None:
    parsed = asked(url)

    assert Framing(media) == parsed.framing
    assert parsed.ends_with_message == (media == "sse")


def test_another_spelling_of_enums_is_another_question() -> None:
    one = asked(f"{PLAIN}?%24alt=json%3Benum-encoding%3Dint")

    assert one.resource != asked(PLAIN).resource
    assert one.resource == asked(f"{STREAM}?%24alt=sse%3Benum-encoding%3Dint").resource


@pytest.mark.parametrize(
    "url",
    [
        f"{MODELS}/m:countTokens",
        f"{MODELS}/m:embedContent",
        f"{MODELS}/m:predict",
        f"{PLAIN}?alt=proto",
        "https://generativelanguage.googleapis.com/v1beta/cachedContents",
    ],
)
def test_other_endpoints_pass(url: str) -> None:
    assert ask(url) is None


@pytest.mark.parametrize(
    "contents", [None, [], "Hello!", [{}], [{"parts": "Hello!"}], [{"role": 1, "parts": []}]]
)
def test_other_bodies_pass(contents: Any) -> None:
    assert ask(contents=contents) is None


@pytest.mark.parametrize(
    ("contents", "path"),
    [
        ([HELLO], ("contents", 0, "parts", 0, "text")),
        (turn({"text": "Hi"}, {"inlineData": {}}, role=None), ("contents", 0, "parts", 0, "text")),
        (HELLO, ("contents", "parts", 0, "text")),
        ({"parts": {"text": "Hi"}}, ("contents", "parts", "text")),
    ],
)
def test_the_question_is_the_last_text_of_the_user(contents: Any, path: Any) -> None:
    assert (path, "") == (asked(contents=contents).question, asked(contents=contents).exact_only)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({"contents": turn({"text": "Hi"}, role="model")}, "assistant-last"),
        ({"contents": turn({"text": "Hi"}, role="function")}, "tool-result"),
        ({"contents": turn({"text": "Hi"}, role="system")}, "no-question"),
        ({"contents": turn({"functionResponse": {"name": "f"}})}, "tool-result"),
        ({"contents": turn({"inlineData": {}}, {"text": " "})}, "no-text"),
        ({"cachedContent": "cachedContents/1"}, "cached-content"),
        ({"generationConfig": {"candidateCount": 2}}, "n"),
        ({"generation_config": {"candidate_count": 2}}, "n"),
        ({"tools": [{"google_search": {}}]}, "live-tools"),
        ({"tools": {"urlContext": {}}}, "live-tools"),
    ],
)
def test_where_there_is_no_question_it_says_why(body: dict[str, Any], why: str) -> None:
    assert (None, why) == (asked(**body).question, asked(**body).exact_only)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (answered(), ""),
        (answered({"functionCall": {}}), ""),
        (answered(finishReason="MAX_TOKENS"), "length"),
        (answered(finishReason=2), "length"),
        (answered(groundingMetadata={"webSearchQueries": ["a"]}), "live-tools"),
        (answered(groundingMetadata={}), ""),
    ],
)
def test_a_whole_answer_is_kept(body: bytes, why: str) -> None:
    assert Answer(body, why) == GEMINI.assemble(body, asked())


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (answered(finishReason="PROHIBITED_CONTENT"), "prohibited-content"),
        (answered(finishReason="WORD_OF_TOMORROW"), "word-of-tomorrow"),
        (answered(finishReason=3), "finish reason 3"),
        (answered(finishReason=None), "cut"),
        (answered({"text": "Hm.", "thought": True}), "empty"),
        (answered({"text": "", "thoughtSignature": "s"}), "empty"),
        (answered(content={"role": "model"}), "empty"),
        (answered(content="Hi."), "malformed"),
        (b'{"promptFeedback": {"blockReason": "SAFETY"}}', "blocked"),
        (b'{"candidates": []}', "empty"),
        (b'{"candidates": [1]}', "malformed"),
        (b'{"error": {"code": 400}}', "error"),
        (b"[]", "malformed"),
    ],
)
def test_another_is_not(body: bytes, reason: str) -> None:
    assert Unkept(reason) == GEMINI.assemble(body, asked())


@given(json_values)
def test_nonsense_is_not_kept(value: Any) -> None:
    body = json.dumps(value).encode()

    assert isinstance(GEMINI.assemble(body, asked()), Unkept)
    assert isinstance(GEMINI.assemble(body, asked(STREAM)), Unkept)
    assert isinstance(GEMINI.assemble(b"data: %s\n\n" % body, asked(STREAM + "?alt=sse")), Unkept)


def chunk(text: str = "", finish: str | None = None, usage: Any = None, **more: Any) -> bytes:
    candidate = {"content": {"parts": [{"text": text}]}, **more}
    said: dict[str, Any] = {"candidates": [{**candidate, "finishReason": finish}]}
    if usage is not None:
        said["usageMetadata"] = usage
    return b"data: %s\r\n\r\n" % json.dumps(said).encode()


USAGE = {"totalTokenCount": 3}
SSE = STREAM + "?alt=sse"


@pytest.mark.parametrize(
    "stream",
    [
        chunk("Hi.", "STOP", USAGE),
        chunk("Hi.", None, USAGE) + chunk("", "STOP", USAGE),
        chunk("Hi.", "STOP") + chunk("", None, USAGE),
        chunk("Hi.", "STOP", USAGE) + chunk("", "STOP", USAGE),
        chunk("Hi.", "STOP", USAGE) + chunk(""),
    ],
)
def test_a_stream_ends_with_the_last_finish_reason_and_usage(stream: bytes) -> None:
    answer = GEMINI.assemble(stream, asked(SSE))

    assert isinstance(answer, Answer)
    assert 3 == answer.tokens


@pytest.mark.parametrize(
    ("stream", "reason"),
    [
        (chunk("Hi.", "STOP"), "cut"),
        (chunk("Hi.", None, USAGE) + chunk("", "STOP"), "cut"),
        (chunk("Hi.", "STOP", USAGE) + b"data: {", "cut"),
        (chunk("Hi, ", "STOP", USAGE) + chunk("you.", "STOP", USAGE), "after-end"),
        (chunk("Hi.", "STOP", USAGE) + chunk("", None, {"totalTokenCount": 9}), "after-end"),
        (chunk("Hi.", "STOP", USAGE) + chunk("Ho.", "STOP", index=1), "after-end"),
        (chunk("Hi.", "STOP", USAGE) + b'data: {"error": {"code": 503}}\n\n', "error"),
        (chunk("Hi.", "STOP", USAGE) + b'{\n "error": {}\n}\n\n', "error"),
        (chunk("Hi.", "STOP", USAGE) + b"event: error\ndata: oops\n\n", "error"),
    ],
)
def test_a_stream_that_may_not_have_ended_is_not_kept(stream: bytes, reason: str) -> None:
    assert Unkept(reason) == GEMINI.assemble(stream, asked(SSE))


@pytest.mark.parametrize("url", [PLAIN, STREAM, SSE])
def test_an_answer_with_fewer_candidates_than_asked_for_is_not_kept(url: str) -> None:
    one = answered(index=1)
    body = {PLAIN: one, STREAM: b"[%s]" % one}.get(url, b"data: %s\n\n" % one)
    parsed = asked(url, generationConfig={"candidateCount": 2})

    assert Unkept("cut") == GEMINI.assemble(body, parsed)


def test_a_number_of_candidates_that_is_none_is_passed_by() -> None:
    assert ask(generation_config={"candidate_count": "2"}) is None


def test_a_framing_said_twice_is_passed_by() -> None:
    assert ask(f"{STREAM}?alt=sse&$alt=json") is None
