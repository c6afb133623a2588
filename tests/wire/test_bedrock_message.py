"""What Converse's words mean: which questions may be compared, which answers kept."""

from __future__ import annotations

from typing import Any

import pytest

from khazad_mitm.wire.bedrock_message import is_conversation, judge, question, tokens
from khazad_mitm.wire.unfit import Unfit

USER = {"role": "user", "content": [{"text": "Hello!"}]}
IMAGE = {"image": {"format": "png", "source": {"bytes": "AAAA"}}}


def answer(*blocks: Any, stop: Any = "end_turn") -> dict[str, Any]:
    return {"output": {"message": {"role": "assistant", "content": [*blocks]}}, "stopReason": stop}


@pytest.mark.parametrize(
    "messages",
    [
        None,
        [],
        "Hello!",
        ["Hello!"],
        [{"role": "user"}],
        [{"role": "user", "content": "Hello!"}],
        [{"role": "user", "content": ["Hello!"]}],
        [{"content": [{"text": "Hello!"}]}],
    ],
)
def test_what_has_no_turns_of_blocks_is_no_conversation(messages: Any) -> None:
    assert not is_conversation({"messages": messages})
    assert is_conversation({"messages": [USER]})


@pytest.mark.parametrize(
    ("content", "where"),
    [
        ([{"text": "Hello!"}], 0),
        ([IMAGE, {"text": "What is it?"}, {"cachePoint": {"type": "default"}}], 1),
        ([{"text": "Look:"}, IMAGE, {"text": " "}], 0),
    ],
)
def test_the_question_is_the_last_text_of_the_user(content: Any, where: int) -> None:
    body = {"messages": [USER, {"role": "user", "content": content}]}

    assert (("messages", 1, "content", where, "text"), "") == question(body)


@pytest.mark.parametrize(
    ("last", "more", "why"),
    [
        ({"role": "assistant", "content": [{"text": "I"}]}, {}, "assistant-last"),
        ({"role": "system", "content": [{"text": "Be kind."}]}, {}, "no-question"),
        ({"role": "user", "content": [IMAGE]}, {}, "no-text"),
        (
            {"role": "user", "content": [{"toolResult": {"toolUseId": "t"}}, {"text": "So?"}]},
            {},
            "tool-result",
        ),
        (
            USER,
            {"toolConfig": {"tools": [{"systemTool": {"name": "nova_grounding"}}]}},
            "live-tools",
        ),
    ],
)
def test_where_meaning_is_not_enough_only_exact_repeats_count(
    last: Any, more: dict[str, Any], why: str
) -> None:
    assert (None, why) == question({"messages": [USER, last], **more})


def test_tools_of_the_caller_may_be_offered() -> None:
    assert "" == question({"messages": [USER], "toolConfig": {"tools": [{"toolSpec": {}}]}})[1]


@pytest.mark.parametrize(
    ("told", "why"),
    [
        (answer({"text": "a"}), ""),
        (answer({"text": "a"}, stop="stop_sequence"), ""),
        (answer({"toolUse": {"name": "f", "input": {}}}, stop="tool_use"), ""),
        (answer({"text": "a"}, stop="max_tokens"), "length"),
        (answer({"text": "a"}, {"toolResult": {"content": []}}), "live-tools"),
        (answer({"text": "a"}, {"toolUse": {"type": "server_tool_use"}}), "live-tools"),
        (
            answer(
                {
                    "citationsContent": {
                        "content": [{"text": "a"}],
                        "citations": [7, {"location": {"web": {"url": "u"}}}],
                    }
                }
            ),
            "live-tools",
        ),
    ],
)
def test_an_answer_that_ended_well_is_kept(told: Any, why: str) -> None:
    assert why == judge(told)


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        (answer({"text": "a"}, stop="guardrail_intervened"), "guardrail-intervened"),
        (answer({"text": "a"}, stop="content_filtered"), "content-filtered"),
        (answer({"text": "a"}, stop="malformed_tool_use"), "malformed-tool-use"),
        (answer({"text": "a"}, stop="word_of_tomorrow"), "word-of-tomorrow"),
        (answer({"text": "a"}, stop=None), "malformed"),
        (answer(), "empty"),
        (answer({"text": " \n"}), "empty"),
        (answer({"reasoningContent": {"reasoningText": {"text": "Hm."}}}), "empty"),
        (answer("a"), "malformed"),
        (answer({"text": "a"}, {"image": {"format": "png", "error": {}}}), "error"),
        ({"message": "Too many requests."}, "error"),
        ({"__type": "ThrottlingException"}, "error"),
        ({"output": []}, "malformed"),
        (None, "malformed"),
    ],
)
def test_a_doubtful_answer_is_not_kept(told: Any, reason: str) -> None:
    with pytest.raises(Unfit, match=f"^{reason}$"):
        judge(told)


@pytest.mark.parametrize(
    ("usage", "count"),
    [
        ({"inputTokens": 1, "outputTokens": 2, "totalTokens": 9}, 9),
        ({"inputTokens": 1, "outputTokens": 2}, 3),
        ({"inputTokens": 1}, 0),
        ("many", 0),
        (None, 0),
    ],
)
def test_tokens_are_those_of_prompt_and_completion(usage: Any, count: int) -> None:
    assert count == tokens({"usage": usage})
