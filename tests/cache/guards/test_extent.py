from __future__ import annotations

import pytest
from hypothesis import given

from khazad_mitm.cache.guards.extent import differs
from khazad_mitm.cache.guards.reading import read
from tests.strategies import wordy


@pytest.mark.parametrize(
    ("more", "less"),
    [
        ("the widow of the painter", "the painter"),
        ("knit a scarf and a hat", "knit a scarf"),
        ("a soup without garlic", "a soup"),
    ],
)
def test_a_part_or_something_besides_is_asked_for(more: str, less: str) -> None:
    assert differs(read(more), read(less))
    assert differs(read(less), read(more))


@pytest.mark.parametrize(
    ("more", "less"),
    [
        ("the process of fermentation", "fermentation"),
        ("and how long does it take, roughly?", "how long does it take?"),
        ("the striped scarf", "the scarf"),
        ("what does it mean in the context of tax?", "what does it mean in tax?"),
        ("what was the cause of the flood?", "why did it flood?"),
        ("what was the year of the eclipse?", "when was the eclipse?"),
    ],
)
def test_another_word_is_left_to_other_guards(more: str, less: str) -> None:
    assert not differs(read(more), read(less))


@given(wordy(), wordy())
def test_it_is_symmetric_and_never_raises(one: str, other: str) -> None:
    assert differs(read(one), read(other)) == differs(read(other), read(one))
