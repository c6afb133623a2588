"""Numbers, dates, times, versions, amounts, identifiers."""

from __future__ import annotations

import itertools
import re
from functools import lru_cache

from khazad_mitm.cache.guards.alignment import rest
from khazad_mitm.cache.guards.degrees import positive
from khazad_mitm.cache.guards.lexicon import tables
from khazad_mitm.cache.guards.reading import Reading
from khazad_mitm.cache.guards.spelling import ORDINALS

UNITS = frozenset("length weight volume temperature duration currency bytes share".split())
# "one" is a number ("in one sentence") or none ("which one"), "second" a rank or a time.
LOOSE = {"one": "1", "second": "2", "once": "1", "single": "1", "a": "1", "an": "1", "twice": "2",
         "double": "2", "first": "1"}  # fmt: skip

RANKS = {word: str(value) for word, value in ORDINALS.items()} | {"second": "2"}
ORDINAL = re.compile(rf"\b({'|'.join(RANKS)}|\d+(?:st|nd|rd|th))\s+([^\W\d_]+)(?:\s+([^\W\d_]+))?")


def differs(a: Reading, b: Reading) -> bool:
    here, there = _figures(a), _figures(b)
    if not here and not there:
        return False
    if _missing(here, b) or _missing(there, a) or _units_differ(a, b):
        return True
    if _ranks_other(a, b) or _ranks_other(b, a):
        return True
    return here != there and sorted(here) == sorted(there) and _binds_other(a, b)


@lru_cache(maxsize=64)
def _figures(reading: Reading) -> tuple[str, ...]:
    return tuple(
        word
        for word in reading.said
        if not word.isalpha() and any(letter.isdigit() for letter in word)
    )


def _missing(figures: tuple[str, ...], other: Reading) -> bool:
    if other.vocabulary.issuperset(figures):
        return False
    known = set(other.vocabulary)
    for word in other.said:
        if word in LOOSE:
            known.add(LOOSE[word])
    known.update(x + y for x, y in zip(other.said, other.said[1:], strict=False))
    joined = "".join(other.said) if any(not f.isdigit() for f in figures) else ""
    return any(
        figure not in known and not (not figure.isdigit() and figure in joined)
        for figure in figures
    )


def _units_differ(a: Reading, b: Reading) -> bool:
    left = rest(a, b)
    return any(
        unit in {word.lemma for word in words}
        for reading, words in ((a, left.here), (b, left.there))
        for unit in _units(reading)
    )


@lru_cache(maxsize=64)
def _units(reading: Reading) -> frozenset[str]:
    """Those that follow a figure: 30 hours are not 30 people."""
    return frozenset(
        after.lemma
        for word, after in zip(reading.words, reading.words[1:], strict=False)
        if word.said[:1].isdigit()
        and not tables.kinds_of(after.said, after.lemma).isdisjoint(UNITS)
    )


def _ranks_other(a: Reading, b: Reading) -> bool:
    """The third instalment is not three instalments; step three is the third step."""
    ranked, others = _ranked(a.text), _ranked(b.text)
    for rank, thing in ranked - others:
        for word, *after in zip(b.words, b.words[1:], b.words[2:] + b.words[-1:], strict=False):
            if word.said == rank and any(w.lemma == thing and not w.is_name for w in after):
                return True
    return False


@lru_cache(maxsize=512)
def _ranked(text: str) -> frozenset[tuple[str, str]]:
    """(which, of what), of the two words after an ordinal."""
    found: set[tuple[str, str]] = set()
    for match in ORDINAL.finditer(text.lower()):
        which = RANKS.get(match[1]) or match[1][:-2]
        found.update((which, tables.lemma(positive(word))) for word in match.groups()[1:] if word)
    return frozenset(found)


def _binds_other(a: Reading, b: Reading) -> bool:
    """10 kilometres in 5 days, not 5 in 10."""
    here, there = _bound(a), _bound(b)
    return any(here[number].isdisjoint(there[number]) for number in here.keys() & there.keys())


def _bound(reading: Reading) -> dict[str, set[str]]:
    """The words right after each number."""
    found: dict[str, set[str]] = {}
    for word, after in itertools.pairwise(reading.words):
        if word.said[:1].isdigit() and after.is_content:
            found.setdefault(word.lemma, set()).add(after.lemma)
    return found
