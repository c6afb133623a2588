"""Equal but for a word or two in one place: whoever wrote both meant the difference."""

from __future__ import annotations

from khazad_mitm.cache.guards.alignment import rest
from khazad_mitm.cache.guards.reading import Reading

WIDEST = 3
"""Words on each side of one difference; wider ones are rewordings."""


def differs(a: Reading, b: Reading) -> bool:
    left = rest(a, b)
    if not left.here or not left.there:
        return False
    here = [word.lemma for word in a.words]
    there = [word.lemma for word in b.words]
    while here and there and here[-1] == there[-1]:
        here.pop()
        there.pop()
    start = 0
    while start < min(len(here), len(there)) and here[start] == there[start]:
        start += 1
    shared = len(a.words) - len(here) + start
    return max(len(here), len(there)) - start <= WIDEST and shared >= 2
