"""What fresh answers teach about the answers a pool is served by meaning.

Three sources, one use. A miss that had a neighbour the guards let pass costs no extra call: the
upstream has just answered, and that answer is held against the neighbour's. Of what is served, a
sampled share is asked again in the background (`Sampler`; the edges make the calls). Where asking
again would leave something behind at the provider, that share is not served in the first place.

What is compared is counted (`Weigh`); from the counts follows the pool's threshold (`Settle`). Two
questions whose answers were different are not taken for each other again (`IsRefuted`).
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from khazad_mitm.cache import budget
from khazad_mitm.cache.budget import Earned
from khazad_mitm.cache.commands import (
    Asked,
    IsRefuted,
    Remember,
    Settle,
    Standing,
    Steps,
    Weigh,
)
from khazad_mitm.cache.compare import agree
from khazad_mitm.cache.prompt import question_path, question_text
from khazad_mitm.errors import CacheUnavailable
from khazad_mitm.exchange import Hit, Miss, Neighbour

# A threshold is worked out anew after so many right answers, and after each wrong one.
SETTLED_EVERY = 10
HOUR_S = 3600.0

CLOSED = Earned(2.0)


@dataclass(frozen=True, slots=True)
class Terms:
    """What is tolerated, and how it is found out."""

    most_wrong: float
    """Share of wrong ones among what is served by meaning for the first time, above 0."""
    share: float
    """Of what would be served, the part that is checked in the long run, 0 to 1."""
    lowest: float = 0.0
    """No threshold is lower, a cosine."""
    has_judge: bool = False


def is_sampled(ticket: Miss, neighbour: Neighbour, share: float) -> bool:
    """Is this one of the share to be checked? Drawn from digests, so that the story needs no dice.

    The secret is in them, so no caller chooses; and the moment the entry was stored, so that a
    question that comes back after it has expired is drawn anew.
    """
    stored_at = 0.0 if neighbour.entry is None else neighbour.entry.stored_at
    drawn = f"{ticket.digests.fingerprint} {neighbour.id} {stored_at!r}".encode()
    number = int.from_bytes(hashlib.blake2b(drawn, digest_size=8).digest(), "big")
    return number < share * 2**64


def opened_at(ticket: Miss, terms: Terms, floor: float) -> Steps[Earned]:
    """What a pool has earned, for a caller who wants `floor` at the least; above 1: it is closed.

    What leaves something behind is not asked twice but goes upstream in the foreground, so no more
    of it is checked than the user has said.
    """
    earned: Earned | None = yield Standing(ticket.pool)
    if earned is None:
        return CLOSED
    share = terms.share if ticket.parsed.leaves_traces else max(earned.share, terms.share)
    return Earned(max(earned.at, floor, terms.lowest), share)


def is_refuted(ticket: Miss, neighbour: Neighbour) -> Steps[bool]:
    """Is it known that the neighbour's answer is another than this question's?"""
    refuted: bool = yield IsRefuted(ticket.pool, _pair_of(ticket, neighbour))
    return refuted


def _pair_of(ticket: Miss, neighbour: Neighbour) -> str:
    """A pair's name, whichever of the two was asked."""
    both = " ".join(sorted((ticket.digests.fingerprint, neighbour.id)))
    return hashlib.blake2b(both.encode(), digest_size=8).hexdigest()


def observe(
    ticket: Miss, neighbour: Neighbour, answer: bytes, terms: Terms, *, was_served: bool
) -> Steps[bool | None]:
    """Hold a fresh answer against the one that `neighbour` was, or would have been, served.

    True where they agree; None where that could not be told, which counts for nothing.
    """
    entry, asked = neighbour.entry, question_text(ticket.parsed)
    if entry is None or entry.question is None or asked is None or not ticket.pool:
        return None
    try:
        questions = (entry.question, asked, neighbour.similarity)
        agreed = yield from agree(questions, entry.answer, answer, terms.has_judge)
    except CacheUnavailable:
        return None
    if agreed is None:
        return None
    yield from count(
        ticket.pool,
        neighbour.similarity,
        terms,
        was_served=was_served,
        # What was served has been counted when it was.
        candidates=0 if was_served else 1,
        checked=1,
        wrong=0 if agreed else 1,
        doubted=budget.doubted(not agreed, terms.most_wrong) if was_served else 0.0,
        refuted="" if agreed else _pair_of(ticket, neighbour),
    )
    return agreed


def count(
    pool: str,
    similarity: float,
    terms: Terms,
    *,
    was_served: bool,
    candidates: int = 0,
    checked: int = 0,
    wrong: int = 0,
    doubted: float = 0.0,
    refuted: str = "",
) -> Steps[None]:
    """Count, and work the threshold out anew where it may have moved."""
    slot = budget.slot_of(similarity, was_served)
    slots = yield Weigh(pool, slot, candidates, checked, wrong, doubted, refuted)
    checks = sum(tally.checked for tally in slots)
    if checked and (wrong or checks % SETTLED_EVERY == 0):
        at = budget.threshold(slots, terms.most_wrong, terms.lowest)
        share = budget.share(slots, terms.most_wrong, terms.share)
        yield Settle(pool, None if at is None else Earned(at, share))


def served(hit: Hit, terms: Terms | None, now: float, text_of: Callable[[str], str]) -> Steps[None]:
    """Count what was served by meaning, and note with the entry what was asked.

    `text_of` makes of a question what may be kept of it.
    """
    ticket = hit.paraphrase
    if ticket is None:
        return
    asked = Asked(
        ticket.digests.fingerprint,
        text_of(question_text(hit.parsed) or ""),
        question_path(hit.parsed),
        hit.similarity,
        now,
        ticket.tenant,
    )
    yield Remember(hit.entry.id, asked)
    if terms is not None and ticket.pool:
        yield from count(ticket.pool, hit.similarity, terms, was_served=True, candidates=1)


def neighbour_of(hit: Hit) -> Neighbour:
    """The neighbour that a hit was served from."""
    return Neighbour(hit.entry.id, hit.similarity, hit.entry)


class Sampler:
    """Grants background calls, so many an hour in this process. Thread-safe."""

    def __init__(self, per_hour: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_hour = per_hour
        self._clock = clock
        self._lock = threading.Lock()
        self._began = clock()
        self._granted = 0

    def grants(self, hit: Hit) -> bool:
        """May this one be asked again? Only what was sampled; each yes counts."""
        if not hit.is_sampled:
            return False
        with self._lock:
            if self._clock() - self._began >= HOUR_S:
                self._began, self._granted = self._clock(), 0
            if self._granted >= self._per_hour:
                return False
            self._granted += 1
            return True
