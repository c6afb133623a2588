from __future__ import annotations

import pytest
from hypothesis import given

from khazad_mitm.cache.guards.figures import differs
from khazad_mitm.cache.guards.reading import read
from tests.strategies import wordy


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("the fourth barrel", "four barrels"),
        ("the 4th barrel", "4 barrels"),
        ("the second oldest elm", "the two oldest elms"),
    ],
)
def test_a_rank_is_no_number_of_things(one: str, other: str) -> None:
    assert differs(read(one), read(other))
    assert differs(read(other), read(one))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("the fourth barrel", "barrel four"),
        ("the 4th of May", "May 4th"),
        ("the 2nd of two elms", "the second of two elms"),
    ],
)
def test_a_rank_may_be_said_in_another_way(one: str, other: str) -> None:
    assert not differs(read(one), read(other))
    assert not differs(read(other), read(one))


@given(wordy(), wordy())
def test_it_is_symmetric_and_never_raises(one: str, other: str) -> None:
    assert differs(read(one), read(other)) == differs(read(other), read(one))
