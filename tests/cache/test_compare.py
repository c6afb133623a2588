from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from khazad_mitm.cache.commands import Embed, JudgeAnswers
from khazad_mitm.cache.compare import MOST_PIECES, PIECE_CHARACTERS, _pieces, agree, said
from khazad_mitm.exchange import Pair
from tests.cache.script import kinds, play

QUESTIONS = ("how do I pay?", "how can I pay?", 0.93)
ONE = np.array([1.0, 0.0], dtype=np.float32)
LIKE = np.array([0.9, 0.4359], dtype=np.float32)
UNLIKE = np.array([0.8, 0.6], dtype=np.float32)


def chat(content: str | None, number: int = 1, **message: Any) -> bytes:
    said = {"role": "assistant", "content": content, **message}
    choice = {"index": 0, "message": said, "finish_reason": "stop", "logprobs": None}
    return json.dumps(
        {
            "id": f"chatcmpl-{number}",
            "object": "chat.completion",
            "created": 1_700_000_000 + number,
            "model": "m",
            "choices": [choice],
            "usage": {"total_tokens": number},
        }
    ).encode()


def call(arguments: str, number: int = 1) -> bytes:
    function = {"name": "cancel", "arguments": arguments}
    calls = [{"id": f"call_{number}", "type": "function", "function": function}]
    return chat(None, number, tool_calls=calls)


def compared(stored: bytes, fresh: bytes, *results: Any, has_judge: bool = False) -> Any:
    return play(agree(QUESTIONS, stored, fresh, has_judge), *results)


def test_the_same_words_agree_whatever_the_call_is_called():
    assert ([], True) == compared(chat("By card.", 1), chat("by  card.", 2))


def test_other_words_of_the_same_meaning_agree():
    commands, verdict = compared(chat("You pay by card."), chat("By card you pay."), ONE, LIKE)

    assert ["Embed", "Embed"] == kinds(commands)
    assert verdict is True


def test_words_of_another_meaning_do_not():
    _, verdict = compared(chat("You pay by card."), chat("We close soon."), ONE, UNLIKE)

    assert verdict is False


def test_a_word_more_is_no_difference_by_itself():
    here, there = chat("Send it back within a month."), chat("Simply send it back within a month.")

    assert compared(here, there, ONE, LIKE)[1] is True


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("You need a visa.", "You do not need a visa."),
        ("It ships in blue.", "It ships in red."),
        ("Run `make lint`.", "Run `make test`."),
        ("It is in Paris.", "It is in Rome."),
    ],
)
def test_a_word_that_turns_an_answer_around_is_one(one: str, other: str):
    assert ([], False) == compared(chat(one), chat(other))


def test_a_guard_tells_two_answers_apart_without_a_vector():
    assert ([], False) == compared(chat("It costs 12 euros."), chat("It costs 13 euros."))


def test_calls_with_the_same_arguments_agree():
    assert ([], True) == compared(call('{"a": 1, "b": 2}'), call('{"b":2,"a":1}', 2))


def test_calls_with_other_arguments_do_not():
    assert ([], False) == compared(call('{"order_id": 1}'), call('{"order_id": 2}', 2))


def test_what_a_tool_is_called_with_counts_whatever_its_name():
    def used(inner: dict[str, str]) -> bytes:
        block = {"type": "tool_use", "id": "t", "name": "find", "input": inner}
        return json.dumps({"content": [block], "stop_reason": "tool_use"}).encode()

    assert ([], False) == compared(used({"user_id": "1", "text": "a"}), used({"user_id": "2"}))
    assert ([], False) == compared(used({"text": "a"}), used({"text": "b"}))


def test_a_call_and_a_text_do_not_agree():
    assert ([], False) == compared(call("{}"), chat("done"))


def test_json_in_a_text_is_compared_to_the_letter():
    assert ([], True) == compared(chat('{"a": [1, 2]}'), chat('{ "a": [1,2] }'))
    assert ([], False) == compared(chat('{"a": [1, 2]}'), chat('{"a": [2, 1]}'))
    assert ([], False) == compared(chat('{"a": [1, 2]}'), chat("a is 1 and 2"))


def test_another_finish_does_not_agree():
    cut = json.loads(chat("By card."))
    cut["choices"][0]["finish_reason"] = "length"

    assert ([], False) == compared(chat("By card."), json.dumps(cut).encode())


def test_what_the_model_thought_is_not_what_it_said():
    def claude(thought: str) -> bytes:
        blocks = [
            {"type": "thinking", "thinking": thought, "signature": thought},
            {"type": "text", "text": "By card."},
        ]
        return json.dumps({"id": thought, "content": blocks, "stop_reason": "end_turn"}).encode()

    assert ([], True) == compared(claude("hm"), claude("well"))


def test_a_judge_decides_alone():
    commands, verdict = compared(
        chat("It costs 12 euros."), chat("It costs 13 euros."), True, has_judge=True
    )

    pair = Pair(*QUESTIONS, "It costs 12 euros.", "It costs 13 euros.")
    assert [JudgeAnswers(pair)] == commands
    assert verdict is True


def test_a_judge_is_not_asked_about_equal_answers_nor_about_calls():
    assert ([], True) == compared(chat("By card."), chat("By card.", 2), has_judge=True)
    assert ([], False) == compared(call('{"a": 1}'), call('{"a": 2}'), has_judge=True)


def test_what_is_no_json_agrees_with_itself_only():
    assert ([], True) == compared(b"x", b"x")
    assert ([], False) == compared(b"x", b"y")
    assert said(b"[" * 100_000) is None


def test_a_text_longer_than_any_window_is_compared_in_pieces():
    sentence = "The card is sent by post and takes a week. "
    commands, verdict = compared(
        chat(sentence * 20), chat(sentence * 20 + "Good luck."), *[ONE] * 4
    )

    assert all(isinstance(c, Embed) and len(c.text) <= PIECE_CHARACTERS for c in commands)
    assert verdict is True


def test_of_a_text_beyond_measure_nothing_is_claimed():
    assert ([], False) == compared(chat("x" * PIECE_CHARACTERS * (MOST_PIECES + 1)), chat("y"))


@pytest.mark.parametrize("text", ["", "word", "a" * 2_000, "One two. " * 300, "x\n" * 900])
def test_pieces_hold_all_of_a_text(text):
    kept = "".join("".join(_pieces(text)).split())

    assert "".join(text.split()) == kept
