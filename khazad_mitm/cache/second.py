"""The second stage: a verifier's word on neighbours that the guards have let pass.

On the way of a call it is asked under a deadline, and no answer is no. What it had no time for, or
what is a little less alike than the threshold, may be judged later, when nobody waits: what it then
approves becomes an alias.
"""

from __future__ import annotations

from enum import Enum

from khazad_mitm.cache.commands import Alias, Judge, Steps
from khazad_mitm.cache.prompt import question_text
from khazad_mitm.errors import CacheUnavailable
from khazad_mitm.exchange import Miss, Pair

MOST_JUDGED = 3
"""Neighbours per question. A caller waits a deadline for each, and a model of others may cost."""


class Opinion(Enum):
    SAME = "same"
    OTHER = "other"
    NONE = "none"
    """It was not asked, or did not answer."""


def opinion(pair: Pair, verifier: str, may_ask: bool) -> Steps[Opinion]:
    """What the verifier of this name thinks; without one the guards have decided."""
    if not verifier:
        return Opinion.SAME
    if not may_ask:
        return Opinion.NONE
    try:
        is_same: bool = yield Judge(pair, verifier)
    except CacheUnavailable:
        return Opinion.NONE
    return Opinion.SAME if is_same else Opinion.OTHER


def judge_later(miss: Miss, verifier: str) -> Steps[bool]:
    """Have judged what a lookup could not wait for. True where there is an alias now."""
    asked = question_text(miss.parsed)
    if asked is None or miss.alias is None:
        return False
    for neighbour in miss.unjudged[:MOST_JUDGED]:
        entry = neighbour.entry
        if entry is None or entry.question is None:
            continue
        pair = Pair(entry.question, asked, neighbour.similarity)
        if (yield Judge(pair, verifier, may_wait=True)):
            yield Alias(miss.alias, miss.digests.conversation, entry)
            return True
    return False
