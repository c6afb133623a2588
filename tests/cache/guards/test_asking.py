from __future__ import annotations

import pytest
from hypothesis import given

from khazad_mitm.cache.guards.asking import differs, strays
from khazad_mitm.cache.guards.reading import read
from tests.strategies import wordy


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("where do swifts nest?", "when do swifts nest?"),
        ("May I retake it?", "must I retake it?"),
        ("I bled the radiator. How do I refill it?", "How do I bleed the radiator?"),
        ("How often is the sundial cleaned?", "What is the age of the sundial to be cleaned?"),
        ("How do I answer one who sued me?", "How do I sue one?"),
        ("How do I count copied rows?", "How do I copy rows?"),
        ("where is my kayak?", "where can I use my kayak?"),
        ("how do I know where I can dock?", "how do I know where I can fish?"),
        ("Can I bring a stool to the fair?", "Can I sell a stool at the fair?"),
        ("a script that counts sheep", "a script that shears sheep"),
    ],
)
def test_another_answer_is_asked_for(one: str, other: str) -> None:
    assert differs(read(one), read(other))
    assert differs(read(other), read(one))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("where is my kayak?", "where can I see my kayak?"),
        ("How common is cork?", "Is cork common?"),
        ("Where can I see my seat?", "How can I see my seat?"),
        ("What part of May is best for sowing?", "When in May do I sow best?"),
        ("How do I start to save?", "How do I save?"),
        ("How do I best save?", "How do I save?"),
        ("how long is it?", "what is its length?"),
        ("which year was it, 1066 or 1067?", "was it 1066 or 1067?"),
        ("When I move, can I keep my number?", "Can I keep my number when I move?"),
        ("Can I pay by cheque?", "Do you take cheques?"),
        ("How do I speed up the kiln?", "how can I make the kiln faster?"),
        ("I bled the radiator. How do I refill it?", "How do I refill the radiator?"),
    ],
)
def test_the_same_may_be_asked_in_another_way(one: str, other: str) -> None:
    assert not differs(read(one), read(other))
    assert not differs(read(other), read(one))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("What does a flat tyre mean?", "How do I mend a flat tyre?"),
        ("Do herons nest?", "How do herons nest?"),
        ("How is cork cut?", "Where is cork cut?"),
        ("What does a red flag mean?", "When is a red flag raised?"),
    ],
)
def test_question_words_do_not_always_stand_for_one_another(one: str, other: str) -> None:
    assert not differs(read(one), read(other))
    assert strays(read(one), read(other))
    assert strays(read(other), read(one))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("How common is cork?", "Is cork common?"),
        ("Where can I see my seat?", "How can I see my seat?"),
        ("What part of May is best for sowing?", "When in May do I sow best?"),
        ("what is the date of the fair?", "when is the fair?"),
    ],
)
def test_sometimes_they_do(one: str, other: str) -> None:
    assert not strays(read(one), read(other))
    assert not strays(read(other), read(one))


@given(wordy(), wordy())
def test_it_is_symmetric_and_never_raises(one: str, other: str) -> None:
    assert differs(read(one), read(other)) == differs(read(other), read(one))
    assert strays(read(one), read(other)) == strays(read(other), read(one))
