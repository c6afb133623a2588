"""Holds fresh answers against those that were served, or would have been, by meaning.

On a thread of its own: what compares two answers embeds them, or asks a judge that takes seconds,
and no answer waits behind that to be kept.
"""

from __future__ import annotations

import logging
import time
from functools import partial

from khazad_mitm.cache import keeping, log_lines, shadow
from khazad_mitm.cache.answers import Decode, read
from khazad_mitm.cache.background import Background
from khazad_mitm.cache.capture import Capture
from khazad_mitm.cache.keeper import Keeper
from khazad_mitm.cache.routes import Rulebook
from khazad_mitm.cache.stats import Counters
from khazad_mitm.exchange import Hit, Miss, Neighbour, Unkept
from khazad_mitm.messages import Response

logger = logging.getLogger("khazad")


class Checking:
    """Any thread may call."""

    def __init__(
        self,
        decode: Decode,
        background: Background,
        rulebook: Rulebook,
        counters: Counters,
        per_hour: int,
    ) -> None:
        """`per_hour`: so many are asked again at most."""
        self._decode = decode
        self._background = background
        self._rulebook = rulebook
        self._counters = counters
        self._sampler = shadow.Sampler(per_hour)
        self._keeper = Keeper(name="khazad-checker")

    def capture(self, hit: Hit) -> Capture | None:
        """A buffer for a fresh answer to what was served: compared, and kept if it differs.

        None where none is to be asked for.
        """
        if not self._sampler.grants(hit):
            return None
        parsed = hit.parsed
        return Capture(
            lambda response: self._hand(hit, response),
            lambda reason: logger.debug(
                "[Khazad] NOT CHECKED - %s - %s", reason, log_lines.what(parsed)
            ),
            ends_with_message=parsed.ends_with_message,
        )

    def observe(self, miss: Miss, answer: bytes) -> None:
        """Learn from the answer to a miss how good its neighbour's would have been."""
        if miss.candidate is not None:
            self._keeper.hand(partial(self._note, miss, miss.candidate, answer))

    def drain(self, timeout_s: float) -> bool:
        """Wait until all that was handed over so far is compared; False after `timeout_s`."""
        return self._keeper.drain(timeout_s)

    def close(self, timeout_s: float) -> None:
        """Compare what is waiting, for so long, and end the thread. Idempotent."""
        self._keeper.close(timeout_s)

    def _hand(self, hit: Hit, response: Response) -> None:
        self._keeper.hand(partial(self._compare, hit, response))

    def _note(self, miss: Miss, candidate: Neighbour, answer: bytes) -> None:
        self._observed(miss, candidate, answer, was_served=False)

    def _compare(self, hit: Hit, response: Response) -> None:
        """Learn from a fresh answer how good the one was that was served."""
        ticket, known = hit.paraphrase, read(hit.parsed, response, self._decode)
        if ticket is None:
            return
        rules = self._rulebook.of(hit.parsed)
        self._background.run(keeping.vouch(ticket, response, rules))
        if isinstance(known, Unkept) or known[0].exact_only:
            return
        answer, decoded = known
        agreed = self._observed(ticket, shadow.neighbour_of(hit), answer.body, was_served=True)
        if agreed is False:
            # From now on this question is answered by its own answer.
            kept = keeping.judge(ticket, decoded, answer, rules, time.time())
            if not isinstance(kept, Unkept):
                self._background.run(keeping.keep(ticket, kept))

    def _observed(
        self, ticket: Miss, neighbour: Neighbour, answer: bytes, *, was_served: bool
    ) -> bool | None:
        terms = self._rulebook.of(ticket.parsed).tolerates
        if terms is None:
            return None
        steps = shadow.observe(ticket, neighbour, answer, terms, was_served=was_served)
        agreed = self._background.run(steps)
        self._counters.count_checked(agreed, was_served=was_served)
        if agreed is False and was_served:
            logger.info(
                "[Khazad] WRONG HIT - Similarity: %.2f - %s %s",
                neighbour.similarity,
                neighbour.id,
                log_lines.what(ticket.parsed),
            )
        return agreed
