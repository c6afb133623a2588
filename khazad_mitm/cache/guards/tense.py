"""Past, present or future."""

from __future__ import annotations

import itertools

from khazad_mitm.cache.guards.reading import Reading
from khazad_mitm.cache.guards.spelling import is_past

PAST = frozenset("did was were had".split())
SETTLED = frozenset(
    "author writer inventor founder creator composer painter architect director discoverer sculptor"
    " designer first date place birth birthday birthplace cause reason result outcome".split()
)
"""Who is or was the author, what is or was the date: asked in either tense."""
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
    if a.has(*SETTLED) or b.has(*SETTLED) or _tells(a) or _tells(b):
        return False
    if {word.lemma for word in a.content} != {word.lemma for word in b.content}:
        return False
    return "past" in here | there


def _tells(reading: Reading) -> bool:
    """ "Who is the man who invented it": past all the same."""
    return any(
        word.said in ("who", "that", "which") and is_past(after.said)
        for word, after in itertools.pairwise(reading.words)
    )


def _tenses(reading: Reading) -> frozenset[str]:
    said = frozenset(reading.said)
    return frozenset(
        name
        for name, words in (("past", PAST), ("present", PRESENT), ("future", FUTURE))
        if not said.isdisjoint(words)
    )
