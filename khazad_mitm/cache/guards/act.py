"""What is to be done: the verb of "how do I VERB" is not even mentioned in the other question."""

from __future__ import annotations

import itertools
from functools import lru_cache

from khazad_mitm.cache.guards.alignment import rest
from khazad_mitm.cache.guards.lexicon.function_words import AUXILIARIES, PRONOUNS
from khazad_mitm.cache.guards.lexicon.tables import are_near, lemma
from khazad_mitm.cache.guards.reading import Reading

LIGHT = frozenset(
    lemma(word) for word in "get make do have go take put turn work return show give list".split()
)
"""Verbs that say little before the words that follow: "speed it up", "make it fast"."""
MADE = frozenset("function query script program command statement regex class macro".split())
"""What is written to do something."""
CONTROLS = frozenset("to about with and or you me".split())
CAN = frozenset("can could should may must".split())
EMBEDDING = frozenset("where when how what which whether if".split())
"""Before "I can" in a question within a question."""
BEFORE_TO = frozenset(("how", "way"))
THAT = frozenset(("that", "which"))
ANYONE = frozenset("i we to one".split())


def differs(a: Reading, b: Reading) -> bool:
    left = rest(a, b)
    here = {word.lemma for word in left.here if not word.is_generic}
    there = {word.lemma for word in left.there if not word.is_generic}
    return _verb(a) in here or _verb(b) in there


def is_only_told(a: Reading, b: Reading) -> bool:
    """ "I bled the valve. How do I refill it?", "how do I bleed the valve?"."""
    here, there = _verb(a), _verb(b)
    if not a.told or not here or not there or here == there or are_near(here, there):
        return False
    if _deed(a)[0] != _deed(b)[0]:  # "how do I bleed it", "bleeding it: how does that work"
        return False
    in_sentences = {word.sentence for word in a.words if word.lemma == there}
    return bool(in_sentences) and in_sentences <= a.told


def is_another(a: Reading, b: Reading) -> bool:
    """Each says what the same person is to do, in a word that the other has not."""
    left = rest(a, b)
    (who, here), (whom, there) = _deed(a), _deed(b)
    if who != whom:  # "Can I pay in cash", "do you take cash"
        return False
    done = [word for word in left.here if word.lemma == here]
    instead = [word for word in left.there if word.lemma == there]
    if here in LIGHT or there in LIGHT:
        return False
    if not done or not instead:
        return bool(done and _is_beside(a, b, there)) or bool(instead and _is_beside(b, a, here))
    return True


def _is_beside(a: Reading, b: Reading, deed: str) -> bool:
    """Does `a`, where another deed is asked for, say this one all the same, of something else?

    "Can I answer one who sued me" is not "can I sue"; "how do I start to save, or saving" is
    "how do I save".
    """
    for before, word in itertools.pairwise(a.words):
        if word.lemma == deed:
            return before.said not in CONTROLS and not word.said.endswith("ing")
    return False


def is_telling(reading: Reading) -> bool:
    """Is it asked how to do something, in a word that tells what?"""
    deed = _verb(reading)
    return any(word.lemma == deed and not word.is_generic for word in reading.content)


def deed_of_speaker(reading: Reading) -> str:
    """What "I" or anybody is to do; or ""."""
    who, deed = _deed(reading)
    return deed if who == "i" else ""


def _verb(reading: Reading) -> str:
    """The content word after "how do I" or "how to"; or ""."""
    return _deed(reading)[1] if "how" in reading.vocabulary else ""


@lru_cache(maxsize=64)
def _deed(reading: Reading) -> tuple[str, str]:
    """Who, and the last content word right after "can I", "how to", "a query that"; or ""."""
    found = "", ""
    three = two = one = ""
    for word in reading.words:
        if word.is_content:
            is_adverb = word.said.endswith("ly") or word.said == "best"
            if is_adverb and one in PRONOUNS:
                continue  # "how do I best", "how can I safely"
            if (one in PRONOUNS and two in AUXILIARIES) or (one == "to" and two in BEFORE_TO):
                found = "i" if one in ANYONE else one, word.lemma
            elif one in CAN and two in ANYONE and three in EMBEDDING:
                found = "i", word.lemma
            elif one in THAT and two in MADE:
                found = "it", word.lemma
        three, two, one = two, one, word.said
    return found
