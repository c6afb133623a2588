"""Who, where, what by name: people, places, products, languages, months."""

from __future__ import annotations

from khazad_mitm.cache.guards.alignment import rest
from khazad_mitm.cache.guards.reading import Reading


def differs(a: Reading, b: Reading) -> bool:
    left = rest(a, b)
    return any(word.is_name for word in (*left.here, *left.there))
