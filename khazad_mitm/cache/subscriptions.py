"""Streams that another worker leads and callers here read along: blocks from the store become
chunks of a `Live`, as if it were led here.

A thread asks for more of all of them at once (`others`). They end as they ended there. One of which
nothing is heard any more, nor that it is still coming, is cut: half an answer is never whole.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Condition

from khazad_mitm.cache import blocks
from khazad_mitm.cache.commands import Steps
from khazad_mitm.cache.leases import LEASE_S
from khazad_mitm.cache.live import Live
from khazad_mitm.cache.publications import GIVEN_UP_S
from khazad_mitm.cache.worker_commands import MOST_READ, Heard, Place, Read

# While words come, and while none do.
FIRST_PAUSE_S = 0.02
LONGEST_PAUSE_S = 0.1
# It has gone from a store that has answered all the time: its leader was killed, or the store was
# emptied, and is told all of it again once that is noticed (`publications.STILL_EVERY_S`).
GONE_S = 4.0
# The store does not answer, or did not lately: its leader may hear later that it is back.
SILENT_S = GIVEN_UP_S
# So long a worker's wish to read along counts, if he does not say so again.
WISH_S = LEASE_S


@dataclass(slots=True)
class _Subscription:
    place: Place
    live: Live
    heard_at: float
    """When it was last there."""


class Subscriptions:
    """Thread-safe; one thread asks for more."""

    def __init__(
        self, over: Callable[[str, Live], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`over(flight, live)`: nobody here need wait for this one any more."""
        self._over = over
        self._clock = clock
        self._changed = Condition()
        self._all: dict[str, _Subscription] = {}
        """By the name of the stream."""
        self._pause_s = FIRST_PAUSE_S
        self._failed_at = 0.0
        """When the store did not obey last."""
        self._is_closed = False

    def begin(self, place: Place, heard: Heard) -> Live | None:
        """Read on from its first blocks. None: they begin no stream, or one that was cut."""
        live = blocks.live_of(heard.blocks[0]) if heard.blocks else None
        if live is None or self._is_closed:
            return None
        blocks.feed(live, heard.blocks[1:])
        if live.is_over and not live.is_whole:
            return None
        place = replace(place, number=len(heard.blocks))
        with self._changed:
            self._all[place.stream] = _Subscription(place, live, self._clock())
            self._pause_s = FIRST_PAUSE_S if len(heard.blocks) < MOST_READ else 0.0
            self._changed.notify_all()
        return live

    def wait(self) -> bool:
        """Block until it is time to ask for more; False once it is closed."""
        with self._changed:
            while not (self._all or self._is_closed):
                self._changed.wait()
            if not self._is_closed:
                self._changed.wait(self._pause_s)
            return not self._is_closed

    def close(self) -> None:
        """Nothing more will be heard. Idempotent."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        for one in list(self._all.values()):
            self._end(one)

    def places(self) -> tuple[Place, ...]:
        """Where to read on."""
        for one in list(self._all.values()):
            if one.live.is_over:
                self._end(one)
        return tuple(one.place for one in list(self._all.values()))

    def told(self, places: tuple[Place, ...], heard: tuple[Heard | None, ...]) -> None:
        """What has come of each."""
        now, most = self._clock(), 0
        for place, news in zip(places, heard, strict=True):
            one = self._all.get(place.stream)
            if one is None:
                continue
            if news is None:
                was_away = self._failed_at > one.heard_at
                if now - one.heard_at > (SILENT_S if was_away else GONE_S):
                    self._end(one)
                continue
            one.heard_at, most = now, max(most, len(news.blocks))
            one.place = replace(place, number=place.number + len(news.blocks))
            blocks.feed(one.live, news.blocks)
            if one.live.is_over or news.is_lost:
                self._end(one)
        if most:
            # Who comes late has much to read at once.
            self._pause_s = FIRST_PAUSE_S if most < MOST_READ else 0.0
        else:
            self._pause_s = max(FIRST_PAUSE_S, min(self._pause_s * 1.5, LONGEST_PAUSE_S))

    def failed(self) -> None:
        """The store did not obey."""
        now = self._failed_at = self._clock()
        self._pause_s = LONGEST_PAUSE_S
        for one in list(self._all.values()):
            if now - one.heard_at > SILENT_S:
                self._end(one)

    def _end(self, one: _Subscription) -> None:
        """The first word on that counts."""
        one.live.end(is_whole=False)
        with self._changed:
            self._all.pop(one.place.stream, None)
        self._over(one.place.flight, one.live)


def heard(some: Subscriptions) -> Steps[None]:
    """Ask once for more of all of them."""
    places = some.places()
    if places:
        some.told(places, (yield Read(places, WISH_S)))
