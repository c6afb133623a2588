"""What a request and an answer in Anthropic's words mean."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from khazad_mitm.wire.anthropic_message import bypass, is_conversation, judge, question, tokens
from khazad_mitm.wire.unfit import Unfit
from tests.strategies import json_values

TEXT = {"type": "text", "text": "Hi."}


def asked(content: Any, role: str = "user", **more: Any) -> dict[str, Any]:
    return {"messages": [{"role": role, "content": content}], **more}


def said(*blocks: Any, reason: Any = "end_turn") -> dict[str, Any]:
    return {"type": "message", "content": list(blocks), "stop_reason": reason}


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (asked("Hi."), ("messages", 0, "content")),
        (asked([TEXT]), ("messages", 0, "content", 0, "text")),
        (asked([TEXT, TEXT, {"type": "image"}]), ("messages", 0, "content", 1, "text")),
    ],
)
def test_the_question_is_the_last_text_of_the_user(body: Any, path: Any) -> None:
    assert (path, "") == question(body)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (asked("Hi.", role="assistant"), "assistant-last"),
        (asked(" "), "no-text"),
        (asked([{"type": "image"}]), "no-text"),
        (asked("Hi.", role="system"), "no-question"),
        (asked([{"type": "tool_result"}, TEXT]), "tool-result"),
        (asked([{"type": "mcp_tool_result"}, TEXT]), "tool-result"),
        (asked("Hi.", tools=[{"type": "web_search_20250305"}]), "live-tools"),
        (asked("Hi.", mcp_servers=[{"url": "https://example.com"}]), "live-tools"),
    ],
)
def test_where_there_is_no_question_it_says_why(body: Any, why: str) -> None:
    assert (None, why) == question(body)


def test_a_tool_that_the_caller_runs_leaves_the_question() -> None:
    tools = [{"name": "f"}, {"type": "custom", "name": "g"}, {"type": "bash_20250124"}]

    assert question(asked("Hi.", tools=tools))[0] is not None


@pytest.mark.parametrize("container", ["c_1", {"id": "c_1"}, {"id": "c_1", "skills": []}])
def test_a_sandbox_that_exists_goes_by(container: Any) -> None:
    assert "container" == bypass(asked("Hi.", container=container))


@pytest.mark.parametrize("container", [None, {"id": None}, {"skills": [{"skill_id": "pdf"}]}])
def test_a_sandbox_yet_to_be_made_does_not(container: Any) -> None:
    assert "" == bypass(asked("Hi.", container=container))


@pytest.mark.parametrize(
    ("message", "why"),
    [
        (said(TEXT), ""),
        (said({"type": "tool_use", "input": {}}, reason="tool_use"), ""),
        (said(TEXT, reason="max_tokens"), "length"),
        (said({"type": "web_search_tool_result", "content": []}, TEXT), "live-tools"),
    ],
)
def test_a_whole_answer_is_kept(message: Any, why: str) -> None:
    assert why == judge(message)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (said(TEXT, reason="refusal"), "refusal"),
        (said(TEXT, reason="word_of_tomorrow"), "word-of-tomorrow"),
        (said(TEXT, reason=None), "cut"),
        (said(TEXT, reason=1), "malformed"),
        (said(), "empty"),
        (said({"type": "text", "text": " "}), "empty"),
        (said({"type": "thinking", "thinking": "Hm."}), "empty"),
        (said("Hi."), "malformed"),
        ({"type": "error", "error": {}}, "error"),
        ({**said(TEXT), "usage": 0}, "malformed"),
        ([], "malformed"),
    ],
)
def test_another_is_not(message: Any, reason: str) -> None:
    with pytest.raises(Unfit, match=f"^{reason}$"):
        judge(message)


@given(json_values)
def test_nonsense_is_neither_a_conversation_nor_an_answer(value: Any) -> None:
    assert not is_conversation({"messages": value}) or isinstance(value, list)
    with pytest.raises(Unfit):
        judge(value)


def test_tokens_are_those_of_the_prompt_cached_or_not_and_of_the_answer() -> None:
    usage = {"input_tokens": 1, "cache_read_input_tokens": 2, "output_tokens": 4, "x": 8}

    assert 7 == tokens({"usage": {**usage, "cache_creation_input_tokens": None}})
    assert 0 == tokens({"usage": None})
