"""What the chunks of a chat completion say together, and how an answer is put into chunks."""

from __future__ import annotations

import json
from typing import Any

import pytest

from khazad_mitm.exchange import Answer
from tests.wire.chat import CHAT, answer_of, asked, chunks_of, delta, message_of, stream


def calls_of(body: bytes) -> Any:
    answer = CHAT.assemble(body, asked(stream=True))
    assert isinstance(answer, Answer)
    return json.loads(answer.body)["choices"][0]["message"]["tool_calls"]


def test_text_is_put_together() -> None:
    assert {"role": "assistant", "content": "Hello!"} == message_of("text-stream")


def test_line_separators_and_field_names_are_text() -> None:
    text = "one\u2028two\u2029three\x85four\x0bfive\ndata: [DONE]\n\n🦊 : six\r"

    assert text == message_of("line-separators-stream")["content"]


def test_tool_calls_are_put_together_without_their_indices() -> None:
    calls = message_of("parallel-tool-calls-stream")["tool_calls"]

    assert ["call_a", "call_b"] == [call["id"] for call in calls]
    assert ["Paris", "Bogotá"] == [
        json.loads(call["function"]["arguments"])["location"] for call in calls
    ]
    assert not any("index" in call for call in calls)


@pytest.mark.parametrize("name", ["tool-calls-same-index-stream", "tool-call-unindexed-stream"])
def test_calls_that_a_server_numbers_badly_stay_apart(name: str) -> None:
    calls = message_of(name)["tool_calls"]

    assert 2 == len(calls)
    assert all(json.loads(call["function"]["arguments"])["location"] for call in calls)


def test_whole_calls_without_ids_and_indices_stay_apart() -> None:
    def call(name: str) -> dict[str, Any]:
        return delta({"tool_calls": [{"function": {"name": name, "arguments": "{}"}}]})

    body = stream(call("f"), call("g"), delta({}, "tool_calls"))

    assert ["f", "g"] == [call["function"]["name"] for call in calls_of(body)]


def test_a_new_id_in_every_fragment_is_still_one_call() -> None:
    body = stream(
        delta(
            {"tool_calls": [{"index": 0, "id": "a", "function": {"name": "f", "arguments": "{"}}]}
        ),
        delta({"tool_calls": [{"index": 0, "id": "b", "function": {"arguments": "}"}}]}),
        delta({}, "tool_calls"),
    )

    assert [{"id": "a", "function": {"name": "f", "arguments": "{}"}}] == calls_of(body)


def test_interleaved_choices_are_told_apart() -> None:
    choices = answer_of("two-choices-stream")["choices"]

    assert ["Heads", "Tails"] == [choice["message"]["content"] for choice in choices]


def test_logprobs_are_lined_up() -> None:
    logprobs = answer_of("logprobs-stream")["choices"][0]["logprobs"]

    assert ["Hello", "!"] == [token["token"] for token in logprobs["content"]]


def test_refusal_reasoning_and_function_call_are_kept() -> None:
    assert (
        "I'm sorry, I cannot assist with that request." == message_of("refusal-stream")["refusal"]
    )
    assert "Compare the tenths." == message_of("reasoning-content-stream")["reasoning_content"]
    assert (
        '{"location": "Boston"}'
        == (message_of("function-call-stream")["function_call"]["arguments"])
    )


def test_reasoning_details_grow_by_index() -> None:
    details = message_of("comments-crlf-stream")["reasoning_details"]

    assert [("Say hello.", "EqQBCkgIBRABGAI=")] == [(d["text"], d["signature"]) for d in details]


def test_thinking_parts_are_one_part() -> None:
    thinking, text = message_of("thinking-parts-stream")["content"]

    assert [{"type": "text", "text": "Be polite."}] == thinking["thinking"]
    assert {"type": "text", "text": "Hello!"} == text


def test_usage_is_found_where_a_provider_puts_it() -> None:
    assert 29 == answer_of("usage-stream")["usage"]["total_tokens"]
    assert 34 == answer_of("reasoning-content-stream")["usage"]["total_tokens"]
    assert 21 == answer_of("groq-usage-stream")["usage"]["total_tokens"]
    assert {"id": "req_1"} == answer_of("groq-usage-stream")["x_groq"]


def test_fields_of_azures_filter_are_kept_and_padding_is_not() -> None:
    answer = answer_of("azure-filter-stream")

    assert 0 == answer["prompt_filter_results"][0]["prompt_index"]
    assert 50 == answer["choices"][0]["content_filter_offsets"]["end_offset"]
    assert ("chatcmpl-123", 1694268190) == (answer["id"], answer["created"])
    assert "obfuscation" not in answer_of("usage-stream")


def test_a_stream_opens_with_the_role_and_ends_with_the_usage_if_asked() -> None:
    opening, text, end, usage = chunks_of(
        answer_of("text-json"),
        asked(stream=True, stream_options={"include_usage": True}),
    )

    assert {"role": "assistant", "content": ""}.items() <= opening["choices"][0]["delta"].items()
    assert {"content": "Hello! How can I assist you today?"} == text["choices"][0]["delta"]
    assert ({}, "stop") == (end["choices"][0]["delta"], end["choices"][0]["finish_reason"])
    assert ([], 29) == (usage["choices"], usage["usage"]["total_tokens"])
    assert [None, None, None] == [chunk["usage"] for chunk in (opening, text, end)]


def test_usage_nobody_asked_for_is_not_sent() -> None:
    chunks = chunks_of(answer_of("text-json"), asked(stream=True))

    assert all(chunk["choices"] and "usage" not in chunk for chunk in chunks)


def test_mistral_sends_usage_unasked_and_calls_in_one_piece() -> None:
    parsed = asked("https://api.mistral.ai/v1/chat/completions", stream=True)
    _, call, end = chunks_of(answer_of("tool-call-json"), parsed)

    assert "Boston" in call["choices"][0]["delta"]["tool_calls"][0]["function"]["arguments"]
    assert 29 == end["usage"]["total_tokens"]


def test_a_tool_call_opens_with_empty_arguments() -> None:
    _, opening, arguments, _ = chunks_of(answer_of("tool-call-json"), asked(stream=True))

    (call,) = opening["choices"][0]["delta"]["tool_calls"]
    assert (0, "call_abc123", "") == (call["index"], call["id"], call["function"]["arguments"])
    (rest,) = arguments["choices"][0]["delta"]["tool_calls"]
    assert {"index": 0, "function": {"arguments": rest["function"]["arguments"]}} == rest


def test_an_empty_usage_is_none_wherever_it_stands() -> None:
    last = delta({}, "stop")
    for empty in ({**last, "usage": {}}, {**last, "x_groq": {"id": "r", "usage": {}}}):
        answer = CHAT.assemble(stream(delta({"content": "x"}), empty), asked(stream=True))
        assert isinstance(answer, Answer)
        assert "usage" not in json.loads(answer.body)
