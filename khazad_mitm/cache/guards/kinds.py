"""Two things of one kind: salmon and chicken, kilograms and pounds, mother and father."""

from __future__ import annotations

from khazad_mitm.cache.guards.alignment import rest
from khazad_mitm.cache.guards.lexicon.tables import kinds_of
from khazad_mitm.cache.guards.reading import Reading

NONE: frozenset[str] = frozenset()


def differs(a: Reading, b: Reading) -> bool:
    left = rest(a, b)
    if not left.here or not left.there:
        return False
    there = NONE.union(*(kinds_of(word.said, word.lemma) for word in left.there))
    return any(not there.isdisjoint(kinds_of(word.said, word.lemma)) for word in left.here)
