"""Keys in one order, whatever order they came in."""

from __future__ import annotations

from khazad_mitm.wire.ordered import ordered


def test_known_keys_come_first_and_the_others_by_name() -> None:
    assert ["id", "role", "a", "b"] == list(
        ordered({"b": 1, "role": 2, "a": 3, "id": 4}, ("id", "type", "role"))
    )
