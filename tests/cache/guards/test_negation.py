from __future__ import annotations

import pytest
from hypothesis import given

from khazad_mitm.cache.guards.negation import differs
from khazad_mitm.cache.guards.reading import read
from tests.strategies import wordy


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("which tents leak?", "which tents do not leak?"),
        ("a ferry from Bari", "a ferry not from Bari"),
        ("nails instead of pegs", "nails and pegs"),
        ("may I park with a permit?", "may I park without a permit?"),
    ],
)
def test_one_denies_what_the_other_says(one: str, other: str) -> None:
    assert differs(read(one), read(other))
    assert differs(read(other), read(one))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            "how do I keep the gate from squeaking?",
            "what can I do so that the gate does not squeak?",
        ),
        ("stop the cat from scratching", "so that the cat doesn't scratch"),
        ("use nails instead of pegs", "move from pegs to nails"),
        ("glue it without nails", "glue it instead of nails"),
        ("quit w/o saving", "quit without saving"),
    ],
)
def test_what_is_kept_from_happening_does_not_happen(one: str, other: str) -> None:
    assert not differs(read(one), read(other))
    assert not differs(read(other), read(one))


@given(wordy(), wordy())
def test_it_is_symmetric_and_never_raises(one: str, other: str) -> None:
    assert differs(read(one), read(other)) == differs(read(other), read(one))
