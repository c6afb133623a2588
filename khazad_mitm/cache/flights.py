"""Equal questions at one moment: one caller asks the upstream, the others wait for its answer.

Only plain answers are waited for. Whoever asked for a stream wants its first word, not its last,
and nobody is made to wait who wants the upstream asked for his own sake (`no-cache`, a credential
that is still to be accepted).
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import dataclass, field, replace
from enum import Enum
from threading import Lock

from khazad_mitm.cache.commands import Get, Join, Steps
from khazad_mitm.exchange import Entry, Hit, Miss, Outcome

# Plain answers of large models take that long. A leader who takes longer is given up: the next to
# come leads, and who has waited so long goes alone.
WAIT_S = 30.0


class Turn(Enum):
    """What comes of joining."""

    LEAD = "lead"
    """Ask the upstream; others may wait for the answer."""
    LANDED = "landed"
    """The answer is in the store."""
    ALONE = "alone"
    """Ask the upstream; nobody waits."""


def coalesced(outcome: Outcome, now: float) -> Steps[Outcome]:
    """The outcome of a lookup, after waiting for whoever asks the same already."""
    if not isinstance(outcome, Miss) or not outcome.may_wait:
        return outcome
    turn: Turn = yield Join(outcome.digests.fingerprint)
    if turn is Turn.LEAD:
        return replace(outcome, is_leader=True)
    if turn is Turn.LANDED:
        entry: Entry | None = yield Get(outcome.digests.fingerprint)
        if entry is not None and entry.is_fresh(now):
            return Hit(outcome.parsed, entry, "exact", is_collapsed=True)
    return outcome


@dataclass(slots=True)
class _Flight:
    began: float
    waiting: deque[Future[Turn]] = field(default_factory=deque)


class Flights:
    """Those of this process, by fingerprint. Any thread and any event loop may join."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._flights: dict[str, _Flight] = {}

    def join(self, key: str) -> Future[Turn]:
        """A turn: LEAD at once where nobody is on the way, else when whoever leads is done."""
        turn: Future[Turn] = Future()
        with self._lock:
            flight = self._flights.get(key)
            if flight is None:
                self._flights[key] = _Flight(self._clock())
            elif self._clock() - flight.began > WAIT_S:
                flight.began = self._clock()
            else:
                flight.waiting.append(turn)
                return turn
        turn.set_result(Turn.LEAD)
        return turn

    def wait(self, key: str) -> Turn:
        """Join, and block until it is one's turn."""
        turn = self.join(key)
        try:
            wait([turn], WAIT_S)
        except BaseException:
            self._gone(key, turn)
            raise
        return _now(turn)

    async def wait_async(self, key: str) -> Turn:
        """Join, and await one's turn."""
        turn = self.join(key)
        if turn.done():
            return turn.result()
        try:
            # Not `wait_for`: before Python 3.12 it loses a cancellation that comes with the turn.
            await asyncio.wait([asyncio.wrap_future(turn)], timeout=WAIT_S)
        except BaseException:
            self._gone(key, turn)
            raise
        return _now(turn)

    def _gone(self, key: str, turn: Future[Turn]) -> None:
        """The caller himself is gone: what he was given goes to the next."""
        if _now(turn) is Turn.LEAD:
            self.hand_over(key)

    def land(self, key: str) -> None:
        """The answer is in the store."""
        self._end(key, Turn.LANDED)

    def dissolve(self, key: str) -> None:
        """There is an answer, and it is nobody else's: asking one by one would help nobody."""
        self._end(key, Turn.ALONE)

    def hand_over(self, key: str) -> None:
        """The leader came back with nothing: one of the others leads, and never all at once."""
        with self._lock:
            flight = self._flights.get(key)
            while flight is not None and flight.waiting:
                turn = flight.waiting.popleft()
                if turn.set_running_or_notify_cancel():
                    flight.began = self._clock()
                    turn.set_result(Turn.LEAD)
                    return
            self._flights.pop(key, None)

    def dissolve_all(self) -> None:
        """Nobody will be told anything any more."""
        for key in list(self._flights):
            self.dissolve(key)

    def _end(self, key: str, said: Turn) -> None:
        with self._lock:
            flight = self._flights.pop(key, None)
        for turn in () if flight is None else flight.waiting:
            if turn.set_running_or_notify_cancel():
                turn.set_result(said)


def _now(turn: Future[Turn]) -> Turn:
    """The turn as it is, for one who waits no longer: he goes alone unless he was told in time."""
    return Turn.ALONE if turn.cancel() else turn.result()
