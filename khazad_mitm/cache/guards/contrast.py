"""Equal but for a word or two in one place: whoever wrote both meant the difference."""

from __future__ import annotations

from collections.abc import Sequence

from khazad_mitm.cache.guards.alignment import rest
from khazad_mitm.cache.guards.reading import Reading

WIDEST = 3
"""Words on each side of one difference; wider ones are rewordings."""
WIDEST_SAID = 1
"""The same, where only words of content count."""


def differs(a: Reading, b: Reading) -> bool:
    left = rest(a, b)
    if not left.here or not left.there:
        return False
    width, shared = _apart([word.lemma for word in a.words], [word.lemma for word in b.words])
    if width <= WIDEST and shared >= 2:
        return True
    # "Did the bank lend it", "the bank lent it": little words come and go with the form of a
    # sentence.
    here, there = {id(word) for word in left.here}, {id(word) for word in left.there}
    width, shared = _apart(
        ["" if id(word) in here else word.lemma for word in a.content],
        [" " if id(word) in there else word.lemma for word in b.content],
    )
    tells = all(left.telling)
    return tells and width <= WIDEST_SAID and shared >= 2


def _apart(here: Sequence[str], there: Sequence[str]) -> tuple[int, int]:
    """How wide the stretch is in which they differ, and how many words are around it."""
    least = min(len(here), len(there))
    start = 0
    while start < least and here[start] == there[start]:
        start += 1
    end = 0
    while end < least - start and here[-1 - end] == there[-1 - end]:
        end += 1
    return max(len(here), len(there)) - start - end, start + end
