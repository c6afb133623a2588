from __future__ import annotations

import pytest
from hypothesis import given

from khazad_mitm.cache.guards.moves import differs, scrambles
from khazad_mitm.cache.guards.reading import read
from tests.strategies import wordy


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("he sold it in May and bought one in June", "in May he sold it and in June bought one"),
        ("the mayor opened the pool", "the pool was opened by the mayor"),
        ("list apples and pears", "list pears and apples"),
        ("can the roof still be mended, after the storm?", "after the storm, can I mend the roof?"),
        ("for adults, what is the dose?", "what is the dose for adults?"),
    ],
)
def test_a_phrase_that_has_moved_is_style(one: str, other: str) -> None:
    assert not differs(read(one), read(other))
    assert not differs(read(other), read(one))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            "the north tower leans and the south wall leaks",
            "the south tower leans and the north wall leaks",
        ),
        ("the mayor opened the pool", "the mayor was opened by the pool"),
        ("grey wolves hunt brown bears", "brown wolves hunt grey bears"),
    ],
)
def test_words_that_have_changed_places_around_others_are_in_other_roles(
    one: str, other: str
) -> None:
    assert differs(read(one), read(other))
    assert differs(read(other), read(one))


def test_who_wants_to_be_sure_trusts_no_preposition():
    one, other = "sold by Ann after leaving for Rome", "sold by Rome after leaving for Ann"

    assert not differs(read(one), read(other))
    assert scrambles(read(one), read(other))


@given(wordy(), wordy())
def test_it_is_symmetric_and_never_raises(one: str, other: str) -> None:
    for guard in (differs, scrambles):
        assert guard(read(one), read(other)) == guard(read(other), read(one))
