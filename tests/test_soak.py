from __future__ import annotations

import sys

import pytest

from tests.soak import questions
from tests.soak.ledger import Ledger, Request, text_of
from tests.soak.run import play

KEY = "Bearer one"
HELLO = questions.of("hello")


@pytest.mark.skipif(sys.platform != "linux", reason="limits of other processes")
def test_fifteen_seconds_of_everything_at_once_leave_nothing_wrong_lost_or_hung() -> None:
    report = play(seconds=15, seed=1)

    assert report.is_good, "\n".join(report.lines())
    # That there are hits by meaning is found out before the play, by each that has them.
    assert all(report.ledger.counts[what] for what in ("hits", "misses", "streams"))


def served(asked: Request, given: Request) -> Ledger:
    """Asked one thing, and served what the upstream gave for another."""
    ledger = Ledger()
    text = ledger.give(given)
    body = b'{"choices": [{"message": {"content": "%s"}}]}' % text.encode()
    ledger.told(asked, 200, body, "khazad; hit", is_stream=False)
    return ledger


@pytest.mark.parametrize(
    "given",
    [
        ("Bearer two", HELLO),
        (KEY, questions.of("hello!")),
        (KEY, questions.of("What is the capital of Niger?")),
    ],
)
def test_an_answer_that_the_upstream_gave_to_somebody_or_something_else_is_seen(
    given: Request,
) -> None:
    assert 1 == len(served((KEY, HELLO), given).wrong)


def test_an_answer_to_the_same_question_in_other_words_is_right_and_to_another_thing_wrong() -> (
    None
):
    niger, reworded, nigeria = (
        (KEY, questions.of(text))
        for text in (
            "What is the capital of Niger?",
            "Can you tell me what the capital of Niger is?",
            "What is the capital of Nigeria?",
        )
    )

    assert [] == served(niger, reworded).wrong
    assert 1 == len(served(niger, nigeria).wrong)


@pytest.mark.parametrize(("text", "is_lost"), [("hello", True), ("cut 1", False)])
def test_a_call_that_fails_is_lost_where_the_upstream_did_not_fail_it(
    text: str, is_lost: bool
) -> None:
    ledger = Ledger()
    ledger.cut((KEY, questions.of(text)), "reset")
    ledger.told((KEY, questions.of(text)), 502, b"", "", is_stream=True)

    assert 2 * is_lost == len(ledger.lost)


def test_texts_of_a_family_are_one_meaning_for_each_thing_and_no_two_are_the_same() -> None:
    for number, (wordings, things) in enumerate(questions.FAMILIES):
        meanings = {
            thing: {questions.of(w.format(thing)).meaning for w in wordings} for thing in things
        }
        assert {thing: {f"{number} {thing}"} for thing in things} == meanings


@pytest.mark.parametrize("body", [b"", b"data: {}\n\n", b"data: [DONE]\n\ndata:"])
def test_half_a_stream_is_no_answer(body: bytes) -> None:
    assert text_of(body, is_stream=True).startswith(("no whole", "unreadable"))
