"""Bodies that several callers read: of whoever asked first, and of those who read along.

The first caller reads from the upstream himself, until somebody follows. From then on a pump reads
for all of them, a thread or a task, so that neither his leaving nor his dawdling is theirs. Mixins,
as in `streams`.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from khazad_mitm.cache.live import Live
    from khazad_mitm.inprocess.streams import AsyncBody, Capture, SyncBody
    from khazad_mitm.messages import Headers

_pumps: set[asyncio.Task[None]] = set()
"""An event loop alone would let them be collected."""


class _Shared:
    """What the blocking and the awaiting body have in common."""

    def __init__(self, capture: Capture, status: int, headers: Headers) -> None:
        assert capture.live is not None
        self._live = capture.live
        self._capture = capture
        self._status = status
        self._headers = headers
        self._place = 0
        self._error: BaseException | None = None
        self._is_left = False

    def _read(self) -> Iterator[bytes]:
        for chunk in self._live.after(self._place):
            self._place += 1
            yield chunk

    def _is_through(self) -> bool:
        # In this order: what comes last comes before the end.
        return self._live.is_over and self._place == self._live.count

    def _whole(self) -> None:
        self._capture.finish(self._status, self._headers)

    def _cut(self, error: BaseException) -> None:
        self._error = error
        self._capture.abort()


class SyncShared(_Shared):
    """`streams.SyncTee` for a body that others may read along."""

    def __init__(self, body: SyncBody, capture: Capture, status: int, headers: Headers) -> None:
        super().__init__(capture, status, headers)
        self._body = body
        self._chunks = iter(body)
        self._reading = threading.Lock()
        self._live.tell_when_followed(self._start_pump)

    def __iter__(self) -> Iterator[bytes]:
        while True:
            yield from self._read()
            if self._is_through():
                break
            if self._live.is_followed:
                self._live.wait(self._place)
            else:
                self._pull(self._place)
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        self._is_left = True
        if self._live.leave():
            try:
                self._body.close()
            finally:
                self._capture.close(self._status, self._headers)

    def _pull(self, place: int) -> None:
        """Read a chunk, unless another has done so meanwhile."""
        with self._reading:
            if self._live.is_over or self._live.count > place:
                return
            try:
                chunk = next(self._chunks)
            except StopIteration:
                self._whole()
            except Exception as error:  # an edge: a library may raise anything
                self._cut(error)
            else:
                self._capture.feed(chunk)

    def _start_pump(self) -> None:
        threading.Thread(target=self._pump, name="khazad-stream", daemon=True).start()

    def _pump(self) -> None:
        while not self._live.is_over:
            self._pull(self._live.count)
        if self._is_left:
            self._body.close()


class AsyncShared(_Shared):
    """`SyncShared` for awaiting clients."""

    def __init__(self, body: AsyncBody, capture: Capture, status: int, headers: Headers) -> None:
        super().__init__(capture, status, headers)
        self._body = body
        self._chunks = body.__aiter__()
        self._reading = asyncio.Lock()
        self._loop = asyncio.get_running_loop()
        self._live.tell_when_followed(self._start_pump)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            for chunk in self._read():
                yield chunk
            if self._is_through():
                break
            if self._live.is_followed:
                await self._live.wait_async(self._place)
            else:
                await self._pull(self._place)
        if self._error is not None:
            raise self._error

    async def aclose(self) -> None:
        self._is_left = True
        if self._live.leave():
            try:
                await self._close()
            finally:
                self._capture.close(self._status, self._headers)

    async def _close(self) -> None:
        # As httpx2 does: a generator left half read would be closed by the garbage collector, in
        # another task.
        if isinstance(self._chunks, AsyncGenerator):
            await self._chunks.aclose()
        await self._body.aclose()

    async def _pull(self, place: int) -> None:
        async with self._reading:
            if self._live.is_over or self._live.count > place:
                return
            try:
                chunk = await self._chunks.__anext__()
            except StopAsyncIteration:
                self._whole()
            except Exception as error:  # an edge: a library may raise anything
                self._cut(error)
            except BaseException as error:
                # Cancelled: the library has let go of the connection. Who leaves a stream that
                # has told its last event leaves it whole.
                if not self._live.leave():
                    self._cut(error)
                raise
            else:
                self._capture.feed(chunk)

    def _start_pump(self) -> None:
        try:
            self._loop.call_soon_threadsafe(self._begin_pump)
        except RuntimeError as error:  # that loop has ended, and its connections with it
            self._cut(error)

    def _begin_pump(self) -> None:
        task = self._loop.create_task(self._pump())
        _pumps.add(task)
        task.add_done_callback(_pumps.discard)

    async def _pump(self) -> None:
        try:
            while not self._live.is_over:
                await self._pull(self._live.count)
        finally:
            if self._is_left:
                await self._close()


class Following:
    """A body that somebody else is being given, for either kind of client."""

    def __init__(self, live: Live, cut: type[Exception]) -> None:
        """`cut`: raised where it ends too early."""
        self._live = live
        self._cut = cut
        self._place = 0

    def __iter__(self) -> Iterator[bytes]:
        while not self._is_through():
            self._live.wait(self._place)
            yield from self._read()
        self._check()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while not self._is_through():
            await self._live.wait_async(self._place)
            for chunk in self._read():
                yield chunk
        self._check()

    def _read(self) -> Iterator[bytes]:
        for chunk in self._live.after(self._place):
            self._place += 1
            yield chunk

    def _is_through(self) -> bool:
        return self._live.is_over and not self._live.after(self._place)

    def _check(self) -> None:
        if not self._live.is_whole:
            raise self._cut("the stream that was read along was cut")
