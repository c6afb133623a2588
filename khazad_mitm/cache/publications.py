"""Streams that this process leads for all workers, for others to read along: told block by block,
and only while somebody in another worker wants them.

The byte path knows nothing of it: what has come lies in the `Live` that followers here read, and a
thread looks there (`others`). What is published is decided once: a block has its number and its
bytes for good, so it may be told again where nobody knows whether it has arrived, and a store that
has lost everything is told everything again. A store that takes nothing for too long is given up;
who read there is cut then, as by an upstream that says nothing more.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Condition

from khazad_mitm.cache import blocks
from khazad_mitm.cache.commands import Steps
from khazad_mitm.cache.leases import LEASE_S
from khazad_mitm.cache.live import Live
from khazad_mitm.cache.policy import MAX_ANSWER_BYTES
from khazad_mitm.cache.worker_commands import Issue, Place, Publish, Wanted

# Asked for all streams of a process in one command, ten times a second at most and only while there
# is one. A stream's next words are told three times as often where somebody reads them.
WANTED_EVERY_S = 0.1
TOLD_EVERY_S = 0.03
# A stream that thinks still says that it is coming, well before what there is of it ends. One that
# has not said so for long is not begun any more: its leader may be gone.
STILL_EVERY_S = 1.0
KEPT_S = LEASE_S
FRESH_S = KEPT_S - 2 * STILL_EVERY_S
# A store that does not answer is left alone for a moment, and given up at last: to be told late is
# better than to be cut, and a breaker may find out as late again as it was away that it is back.
PAUSE_S = 0.25
GIVEN_UP_S = 20.0

BLOCK_BYTES = 64 * 1024
BLOCKS_AT_ONCE = 16
BYTES_AT_ONCE = 1024 * 1024


@dataclass(slots=True)
class _Publication:
    flight: str
    name: str
    live: Live
    is_wanted: bool = False
    told_at: float = 0.0
    """When the store last took something of it, or was to begin."""
    sizes: list[int] = field(default_factory=lambda: [0])
    """Bytes of each block that was decided, the head's not counted."""
    ends: list[int] = field(default_factory=lambda: [0])
    """Of each, how many chunks of the stream are in it and those before."""
    last: bytes = b""
    """How it ended: a block of its own, once all of it is in others."""
    sent: int = 0
    """Blocks that the store has."""
    oldest: int = 0
    dropped: int = 0
    held_bytes: int = 0

    @property
    def count(self) -> int:
        return len(self.ends) + bool(self.last)

    def block(self, number: int) -> bytes:
        if number == 0:
            return blocks.of_head(self.live)
        if number == len(self.ends):
            return self.last
        start, end = self.ends[number - 1 : number + 1]
        return blocks.of_data(self.live.after(start, end))

    def decide(self, *, ends_here: bool) -> None:
        """Make blocks of what has come since. `ends_here`: whatever has not come will not."""
        # In this order: what comes last comes before the end.
        is_over = self.live.is_over
        size = 0
        place = self.ends[-1]
        for chunk in self.live.after(place):
            place, size = place + 1, size + len(chunk)
            if size >= BLOCK_BYTES:
                self._add(place, size)
                size = 0
        if place > self.ends[-1]:
            self._add(place, size)
        if is_over:
            self.last = self.last or (blocks.WHOLE if self.live.is_whole else blocks.CUT)
        elif ends_here:
            self.last = blocks.CUT
        if self.last == blocks.CUT:
            # Whoever has sent nothing yet shall not begin it.
            self.oldest = max(self.oldest, 1)
        # What nobody would keep is still passed on, as it is here, but not from its beginning.
        while self.held_bytes > MAX_ANSWER_BYTES:
            self.held_bytes -= self.sizes[self.oldest]
            self.oldest += 1
        self.sent = max(self.sent, self.oldest)

    def _add(self, place: int, size: int) -> None:
        self.ends.append(place)
        self.sizes.append(size)
        self.held_bytes += size

    def issue(self, room: int) -> Issue:
        """What the store has not got, as much as there is room for."""
        told: list[bytes] = []
        for number in range(self.sent, min(self.count, self.sent + BLOCKS_AT_ONCE)):
            if room <= 0:
                break
            told.append(self.block(number))
            room -= len(told[-1])
        place = Place(self.flight, self.name, self.sent)
        return Issue(place, tuple(told), self.oldest, self.dropped)


class Publications:
    """Thread-safe; one thread tells the store of them."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._changed = Condition()
        self._all: dict[str, _Publication] = {}
        """By name."""
        self._wanted_at = 0.0
        """When to ask again who is wanted."""
        self._has_failed = False
        self._is_closed = False

    def begin(self, flight: str, name: str, live: Live) -> None:
        """The head has come."""
        with self._changed:
            if self._is_closed:
                return
            is_first = not self._all
            self._all[name] = _Publication(flight, name, live)
            # Otherwise the thread comes by anyway: misses are many.
            if is_first:
                self._changed.notify_all()

    def wait(self) -> bool:
        """Block until it is time to look after them; False once it is closed."""
        with self._changed:
            while not (self._all or self._is_closed):
                self._changed.wait()
            if not self._is_closed:
                reads = any(one.is_wanted for one in self._all.values())
                pause_s = TOLD_EVERY_S if reads else WANTED_EVERY_S
                self._changed.wait(PAUSE_S if self._has_failed else pause_s)
                self._has_failed = False
            return not self._is_closed

    def close(self) -> None:
        """Idempotent. What is not over ends with the next look."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def failed(self) -> None:
        """The store did not obey."""
        self._has_failed = True

    def unasked(self) -> tuple[Place, ...]:
        """Those that nobody wants yet, where it is time to ask again."""
        now = self._clock()
        if now < self._wanted_at:
            return ()
        self._wanted_at = now + WANTED_EVERY_S
        with self._changed:
            # Who comes only now finds the answer itself.
            over = [one for one in self._all.values() if one.live.is_over and not one.is_wanted]
            for one in over:
                del self._all[one.name]
            return tuple(
                Place(one.flight, one.name) for one in self._all.values() if not one.is_wanted
            )

    def want(self, places: tuple[Place, ...], wanted: tuple[bool, ...]) -> None:
        """What the store said to it: from now on nobody's leaving here ends these."""
        for place, is_wanted in zip(places, wanted, strict=True):
            one = self._all.get(place.stream)
            if one is None or not is_wanted:
                continue
            if one.live.follow():
                one.is_wanted, one.told_at = True, self._clock()
            else:
                self._drop(one)

    def due(self) -> tuple[Issue, ...]:
        """What is to be told of those that are wanted, and no more than fits into a trip."""
        now, room = self._clock(), BYTES_AT_ONCE
        issues = []
        for one in [one for one in self._all.values() if one.is_wanted]:
            if now - one.told_at > GIVEN_UP_S:
                self._drop(one)
                continue
            one.decide(ends_here=self._is_closed)
            if room > 0 and (one.sent < one.count or now - one.told_at >= STILL_EVERY_S):
                issues.append(one.issue(room))
                room -= sum(map(len, issues[-1].blocks))
        return tuple(issues)

    def told(self, issues: tuple[Issue, ...], are_whole: tuple[bool, ...]) -> None:
        """What the store said to it."""
        now = self._clock()
        for issue, is_whole in zip(issues, are_whole, strict=True):
            one = self._all[issue.place.stream]
            one.told_at, one.dropped = now, issue.oldest
            # It has begun anew, empty: whoever has read a part reads on, others begin.
            one.sent = issue.place.number + len(issue.blocks) if is_whole else one.oldest
            if one.last and one.sent == one.count:
                self._drop(one)

    def _drop(self, one: _Publication) -> None:
        with self._changed:
            self._all.pop(one.name, None)


def published(some: Publications) -> Steps[None]:
    """Look after them once."""
    unasked = some.unasked()
    if unasked:
        some.want(unasked, (yield Wanted(unasked)))
    issues = some.due()
    if issues:
        some.told(issues, (yield Publish(issues, KEPT_S)))
