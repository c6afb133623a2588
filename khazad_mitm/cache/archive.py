"""What happens after an answer has passed by: read it, tell whoever waits for it, keep it.

Each on a thread of its own, in order, so that nobody waits for more than he must: who asked the
same needs no store to be answered, and what is kept needs no vector yet. Nothing here raises on
traffic.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import partial
from http import HTTPStatus

from khazad_mitm.cache import (
    acceptance,
    collapsing,
    inventory,
    keeping,
    log_lines,
    lookup,
    policy,
    second,
)
from khazad_mitm.cache.answers import Decode, read
from khazad_mitm.cache.background import Background
from khazad_mitm.cache.batches import Joined
from khazad_mitm.cache.capture import Capture
from khazad_mitm.cache.checking import Checking
from khazad_mitm.cache.keeper import Keeper
from khazad_mitm.cache.keeping import Kept
from khazad_mitm.cache.live import Live
from khazad_mitm.cache.orphans import Orphans
from khazad_mitm.cache.parts import Parts
from khazad_mitm.cache.routes import Rulebook
from khazad_mitm.cache.stats import Counters
from khazad_mitm.exchange import Hit, Miss, Unkept
from khazad_mitm.messages import Response

TOO_MANY = "too many waiting"

# Questions that wait for a verifier. It may take seconds for each, and one that is late by
# minutes helps nobody.
MOST_UNJUDGED = 100

# What was labelled is remembered, so that each repeat need not say so again.
MOST_LABELLED = 10_000

# At the end, for all that waits to be kept.
CLOSE_S = 2.0

logger = logging.getLogger("khazad")


class Archive:
    """Where the answers of one cache go. Any thread may call."""

    def __init__(
        self,
        decode: Decode,
        parts: Parts,
        rulebook: Rulebook,
        counters: Counters,
        shadow_per_hour: int = 0,
    ) -> None:
        self._decode = decode
        self._parts = parts
        self._rulebook = rulebook
        self._counters = counters
        self._background = Background(parts, counters)
        self._reader = Keeper(name="khazad-reader")
        self._keeper = Keeper()
        # These wait for a model, which may still be read, or hang.
        self._placer = Keeper(name="khazad-placer")
        self._judging = Keeper(MOST_UNJUDGED, "khazad-judge")
        self._checking = Checking(decode, self._background, rulebook, counters, shadow_per_hour)
        self._orphans = Orphans()
        self._is_closed = False
        self._labelled: set[tuple[str, float, tuple[str, ...]]] = set()

    def capture(self, miss: Miss) -> Capture:
        """A buffer for the answer to a miss."""
        return Capture(
            partial(self._keep, miss),
            partial(self._let_go, miss),
            ends_with_message=miss.parsed.ends_with_message,
            goes_live=self._goes_live(miss),
            vanished=self._orphans.take if miss.flight else None,
        )

    def _goes_live(self, miss: Miss) -> Callable[[Live], None] | None:
        is_shared = miss.flight and miss.parsed.framing.is_stream
        return partial(self._parts.flights.go_live, miss.flight) if is_shared else None

    def abandon(self, miss: Miss) -> None:
        """No answer will come: one of those who wait for it shall ask."""
        if miss.flight and not self._parts.flights.hand_over(miss.flight):
            self._keeper.hand(partial(self._release, miss))

    def _release(self, miss: Miss) -> None:
        """Tell other workers that the answer is there, or will not come."""
        if miss.flight:
            self._background.run(collapsing.released(miss.flight, self._parts.flights))

    def keep_rest(self, miss: Miss, response: Response, batch: Joined) -> None:
        """Keep what the upstream said to the rest of a batch."""
        if len(response.body) > policy.MAX_ANSWER_BYTES:
            self._unkept(miss, "too-big")
        elif not self._keeper.hand(partial(self._store_rest, miss, response, batch)):
            self._unkept(miss, TOO_MANY)

    def learn(self, hit: Hit) -> None:
        """Remember a paraphrase that was served."""
        if hit.paraphrase is None:
            return
        # The next turn of a conversation may come before this one is learnt: it waits for it.
        digests = hit.paraphrase.digests
        keys = (digests.fingerprint, digests.conversation)
        self._parts.landings.begin(keys)
        if not self._keeper.hand(partial(self._learn, hit, keys)):
            self._parts.landings.end(keys)

    def _learn(self, hit: Hit, keys: tuple[str, ...]) -> None:
        try:
            self._background.run(keeping.learn(hit))
        finally:
            self._parts.landings.end(keys)
        # Afterwards: nobody waits for what is noted and counted.
        self._background.run(keeping.note(hit, self._rulebook.of(hit.parsed), time.time()))

    def label(self, hit: Hit) -> None:
        """Let what was served have the tags of the request too."""
        labelled = (hit.entry.id, hit.entry.stored_at, inventory.missing(hit))
        if labelled[-1] and labelled not in self._labelled:
            if len(self._labelled) >= MOST_LABELLED:
                self._labelled.clear()
            if self._keeper.hand(lambda: self._background.run(inventory.label(hit))):
                self._labelled.add(labelled)

    def shadow(self, hit: Hit) -> Capture | None:
        """A buffer for a fresh answer to what was served; None where none is to be asked for."""
        return self._checking.capture(hit)

    def judge_later(self, miss: Miss) -> None:
        """Have judged what the lookup had no time for."""
        self._judging.hand(partial(self._judge, miss))

    def drain(self, timeout_s: float) -> bool:
        """Wait until all that was handed over so far is kept, placed and compared; False after
        `timeout_s`."""
        end = time.monotonic() + timeout_s
        return all(stage.drain(max(0.0, end - time.monotonic())) for stage in self._stages)

    def drain_judging(self, timeout_s: float) -> bool:
        """Wait until all that was to be judged later is; False after `timeout_s`."""
        return self._judging.drain(timeout_s)

    def close(self) -> None:
        """Keep what is waiting, and end the threads. Idempotent."""
        end = time.monotonic() + CLOSE_S
        for stage in self._stages:
            stage.close(max(0.0, end - time.monotonic()))
        self._orphans.close()
        self._is_closed = True
        self._judging.close(0.0)

    @property
    def _stages(self) -> tuple[Keeper | Checking, ...]:
        return self._reader, self._keeper, self._placer, self._checking

    def _keep(self, miss: Miss, response: Response) -> None:
        self._parts.landings.begin(_landing(miss))
        self._parts.landings.begin(_placing(miss))
        self._hear(miss, response)
        # An answer is as old as its last byte, however long it waits to be kept.
        if not self._reader.hand(partial(self._receive, miss, response, time.time())):
            self._lose(miss, response)

    def _lose(self, miss: Miss, response: Response) -> None:
        """Too many wait already."""
        self._parts.landings.end(_landing(miss))
        self._parts.landings.end(_placing(miss))
        self._let_go(miss, TOO_MANY)

    def _hear(self, miss: Miss, response: Response) -> None:
        """Whether the credential was accepted counts from now on, whatever becomes of the rest:
        hits depend on it."""
        for command in keeping.vouch(miss, response, self._rulebook.of(miss.parsed)):
            self._parts.acceptances.known(command)

    def _let_go(self, miss: Miss, reason: str) -> None:
        self._unkept(miss, reason)
        if reason == "cut":
            self.abandon(miss)
        elif miss.flight:
            self._parts.flights.dissolve(miss.flight)
            self._keeper.hand(partial(self._release, miss))

    def _receive(self, miss: Miss, response: Response, now: float) -> None:
        """Read an answer, and tell those who wait for it: what follows may take its time."""
        kept: Kept | None = None
        try:
            kept = self._read(miss, response, now)
        finally:
            goes_on = self._tell(miss, response, kept)
            if not self._keeper.hand(partial(self._store, miss, response, kept)):
                self._lose(miss, response)
            elif kept is None and not goes_on:
                self._keeper.hand(partial(self._release, miss))

    def _read(self, miss: Miss, response: Response, now: float) -> Kept | None:
        """What is to be kept of it, if it is whole."""
        known = read(miss.parsed, response, self._decode)
        if not isinstance(known, Unkept):
            answer, decoded = known
            rules = self._rulebook.of(miss.parsed)
            judged = keeping.judge(miss, decoded, answer, rules, now)
            if not isinstance(judged, Unkept):
                return judged
            known = judged
        self._unkept(miss, known.reason)
        return None

    def _tell(self, miss: Miss, response: Response, kept: Kept | None) -> bool:
        """Tell those who wait in this process; does one of them ask now?"""
        some = self._parts.flights
        if not miss.flight:
            return False
        if kept is not None:
            some.tell(miss.flight, kept.entry)
            return False
        # An error is one caller's misfortune; an answer that may not be kept would be everyone's,
        # and so would the refusal of the key that all of them show.
        if response.status == HTTPStatus.OK or policy.refuses_credential(response):
            return some.dissolve(miss.flight)
        return some.hand_over(miss.flight)

    def _store(self, miss: Miss, response: Response, kept: Kept | None) -> None:
        rules, is_kept = self._rulebook.of(miss.parsed), False
        try:
            for credential in self._parts.acceptances.untold():
                self._background.run(acceptance.retell(credential))
            self._background.run_on(keeping.vouch(miss, response, rules))
            if kept is not None:
                _, is_kept = self._background.run_on(keeping.keep(miss, kept))
        finally:
            if miss.flight and kept is not None:
                self._parts.flights.land(miss.flight, kept.entry)
            self._parts.landings.end(_landing(miss))
            place = partial(self._place, miss, kept) if kept is not None and is_kept else None
            if place is None or not self._placer.hand(place):
                self._parts.landings.end(_placing(miss))
        if kept is not None and not kept.entry.exact_only:
            self._checking.observe(miss, kept.entry.answer)

    def _place(self, miss: Miss, kept: Kept) -> None:
        try:
            self._background.run(keeping.place(miss, kept.entry))
            self._counters.count_stored()
        finally:
            self._parts.landings.end(_placing(miss))

    def _store_rest(self, miss: Miss, response: Response, batch: Joined) -> None:
        rules = self._rulebook.of(miss.parsed)
        self._background.run(keeping.vouch(miss, response, rules))
        now = time.time()
        steps = keeping.keep_rest(miss, response, batch.answer, batch.parts, rules, now)
        match self._background.run(steps):
            case True:
                self._counters.count_stored()
            case False:
                self._unkept(miss, keeping.SENSITIVE)

    def _judge(self, miss: Miss) -> None:
        # A verifier is nothing to wait for at the end.
        if not self._is_closed:
            self._background.run(second.judge_later(miss, self._rulebook.of(miss.parsed).verifier))

    def _unkept(self, miss: Miss, reason: str) -> None:
        self._counters.count_unkept(reason)
        logger.info("[Khazad] NOT STORED - %s - %s", reason, log_lines.what(miss.parsed))


def _landing(miss: Miss) -> tuple[str, ...]:
    """What is in the store once the answer to a miss is."""
    fingerprint = miss.digests.fingerprint
    return (fingerprint, *miss.proofs) if miss.reason == lookup.NOT_ACCEPTED else (fingerprint,)


def _placing(miss: Miss) -> tuple[str, ...]:
    """Where the answer to a miss will be found by meaning, once there is a vector."""
    return (miss.scope,) if miss.scope is not None and miss.vector is None else ()
