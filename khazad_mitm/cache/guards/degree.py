"""The fastest, the cheapest: a superlative asks for one of many."""

from __future__ import annotations

import itertools
from functools import lru_cache

from khazad_mitm.cache.guards import degrees
from khazad_mitm.cache.guards.alignment import rest
from khazad_mitm.cache.guards.lexicon import tables
from khazad_mitm.cache.guards.reading import Reading, Word

# "The best way to" is a way of asking, and "which would you recommend" asks for the best.
GOOD = frozenset(
    "how way ways good best top recommend recommended suggest should favorite favourite ideal"
    " great".split()
)


AS_GOOD = frozenset(tables.lemma(word) for word in ("effective", "efficient"))
# What says by itself that it is the most of all.
IN_A_WORD = (
    (frozenset("maximum max".split()), frozenset(("larg", "big", "high", "long", "much"))),
    (frozenset("minimum min".split()), frozenset(("small", "low", "short", "littl", "few"))),
    (frozenset(("last",)), frozenset(("new",))),
    (frozenset("key main primary principal chief crucial".split()), frozenset(("important",))),
)
EXTREMES = tuple(
    (words, frozenset(tables.lemma(lemma) for lemma in lemmas)) for words, lemmas in IN_A_WORD
)


def differs(a: Reading, b: Reading) -> bool:
    if _compares(a, b) or _compares(b, a):
        return True
    every_here, every_there = _superlatives(a.words), _superlatives(b.words)
    if every_here == every_there:
        return False
    here = every_here & (every_there | _superlatives(a.compared_with(b)))
    there = every_there & (every_here | _superlatives(b.compared_with(a)))
    apart = here ^ there
    for x in here - there:
        for y in there - here:
            if tables.are_near(x, y):
                apart -= {x, y}
    for words, lemmas in EXTREMES:
        if (here & lemmas and b.has(*words)) or (there & lemmas and a.has(*words)):
            apart -= lemmas
    # "The safest way to", "how do I safely"
    apart -= {x for x in apart for r, other in ((a, b), (b, a)) if _is_a_way(r, x, other)}
    if not apart:
        return False
    return bool(apart - {"good"}) or not all(r.has(*GOOD) for r in (a, b))


def _compares(a: Reading, b: Reading) -> bool:
    """ "Higher than last year", where the other compares nothing."""
    if "than" not in a.said or "than" in b.said:
        return False
    if b.said.count("as") == 2 and a.has("more", "less", "fewer"):
        return True  # "as much as"
    left = {word.lemma for word in rest(a, b).here}
    return any(
        after.said == "than" and word.lemma in left for word, after in itertools.pairwise(a.words)
    )


def _is_a_way(reading: Reading, superlative: str, other: Reading) -> bool:
    """Is it the way that is the safest, where the other says "safely"?"""
    is_way = any(
        word.lemma == superlative and after.said in ("way", "ways", "method", "how")
        for word, after in itertools.pairwise(reading.words)
    )
    return is_way and any(
        word.said.endswith("ly")
        and (word.lemma == superlative or tables.are_near(word.lemma, superlative))
        for word in other.content
    )


@lru_cache(maxsize=64)
def _superlatives(words: tuple[Word, ...]) -> frozenset[str]:
    found = set()
    before = ""
    said = tuple(word.said for word in words)
    for index, word in enumerate(said):
        if before == "as" and said[index + 1 : index + 3] == ("as", "possible"):
            found.add(tables.lemma(word))
        if degrees.is_superlative(word):
            found.add("good" if word in ("best", "top") else tables.lemma(degrees.positive(word)))
        elif before == "most" and word not in ("of", "people"):
            found.add("good" if tables.lemma(word) in AS_GOOD else tables.lemma(word))
        before = word
    return frozenset(found)
