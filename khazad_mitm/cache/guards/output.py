"""What the answer should look like: as a table, in bullet points, briefly, for a child."""

from __future__ import annotations

from khazad_mitm.cache.guards.alignment import rest
from khazad_mitm.cache.guards.lexicon.kinds import KINDS
from khazad_mitm.cache.guards.lexicon.tables import lemma
from khazad_mitm.cache.guards.reading import Reading

LOOKS = frozenset(lemma(word) for word in KINDS["format"].split()) | frozenset(
    lemma(word)
    for word in (
        "bullets bulleted numbered outline brief briefly short shortly concise concisely detailed"
        " detail depth length beginner expert layman kid child five-year-old eli5 simple terms"
        " words rhyme verse formal informal formally casual tone style funny humorous sarcastic"
        " professional code script snippet command regex step-by-step headline title slogan"
        " dialogue story"
    ).split()
)
ASKS = frozenset("as in into using with for".split())


def differs(a: Reading, b: Reading) -> bool:
    left = rest(a, b)
    return _shapes(a, {w.lemma for w in left.here}) or _shapes(b, {w.lemma for w in left.there})


def _shapes(reading: Reading, left: set[str]) -> bool:
    """Does a word of looks stand after `as`, `in` ..., or say by itself how to answer?"""
    if left.isdisjoint(LOOKS):
        return False
    before: list[str] = []
    for word in reading.words:
        says_how = word.said.endswith("ly") or any(b in ASKS for b in before[-3:])
        if says_how and word.lemma in left and word.lemma in LOOKS:
            return True
        before.append(word.said)
    return False
