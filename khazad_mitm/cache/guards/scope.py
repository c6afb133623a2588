"""All, only, except, first, last, at least: how much of it."""

from __future__ import annotations

import itertools
from collections.abc import Set
from functools import lru_cache

from khazad_mitm.cache.guards.lexicon.tables import kinds_of, lemma
from khazad_mitm.cache.guards.reading import Reading, Word
from khazad_mitm.cache.guards.spelling import is_slip

SCOPES = {
    "all": "all", "every": "all", "each": "all", "entire": "all",
    "only": "only", "except": "except", "besides": "except", "exclude": "except",
    "excluding": "except", "apart": "except",
    "first": "first", "last": "last", "initial": "first", "final": "last",
    "always": "always", "never": "never", "sometimes": "sometimes",
    "least": "least", "both": "both", "either": "either", "neither": "neither",
    "half": "half", "minimum": "least", "maximum": "most", "min": "least", "max": "most",
    "average": "average", "total": "total", "former": "former",
    "another": "another", "additional": "another", "extra": "another", "spare": "another",
    "second": "another",
}  # fmt: skip
# Words that may be left out: "list (all) the members".
WEAK = frozenset("all total least most either both last sometimes average".split())
# What says the same as a scope without being one everywhere: "to a new phone", "to another phone".
INSTEAD = {
    "another": frozenset("new other different else more 2".split()),
    "only": frozenset("just solely exclusively merely alone".split()),
    "first": frozenset(("1",)),
    "last": frozenset(("latest",)),
    "keep": frozenset(
        "keep keeps keeping without stay remain same unchanged losing preserve retain".split()
    ),
    "except": frozenset("without other excluding".split()),
}
ALL = frozenset(
    "all any anyone anybody anything everyone everybody everything none nobody nothing no".split()
)
"""Before "but" these leave out what follows."""
KEEPING = frozenset("keep keeps keeping preserve preserves preserving retain leave leaving".split())
BEFORE_KEEPING = frozenset("but and while still".split())
"""Change it but keep the tone: the tone is left out."""
TURNS = {"this": 0, "current": 0, "next": 1, "coming": 1, "upcoming": 1, "following": 1,
         "last": -1, "previous": -1, "past": -1}  # fmt: skip
TIMES = frozenset(lemma(word) for word in "night weekend quarter semester term season".split())
TIME_KINDS = frozenset("duration month weekday season festival".split())


def differs(a: Reading, b: Reading) -> bool:
    every_here, every_there = _scopes(a.words), _scopes(b.words)
    if every_here == every_there:
        return _turn_other_ways(a, b)
    here: Set[str] = every_here & (every_there | _scopes(a.compared_with(b)))
    there: Set[str] = every_there & (every_here | _scopes(b.compared_with(a)))
    here, there = _without_instead(here, there, b), _without_instead(there, here, a)
    here, there = here - _slips(here - there, a, b), there - _slips(there - here, b, a)
    if (here ^ there) - WEAK or (here - there and there - here):
        return True
    return _turn_other_ways(a, b)


def _turn_other_ways(a: Reading, b: Reading) -> bool:
    here, there = _turns(a), _turns(b)
    return bool(here and there and here.isdisjoint(there))


def _slips(scopes: Set[str], own: Reading, other: Reading) -> Set[str]:
    """Those that the other has as well, mistyped: "the frist"."""
    if not scopes:
        return scopes
    return {
        SCOPES[word]
        for word in own.said
        if SCOPES.get(word) in scopes and any(is_slip(word, mistyped) for mistyped in other.said)
    }


def _without_instead(own: Set[str], others: Set[str], other: Reading) -> set[str]:
    return {scope for scope in own if scope in others or not other.has(*INSTEAD.get(scope, ()))}


@lru_cache(maxsize=64)
def _turns(reading: Reading) -> frozenset[int]:
    """This year, next week, last night: which of the times it is."""
    return frozenset(
        TURNS[word.said]
        for word, after in itertools.pairwise(reading.words)
        if word.said in TURNS
        and (after.lemma in TIMES or not kinds_of(after.said, after.lemma).isdisjoint(TIME_KINDS))
    )


@lru_cache(maxsize=64)
def _scopes(words: tuple[Word, ...]) -> frozenset[str]:
    found = {SCOPES[word.said] for word in words if word.said in SCOPES}
    if any(
        word.said in KEEPING and before.said in BEFORE_KEEPING and not after.said.endswith("ing")
        for before, word, after in zip(words, words[1:], words[2:], strict=False)
    ):
        found.add("keep")
    if any(word.said == "but" and before.said in ALL for before, word in itertools.pairwise(words)):
        found.add("except")
    return frozenset(found)
