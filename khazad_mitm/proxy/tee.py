"""An answer that passes by: which ones are streamed, and the tee that looks on.

In the byte path a chunk is appended and passed on. Nothing is awaited, parsed or stored here.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TypeAlias

from khazad_mitm.errors import tell

if TYPE_CHECKING:
    from mitmproxy import http

    from khazad_mitm.fronts import Listener

logger = logging.getLogger("khazad")

Stream: TypeAlias = Callable[[bytes], Iterable[bytes] | bytes]

# Up to here an answer of known length is let through in one piece, so that other addons can
# read it. An ordinary chat answer has 1 to 50 kB, a page of embeddings some hundreds.
MAX_WHOLE_BYTES = 1024 * 1024

_STREAMED = ("text/event-stream", "application/x-ndjson", "application/vnd.amazon.eventstream")


def is_streamed(response: http.Response) -> bool:
    """Must this answer go through piece by piece? Judged by its head, before any body.

    mitmproxy would hold all of it back until the last byte. Without a Content-Length the sender
    does not know the end either, so the answer may be dripping.
    """
    media = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    length = response.headers.get("content-length", "")
    if media in _STREAMED or not length.isdecimal():
        return True
    return int(length) > MAX_WHOLE_BYTES


class Tee:
    """What mitmproxy calls with every chunk (still encoded) and, at the end, with `b""`.

    An exception in here would leave the client hanging: ours can only end the capture.
    """

    __slots__ = ("_capture", "_then")

    def __init__(self, capture: Listener, then: Stream | None = None) -> None:
        """`then`: the callable of another addon, whose result goes to the client."""
        self._capture: Listener | None = capture
        self._then = then

    def __call__(self, chunk: bytes) -> Iterable[bytes] | bytes:
        if self._capture is not None and chunk:
            try:
                self._capture.feed(chunk)
            except Exception:  # an edge: whatever it is, the bytes go on
                tell(logger, "[Khazad] capturing failed, the stream goes on", logging.ERROR)
                self._capture = None
        return chunk if self._then is None else self._then(chunk)
