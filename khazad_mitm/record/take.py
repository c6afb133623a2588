"""An ear for one answer that is to be recorded: what passes by is appended, with its time."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from khazad_mitm.messages import Headers

# Providers' files and batches reach this; what is longer is no fixture.
MAX_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Heard:
    """An answer as it stood on the wire, and when its chunks came."""

    status: int
    headers: Headers
    chunks: tuple[bytes, ...]
    times_ms: tuple[int, ...]
    """Of each chunk, after the request was sent on."""

    @property
    def body(self) -> bytes:
        return b"".join(self.chunks)


class Take:
    """A `fronts.Listener`."""

    __slots__ = ("_chunks", "_dropped", "_keep", "_size", "_started", "_times")

    def __init__(self, keep: Callable[[Heard], None], dropped: Callable[[str], None]) -> None:
        self._keep = keep
        self._dropped = dropped
        self._chunks: list[bytes] | None = []
        self._times: list[float] = []
        self._size = 0
        self._started = time.monotonic()

    @property
    def live(self) -> None:
        """Nobody reads along."""

    def begin(self, status: int, headers: Headers) -> None:
        """What is recorded is told at its end."""

    def feed(self, chunk: bytes) -> None:
        if self._chunks is None:
            return
        self._size += len(chunk)
        if self._size > MAX_BYTES:
            self._end(f"it has more than {MAX_BYTES // 1024 // 1024} MiB")
        else:
            self._chunks.append(chunk)
            self._times.append(time.monotonic())

    def finish(self, status: int, headers: Headers) -> None:
        if self._chunks is not None:
            chunks, self._chunks = tuple(self._chunks), None
            times = tuple(round((at - self._started) * 1000) for at in self._times)
            self._keep(Heard(status, headers, chunks, times))

    def close(self, status: int, headers: Headers) -> None:
        """The caller has stopped reading: what he has seen is what he will see again."""
        self.finish(status, headers)

    def abort(self) -> None:
        self._end("it was cut")

    def _end(self, reason: str) -> None:
        if self._chunks is not None:
            self._chunks = None
            self._dropped(reason)
