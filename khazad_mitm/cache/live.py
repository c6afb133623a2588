"""A streamed answer while it comes: whoever asked the same reads along from its first byte.

One list of chunks that only grows. Who has read all of it is told when there is more, in whatever
thread or event loop he reads.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import dataclass
from threading import Lock
from typing import TypeAlias

from khazad_mitm.exchange import Outcome, ParsedRequest
from khazad_mitm.messages import Headers


class Live:
    """Written to by one capture, read by any number of followers, each from a place of his own."""

    def __init__(self, status: int, headers: Headers) -> None:
        self.status = status
        self.headers = headers
        """As the upstream sent them; the chunks are coded as these say."""
        self.is_followed = False
        """Somebody reads along: what comes must go on coming, whoever asked for it first."""
        self._when_followed: Callable[[], None] = lambda: None
        self._is_left = False
        self.is_over = False
        self.is_whole = False
        """Once it is over: was that the end, or was it cut?"""
        self._chunks: list[bytes] = []
        self._lock = Lock()
        self._waiting: list[Future[None]] = []

    def follow(self) -> bool:
        """Read along; False where that is too late: it was cut, or is being left."""
        with self._lock:
            if self._is_left or (self.is_over and not self.is_whole):
                return False
            is_first, self.is_followed = not self.is_followed, True
            tell = self._when_followed
        if is_first and not self.is_over:
            tell()
        return True

    def tell_when_followed(self, tell: Callable[[], None]) -> None:
        """Call this once, when the first reads along, or now where one does so already: from then
        on nobody's leaving ends it."""
        with self._lock:
            self._when_followed, is_followed = tell, self.is_followed
        if is_followed and not self.is_over:
            tell()

    def leave(self) -> bool:
        """Whoever asked for it goes; False where others read along, for whom it must go on."""
        with self._lock:
            if self.is_followed and not self.is_over:
                return False
            self._is_left = True
            return True

    async def until_over(self) -> None:
        while not self.is_over:
            await self.wait_async(self.count)

    def after(self, place: int, end: int | None = None) -> list[bytes]:
        """The chunks from this one on, as far as they have come, or before `end`."""
        return self._chunks[place:end]

    @property
    def count(self) -> int:
        return len(self._chunks)

    def wait(self, place: int) -> None:
        """Block until there is a chunk at this place, or it is over."""
        wait([self._more(place)])

    async def wait_async(self, place: int) -> None:
        more = self._more(place)
        if not more.done():
            await asyncio.wait([asyncio.wrap_future(more)])

    def feed(self, chunk: bytes) -> None:
        with self._lock:
            self._chunks.append(chunk)
        self._tell()

    def end(self, *, is_whole: bool) -> None:
        """No more will come. The first word on that counts."""
        with self._lock:
            if self.is_over:
                return
            self.is_over, self.is_whole = True, is_whole
        self._tell()

    def _more(self, place: int) -> Future[None]:
        future: Future[None] = Future()
        with self._lock:
            if not self.is_over and len(self._chunks) <= place:
                self._waiting.append(future)
                return future
        future.set_result(None)
        return future

    def _tell(self) -> None:
        with self._lock:
            waiting, self._waiting = self._waiting, []
        for future in waiting:
            if future.set_running_or_notify_cancel():
                future.set_result(None)


@dataclass(frozen=True, slots=True)
class Followed:
    """Somebody asked the same already, as a stream of the same framing: this is his answer, of
    which some has come."""

    parsed: ParsedRequest
    live: Live


Found: TypeAlias = Outcome | Followed
"""What comes of a lookup where the caller can be given a stream while it comes."""
