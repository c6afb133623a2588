"""Bodies of answers: one that reads along with the upstream's, one that plays a stored one.

These are mixins: httpx and httpx2 insist that a body is one of *their* byte streams, so `library`
joins each of these with the base class of the library at hand.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from khazad_mitm.errors import tell

if TYPE_CHECKING:
    from khazad_mitm.cache.live import Live
    from khazad_mitm.messages import Headers

logger = logging.getLogger("khazad")


RESET = "a fault of the cassette: connection reset by peer"


class SyncBody(Protocol):
    """A body as a blocking transport gives it."""

    def __iter__(self) -> Iterator[bytes]: ...
    def close(self) -> None: ...


class AsyncBody(Protocol):
    """A body as an awaiting transport gives it."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...
    async def aclose(self) -> None: ...


class Capture(Protocol):
    """What a tee needs of `cache.capture.Capture`, which ends once and ignores what comes after."""

    @property
    def live(self) -> Live | None: ...
    def begin(self, status: int, headers: Headers) -> None: ...
    def feed(self, chunk: bytes) -> None: ...
    def finish(self, status: int, headers: Headers) -> None: ...
    def close(self, status: int, headers: Headers) -> None: ...
    def abort(self) -> None: ...


class SyncTee:
    """Passes chunks on as they come and keeps a reference to each.

    A close before the end is not a cut: SDKs stop at the terminal event and close without waiting
    for the end of the body. What has passed is handed over, and the provider's format tells
    whether it is a whole answer. May be iterated again, and then goes on where the upstream does.
    """

    def __init__(self, body: SyncBody, capture: Capture, status: int, headers: Headers) -> None:
        self._body = body
        self._capture = capture
        self._finish = partial(_end, capture.finish, status, headers)
        self._closed = partial(_end, capture.close, status, headers)

    def __iter__(self) -> Iterator[bytes]:
        feed = self._capture.feed
        try:
            for chunk in self._body:
                feed(chunk)
                yield chunk
        except Exception:  # whatever ends a stream is passed on; half an answer is not kept
            _end(self._capture.abort)
            raise
        self._finish()

    def close(self) -> None:
        try:
            self._body.close()
        finally:
            self._closed()


class AsyncTee:
    """`SyncTee` for awaiting clients.

    Cancellation is no failure of the upstream either: openai's SDK drains what follows `[DONE]`
    in a second iteration, which it cancels after 100 ms.
    """

    def __init__(self, body: AsyncBody, capture: Capture, status: int, headers: Headers) -> None:
        self._body = body
        self._capture = capture
        self._finish = partial(_end, capture.finish, status, headers)
        self._closed = partial(_end, capture.close, status, headers)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        feed = self._capture.feed
        chunks = self._body.__aiter__()
        try:
            async for chunk in chunks:
                feed(chunk)
                yield chunk
        except Exception:  # whatever ends a stream is passed on; half an answer is not kept
            _end(self._capture.abort)
            raise
        finally:
            # As httpx2 does: a generator left half read would be closed by the garbage
            # collector, in another task.
            if isinstance(chunks, AsyncGenerator):
                await chunks.aclose()
        self._finish()

    async def aclose(self) -> None:
        try:
            await self._body.aclose()
        finally:
            self._closed()


def _end(how: Callable[..., None], *args: Any) -> None:
    try:
        how(*args)
    except Exception:
        # An edge: the caller has its answer; keeping it (while the interpreter shuts down and
        # starts no more threads, say) is our business alone.
        tell(logger, "[Khazad] an answer could not be kept")


class Replay:
    """A stored answer as a body, for either kind of client. Read once, like one from a socket."""

    def __init__(self, frames: Iterable[bytes]) -> None:
        self._frames = iter(frames)

    def __iter__(self) -> Iterator[bytes]:
        yield from self._frames

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for frame in self._frames:
            yield frame
