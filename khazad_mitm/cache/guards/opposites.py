"""One says `enable` where the other says `disable`."""

from __future__ import annotations

import itertools
from functools import lru_cache

from khazad_mitm.cache.guards.alignment import rest
from khazad_mitm.cache.guards.lexicon.opposites import PREFIXES
from khazad_mitm.cache.guards.lexicon.tables import LITTLE_OPPOSITES, OPPOSITES
from khazad_mitm.cache.guards.negation import NEGATIONS
from khazad_mitm.cache.guards.reading import Reading

STAGES = dict.fromkeys("shipped dispatched sent posted mailed".split(), 0) | dict.fromkeys(
    "delivered received arrived".split(), 1
)
BEFORE_STAGE = frozenset(
    "is are was were been has have had already yet not never as says say said shows show marked"
    " status".split()
)


def differs(a: Reading, b: Reading) -> bool:
    here, there = a.lemmas - b.lemmas, b.lemmas - a.lemmas
    if _is_turned_beside(a, b):
        return True
    if not here or not there:
        return False
    for word in here:
        opposed = there.intersection(OPPOSITES.get(word, ()))
        if any(_is_denied(a, word) == _is_denied(b, other) for other in opposed):
            return True
    if _is_at_other_stage(a, b):
        return True
    left = rest(a, b)
    if not left.here and not left.there:
        here, there = here - _before_names(a), there - _before_names(b)
        return any(not there.isdisjoint(LITTLE_OPPOSITES.get(word, ())) for word in here)
    return any(
        _is_turned(x.said, y.said) or _is_turned(y.said, x.said)
        for x in left.here
        for y in left.there
    )


def _is_denied(reading: Reading, lemma: str) -> bool:
    """ "Without saving" is "discard"."""
    return any(
        word.said in NEGATIONS and after.lemma == lemma
        for word, after in itertools.pairwise(reading.words)
    )


def _is_at_other_stage(a: Reading, b: Reading) -> bool:
    """To send is to deliver; what has been sent has not been delivered yet."""
    here, there = _stages(a), _stages(b)
    return bool(here and there and here.isdisjoint(there))


def _is_turned_beside(a: Reading, b: Reading) -> bool:
    """ "The right key, but in the wrong lock", "the wrong key": each has a "wrong" somewhere."""
    here, there = _pairs(a), _pairs(b)
    return any(
        (opposite, thing) in there
        for quality, thing in here - there
        for opposite in OPPOSITES.get(quality, ())
        if (opposite, thing) not in here
    )


@lru_cache(maxsize=64)
def _pairs(reading: Reading) -> frozenset[tuple[str, str]]:
    return frozenset(
        (word.lemma, after.lemma)
        for word, after in itertools.pairwise(reading.words)
        if word.is_content and after.is_content
    )


def _stages(reading: Reading) -> set[int]:
    return {
        STAGES[word.said]
        for before, word in itertools.pairwise(reading.words)
        if word.said in STAGES and before.said in BEFORE_STAGE
    }


def _before_names(reading: Reading) -> set[str]:
    """ "On Windows", "under Windows"."""
    return {
        word.lemma for word, after in itertools.pairwise(reading.words)
        if word.said in ("on", "under", "in") and after.is_name
    }  # fmt: skip


def _is_turned(word: str, other: str) -> bool:
    """`refundable`, `nonrefundable`; `careful`, `careless`."""
    if len(word) >= 4 and other.endswith(word) and other[: -len(word)] in PREFIXES:
        return True
    return len(word) > 5 and word.endswith("ful") and other == word[:-3] + "less"
