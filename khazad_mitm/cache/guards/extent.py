"""One asks for a part of what the other asks for, or for something besides."""

from __future__ import annotations

from khazad_mitm.cache.guards.alignment import rest
from khazad_mitm.cache.guards.reading import Reading, Word

BESIDES = frozenset("and or but plus including excluding without except nor".split())
"""What stands after these is asked for too, or left out."""
LIGHT = frozenset(
    "kind type sort form way means process concept idea notion term phrase word city town state"
    " country name use topic subject field case act art set list group pair piece bit lot couple"
    " number amount help part side point instead because front top end middle sake copy status"
    " overview explanation description definition meaning introduction basics details detail"
    " context scope realm sense information example summary outline note terms lack"
    " majority".split()
)
"""Before "of" these are no other thing than what follows."""
REASONS = frozenset("cause reason causes reasons".split())
DATES = frozenset("year date day month time".split())
"""In "the date of" something, which is when it was."""
BETWEEN = frozenset("the a an my your his her its our their this that these those".split())


def differs(a: Reading, b: Reading) -> bool:
    left = rest(a, b)
    if left.here and left.there:
        return False
    return _is_more(a, left.here, b) or _is_more(b, left.there, a)


def _is_more(reading: Reading, left: tuple[Word, ...], other: Reading) -> bool:
    more = {id(word) for word in left}
    telling = {id(word) for word in left if not word.is_generic}
    words = reading.words
    for index, word in enumerate(words):
        if id(word) not in more or word.sentence in reading.told:
            continue
        # "The index of the largest value": another thing than the value.
        is_of = index + 1 < len(words) and words[index + 1].said == "of"
        is_asked = (word.said in DATES and other.has("when")) or (
            word.said in REASONS and other.has("how", "why")
        )
        if is_of and word.said not in LIGHT and not is_asked:
            return True
        if id(word) not in telling:
            continue
        before = index - 1
        while before > 0 and (words[before].said in BETWEEN or id(words[before]) in telling):
            before -= 1
        # "And" begins many a follow-up; between words it adds.
        if before > 0 and words[before].said in BESIDES:
            return True
    return False
