"""Callers of this process who ask the same at one moment: one leads, the others wait for him.

They are handed the answer itself, since a store that all of them ask for it would be too late; or,
who asked for the same stream, the stream while it comes (`live`). The story around it is told in
`collapsing`.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from enum import Enum
from threading import Lock
from typing import TypeAlias

from khazad_mitm.cache.leases import Leases
from khazad_mitm.cache.live import Live
from khazad_mitm.cache.publications import Publications
from khazad_mitm.cache.subscriptions import Subscriptions
from khazad_mitm.exchange import Entry

# Plain answers of models that reason take that long. All who wait have it when it comes, sooner
# than they would have one of their own; given up too early, all of them would ask at one moment.
# A leader who takes longer is given up: the next to come leads, who has waited so long goes alone.
WAIT_S = 120.0


class Turn(Enum):
    """What comes of joining, where it is not an entry, the answer that was waited for."""

    LEAD = "lead"
    """Look, and ask the upstream; others may wait for the answer."""
    ALONE = "alone"
    """The same, and nobody waits."""


Told: TypeAlias = Turn | Entry | Live


@dataclass(slots=True)
class _Flight:
    began: float
    stream: str
    """Of the leader, as `collapsing.stream_of` has it."""
    live: Live | None = None
    answer: Entry | None = None
    """It has come, and is on its way into the store."""
    waiting: deque[tuple[str, Future[Told]]] = field(default_factory=deque)


class Flights:
    """Those of this process, by name. Any thread and any event loop may join."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.holder = uuid.uuid4().hex
        """Tells the flights of this process from those of other workers."""
        self.leases = Leases(clock)
        """Of those that it leads for all workers."""
        self.publications = Publications(clock)
        """What others read of them."""
        self.subscriptions = Subscriptions(self._over, clock)
        """What callers here read of theirs."""
        self._clock = clock
        self._lock = Lock()
        self._flights: dict[str, _Flight] = {}

    def join(self, key: str, stream: str = "") -> Future[Told]:
        """A turn: LEAD at once where nobody is on the way, else when whoever leads is done, or
        as soon as the stream that he and this one asked for has begun."""
        turn: Future[Told] = Future()
        told: Told = Turn.LEAD
        with self._lock:
            flight = self._flights.get(key)
            if flight is None:
                self._flights[key] = _Flight(self._clock(), stream)
            elif flight.answer is not None:
                told = flight.answer
            elif stream and stream != flight.stream:
                told = Turn.ALONE
            elif stream and flight.live is not None and flight.live.follow():
                told = flight.live
            elif flight.live is not None and flight.live.follow():
                # The answer will be there when the stream is over, whoever leaves it.
                flight.waiting.append((stream, turn))
                return turn
            elif self._clock() - flight.began > WAIT_S:
                flight.began, flight.stream, flight.live = self._clock(), stream, None
            else:
                flight.waiting.append((stream, turn))
                return turn
        turn.set_result(told)
        return turn

    def wait(self, key: str, stream: str = "") -> Told:
        """Join, and block until it is one's turn."""
        turn = self.join(key, stream)
        try:
            wait([turn], WAIT_S)
        except BaseException:
            self._gone(key, turn)
            raise
        return _now(turn)

    async def wait_async(self, key: str, stream: str = "") -> Told:
        """Join, and await one's turn."""
        turn = self.join(key, stream)
        if turn.done():
            return turn.result()
        try:
            # Not `wait_for`: before Python 3.12 it loses a cancellation that comes with the turn.
            await asyncio.wait([asyncio.wrap_future(turn)], timeout=WAIT_S)
        except BaseException:
            self._gone(key, turn)
            raise
        return _now(turn)

    def _gone(self, key: str, turn: Future[Told]) -> None:
        """The caller himself is gone: what he was given goes to the next."""
        if _now(turn) is Turn.LEAD:
            self.hand_over(key)

    def go_live(self, key: str, live: Live) -> None:
        """The leader's stream has begun: those who asked for the same read along, from now on."""
        with self._lock:
            flight = self._flights.get(key)
            # Another leads by now, where this one was given up.
            if flight is None or not flight.stream or flight.live is not None:
                return
            flight.live = live
            joining = [turn for stream, turn in flight.waiting if stream]
            # Whoever wants no stream waits for its end, which must not hang on one client either.
            if flight.waiting:
                live.follow()
            flight.waiting = deque(pair for pair in flight.waiting if not pair[0])
            for turn in joining:
                if turn.set_running_or_notify_cancel():
                    turn.set_result(live)
        stream = self.leases.take_stream(key)
        if stream:
            self.publications.begin(key, stream, live)

    def _over(self, key: str, live: Live) -> None:
        """Another worker's stream is over. Whoever wants no stream finds the answer in the store,
        or leads."""
        flight = self._flights.get(key)
        if flight is not None and flight.live is live:
            self.hand_over(key)

    def tell(self, key: str, entry: Entry) -> None:
        """Here is the answer, for all in this process who ask for it until it has landed."""
        with self._lock:
            flight = self._flights.get(key)
            if flight is None:
                return
            flight.answer, told, flight.waiting = entry, flight.waiting, deque()
        _tell(told, entry)

    def land(self, key: str, entry: Entry) -> None:
        """Here is the answer, and others find it in the store."""
        self._end(key, entry)

    def dissolve(self, key: str) -> bool:
        """There is an answer, and it is nobody else's: asking one by one would help nobody.

        False, as `hand_over` has it: nobody leads.
        """
        self._end(key, Turn.ALONE)
        return False

    def hand_over(self, key: str) -> bool:
        """The leader came back with nothing: one of the others leads, and never all at once.

        False where there is nobody to.
        """
        with self._lock:
            flight = self._flights.get(key)
            if flight is None:
                self.leases.drop(key)
                return False
            # A stream first: whoever wants a stream waits for no other kind of leader.
            flight.waiting = deque(sorted(flight.waiting, key=lambda one: not one[0]))
            while flight.waiting:
                stream, turn = flight.waiting.popleft()
                if turn.set_running_or_notify_cancel():
                    flight.began, flight.stream, flight.live = self._clock(), stream, None
                    turn.set_result(Turn.LEAD)
                    return True
            del self._flights[key]
            self.leases.drop(key)
            return False

    def dissolve_all(self) -> None:
        """Nobody will be told anything any more."""
        for key in list(self._flights):
            self.dissolve(key)

    def _end(self, key: str, said: Told) -> None:
        with self._lock:
            flight = self._flights.pop(key, None)
            self.leases.drop(key)
        if flight is not None:
            _tell(flight.waiting, said)


def _tell(waiting: Iterable[tuple[str, Future[Told]]], said: Told) -> None:
    for _, turn in waiting:
        if turn.set_running_or_notify_cancel():
            turn.set_result(said)


def _now(turn: Future[Told]) -> Told:
    """The turn as it is, for one who waits no longer: he goes alone unless he was told in time."""
    return Turn.ALONE if turn.cancel() else turn.result()
