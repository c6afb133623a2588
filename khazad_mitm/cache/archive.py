"""What happens after an answer has passed by: judge it, keep it, tell whoever waits for it.

All of it on a thread of its own, in order, and nothing here raises on traffic.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Any, TypeVar

from khazad_mitm.cache import (
    acceptance,
    drive,
    flights,
    inventory,
    keeping,
    lookup,
    pace,
    policy,
    second,
    shadow,
)
from khazad_mitm.cache.batches import Joined
from khazad_mitm.cache.capture import Capture
from khazad_mitm.cache.commands import Command, Steps
from khazad_mitm.cache.keeper import Keeper
from khazad_mitm.cache.live import Live
from khazad_mitm.cache.orphans import Orphans
from khazad_mitm.cache.parts import Parts
from khazad_mitm.cache.routes import Rulebook
from khazad_mitm.cache.stats import Counters
from khazad_mitm.errors import CacheUnavailable
from khazad_mitm.exchange import Answer, Entry, Hit, Miss, Neighbour, ParsedRequest, Unkept
from khazad_mitm.messages import Response

TOO_MANY = "too many waiting"

# Questions that wait for a verifier. It may take seconds for each, and one that is late by
# minutes helps nobody.
MOST_UNJUDGED = 100

# What was labelled is remembered, so that each repeat need not say so again.
MOST_LABELLED = 10_000

logger = logging.getLogger("khazad")

T = TypeVar("T")

Decode = Callable[[bytes, str, int], "bytes | None"]


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
        self._keeper = Keeper()
        # A thread of its own: answers do not wait behind a verifier.
        self._judging = Keeper(MOST_UNJUDGED, "khazad-judge")
        self._orphans = Orphans()
        self._sampler = shadow.Sampler(shadow_per_hour)
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
        if miss.flight and not miss.parsed.framing.is_stream:
            self._run(flights.released(miss.flight, self._parts.flights))

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
            self._run(keeping.learn(hit))
        finally:
            self._parts.landings.end(keys)
        # Afterwards: nobody waits for what is noted and counted.
        self._run(keeping.note(hit, self._rulebook.of(hit.parsed), time.time()))

    def label(self, hit: Hit) -> None:
        """Let what was served have the tags of the request too."""
        labelled = (hit.entry.id, hit.entry.stored_at, inventory.missing(hit))
        if labelled[-1] and labelled not in self._labelled:
            if len(self._labelled) >= MOST_LABELLED:
                self._labelled.clear()
            if self._keeper.hand(lambda: self._run(inventory.label(hit))):
                self._labelled.add(labelled)

    def shadow(self, hit: Hit) -> Capture | None:
        """A buffer for a fresh answer to what was served: compared, and kept if it differs.

        None where none is to be asked for.
        """
        if not self._sampler.grants(hit):
            return None
        parsed = hit.parsed
        return Capture(
            lambda response: self._hand_shadow(hit, response),
            lambda reason: logger.debug("[Khazad] NOT CHECKED - %s - %s", reason, what(parsed)),
            ends_with_message=parsed.ends_with_message,
        )

    def judge_later(self, miss: Miss) -> None:
        """Have judged what the lookup had no time for."""
        self._judging.hand(partial(self._judge, miss))

    def drain(self, timeout_s: float) -> bool:
        """Wait until all that was handed over so far is stored; False after `timeout_s`."""
        return self._keeper.drain(timeout_s)

    def drain_judging(self, timeout_s: float) -> bool:
        """Wait until all that was to be judged later is; False after `timeout_s`."""
        return self._judging.drain(timeout_s)

    def close(self) -> None:
        """Store what is waiting, and end the threads. Idempotent."""
        self._keeper.close()
        self._orphans.close()
        self._is_closed = True
        self._judging.close(0.0)

    def _keep(self, miss: Miss, response: Response) -> None:
        keys = (*_landing(miss), *_placing(miss))
        self._parts.landings.begin(keys)
        # An answer is as old as its last byte, however long it waits to be kept.
        if not self._keeper.hand(partial(self._store, miss, response, time.time())):
            self._parts.landings.end(keys)
            if policy.refuses_credential(response):
                # Of all that may be lost here this may not: hits depend on it.
                for proof in miss.proofs:
                    self._parts.acceptances.refuse(proof)
            self._let_go(miss, TOO_MANY)

    def _let_go(self, miss: Miss, reason: str) -> None:
        self._unkept(miss, reason)
        if reason == "cut":
            self.abandon(miss)
        elif miss.flight:
            self._parts.flights.dissolve(miss.flight)
            self._keeper.hand(partial(self._release, miss))

    def _store(self, miss: Miss, response: Response, now: float) -> None:
        try:
            entry, is_kept = self._landed(miss, response, now)
            # Afterwards: those who wait for the answer do not wait for what follows.
            if entry is not None and is_kept:
                self._run(keeping.place(miss, entry))
                self._counters.count_stored()
        finally:
            self._parts.landings.end(_placing(miss))
        if entry is not None and miss.candidate is not None and not entry.exact_only:
            self._observe(miss, miss.candidate, entry.answer, was_served=False)

    def _landed(self, miss: Miss, response: Response, now: float) -> tuple[Entry | None, bool]:
        """Keep an answer, and tell those who wait for it; was it kept?

        They are told whether it was or not: who asked the same needs no store to be answered.
        """
        some = self._parts.flights
        # An error is one caller's misfortune; an answer that may not be kept would be everyone's,
        # and so would the refusal of the key that all of them show.
        is_everyones = response.status == HTTPStatus.OK or policy.refuses_credential(response)
        otherwise = some.dissolve if is_everyones else some.hand_over
        entry, is_kept = None, False
        try:
            entry, is_kept = self._stored(miss, response, now)
        finally:
            if miss.flight and entry is not None:
                some.land(miss.flight, entry)
            elif miss.flight and not otherwise(miss.flight):
                self._release(miss)
            self._parts.landings.end(_landing(miss))
        return entry, is_kept

    def _stored(self, miss: Miss, response: Response, now: float) -> tuple[Entry | None, bool]:
        """Judge an answer, and keep it if it is whole; was it kept?"""
        rules = self._rulebook.of(miss.parsed)
        for credential in self._parts.acceptances.untold():
            self._run(acceptance.retell(credential))
        self._run_on(keeping.vouch(miss, response, rules))
        read = self._read(miss.parsed, response)
        if isinstance(read, str):
            self._unkept(miss, read)
            return None, False
        answer, decoded = read
        kept, is_kept = self._run_on(keeping.keep(miss, decoded, answer, rules, now))
        if isinstance(kept, Unkept):
            self._unkept(miss, kept.reason)
            return None, False
        return kept, is_kept

    def _read(self, parsed: ParsedRequest, response: Response) -> tuple[Answer, Response] | str:
        """The answer in a response, and that decoded; or why it is none."""
        reason = policy.refusal(response)
        if reason:
            return reason
        coding = response.headers.joined("content-encoding")
        body = self._decode(response.body, coding, policy.MAX_ANSWER_BYTES)
        if body is None:
            return "undecodable"
        answer = parsed.provider.assemble(body, parsed)
        if isinstance(answer, Unkept):
            return answer.reason
        is_stream = parsed.framing.is_stream
        marks = pace.thinned(response.marks, len(response.body), len(body)) if is_stream else ()
        return answer, Response(response.status, response.headers, body, marks)

    def _hand_shadow(self, hit: Hit, response: Response) -> None:
        self._keeper.hand(partial(self._compare, hit, response))

    def _compare(self, hit: Hit, response: Response) -> None:
        """Learn from a fresh answer how good the one was that was served."""
        ticket, read = hit.paraphrase, self._read(hit.parsed, response)
        if ticket is None:
            return
        self._run(keeping.vouch(ticket, response, self._rulebook.of(hit.parsed)))
        if isinstance(read, str) or read[0].exact_only:
            return
        answer, decoded = read
        agreed = self._observe(ticket, shadow.neighbour_of(hit), answer.body, was_served=True)
        if agreed is False:
            # From now on this question is answered by its own answer.
            rules = self._rulebook.of(hit.parsed)
            self._run(keeping.keep(ticket, decoded, answer, rules, time.time()))

    def _observe(
        self, ticket: Miss, neighbour: Neighbour, answer: bytes, *, was_served: bool
    ) -> bool | None:
        terms = self._rulebook.of(ticket.parsed).tolerates
        if terms is None:
            return None
        steps = shadow.observe(ticket, neighbour, answer, terms, was_served=was_served)
        agreed: bool | None = self._run(steps)
        self._counters.count_checked(agreed, was_served=was_served)
        if agreed is False and was_served:
            logger.info(
                "[Khazad] WRONG HIT - Similarity: %.2f - %s %s",
                neighbour.similarity,
                neighbour.id,
                what(ticket.parsed),
            )
        return agreed

    def _store_rest(self, miss: Miss, response: Response, batch: Joined) -> None:
        rules = self._rulebook.of(miss.parsed)
        self._run(keeping.vouch(miss, response, rules))
        now = time.time()
        steps = keeping.keep_rest(miss, response, batch.answer, batch.parts, rules, now)
        match self._run(steps):
            case True:
                self._counters.count_stored()
            case False:
                self._unkept(miss, keeping.SENSITIVE)

    def _judge(self, miss: Miss) -> None:
        # A verifier is nothing to wait for at the end.
        if not self._is_closed:
            self._run(second.judge_later(miss, self._rulebook.of(miss.parsed).verifier))

    def _run(self, steps: Any) -> Any:
        try:
            return drive.run(steps, partial(drive.obey, self._parts, drive.nobody()))
        except CacheUnavailable:
            self._counters.count_error()
            return None

    def _run_on(self, steps: Steps[T]) -> tuple[T, bool]:
        """Run a story to its end even where the store does not obey; did it?"""
        obeyed, waiting = True, drive.nobody()

        def obey(command: Command) -> Any:
            nonlocal obeyed
            try:
                return drive.obey(self._parts, waiting, command)
            except CacheUnavailable:
                obeyed = False

        result = drive.run(steps, obey)
        if not obeyed:
            self._counters.count_error()
        return result, obeyed

    def _unkept(self, miss: Miss, reason: str) -> None:
        self._counters.count_unkept(reason)
        logger.info("[Khazad] NOT STORED - %s - %s", reason, what(miss.parsed))


def _landing(miss: Miss) -> tuple[str, ...]:
    """What is in the store once the answer to a miss is."""
    fingerprint = miss.digests.fingerprint
    return (fingerprint, *miss.proofs) if miss.reason == lookup.NOT_ACCEPTED else (fingerprint,)


def _placing(miss: Miss) -> tuple[str, ...]:
    """Where the answer to a miss will be found by meaning, once there is a vector."""
    return (miss.scope,) if miss.scope is not None and miss.vector is None else ()


def what(parsed: ParsedRequest) -> str:
    """An answer as log lines name it."""
    return f"{parsed.provider.name} {parsed.model}".strip()
