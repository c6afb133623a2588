"""A bounded buffer for the tee: what passes by is appended, and kept only if it ends well.

In the byte path there is nothing but `feed`. Assembling and storing happen afterwards, on
another thread.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from http import HTTPStatus

from khazad_mitm.cache.live import Live
from khazad_mitm.cache.policy import MAX_ANSWER_BYTES
from khazad_mitm.messages import Headers, Response


class Capture:
    """One answer on its way to the caller. Ends with exactly one `finish`, `close` or `abort`;
    what comes after that does nothing."""

    __slots__ = (
        "_asked_at",
        "_chunks",
        "_dropped",
        "_ends_with_message",
        "_goes_live",
        "_keep",
        "_limit",
        "_marks",
        "_size",
        "_vanished",
        "live",
    )

    def __init__(
        self,
        keep: Callable[[Response], None],
        dropped: Callable[[str], None],
        limit: int = MAX_ANSWER_BYTES,
        ends_with_message: bool = False,
        goes_live: Callable[[Live], None] | None = None,
        vanished: Callable[[Callable[[str], None], Live | None], None] | None = None,
    ) -> None:
        """`ends_with_message`: as in `ParsedRequest`. `goes_live`: is given what others may read
        along, where it may be read along at all. `vanished`: takes in, from the collector,
        `dropped` and `live` of a capture that nobody has ended."""
        self.live: Live | None = None
        self._goes_live = goes_live
        self._vanished = vanished
        self._keep = keep
        self._dropped = dropped
        self._limit = limit
        self._ends_with_message = ends_with_message
        self._chunks: list[bytes] | None = []
        self._size = 0
        self._asked_at = time.monotonic()
        self._marks: list[tuple[int, float]] = []

    def __del__(self) -> None:
        # Whoever held it is gone without a word. The collector may run anywhere, under any lock:
        # nothing is done here.
        if getattr(self, "_chunks", None) is not None and self._vanished is not None:
            self._vanished(self._dropped, self.live)

    def begin(self, status: int, headers: Headers) -> None:
        """The head has come, and the body will, piece by piece."""
        if self._goes_live is not None and status == HTTPStatus.OK:
            self.live = Live(status, headers)
            self._goes_live(self.live)

    def feed(self, chunk: bytes) -> None:
        """Append; above the limit everything is let go."""
        if self.live is not None:
            self.live.feed(chunk)
        if self._chunks is None:
            return
        self._size += len(chunk)
        if self._size > self._limit:
            self._end("too-big")
        else:
            self._chunks.append(chunk)
            self._marks.append((self._size, time.monotonic()))

    def finish(self, status: int, headers: Headers) -> None:
        """The last byte has passed: hand the whole to whoever keeps it. Returns at once."""
        if self.live is not None:
            self.live.end(is_whole=True)
        if self._chunks is not None:
            body = b"".join(self._chunks)
            self._chunks = None
            marks = tuple(
                (count, int((when - self._asked_at) * 1000)) for count, when in self._marks
            )
            self._keep(Response(status, headers, body, marks))

    def close(self, status: int, headers: Headers) -> None:
        """The caller has stopped reading. What has passed may be whole: SDKs stop at the terminal
        event, where the format has one."""
        if self._ends_with_message:
            self.abort()
        else:
            self.finish(status, headers)

    def abort(self) -> None:
        """Cut, reset, or the caller went away: nothing is kept."""
        if self.live is not None:
            self.live.end(is_whole=False)
        self._end("cut")

    def _end(self, reason: str) -> None:
        if self._chunks is not None:
            self._chunks = None
            self._dropped(reason)
