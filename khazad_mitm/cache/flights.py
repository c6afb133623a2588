"""Equal questions at one moment: one caller looks, and asks the upstream; the others wait for him.

From the first command on, so that a hundred callers are one trip to the store and one embedding;
and they are handed the answer itself, since a store that all of them ask for it would be too late.
Whoever asked for a stream wants its first word, not its last: he joins one that asked for the same
stream, and reads along (`live`). Nobody is made to wait who wants the upstream asked for his own
sake (`no-cache`, a token that is still to be accepted). Those who show the very same new key do
wait: the upstream's yes or no to one of them is theirs too.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, wait
from dataclasses import dataclass, field, replace
from enum import Enum
from threading import Lock
from typing import TypeAlias

from khazad_mitm.cache.commands import Get, Join, Lease, Pause, Renew, Steps
from khazad_mitm.cache.leases import LEASE_S, Leases
from khazad_mitm.cache.live import Followed, Found, Live
from khazad_mitm.errors import CacheUnavailable
from khazad_mitm.exchange import Entry, Hit, Miss, Outcome, ParsedRequest

# Plain answers of models that reason take that long. All who wait have it when it comes, sooner
# than they would have one of their own; given up too early, all of them would ask at one moment.
# A leader who takes longer is given up: the next to come leads, who has waited so long goes alone.
WAIT_S = 120.0

# How often other workers look whether the one that asks is through.
FIRST_POLL_S = 0.02
LONGEST_POLL_S = 0.25


class Turn(Enum):
    """What comes of joining, where it is not an entry, the answer that was waited for."""

    LEAD = "lead"
    """Look, and ask the upstream; others may wait for the answer."""
    ALONE = "alone"
    """The same, and nobody waits."""


Told: TypeAlias = Turn | Entry | Live


def coalesced(
    look: Callable[[], Steps[Outcome]],
    flights: Flights,
    now: float,
    parsed: ParsedRequest,
    *,
    follows: bool,
) -> Steps[Found]:
    """The story of a lookup that began at `now`, after waiting for whoever has begun the same.

    `look()` begins it. `follows`: can the caller be given a stream while it comes?
    """
    story, leads, handed = look(), "", None
    stream = stream_of(parsed)
    try:
        command = next(story)
        while True:
            try:
                if isinstance(command, Get) and command.joins and (follows or not stream):
                    turn: Told = yield Join(command.flight, stream)
                    if isinstance(turn, Live):
                        story.close()
                        return Followed(parsed, turn)
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
        if leads and not stream and isinstance(outcome, Miss):
            waited = yield from _leased(leads, flights)
            # Another worker has been answered, or has failed: his answer is looked for anew.
            outcome = (yield from look()) if waited else outcome
            if waited and isinstance(outcome, Hit):
                handed = outcome.entry
                yield from released(leads, flights)
        match outcome:
            case Miss() if leads:
                outcome, leads = replace(outcome, flight=leads), ""
            case Hit(entry=entry) if leads:
                flights.land(leads, entry)
                leads = ""
                if entry is handed and entry.stored_at >= now:
                    outcome = replace(outcome, is_collapsed=True)
            case Hit(entry=entry) if entry is handed:
                # One that was there before would have been found in any case.
                outcome = replace(outcome, is_collapsed=entry.stored_at >= now)
        return outcome
    finally:
        # No answer, or none for others: the next one looks.
        if leads:
            flights.hand_over(leads)


def _leased(flight: str, flights: Flights) -> Steps[bool]:
    """Be the one worker that asks; had another been asking meanwhile?"""
    waited, pause = 0.0, FIRST_POLL_S
    while not (yield Lease(flight, flights.holder, LEASE_S)):
        if waited >= WAIT_S:
            return True
        yield Pause(pause)
        waited, pause = waited + pause, min(2 * pause, LONGEST_POLL_S)
    flights.leases.hold(flight)
    return waited > 0


def renewed(due: tuple[str, ...], flights: Flights) -> Steps[None]:
    """Other workers wait for these for a while longer."""
    are_ours = yield Renew(due, flights.holder, LEASE_S)
    for flight, is_ours in zip(due, are_ours, strict=True):
        if not is_ours:
            flights.leases.drop(flight)


def released(flight: str, flights: Flights) -> Steps[None]:
    """No answer will come, or it is nobody else's: other workers need not wait for it."""
    yield Renew((flight,), flights.holder, 0.0)


def stream_of(parsed: ParsedRequest) -> str:
    """What two callers must have in common to read one stream: framing and codings; "" for an
    answer that is no stream."""
    if not parsed.framing.is_stream:
        return ""
    return f"{parsed.framing} {parsed.request.headers.joined('accept-encoding')}"


@dataclass(slots=True)
class _Flight:
    began: float
    stream: str
    """Of the leader, as `stream_of` has it."""
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
