"""I or you, he or she: about whom it is asked."""

from __future__ import annotations

import itertools
from functools import lru_cache

from khazad_mitm.cache.guards.reading import Reading

SOMEONE = frozenset("somebody someone anybody anyone".split())
HE = frozenset("he him his himself".split())
SHE = frozenset("she her hers herself".split())
FIRST = frozenset("i me my mine myself we us our ours".split())
SECOND = frozenset("you your yours yourself".split())
# "How do I", "how do you", "how can one": nobody in particular.
BEFORE_ANYONE = frozenset("do does did can could should would must may might to will shall".split())


def differs(a: Reading, b: Reading) -> bool:
    for one, other in ((HE, SHE), (SHE, HE)):
        if a.has(*one) and b.has(*other) and not a.has(*other) and not b.has(*one):
            return True
    if _is_for_another(a) != _is_for_another(b) and (a.has("i", "we") or b.has("i", "we")):
        return True
    here, there = _meant(a), _meant(b)
    return here in ("1", "2") and there in ("1", "2") and here != there


@lru_cache(maxsize=64)
def _is_for_another(reading: Reading) -> bool:
    """ "Can someone else do it", where the other asks whether he can himself."""
    return any(
        one in SOMEONE and other in ("else", "other")
        for one, other in itertools.pairwise(reading.said)
    )


@lru_cache(maxsize=64)
def _meant(reading: Reading) -> str:
    """ "1", "2", or "" where it is both, neither or nobody in particular."""
    said = reading.said
    if any(
        word in ("i", "you", "we") and index and said[index - 1] in BEFORE_ANYONE
        for index, word in enumerate(said)
    ):
        return ""
    first, second = reading.has(*FIRST), reading.has(*SECOND)
    return "" if first == second else "1" if first else "2"
