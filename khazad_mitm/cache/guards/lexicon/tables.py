"""The lists, put together once as the guards ask for them."""

from __future__ import annotations

from khazad_mitm.cache.guards import spelling
from khazad_mitm.cache.guards.lexicon import generic, kinds, near, opposites, phrases, synonyms
from khazad_mitm.cache.guards.lexicon.function_words import FRAMES, FUNCTION

NUMBER_WORDS = frozenset(
    (*spelling.UNITS, *spelling.TENS, *spelling.ORDINALS, *spelling.MAGNITUDES)
)


def key(word: str) -> str:
    """What phrases are looked up by: the stem, except of function words."""
    return word if word in FUNCTION else spelling.stem(word)


def _synonyms() -> tuple[dict[str, str], dict[str, str]]:
    """Of single words, stem -> lemma; of several, phrase -> first word."""
    single: dict[str, str] = {}
    several: dict[str, str] = {}
    for group in synonyms.GROUPS:
        first, *others = group.split()
        # A word may be in two groups ("size big", "big large"): then they are one.
        lemma = single.setdefault(spelling.stem(first), spelling.stem(first))
        if "_" in first:
            several[first.replace("_", " ")] = first
        for other in others:
            if "_" in other:
                several[other.replace("_", " ")] = first
            else:
                single.setdefault(spelling.stem(other.replace("-", "")), lemma)
    return single, several


SYNONYMS, _SEVERAL = _synonyms()


def lemma(word: str) -> str:
    stem = spelling.stem(word)
    return SYNONYMS.get(stem, stem)


def _phrase_table() -> dict[str, tuple[tuple[int, dict[tuple[str, ...], str]], ...]]:
    """first key -> tables by length, longest first."""
    built: dict[str, dict[int, dict[tuple[str, ...], str]]] = {}
    entries = dict.fromkeys(phrases.POLITE, "") | _SEVERAL
    entries |= phrases.NEGATED | phrases.OTHER | phrases.ASKED
    for phrase, meaning in entries.items():
        parts = tuple(key(word) for word in phrase.split())
        built.setdefault(parts[0], {}).setdefault(len(parts), {})[parts] = meaning
    return {
        first: tuple(sorted(by_length.items(), reverse=True)) for first, by_length in built.items()
    }


PHRASES = _phrase_table()

IMPLIED = {
    said: frozenset(lemma(word) for word in words.split())
    for said, words in phrases.IMPLIED.items()
}

GENERIC = frozenset(
    spelling.stem(word) for word in (*generic.VERBS, *generic.NOUNS, *generic.MODIFIERS, *FRAMES)
)

VERBS = frozenset(generic.VERBS) - frozenset(
    (*generic.NOUNS, *generic.MODIFIERS, "last", "like", "own", "name", "want")
)
"""Those that are nothing else."""

_NO_GROUP: frozenset[int] = frozenset()


def _near() -> dict[str, frozenset[int]]:
    """lemma -> the groups it is in."""
    found: dict[str, frozenset[int]] = {}
    for number, group in enumerate(near.GROUPS):
        for word in group:
            key = lemma(word)
            found[key] = found.get(key, _NO_GROUP) | {number}
    return found


_NEAR = _near()


def are_near(one: str, other: str) -> bool:
    """Of two lemmas."""
    return not _NEAR.get(one, _NO_GROUP).isdisjoint(_NEAR.get(other, _NO_GROUP))


_NO_KIND: frozenset[str] = frozenset()


def _kinds() -> dict[str, frozenset[str]]:
    """By lemma; names by the word itself too, whose stem may be another word's (Maine, main)."""
    found: dict[str, frozenset[str]] = {}
    for kind, members in kinds.KINDS.items():
        for member in members.split():
            keys = {member} if kind in kinds.NAMES else {member, lemma(member)}
            for each in keys:
                found[each] = found.get(each, _NO_KIND) | {kind}
    return found


_KINDS = _kinds()
NAMES = frozenset(w for w, found in _KINDS.items() if found & kinds.NAMES) - kinds.AMBIGUOUS


def kinds_of(said: str, lemma: str) -> frozenset[str]:
    return _KINDS.get(said, _NO_KIND) | _KINDS.get(lemma, _NO_KIND)


def _pairs(pairs: list[str]) -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for pair in pairs:
        one, _, other = (w if w in FUNCTION else lemma(w) for w in pair.partition("/"))
        if one != other:
            found[one] = found.get(one, _NO_KIND) | {other}
            found[other] = found.get(other, _NO_KIND) | {one}
    return found


OPPOSITES = _pairs(opposites.PAIRS)
LITTLE_OPPOSITES = _pairs(opposites.LITTLE_PAIRS)
