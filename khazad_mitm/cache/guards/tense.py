"""Past, present or future."""

from __future__ import annotations

from khazad_mitm.cache.guards.alignment import rest
from khazad_mitm.cache.guards.reading import Reading

PAST = frozenset("did was were had".split())
FUTURE = frozenset("will shall".split())
PRESENT = frozenset("is are am do does".split())


def differs(a: Reading, b: Reading) -> bool:
    here, there = _tenses(a), _tenses(b)
    if not here or not there or not here.isdisjoint(there):
        return False
    if {"past", "future"} <= here | there:
        return True
    # "When was she born" asks for the same as "what is her date of birth": with other words the
    # tense may change too.
    left = rest(a, b)
    return "past" in here | there and not left.here and not left.there


def _tenses(reading: Reading) -> frozenset[str]:
    said = frozenset(reading.said)
    return frozenset(
        name
        for name, words in (("past", PAST), ("present", PRESENT), ("future", FUTURE))
        if not said.isdisjoint(words)
    )
