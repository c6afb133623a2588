"""Cohere's own chat: what a request is, and which answers are worth keeping."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khazad_mitm.exchange import Answer, Framing, ParsedRequest, Unkept
from khazad_mitm.messages import Headers, Request
from khazad_mitm.wire import ndjson, sse
from khazad_mitm.wire.cohere_chat import CohereChat
from tests import wires
from tests.strategies import json_values

COHERE = CohereChat()
HOST = "https://api.cohere.com"
V1 = {"message": "Hello!"}
V2 = {"model": "command-a-03-2025", "messages": [{"role": "user", "content": "Hello!"}]}


def ask(
    path: str, body: dict[str, Any], headers: Headers | None = None, method: str = "POST"
) -> ParsedRequest | None:
    return COHERE.recognise(Request.to(HOST + path, json.dumps(body).encode(), headers, method))


def v1(headers: Headers | None = None, **more: Any) -> ParsedRequest:
    parsed = ask("/v1/chat", {**V1, **more}, headers)
    assert parsed is not None
    return parsed


def v2(**more: Any) -> ParsedRequest:
    parsed = ask("/v2/chat", {**V2, **more})
    assert parsed is not None
    return parsed


def answer(version: str, text: str = "Hi", word: Any = "COMPLETE") -> dict[str, Any]:
    if version == "v1":
        return {"text": text, "finish_reason": word}
    message = {"role": "assistant", "content": [{"type": "text", "text": text}]}
    return {"id": "a", "message": message, "finish_reason": word}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/chat", V2),  # Writer's
        ("/v1/chat", {"message": ["Hello!"]}),
        ("/v1/chat", {**V1, "model": 5}),
        ("/v1/chat", {**V1, "stream": "yes"}),
        ("/v2/chat", V1),
        ("/v2/chat", {"messages": V2["messages"]}),
        ("/v2/chat", {**V2, "messages": []}),
        ("/v1/chat/completions", V2),
        ("/v1/generate", {"prompt": "Hello!"}),
        ("/v2/embed", V2),
        ("/v2/rerank", V2),
    ],
)
def test_another_path_or_shape_is_not_ours(path: str, body: dict[str, Any]) -> None:
    assert ask(path, body) is None


def test_another_method_is_not_ours_and_a_prefix_is() -> None:
    assert ask("/v2/chat", V2, method="GET") is None
    parsed = ask("/cohere/v2/chat?token=s&a=1", V2)

    assert parsed is not None
    assert ("/cohere/v2/chat?a=1", "command-a-03-2025") == (parsed.resource, parsed.model)
    assert frozenset({"priority"}) == parsed.ignored
    assert "" == v1().model


@pytest.mark.parametrize(
    ("parsed", "framing", "content_type"),
    [
        (v1(), Framing("json"), "application/json"),
        (v2(stream=False), Framing("json"), "application/json"),
        (v2(stream=True), Framing("sse"), "text/event-stream"),
        (v1(stream=True), Framing("ndjson"), "application/stream+json"),
        (
            v1(Headers([("Accepts", "text/event-stream")]), stream=True),
            Framing("sse"),
            "text/event-stream",
        ),
        (
            v1(Headers([("accept", "application/json, Text/Event-Stream")]), stream=True),
            Framing("sse"),
            "text/event-stream",
        ),
    ],
)
def test_the_framing_is_what_the_request_asks_for(
    parsed: ParsedRequest, framing: Framing, content_type: str
) -> None:
    assert (framing, content_type) == (parsed.framing, COHERE.content_type(parsed))


def test_the_question_is_the_message_or_the_last_turn() -> None:
    assert (("message",), "message") == (v1().question, v1().turns_field)
    assert (("messages", 0, "content"), "messages") == (v2().question, v2().turns_field)


@pytest.mark.parametrize(
    ("parsed", "why"),
    [
        (v1(connectors=[{"id": "web-search"}]), "live-tools"),
        (v1(message="", tool_results=[{"outputs": []}]), "tool-result"),
        (v1(raw_prompting=True), "raw"),
        (v1(message=" "), "no-text"),
        (v2(messages=[*V2["messages"], {"role": "tool", "content": "4"}]), "tool-result"),
    ],
)
def test_where_meaning_is_not_enough_only_exact_repeats_count(
    parsed: ParsedRequest, why: str
) -> None:
    assert (None, why) == (parsed.question, parsed.exact_only)


def test_a_conversation_that_cohere_keeps_goes_by() -> None:
    assert ("conversation", "") == (v1(conversation_id="c").bypass, v1(conversation_id="").bypass)


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        ({}, ""),
        ({"finish_reason": "STOP_SEQUENCE"}, ""),
        ({"finish_reason": "TOOL_CALL"}, ""),
        ({"finish_reason": "MAX_TOKENS"}, "length"),
        ({"finish_reason": "ERROR_TOXIC"}, Unkept("error-toxic")),
        ({"finish_reason": "USER_CANCEL"}, Unkept("user-cancel")),
        ({"finish_reason": "TIMEOUT"}, Unkept("timeout")),
        ({"finish_reason": ["COMPLETE"]}, Unkept("malformed")),
        ({"finish_reason": None}, Unkept("cut")),
        ({"error": "boom"}, Unkept("error")),
    ],
)
def test_only_a_whole_answer_is_kept(version: str, change: Any, outcome: Any) -> None:
    body = json.dumps({**answer(version), **change}).encode()
    parsed = v1() if version == "v1" else v2()

    expected = Answer(body, outcome) if isinstance(outcome, str) else outcome
    assert expected == COHERE.assemble(body, parsed)


@pytest.mark.parametrize(("version", "parsed"), [("v1", v1()), ("v2", v2())])
def test_an_empty_answer_is_not_kept(version: str, parsed: ParsedRequest) -> None:
    assert Unkept("empty") == COHERE.assemble(json.dumps(answer(version, "")).encode(), parsed)


def test_which_framing_came_is_read_from_the_first_byte() -> None:
    lines, events = (wires.one(f"cohere_chat/v1-text-{media}") for media in ("ndjson", "sse"))
    asked_for_lines = v1(stream=True)

    assert COHERE.assemble(lines.body, asked_for_lines) == COHERE.assemble(
        events.body, asked_for_lines
    )


def test_both_framings_of_v1_say_the_same() -> None:
    body = json.dumps(answer("v1")).encode()
    lines = b"".join(COHERE.replay(body, v1(stream=True)))
    events = b"".join(
        COHERE.replay(body, v1(Headers([("accepts", "text/event-stream")]), stream=True))
    )

    assert list(ndjson.values(lines)) == [json.loads(event.data) for event in sse.events(events)]
    assert ["stream-start", "text-generation", "stream-end"] == [
        event.name for event in sse.events(events)
    ]


def test_a_stream_of_v2_names_its_events_and_ends_with_done() -> None:
    events = list(
        sse.events(b"".join(COHERE.replay(json.dumps(answer("v2")).encode(), v2(stream=True))))
    )

    assert all(event.name == json.loads(event.data)["type"] for event in events[:-1])
    assert sse.Event("[DONE]") == events[-1]


def test_tokens_are_those_of_the_prompt_and_of_the_answer() -> None:
    counted = {**answer("v2"), "usage": {"tokens": {"input_tokens": 3.0, "output_tokens": 4}}}
    body = json.dumps(counted).encode()

    assert Answer(body, tokens=7, output_tokens=4) == COHERE.assemble(body, v2())


def test_a_plain_answer_is_replayed_as_it_was_sent() -> None:
    wire = wires.one("cohere_chat/v2-text-json")

    assert [wire.body] == list(COHERE.replay(wire.body, v2()))


KINDS = ["message", "content", "tool-call", "citation"]
V2_EVENTS = st.fixed_dictionaries(
    {
        "type": st.tuples(st.sampled_from(KINDS), st.sampled_from(["start", "delta", "end"])).map(
            "-".join
        ),
        "index": st.integers(0, 1),
    },
    optional={
        "delta": json_values
        | st.fixed_dictionaries(
            {
                "message": st.dictionaries(
                    st.sampled_from(["role", "content", "tool_calls", "citations"]), json_values
                ),
                "finish_reason": st.just("COMPLETE"),
            }
        ),
        "logprobs": json_values,
    },
)
V1_EVENTS = st.fixed_dictionaries(
    {"event_type": st.sampled_from(["stream-start", "text-generation", "stream-end"])},
    optional={"response": json_values | st.just(answer("v1")), "finish_reason": json_values},
)


@given(st.lists(V2_EVENTS | V1_EVENTS, max_size=6))
def test_whatever_comes_is_an_answer_or_a_reason(events: list[Any]) -> None:
    body = b"".join(map(ndjson.write, events))
    for parsed in (v1(stream=True), v2(stream=True)):
        kept = COHERE.assemble(body, parsed)
        if isinstance(kept, Answer):
            assert kept == COHERE.assemble(b"".join(COHERE.replay(kept.body, parsed)), parsed)


@given(st.dictionaries(st.sampled_from([*answer("v1"), *answer("v2"), "logprobs"]), json_values))
def test_whatever_stands_in_a_plain_answer_nothing_raises(fields: dict[str, Any]) -> None:
    for version, parsed, streamed in (("v1", v1(), v1(stream=True)), ("v2", v2(), v2(stream=True))):
        body = json.dumps({**answer(version), **fields}).encode()
        kept = COHERE.assemble(body, parsed)
        if isinstance(kept, Answer):
            again = COHERE.assemble(b"".join(COHERE.replay(body, streamed)), streamed)
            assert isinstance(again, Answer)
            assert again == COHERE.assemble(b"".join(COHERE.replay(again.body, streamed)), streamed)
