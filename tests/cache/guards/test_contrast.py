from __future__ import annotations

import pytest
from hypothesis import given

from khazad_mitm.cache.guards.contrast import differs
from khazad_mitm.cache.guards.reading import read
from tests.strategies import wordy


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("is the soup salty?", "is the soup sweet?"),
        (
            "The porridge is hot and the cook is gentle",
            "The porridge is hot but the cook is grumpy",
        ),
    ],
)
def test_one_telling_word_for_another_is_meant(one: str, other: str) -> None:
    assert differs(read(one), read(other))
    assert differs(read(other), read(one))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            "when did the mill first make flour?",
            "what was the year when the mill began to give flour?",
        ),
        ("the long road is closed", "the road is closed"),
    ],
)
def test_words_of_wide_meaning_may_come_and_go(one: str, other: str) -> None:
    assert not differs(read(one), read(other))
    assert not differs(read(other), read(one))


@given(wordy(), wordy())
def test_it_is_symmetric_and_never_raises(one: str, other: str) -> None:
    assert differs(read(one), read(other)) == differs(read(other), read(one))
