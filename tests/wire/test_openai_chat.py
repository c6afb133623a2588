"""OpenAI chat completions: what a request is, and which answers are worth keeping."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given

from khazad_mitm.exchange import Answer, Framing, Unkept
from khazad_mitm.messages import Request
from khazad_mitm.wire import sse
from tests import wires
from tests.strategies import completions
from tests.wire.chat import CHAT, OPENAI, STREAM, USER, answer_of, ask, asked, delta, stream


@pytest.mark.parametrize(
    ("url", "resource", "model"),
    [
        (OPENAI, "/v1/chat/completions", "gpt-4o"),
        (
            "https://r.openai.azure.com/openai/deployments/my%20gpt/chat/completions?api-version=1",
            "/openai/deployments/{model}/chat/completions?api-version=1",
            "my gpt",
        ),
        (
            "https://adb-1.azuredatabricks.net/serving-endpoints/llama/invocations",
            "/serving-endpoints/{model}/invocations",
            "llama",
        ),
        (
            "https://x.test/chat/completions?a=1&KEY=s&api%5Fkey=t",
            "/chat/completions?a=1",
            "gpt-4o",
        ),
    ],
)
def test_the_model_and_credentials_are_no_part_of_the_resource(
    url: str, resource: str, model: str
) -> None:
    parsed = asked(url)

    assert (resource, model) == (parsed.resource, parsed.model)


@pytest.mark.parametrize(
    "body",
    [
        {"messages": []},
        {"messages": "Hello!"},
        {"messages": ["Hello!"]},
        {"messages": [{"content": "Hello!"}]},
        {"model": 4},
        {"stream": "yes"},
        {"stream": True, "stream_options": []},
    ],
)
def test_a_body_of_another_shape_is_not_ours(body: dict[str, Any]) -> None:
    assert ask(**body) is None


def test_another_method_or_path_is_not_ours() -> None:
    assert ask(method="GET") is None
    assert ask("https://api.openai.com/v1/chat/completions/chatcmpl-1") is None
    assert ask("https://api.openai.com/v1/responses") is None


def test_a_model_may_be_missing() -> None:
    assert asked(model=None).model == ""


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not json"),
        (b"hello", "not json"),
        (b"[]", "not an object"),
        (b'{"messages": 5}', "no chat request"),
        (b'{"messages": [], "messages": []}', "duplicate key"),
        (b'{"a": "\xff"}', "not utf-8"),
        (b'{"a": ' + b"[" * 5000 + b"]" * 5000 + b"}", "too deep"),
    ],
)
def test_a_body_that_cannot_be_read_is_passed_by_with_one_debug_line(
    body: bytes, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", "khazad")

    assert CHAT.recognise(Request.to(OPENAI, body)) is None
    assert [f"[Khazad] PASSED BY - {reason} - openai-chat"] == caplog.messages


@pytest.mark.parametrize(
    ("body", "framing"),
    [
        ({}, Framing("json")),
        ({"stream": False}, Framing("json")),
        ({"stream": True}, Framing("sse")),
        ({"stream": True, "stream_options": {"include_usage": True}}, STREAM),
        (
            {"stream": True, "stream_options": {"include_obfuscation": False}},
            Framing("sse", variant='{"include_obfuscation":false}'),
        ),
    ],
)
def test_the_framing_is_what_the_request_asks_for(body: dict[str, Any], framing: Framing) -> None:
    assert framing == asked(**body).framing


IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}


@pytest.mark.parametrize(
    ("content", "question"),
    [
        ("Hello!", ("messages", 1, "content")),
        ([{"type": "text", "text": "Hello!"}, IMAGE], ("messages", 1, "content", 0, "text")),
        (
            [{"type": "text", "text": "Look:"}, IMAGE, {"type": "text", "text": "What is it?"}],
            ("messages", 1, "content", 2, "text"),
        ),
    ],
)
def test_the_question_is_the_last_text_of_the_user(content: Any, question: Any) -> None:
    parsed = asked(messages=[USER, {"role": "user", "content": content}])

    assert (question, "") == (parsed.question, parsed.exact_only)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (
            {"messages": [USER, {"role": "tool", "tool_call_id": "1", "content": "4"}]},
            "tool-result",
        ),
        ({"messages": [USER, {"role": "function", "name": "f", "content": "4"}]}, "tool-result"),
        ({"messages": [USER, {"role": "assistant", "content": "I"}]}, "assistant-last"),
        ({"messages": [USER, {"role": "system", "content": "Be kind."}]}, "no-question"),
        ({"messages": [{"role": "user", "content": " \n"}]}, "no-text"),
        ({"messages": [{"role": "user", "content": [IMAGE]}]}, "no-text"),
        ({"messages": [{"role": "user"}]}, "no-text"),
        ({"n": 2}, "n"),
        ({"web_search_options": {}}, "live-tools"),
        ({"data_sources": [{"type": "azure_search"}]}, "live-tools"),
        ({"enable_search": True}, "live-tools"),
        ({"plugins": [{"id": "web"}]}, "live-tools"),
        ({"tools": [{"type": "web_search", "web_search": {"enable": True}}]}, "live-tools"),
        ({"tools": [{"type": "builtin_function", "function": {}}]}, "live-tools"),
        ({"model": "gpt-4o-search-preview-2025-03-11"}, "live-tools"),
        ({"model": "openai/gpt-4o:online"}, "live-tools"),
        ({"model": "groq/compound-mini"}, "live-tools"),
    ],
)
def test_where_meaning_is_not_enough_only_exact_repeats_count(
    body: dict[str, Any], why: str
) -> None:
    parsed = asked(**body)

    assert (None, why) == (parsed.question, parsed.exact_only)


@pytest.mark.parametrize(
    "body",
    [
        {"enable_search": False, "plugins": [], "data_sources": None},
        {"tools": [{"type": "function", "function": {"name": "search"}}, {"function": {}}]},
        {"tools": [{"type": "custom", "custom": {"name": "run"}}]},
        {"model": "my-compounder"},
    ],
)
def test_tools_that_the_caller_runs_do_not_make_a_request_live(body: dict[str, Any]) -> None:
    assert "" == asked(**body).exact_only


@pytest.mark.parametrize(
    "found",
    [
        {"search_info": {"search_results": [{"index": 1}]}},
        {"web_search": [{"title": "Rome"}]},
        {"message": {"executed_tools": [{"type": "search"}]}},
        {"message": {"context": {"citations": [{"title": "Rome"}]}}},
        {"message": {"vertex_ai_grounding_metadata": [{"web_search_queries": ["Rome"]}]}},
    ],
)
def test_an_answer_that_was_looked_up_serves_exact_repeats_only(found: dict[str, Any]) -> None:
    completion = answer_of("text-json")
    completion["choices"][0]["message"].update(found.pop("message", {}))
    answer = CHAT.assemble(json.dumps(completion | found).encode(), asked())

    assert isinstance(answer, Answer)
    assert "live-tools" == answer.exact_only


@pytest.mark.parametrize(
    ("chunks", "reason"),
    [
        ([delta({"content": "a"}, "stop", index=-1)], "malformed"),
        ([delta({"content": "a"}, "stop", index="0")], "malformed"),
        ([delta({"content": "a"}, "stop", index=10**9)], "malformed"),
        ([delta({"content": "a"}), delta({"content": 5}, "stop")], "malformed"),
        ([delta({"content": 5}, "stop")], "malformed"),
        ([delta({"tool_calls": ["x"]}, "stop")], "malformed"),
        ([delta({"tool_calls": [{"index": -1}]}, "stop")], "malformed"),
        ([delta({"tool_calls": {"index": 1}}, "stop")], "malformed"),
        ([delta("text", "stop")], "malformed"),
        ([{"choices": ["x"]}], "malformed"),
        ([{"id": "c"}], "malformed"),
        ([7], "malformed"),
        ([delta({"content": "a"}, "stop"), delta({}, "length")], "malformed"),
        ([], "empty"),
        ([delta({"content": "  "}, "stop")], "empty"),
        ([delta({"reasoning": "Hm."}, "stop")], "empty"),
        ([delta({"content": "a"}, "insufficient_system_resource")], "insufficient-system-resource"),
        ([delta({"content": "a"}, "stop"), {"object": "error", "message": "boom"}], "error"),
        ([delta({"content": "\ud83e"}, "stop")], "undecodable"),
    ],
)
def test_a_doubtful_stream_is_not_kept(chunks: list[Any], reason: str) -> None:
    assert Unkept(reason) == CHAT.assemble(stream(*chunks), asked(stream=True))


def test_an_error_event_counts_whatever_it_says() -> None:
    body = sse.write('{"message":"boom"}', "error") + stream(delta({"content": "a"}, "stop"))

    assert Unkept("error") == CHAT.assemble(body, asked(stream=True))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"choices": []}, "empty"),
        ({"choices": None}, "empty"),
        ({"error": {"message": "boom"}}, "error"),
        ({"choices": [{"index": 0, "message": {"content": "a"}, "finish_reason": None}]}, "cut"),
        (
            {"choices": [{"index": 1, "message": {"content": "a"}, "finish_reason": "stop"}]},
            "malformed",
        ),
        ({"choices": [{"index": 0, "finish_reason": "content_filter"}]}, "content-filter"),
        ({"choices": [{"index": 0, "text": "a", "finish_reason": "stop"}]}, "malformed"),
        ({"usage": [None]}, "malformed"),
    ],
)
def test_a_doubtful_answer_is_not_kept(change: dict[str, Any], reason: str) -> None:
    body = json.dumps({**answer_of("text-json"), **change}).encode()

    assert Unkept(reason) == CHAT.assemble(body, asked())


def test_a_plain_answer_is_replayed_as_it_was_sent() -> None:
    wire = wires.one("openai_chat/text-json")

    assert [wire.body] == list(CHAT.replay(wire.body, asked()))


@given(completions)
def test_any_answer_is_the_same_after_two_framings(completion: dict[str, Any]) -> None:
    parsed = replace(asked(), framing=STREAM)
    plain = json.dumps(completion).encode()
    answer = CHAT.assemble(plain, asked())
    once = CHAT.assemble(b"".join(CHAT.replay(plain, parsed)), parsed)

    if isinstance(answer, Unkept):
        assert answer == once
        return
    assert isinstance(once, Answer)
    assert completion == json.loads(once.body)
    assert once == CHAT.assemble(b"".join(CHAT.replay(once.body, parsed)), parsed)
