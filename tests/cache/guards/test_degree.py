from __future__ import annotations

import pytest

from khazad_mitm.cache.guards.degree import differs
from khazad_mitm.cache.guards.reading import read


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("why is the tide higher than in May?", "why is the tide high in May?"),
        ("do geese eat more than ducks?", "do geese eat as much as ducks?"),
        ("which is the safest raft?", "which raft is safe?"),
        ("what is the oldest way to tan a hide?", "how do I tan an old hide?"),
    ],
)
def test_a_superlative_asks_for_one_of_many(one: str, other: str) -> None:
    assert differs(read(one), read(other))
    assert differs(read(other), read(one))


def test_the_safest_way_is_to_do_it_safely():
    one, other = "what is the safest way to moor a raft?", "how do I moor a raft securely?"

    assert not differs(read(one), read(other))
    assert differs(read(one), read("how do I moor a raft?"))


def test_the_latest_is_the_last():
    assert not differs(read("my latest letter"), read("my last letter"))
    assert differs(read("my latest letter"), read("my letter"))
