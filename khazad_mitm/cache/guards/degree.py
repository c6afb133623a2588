"""The fastest, the cheapest: a superlative asks for one of many."""

from __future__ import annotations

from khazad_mitm.cache.guards import degrees
from khazad_mitm.cache.guards.lexicon import tables
from khazad_mitm.cache.guards.reading import Reading

# "The best way to" is a way of asking, and "which would you recommend" asks for the best.
GOOD = frozenset(
    "how way ways good best top recommend recommended suggest should favorite favourite ideal"
    " great".split()
)


def differs(a: Reading, b: Reading) -> bool:
    here, there = _superlatives(a), _superlatives(b)
    if here == there:
        return False
    return bool((here ^ there) - {"good"}) or not all(r.has(*GOOD) for r in (a, b))


def _superlatives(reading: Reading) -> frozenset[str]:
    found = set()
    before = ""
    for word in reading.said:
        if degrees.is_superlative(word):
            found.add("good" if word in ("best", "top") else tables.lemma(degrees.positive(word)))
        elif before == "most" and word not in ("of", "people"):
            found.add(tables.lemma(word))
        before = word
    return frozenset(found)
