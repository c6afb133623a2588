"""Other things are asked about: each question has telling words that the other has not."""

from __future__ import annotations

from khazad_mitm.cache.guards.alignment import rest
from khazad_mitm.cache.guards.reading import Reading


def differs(a: Reading, b: Reading) -> bool:
    here, there = rest(a, b).telling
    return bool(here and there)


def adds(a: Reading, b: Reading) -> bool:
    """One has a telling word more, where it asks."""
    here, there = rest(a, b).telling
    return any(word.sentence not in a.told for word in here) or any(
        word.sentence not in b.told for word in there
    )


def tells(a: Reading, b: Reading) -> bool:
    """One tells more before it asks, or after."""
    here, there = rest(a, b).telling
    return any(word.sentence in a.told for word in here) or any(
        word.sentence in b.told for word in there
    )


def rewords(a: Reading, b: Reading) -> bool:
    """One has a word more, if only of wide meaning."""
    left = rest(a, b)
    return bool(left.here or left.there)


def are_bare(a: Reading, b: Reading) -> bool:
    """There is nothing but words of wide meaning."""
    return a is not b and (_is_bare(a) or _is_bare(b))


def _is_bare(reading: Reading) -> bool:
    """ "And this one?", "what does it do?": little words decide, which nothing here compares."""
    return all(word.is_generic for word in reading.content)
