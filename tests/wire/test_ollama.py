"""Ollama's own API: what a request is, and which answers are worth keeping."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khazad_mitm.exchange import Answer, Framing, ParsedRequest, Unkept
from khazad_mitm.messages import Request
from khazad_mitm.wire import ndjson
from khazad_mitm.wire.ollama import Ollama
from tests import wires
from tests.strategies import json_values

OLLAMA = Ollama()
HOST = "http://localhost:11434"
USER = {"role": "user", "content": "Hello!"}
CHAT = {"model": "llama3.2", "messages": [USER]}
PROMPT = {"model": "llama3.2", "prompt": "Hello!"}


def ask(path: str, body: dict[str, Any], method: str = "POST") -> ParsedRequest | None:
    return OLLAMA.recognise(Request.to(HOST + path, json.dumps(body).encode(), method=method))


def chat(**more: Any) -> ParsedRequest:
    parsed = ask("/api/chat", {**CHAT, **more})
    assert parsed is not None
    return parsed


def generate(**more: Any) -> ParsedRequest:
    parsed = ask("/api/generate", {**PROMPT, **more})
    assert parsed is not None
    return parsed


def said(content: Any = "Hi", reason: Any = "stop", **more: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": content, **more}
    return {"model": "m", "message": message, "done": True, "done_reason": reason}


@pytest.mark.parametrize(
    ("body", "framing"),
    [
        ({}, Framing("ndjson")),
        ({"stream": None}, Framing("ndjson")),
        ({"stream": True}, Framing("ndjson")),
        ({"stream": False}, Framing("json")),
    ],
)
def test_it_streams_unless_told_not_to(body: dict[str, Any], framing: Framing) -> None:
    assert (framing, framing) == (chat(**body).framing, generate(**body).framing)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/chat", {**CHAT, "messages": []}),
        ("/api/chat", {"messages": [USER]}),
        ("/api/chat", {**CHAT, "stream": "yes"}),
        ("/api/chat", PROMPT),
        ("/api/generate", {"model": "llama3.2"}),
        ("/api/generate", {**PROMPT, "model": 4}),
        ("/api/chat/completions", CHAT),
        ("/api/embed", {"model": "m", "input": "Hello!"}),
        ("/api/embeddings", PROMPT),
        ("/api/show", PROMPT),
        ("/api/web_search", {"query": "Hello!"}),
    ],
)
def test_another_path_or_shape_is_not_ours(path: str, body: dict[str, Any]) -> None:
    assert ask(path, body) is None


def test_another_method_is_not_ours_and_a_prefix_is() -> None:
    assert ask("/api/chat", CHAT, method="GET") is None
    parsed = ask("/ollama/api/chat?key=s", CHAT)

    assert parsed is not None
    assert ("/ollama/api/chat", "llama3.2") == (parsed.resource, parsed.model)
    assert frozenset({"keep_alive"}) == parsed.ignored


def test_the_question_is_the_last_message_or_the_prompt() -> None:
    seen = chat(messages=[USER, {"role": "user", "content": "And this?", "images": ["AA="]}])

    assert (("messages", 1, "content"), "messages") == (seen.question, seen.turns_field)
    empty = generate(context=[], images=[], raw=False, template="", suffix=None)
    assert (("prompt",), "prompt") == (empty.question, empty.turns_field)


@pytest.mark.parametrize(
    ("parsed", "why"),
    [
        (chat(messages=[USER, {"role": "tool", "tool_name": "f", "content": "4"}]), "tool-result"),
        (chat(messages=[{"role": "user", "content": "", "images": ["AA="]}]), "no-text"),
        (generate(prompt=" "), "no-text"),
        (generate(raw=True), "raw"),
        (generate(template="{{ .Prompt }}"), "template"),
        (generate(suffix="return"), "suffix"),
        (generate(context=[1, 2]), "context"),
    ],
)
def test_where_meaning_is_not_enough_only_exact_repeats_count(
    parsed: ParsedRequest, why: str
) -> None:
    assert (None, why) == (parsed.question, parsed.exact_only)


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (said(reason="stop"), ""),
        (said(reason="tool_calls", content="", tool_calls=[{"function": {}}, {"a": 1}]), ""),
        (said(reason="length"), "length"),
        (said(reason=None), "no-done-reason"),
        (said(content="", images=["AA="]), ""),
        (said(reason="load"), Unkept("load")),
        (said(reason="unload"), Unkept("unload")),
        (said(reason="Connection_Closed"), Unkept("connection-closed")),
        (said(reason=5), Unkept("malformed")),
        (said(content=" "), Unkept("empty")),
        (said(content="", thinking="Hm."), Unkept("empty")),
        (said(content=["Hi"]), Unkept("malformed")),
        (said(tool_calls={}), Unkept("malformed")),
        ({**said(), "done": False}, Unkept("cut")),
        ({**said(), "error": "boom"}, Unkept("error")),
        ({**said(), "logprobs": 5}, Unkept("malformed")),
        ({"response": "Hi", "done": True}, Unkept("malformed")),
        ([said()], Unkept("malformed")),
    ],
)
def test_only_a_whole_answer_is_kept(answer: Any, outcome: Any) -> None:
    body = json.dumps(answer).encode()
    expected = Answer(body, outcome) if isinstance(outcome, str) else outcome

    assert expected == OLLAMA.assemble(body, chat(stream=False))
    if isinstance(outcome, Unkept) and isinstance(answer, dict) and answer.get("done"):
        assert outcome == OLLAMA.assemble(body + b"\n", chat())


def test_the_answer_to_a_chat_answers_no_prompt() -> None:
    body = json.dumps(said()).encode()

    assert Unkept("malformed") == OLLAMA.assemble(body, generate(stream=False))


def test_tokens_are_those_of_the_prompt_and_of_the_answer() -> None:
    parsed = generate(stream=False)
    counted = {"response": "Hi", "done": True, "done_reason": "stop", "eval_count": 4}

    body = json.dumps(counted).encode()

    assert Answer(body, tokens=4, output_tokens=4) == OLLAMA.assemble(body, parsed)
    wire = wires.one("ollama/generate-json")
    answer = OLLAMA.assemble(wire.body, parsed)
    assert isinstance(answer, Answer)
    assert 26 + 282 == answer.tokens


def test_a_plain_answer_is_replayed_as_it_was_sent() -> None:
    wire = wires.one("ollama/chat-json")

    assert [wire.body] == list(OLLAMA.replay(wire.body, chat(stream=False)))


CHUNKS = st.dictionaries(
    st.sampled_from(
        ["message", "response", "thinking", "done", "done_reason", "error", "logprobs"]
    ),
    json_values | st.just(True) | st.fixed_dictionaries({"content": json_values}),
)


@given(st.lists(CHUNKS, max_size=4), st.booleans())
def test_whatever_comes_is_an_answer_or_a_reason(chunks: list[Any], plain: bool) -> None:
    body = b"".join(map(ndjson.write, [*chunks, said()]))
    for parsed in (chat(stream=not plain), generate(stream=not plain)):
        answer = OLLAMA.assemble(body, parsed)
        if isinstance(answer, Answer):
            streamed = replace(parsed, framing=Framing("ndjson"))
            again = OLLAMA.assemble(b"".join(OLLAMA.replay(answer.body, streamed)), streamed)
            assert isinstance(again, Answer)
            assert answer.exact_only == again.exact_only
            assert json.loads(answer.body) == json.loads(again.body)
