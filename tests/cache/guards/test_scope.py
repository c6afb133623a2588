from __future__ import annotations

import pytest
from hypothesis import given

from khazad_mitm.cache.guards.reading import read
from khazad_mitm.cache.guards.scope import differs
from tests.strategies import wordy


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("prune the hedge but keep the roses", "prune the hedge and the roses"),
        ("read the first verse", "read the verse"),
        ("may anyone but members row?", "may members row?"),
    ],
)
def test_how_much_of_it_is_meant_is_a_difference(one: str, other: str) -> None:
    assert differs(read(one), read(other))
    assert differs(read(other), read(one))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("prune it and keep the roses", "prune it without losing the roses"),
        ("I asked him and keep waiting", "I asked him and wait"),
        ("read the first verse", "read the frist verse"),
        ("my last letter", "my most recent letter"),
    ],
)
def test_the_same_of_it_may_be_meant_in_another_way(one: str, other: str) -> None:
    assert not differs(read(one), read(other))
    assert not differs(read(other), read(one))


@given(wordy(), wordy())
def test_it_is_symmetric_and_never_raises(one: str, other: str) -> None:
    assert differs(read(one), read(other)) == differs(read(other), read(one))
