from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khazad_mitm.cache.verify import GUARDS, Verdict, verdicts, veto


@pytest.mark.parametrize(
    ("stored", "asked", "guard"),
    [
        ("Where is order 4711?", "Where is order 4712?", "figures"),
        ("What happened in 2014?", "What happened in 2018?", "figures"),
        ("Is the X200 in stock?", "Is the X300 in stock?", "figures"),
        ("Convert 5 kg", "Convert 50 kg", "figures"),
        ("What is new in Python 3.11?", "What is new in Python 3.12?", "figures"),
        ("Give me two ideas", "Give me three ideas", "figures"),
        ("Is -3 a root?", "Is 3 a root?", "figures"),
        ('Translate "good morning"', 'Translate "good night"', "quotes"),
        ("What does `ls` do?", "What does `rm` do?", "quotes"),
        ("Which fruits are sweet?", "Which fruits are not sweet?", "negation"),
        ("Why does it work?", "Why doesn't it work?", "negation"),
        ("Can I pay by card?", "Can I pay without card?", "negation"),
        ("How do I turn on the light?", "How do I turn off the light?", "opposites"),
        ("Enable dark mode", "Disable dark mode", "negation"),
        ("What is the highest peak?", "What is the lowest peak?", "opposites"),
        ("Trains from Rome to Paris", "Trains from Paris to Rome", "order"),
        ("Is Java faster than Go?", "Is Go faster than Java?", "order"),
    ],
)
def test_a_word_that_turns_the_answer_around_is_a_veto(stored: str, asked: str, guard: str) -> None:
    assert guard == veto(stored, asked)
    assert guard == veto(asked, stored)


@pytest.mark.parametrize(
    ("stored", "asked"),
    [
        ("How do I reset my password?", "how can i reset my password"),
        ("Give me two ideas", "Please give me 2 ideas!"),
        ("What is the capital of France?", "Could you tell me what the capital of France is?"),
        ("It costs 1,000 dollars, why?", "Why does it cost 1000 dollars?"),
        ("What's the time difference?", "What is the time difference?"),
    ],
)
def test_politeness_case_punctuation_and_number_spelling_are_no_veto(
    stored: str, asked: str
) -> None:
    assert "" == veto(stored, asked)


def test_a_guard_that_is_switched_off_does_not_count():
    one, other = "Where is order 4711?", "Where is order 4712?"

    assert "" == veto(one, other, off=frozenset({"figures"}))
    assert Verdict("figures", GUARDS[0].reason, is_on=False, differs=True) == next(
        iter(verdicts(one, other, off=frozenset({"figures"})))
    )


def test_every_guard_is_heard():
    said = verdicts("Turn on lamp 1", "Turn off lamp 2")

    assert [guard.name for guard in GUARDS] == [verdict.guard for verdict in said]
    assert {"figures", "opposites"} == {verdict.guard for verdict in said if verdict.differs}


@given(st.text())
def test_a_text_is_never_refused_for_itself(text: str) -> None:
    assert "" == veto(text, text)


@given(st.text(), st.text())
def test_the_second_look_is_symmetric_and_never_raises(one: str, other: str) -> None:
    assert bool(veto(one, other)) == bool(veto(other, one))
