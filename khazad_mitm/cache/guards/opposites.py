"""One says `enable` where the other says `disable`."""

from __future__ import annotations

from khazad_mitm.cache.guards.alignment import rest
from khazad_mitm.cache.guards.lexicon.opposites import PREFIXES
from khazad_mitm.cache.guards.lexicon.tables import LITTLE_OPPOSITES, OPPOSITES
from khazad_mitm.cache.guards.reading import Reading


def differs(a: Reading, b: Reading) -> bool:
    here, there = a.lemmas - b.lemmas, b.lemmas - a.lemmas
    if not here or not there:
        return False
    if any(not there.isdisjoint(OPPOSITES.get(word, ())) for word in here):
        return True
    left = rest(a, b)
    if not left.here and not left.there:
        return any(not there.isdisjoint(LITTLE_OPPOSITES.get(word, ())) for word in here)
    return any(
        _is_turned(x.said, y.said) or _is_turned(y.said, x.said)
        for x in left.here
        for y in left.there
    )


def _is_turned(word: str, other: str) -> bool:
    """`refundable`, `nonrefundable`; `careful`, `careless`."""
    if len(word) >= 4 and other.endswith(word) and other[: -len(word)] in PREFIXES:
        return True
    return len(word) > 5 and word.endswith("ful") and other == word[:-3] + "less"
