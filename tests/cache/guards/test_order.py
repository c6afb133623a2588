from __future__ import annotations

import pytest
from hypothesis import given

from khazad_mitm.cache.guards.order import differs
from khazad_mitm.cache.guards.reading import read
from tests.strategies import wordy


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("the ferry from Bari to Split", "the ferry from Split to Bari"),
        ("bake it with rye flour", "bake it instead of rye flour"),
        ("may I drink it with milk?", "may I drink it instead of milk?"),
        ("turn a row of pegs into a row of nails", "turn a row of pegs into one peg of a row"),
        ("may I draw for a club?", "may I draw from a club?"),
        ("what do I swap tea for in May?", "what do I swap for tea in May?"),
        ("how do I lend a ladder to my aunt?", "how do I lend my aunt's ladder?"),
        ("go back to the fair", "go back after the fair"),
        ("may I swim with a cold?", "may I swim after a cold?"),
        ("what does freight to Malta cost?", "what does freight from Malta cost?"),
    ],
)
def test_the_same_words_have_other_roles(one: str, other: str) -> None:
    assert differs(read(one), read(other))
    assert differs(read(other), read(one))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            "how long does freight to Malta take?",
            "how many days does it take to freight it to Malta?",
        ),
        ("how long does a kiln repair take?", "how much time does it take to repair a kiln?"),
        ("who mends my aunt's ladder?", "who mends the ladder of my aunt?"),
        ("can I bake it in a pan instead?", "in a pan instead, can I bake it?"),
    ],
)
def test_the_same_roles_may_be_said_in_another_way(one: str, other: str) -> None:
    assert not differs(read(one), read(other))
    assert not differs(read(other), read(one))


@given(wordy(), wordy())
def test_it_is_symmetric_and_never_raises(one: str, other: str) -> None:
    assert differs(read(one), read(other)) == differs(read(other), read(one))
