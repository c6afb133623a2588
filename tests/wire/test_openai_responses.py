"""OpenAI Responses: what a request is, and which answers are worth keeping."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given

from khazad_mitm.exchange import Answer, ParsedRequest, Unkept
from khazad_mitm.messages import Request
from khazad_mitm.wire import sse
from khazad_mitm.wire.openai_responses import OpenAIResponses
from tests.strategies import json_values

RESPONSES = OpenAIResponses()
URL = "https://api.openai.com/v1/responses"
MESSAGE = {"type": "message", "id": "m", "content": [{"type": "output_text", "text": "Hi."}]}


def ask(url: str = URL, method: str = "POST", **body: Any) -> ParsedRequest | None:
    body = {"model": "gpt-5", "input": "Hello!", **body}
    return RESPONSES.recognise(Request.to(url, json.dumps(body).encode(), method=method))


def asked(**body: Any) -> ParsedRequest:
    parsed = ask(**body)
    assert parsed is not None
    return parsed


def user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


def answered(*items: Any, **more: Any) -> bytes:
    return json.dumps({"status": "completed", "output": items or [MESSAGE], **more}).encode()


@pytest.mark.parametrize(
    "url",
    [
        URL + "/resp_1",
        URL + "/resp_1/cancel",
        URL + "/compact",
        URL + "/input_tokens",
        "https://api.openai.com/v1/realtime",
    ],
)
def test_other_endpoints_pass(url: str) -> None:
    assert ask(url) is None


@pytest.mark.parametrize(
    "body",
    [
        {"input": ""},
        {"input": []},
        {"input": ["Hello!"]},
        {"input": None},
        {"model": 4},
        {"stream": "yes"},
        {"stream": True, "stream_options": []},
    ],
)
def test_other_bodies_pass(body: dict[str, Any]) -> None:
    assert ask(**body) is None


def test_another_method_passes() -> None:
    assert ask(method="GET") is None


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ("Hello!", ("input",)),
        ([user("Hello!")], ("input", 0, "content")),
        (
            [user([{"type": "input_text", "text": "Hi"}, {"type": "input_image"}])],
            ("input", 0, "content", 0, "text"),
        ),
    ],
)
def test_the_question_is_the_last_text_of_the_user(given: Any, path: Any) -> None:
    assert (path, "") == (asked(input=given).question, asked(input=given).exact_only)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({"previous_response_id": "r"}, "previous-response"),
        ({"prompt": {"id": "p"}}, "prompt-template"),
        ({"tools": [{"type": "web_search"}]}, "live-tools"),
        ({"tools": ["?"]}, "live-tools"),
        ({"tools": [{"type": {}}]}, "live-tools"),
        ({"search_parameters": {"mode": "on"}}, "live-tools"),
        ({"input": " "}, "no-text"),
        ({"input": [user(" ")]}, "no-text"),
        ({"input": [user([{"type": "input_image"}])]}, "no-text"),
        ({"input": [{"type": "item_reference", "id": "i"}, user("Hi")]}, "item-reference"),
        ({"input": [user("Hi"), {"type": "function_call_output"}]}, "tool-result"),
        ({"input": [user("Hi"), {"type": "mcp_approval_response"}]}, "tool-result"),
        ({"input": [{"role": "assistant", "content": "Hi"}]}, "assistant-last"),
        ({"input": [{"role": "developer", "content": "Hi"}]}, "no-question"),
        ({"input": [{"type": "compaction"}]}, "no-question"),
    ],
)
def test_where_there_is_no_question_it_says_why(body: dict[str, Any], why: str) -> None:
    assert (None, why) == (asked(**body).question, asked(**body).exact_only)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({"background": True}, "background"),
        ({"conversation": "conv_1"}, "conversation"),
        ({"tools": [{"type": "code_interpreter", "container": "cntr_1"}]}, "container"),
        (
            {"tools": [{"type": "shell", "environment": {"type": "container_reference"}}]},
            "container",
        ),
    ],
)
def test_what_changes_with_each_call_goes_by(body: dict[str, Any], why: str) -> None:
    assert why == asked(**body).bypass


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        (answered(), ""),
        (answered({"type": "function_call", "arguments": ""}), ""),
        (answered({"type": "web_search_call"}, MESSAGE), "live-tools"),
        (answered(status="complete"), ""),
    ],
)
def test_a_whole_answer_is_kept(body: bytes, outcome: str) -> None:
    assert Answer(body, outcome) == RESPONSES.assemble(body, asked())


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (answered(status="in_progress"), "in-progress"),
        (answered(status="cancelled"), "cancelled"),
        (answered(status=None), "malformed"),
        (answered(error={"code": "x"}), "error"),
        (answered(incomplete_details={"reason": "content_filter"}), "incomplete"),
        (answered({"type": "reasoning", "summary": []}), "empty"),
        (answered({"type": "message", "content": [{"type": "output_text", "text": ""}]}), "empty"),
        (answered("Hi."), "malformed"),
        (b'{"object": "response"}', "malformed"),
    ],
)
def test_another_is_not(body: bytes, reason: str) -> None:
    assert Unkept(reason) == RESPONSES.assemble(body, asked())


@given(json_values)
def test_nonsense_is_not_kept(value: Any) -> None:
    assert isinstance(RESPONSES.assemble(json.dumps(value).encode(), asked()), Unkept)


def test_a_caller_gets_his_own_labels_back() -> None:
    answer = answered(user="one", metadata={"run": "1"}, prompt_cache_retention="24h")
    other = asked(metadata={"run": "2"})

    labelled = json.loads(b"".join(RESPONSES.replay(answer, other)))

    assert (None, {"run": "2"}, "24h") == (
        labelled["user"],
        labelled["metadata"],
        labelled["prompt_cache_retention"],
    )
    assert asked(metadata={"run": "1"}).framing != other.framing


def test_labels_are_in_the_events_of_a_stream_too() -> None:
    answer = answered(metadata={"run": "1"})
    streamed = asked(metadata={"run": "2"}, stream=True)

    events = sse.events(b"".join(RESPONSES.replay(answer, streamed)))

    told = [json.loads(event.data).get("response") for event in events]
    assert [{"run": "2"}] * 3 == [response["metadata"] for response in told if response]


def test_an_answer_without_labels_is_replayed_byte_for_byte() -> None:
    answer = b'{"status" : "completed", "output": [], "metadata": {}, "user": null}'

    assert [answer] == list(RESPONSES.replay(answer, asked()))
