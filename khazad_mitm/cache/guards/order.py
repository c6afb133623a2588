"""The same words in other roles: Rome to Paris, Paris to Rome."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import TypeAlias

from khazad_mitm.cache.guards.alignment import rest
from khazad_mitm.cache.guards.degrees import is_superlative
from khazad_mitm.cache.guards.lexicon.function_words import FUNCTION
from khazad_mitm.cache.guards.lexicon.tables import lemma
from khazad_mitm.cache.guards.reading import Reading
from khazad_mitm.cache.guards.spelling import is_past

Role: TypeAlias = tuple[str, str]
"""(marker or "", content lemma)"""

# What stands after these has a role of its own, whatever else is reworded ...
STRONG = frozenset(
    "from to into onto than by over under before after against toward towards without"
    " during within until since ~instead".split()
)
# ... and after these where nothing else is.
WEAK = frozenset("of in for at on via as through".split())
# Either side may come first.
JOINING = frozenset("and or vs versus with between".split())
TRANSPARENT = frozenset(
    "one the a an my your his her its our their this that these those some which whose".split()
)
ASKING = frozenset("what which who whom whose where".split())
STATES = frozenset((lemma("missing"),))
"""It has not come, I have not got it: the same of either."""
BEING = frozenset("is are was were be been being get".split())
STRANDED = frozenset("for from of on to with".split())
"""Prepositions that may stand far from what they are said of."""
OWNER = re.compile(r"([^\W\d_]+)'s\b")
BESIDE = frozenset("with to for without against".split())
CLOSING = frozenset("take takes last lasts cost costs arrive arrives need needs".split())
"""After a name these are of the sentence: "how long does delivery to Oslo take"."""
ENDS = frozenset(lemma(word) for word in CLOSING)
"""Of "what does it cost" and "what is its cost" only one ends so."""
MOST_BETWEEN = 5
"""Words between "is" and what is done."""
AGAINST = frozenset(
    frozenset(pair.split("/"))
    for pair in (
        "from/to from/into from/onto from/toward from/towards before/after over/under with/without"
        " against/for after/with before/with during/after during/before after/without"
        " within/after within/before until/after until/before since/before since/until since/after"
        " before/on after/on before/of after/of with/~instead from/for by/from by/to"
        " after/to before/to under/with"
    ).split()
)


def differs(a: Reading, b: Reading) -> bool:
    here, there = tuple(_roles(a)), tuple(_roles(b))
    if here == there:
        return False
    if (against := _against(_alone(a, here), _alone(b, there))) and against & _heads(a) & _heads(b):
        return True
    left = rest(a, b)
    is_equal_else = not left.here and not left.there
    markers = STRONG | WEAK if is_equal_else else STRONG
    if _is_exchanged(here, there, markers):
        return True
    if not is_equal_else:
        return False
    if _is_owned(a, b) or _is_owned(b, a):
        return True
    if any(m == "~instead" for m, _ in here) != any(m == "~instead" for m, _ in there):
        return True
    if _asks_for_stranded(a, b) or _asks_for_stranded(b, a):
        return False
    if _is_let_down(a, here, there) or _is_let_down(b, there, here):
        return True
    if _is_passive(here, there) or _is_stranded(a, there) or _is_stranded(b, here):
        return True
    here, there = _without_adverbs(a, b, here), _without_adverbs(a, b, there)
    is_other = _is_swapped(here, there, _past(a) & _past(b)) or _is_turned(here, there)
    return is_other and not (_is_done_by_none(a, b) or _is_predicate(a, b) or _is_predicate(b, a))


def _alone(reading: Reading, roles: tuple[Role, ...]) -> tuple[Role, ...]:
    """The roles, with "with" for a marker of its own: with a cold, after a cold."""
    return tuple(_roles(reading, JOINING - {"with"})) if reading.has("with") else roles


def _roles(reading: Reading, joining: frozenset[str] = JOINING) -> Iterator[Role]:
    """In order. A marker holds until the next function word; what "and" joins is marked by it."""
    marker = ""
    fresh = False
    words = reading.words
    alone = STRONG | WEAK | (JOINING - joining)
    for index, word in enumerate(words):
        if word.starts:
            marker = ""  # "in one sentence, explain" is "explain in one sentence"
        if word.is_content:
            if word.said in CLOSING and index and words[index - 1].is_name:
                marker = ""
            joined = index + 1 < len(words) and words[index + 1].said in joining
            yield marker or ("and" if joined else ""), word.lemma
            fresh = False
        elif word.said in alone:
            marker, fresh = word.said, True
        elif word.said in joining:
            marker, fresh = marker or "and", True
        elif word.said in FUNCTION and not (fresh and word.said in TRANSPARENT):
            marker = ""


def _heads(reading: Reading) -> set[str]:
    """The last of the content words that stand together: `complaint` in "customer complaint".

    A name stands by itself: "how long does delivery from Oslo take".
    """
    words = reading.words
    return {
        word.lemma
        for index, word in enumerate(words)
        if index + 1 == len(words)
        or not words[index + 1].is_content
        or words[index + 1].starts
        or (word.is_name and not words[index + 1].is_name)
    }


def _against(here: tuple[Role, ...], there: tuple[Role, ...]) -> set[str]:
    """From it there, to it here: what "it" is."""
    theirs: dict[str, set[str]] = {}
    for marker, word in there:
        theirs.setdefault(word, set()).add(marker)
    mine: dict[str, set[str]] = {}
    for marker, word in here:
        mine.setdefault(word, set()).add(marker)
    return {
        word
        for word, markers in mine.items()
        if word in theirs and markers.isdisjoint(theirs[word])
        and any(frozenset((x, y)) in AGAINST for x in markers for y in theirs[word])
    }  # fmt: skip


def _is_exchanged(here: tuple[Role, ...], there: tuple[Role, ...], markers: frozenset[str]) -> bool:
    """The object of a marker stands elsewhere there, and the one it has there elsewhere here."""
    in_here, in_there = {w for _, w in here}, {w for _, w in there}
    for marker in markers & {m for m, _ in here} & {m for m, _ in there}:
        mine = {w for m, w in here if m == marker}
        yours = {w for m, w in there if m == marker}
        if mine - yours and yours - mine and mine - yours <= in_there and yours - mine <= in_here:
            return True
    return False


def _is_done_by_none(a: Reading, b: Reading) -> bool:
    """ "Is a passport needed", "do I need a passport": the deed stands before its object, too."""
    return _is_active(a, _undergone(b)) or _is_active(b, _undergone(a))


def _is_predicate(a: Reading, b: Reading) -> bool:
    """ "The official language", "which language is official"."""
    pairs = {
        (one.lemma, other.lemma)
        for one, other in itertools.pairwise(a.words)
        if one.is_content and other.is_content
    }
    return any(
        is_.said in BEING and (what.lemma, who.lemma) in pairs
        for who, is_, what in zip(b.words, b.words[1:], b.words[2:], strict=False)
    )


def _undergone(reading: Reading) -> set[Role]:
    """(what it is done to, deed), where nobody is said to do it."""
    found: set[Role] = set()
    words = reading.words
    for index, word in enumerate(words):
        if not (word.is_content and is_past(word.said)):
            continue
        if index + 1 < len(words) and words[index + 1].said == "by":
            continue
        being = next((i for i in range(index - 1, -1, -1) if words[i].said in BEING), None)
        if being is None or index - being > MOST_BETWEEN:
            continue
        if being == index - 1:
            being = next((i for i in range(being - 1, -1, -1) if words[i].is_content), being) - 1
        found.update((w.lemma, word.lemma) for w in words[being + 1 : index] if w.is_content)
    return found


def _is_active(reading: Reading, undergone: set[Role]) -> bool:
    order = [word.lemma for word in reading.content]
    return any(
        what in order and deed in order and order.index(deed) < order.index(what)
        for what, deed in undergone
    )


def _past(reading: Reading) -> set[str]:
    return {word.lemma for word in reading.content if is_past(word.said)}


def _without_adverbs(a: Reading, b: Reading, roles: tuple[Role, ...]) -> tuple[Role, ...]:
    """ "The weather usually", "the usual weather"; "the longest river", "which is longest"."""
    adverbs = {w.lemma for w in (*a.content, *b.content) if w.said.endswith("ly")}
    most = {
        word.lemma
        for reading in (a, b)
        for before, word in itertools.pairwise(reading.words)
        if before.said == "most" or is_superlative(word.said)
    }
    if len(most) == 1:
        adverbs |= most
    adverbs |= STATES
    return tuple(role for role in roles if role[1] not in adverbs)


def _is_swapped(here: tuple[Role, ...], there: tuple[Role, ...], past: set[str]) -> bool:
    """Two words have changed places, and all else is as it was.

    "A deleted project", "a project I deleted": what was done to it may stand before or after it.
    """
    if len(here) != len(there):
        return False
    apart = [i for i, (mine, yours) in enumerate(zip(here, there, strict=True)) if mine != yours]
    if len(apart) != 2:
        return False
    i, j = apart
    if {here[i][1], here[j][1]} & past and j == i + 1:
        return False
    markers = here[i][0], here[j][0]
    return (
        markers == (there[i][0], there[j][0])
        and markers != ("and", "and")
        and (here[i][1], here[j][1]) == (there[j][1], there[i][1])
    )


def _is_passive(here: tuple[Role, ...], there: tuple[Role, ...]) -> bool:
    """The fox chased the hen, the fox was chased by the hen."""
    if [word for _, word in here] != [word for _, word in there]:
        return False
    markers = {frozenset((x, y)) for (x, _), (y, _) in zip(here, there, strict=True)}
    return frozenset(("by", "")) in markers


def _is_turned(here: tuple[Role, ...], there: tuple[Role, ...]) -> bool:
    """Words that no marker holds, in another order; "by" tells who did it in any order."""
    if any(m == "by" for m, _ in here) != any(m == "by" for m, _ in there):
        return False
    free_here = [w for m, w in here if not m and w not in ENDS]
    free_there = [w for m, w in there if not m and w not in ENDS]
    shared = set(free_here) & set(free_there)
    first = [w for w in free_here if w in shared]
    second = [w for w in free_there if w in shared]
    if first == second or sorted(first) != sorted(second):
        return False
    # Of more than a pair a part may be moved (`moves`).
    return len(first) == 2


def _asks_for_stranded(reading: Reading, other: Reading) -> bool:
    """ "What zone is it in", "in which zone is it"."""
    last = reading.said[-1:]
    return bool(last) and any(
        (marker,) == last and asks in ASKING for marker, asks in itertools.pairwise(other.said)
    )


def _is_owned(a: Reading, b: Reading) -> bool:
    """ "Lend my aunt's ladder", "lend my aunt a ladder, with my aunt, to my aunt"."""
    if "'s" not in a.text:
        return False
    owners = {lemma(match[1]) for match in OWNER.finditer(a.text.lower())}
    others = {lemma(match[1]) for match in OWNER.finditer(b.text.lower())}
    roles = _alone(b, tuple(_roles(b)))
    return any(marker in BESIDE and word in owners - others for marker, word in roles)


def _is_let_down(reading: Reading, here: tuple[Role, ...], there: tuple[Role, ...]) -> bool:
    """ "What do I swap tea for in May", "what do I swap for tea in May"."""
    alone = {
        word.said
        for word, after in itertools.pairwise(reading.words)
        if word.said in STRANDED and (after.said in STRONG | WEAK or after.starts)
    }
    return any(marker in alone and (marker, word) not in here for marker, word in there)


def _is_stranded(reading: Reading, there: tuple[Role, ...]) -> bool:
    """ "What is it a cause of", "what is a cause of it"."""
    if not reading.said:
        return False
    last = reading.said[-1]
    return last in STRONG | WEAK and any(m == last for m, _ in there)
