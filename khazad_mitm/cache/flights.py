"""Equal questions at one moment: one caller looks, and asks the upstream; the others wait for him.

From the first command on, so that a hundred callers are one trip to the store and one embedding;
and they are handed the answer itself, since a store that all of them ask for it would be too late.
Only plain answers are waited for. Whoever asked for a stream wants its first word, not its last,
and nobody is made to wait who wants the upstream asked for his own sake (`no-cache`, a token that
is still to be accepted). Those who show the very same new key do wait: the upstream's yes or no to
one of them is theirs too.
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
from khazad_mitm.errors import CacheUnavailable
from khazad_mitm.exchange import Entry, Hit, Miss, Outcome

# Plain answers of large models take that long. A leader who takes longer is given up: the next to
# come leads, and who has waited so long goes alone.
WAIT_S = 30.0


class Turn(Enum):
    """What comes of joining, where it is not an entry, the answer that was waited for."""

    LEAD = "lead"
    """Look, and ask the upstream; others may wait for the answer."""
    ALONE = "alone"
    """The same, and nobody waits."""


def coalesced(story: Steps[Outcome], flights: Flights, now: float) -> Steps[Outcome]:
    """The story of a lookup that began at `now`, after waiting for whoever has begun the same."""
    leads, handed = "", None
    try:
        command = next(story)
        while True:
            try:
                if isinstance(command, Get) and command.joins:
                    turn: Turn | Entry = yield Join(command.flight)
                    leads = command.flight if turn is Turn.LEAD else ""
                    handed = turn if isinstance(turn, Entry) else None
                    result = (yield command) if handed is None else handed
                else:
                    result = yield command
            except CacheUnavailable as error:
                command = story.throw(error)
            else:
                command = story.send(result)
    except StopIteration as end:
        outcome: Outcome = end.value
        match outcome:
            case Miss() if leads:
                outcome, leads = replace(outcome, flight=leads), ""
            case Hit(entry=entry) if leads:
                flights.land(leads, entry)
                leads = ""
            case Hit(entry=entry) if entry is handed:
                # One that was there before would have been found in any case.
                outcome = replace(outcome, is_collapsed=entry.stored_at >= now)
        return outcome
    finally:
        # No answer, or none for others: the next one looks.
        if leads:
            flights.hand_over(leads)


@dataclass(slots=True)
class _Flight:
    began: float
    waiting: deque[Future[Turn | Entry]] = field(default_factory=deque)


class Flights:
    """Those of this process, by name. Any thread and any event loop may join."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._flights: dict[str, _Flight] = {}

    def join(self, key: str) -> Future[Turn | Entry]:
        """A turn: LEAD at once where nobody is on the way, else when whoever leads is done."""
        turn: Future[Turn | Entry] = Future()
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

    def wait(self, key: str) -> Turn | Entry:
        """Join, and block until it is one's turn."""
        turn = self.join(key)
        try:
            wait([turn], WAIT_S)
        except BaseException:
            self._gone(key, turn)
            raise
        return _now(turn)

    async def wait_async(self, key: str) -> Turn | Entry:
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

    def _gone(self, key: str, turn: Future[Turn | Entry]) -> None:
        """The caller himself is gone: what he was given goes to the next."""
        if _now(turn) is Turn.LEAD:
            self.hand_over(key)

    def land(self, key: str, entry: Entry) -> None:
        """Here is the answer."""
        self._end(key, entry)

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

    def _end(self, key: str, said: Turn | Entry) -> None:
        with self._lock:
            flight = self._flights.pop(key, None)
        for turn in () if flight is None else flight.waiting:
            if turn.set_running_or_notify_cancel():
                turn.set_result(said)


def _now(turn: Future[Turn | Entry]) -> Turn | Entry:
    """The turn as it is, for one who waits no longer: he goes alone unless he was told in time."""
    return Turn.ALONE if turn.cancel() else turn.result()
