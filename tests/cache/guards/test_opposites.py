from __future__ import annotations

import pytest
from hypothesis import given

from khazad_mitm.cache.guards.opposites import differs
from khazad_mitm.cache.guards.reading import read
from tests.strategies import wordy


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("lock the shed", "unlock the shed"),
        ("too much yeast in the dough", "too little yeast in the dough"),
        ("how do I stop guests from barking?", "how do I let guests bark?"),
        ("wait in front of the mill", "wait behind the mill"),
        ("I was paid once", "I was paid twice"),
        ("what do oats and rye have in common?", "what is the difference between oats and rye?"),
        ("the vase was shipped, where is it?", "the vase was delivered, where is it?"),
        ("it says sent", "it says received"),
        ("it is in the wrong drawer", "it is in the right drawer, but with the wrong label"),
        ("the key is on the shelf", "the key is under the shelf"),
    ],
)
def test_one_says_the_opposite(one: str, other: str) -> None:
    assert differs(read(one), read(other))
    assert differs(read(other), read(one))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("leave without saving the score", "leave and discard the score"),
        ("do you ship to Malta?", "do you deliver to Malta?"),
        ("how do I run it on Debian?", "how do I run it under Debian?"),
        ("nobody has shown up yet", "he has not come yet"),
    ],
)
def test_what_only_looks_like_it_is_no_veto(one: str, other: str) -> None:
    assert not differs(read(one), read(other))
    assert not differs(read(other), read(one))


@given(wordy(), wordy())
def test_it_is_symmetric_and_never_raises(one: str, other: str) -> None:
    assert differs(read(one), read(other)) == differs(read(other), read(one))
