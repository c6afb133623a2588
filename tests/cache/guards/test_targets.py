from __future__ import annotations

import pytest
from hypothesis import given

from khazad_mitm.cache.guards.reading import read
from khazad_mitm.cache.guards.targets import differs
from tests.strategies import wordy


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("which birds swim but do not fly?", "which birds fly but do not swim?"),
        ("only guests may swim", "guests may only swim"),
        ("name one lake in Poland", "name all lakes in Poland"),
        ("three eggs for one cake", "one egg for three cakes"),
        ("did I hurt you?", "did you hurt me?"),
        ("who followed Nero?", "who did Nero follow?"),
        ("which stalls sell honey?", "where can I sell honey?"),
        ("how do I mend the string of a kite?", "how do I mend a kite with a torn string?"),
        ("how do I stop barking at guests?", "how do I stop guests from barking?"),
        ("name three uses of a peg", "name the uses of three pegs"),
        ("I put the wrong lid on the jar", "I put the lid on the wrong jar"),
        ("does my guest have to pay me?", "do I have to pay my guest?"),
    ],
)
def test_a_little_word_is_said_of_something_else(one: str, other: str) -> None:
    assert differs(read(one), read(other))
    assert differs(read(other), read(one))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("it will not start, why?", "why will it not start?"),
        ("once a day", "every day"),
        ("two git commits", "two commits"),
        ("should I salt a hedgehog stew?", "does a hedgehog stew need salt?"),
        ("how do I send my aunt a card?", "how do I send a card to my aunt?"),
        ("which stalls sell honey?", "where can I buy honey?"),
        ("with a word only. List: x", "only with a word. List: x"),
        ("what causes rust?", "what is the cause of rust?"),
        ("he told her", "she was told by him, and he knew it"),
    ],
)
def test_the_same_said_of_the_same_is_no_veto(one: str, other: str) -> None:
    assert not differs(read(one), read(other))


@given(wordy(), wordy())
def test_it_is_symmetric_and_never_raises(one: str, other: str) -> None:
    assert differs(read(one), read(other)) == differs(read(other), read(one))
