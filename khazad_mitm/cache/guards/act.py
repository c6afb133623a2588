"""What is to be done: the verb of "how do I VERB" is not even mentioned in the other question."""

from __future__ import annotations

from khazad_mitm.cache.guards.alignment import rest
from khazad_mitm.cache.guards.lexicon.function_words import AUXILIARIES, PRONOUNS
from khazad_mitm.cache.guards.reading import Reading


def differs(a: Reading, b: Reading) -> bool:
    left = rest(a, b)
    here = {word.lemma for word in left.here if not word.is_generic}
    there = {word.lemma for word in left.there if not word.is_generic}
    return _verb(a) in here or _verb(b) in there


def _verb(reading: Reading) -> str:
    """The first content word after "how do I" or "how to"; or ""."""
    if "how" not in reading.said:
        return ""
    words = reading.words
    found = ""
    for index, word in enumerate(words):
        if not word.is_content:
            continue
        one, two = (words[i].said if i >= 0 else "" for i in (index - 1, index - 2))
        if (one in PRONOUNS and two in AUXILIARIES) or (one == "to" and two in ("how", "way")):
            found = word.lemma
    return found
