from __future__ import annotations

import pytest

from khazad_mitm.cache.guards.persons import differs
from khazad_mitm.cache.guards.reading import read


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Can I row it?", "Can somebody else row it?"),
        ("Who fed his goose?", "Who fed her goose?"),
    ],
)
def test_another_person_is_meant(one: str, other: str) -> None:
    assert differs(read(one), read(other))
    assert differs(read(other), read(one))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("May I row it?", "May one row it?"),
        ("May I let somebody else row it?", "Can I let someone else row it?"),
    ],
)
def test_nobody_in_particular_is_anybody(one: str, other: str) -> None:
    assert not differs(read(one), read(other))
    assert not differs(read(other), read(one))
