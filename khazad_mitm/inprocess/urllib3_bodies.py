"""Bodies as urllib3 has them, for the two libraries that read them so: requests and botocore."""

from __future__ import annotations

import errno
import io
from collections.abc import Iterator
from typing import Any

from khazad_mitm.exchange import Reply
from khazad_mitm.inprocess.library import reason
from khazad_mitm.inprocess.streams import RESET, Capture
from khazad_mitm.messages import Headers

# Ways of reading that neither library uses: who does is not read along with.
_UNREAD = ("read1", "readinto", "readline", "readlines", "read_chunked", "data", "json")


def made(reply: Reply, method: str, *, is_stream: bool) -> Any:
    """A reply of ours as an unread `urllib3.HTTPResponse`."""
    from urllib3 import HTTPHeaderDict, HTTPResponse

    headers = HTTPHeaderDict(list(reply.headers))
    if not is_stream:
        headers["Content-Length"] = str(len(reply.body))
    return HTTPResponse(
        body=_body(reply),
        headers=headers,
        status=reply.status,
        version=11,
        reason=reason(reply.status),
        preload_content=False,
        request_method=method,
    )


def _body(reply: Reply) -> io.BytesIO:
    if reply.resets_after is None:
        return io.BytesIO(reply.body)
    return _Broken(b"".join(reply.frames[: reply.resets_after]))


class _Broken(io.BytesIO):
    """Ends as a connection that is reset: urllib3 makes its own error of that."""

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        if size is None or size < 0 or len(data) < size:
            # What came before it is read first, where it is asked for piece by piece.
            if data and size is not None and size > 0:
                return data
            raise ConnectionResetError(errno.ECONNRESET, RESET)
        return data

    read1 = read


class Tee:
    """An unread `urllib3.HTTPResponse` with a capture that reads along."""

    def __init__(self, raw: Any, capture: Capture, status: int, headers: Headers) -> None:
        self._raw = raw
        self._capture = capture
        self._status = status
        self._headers = headers
        self._is_decoded: bool | None = None

    def __getattr__(self, name: str) -> Any:
        if name in _UNREAD:
            self._capture.abort()
        return getattr(self._raw, name)

    def __iter__(self) -> Iterator[bytes]:
        return self.stream()

    def stream(
        self, amt: int | None = 2**16, decode_content: bool | None = None
    ) -> Iterator[bytes]:
        try:
            for chunk in self._raw.stream(amt, decode_content):
                self._feed(chunk, decode_content)
                yield chunk
        except Exception:  # whatever ends a stream is passed on; half an answer is not kept
            self._capture.abort()
            raise
        self._capture.finish(self._status, self._seen())

    def read(
        self, amt: int | None = None, decode_content: bool | None = None, **more: Any
    ) -> bytes:
        try:
            chunk: bytes = self._raw.read(amt, decode_content, **more)
        except Exception:  # whatever ends a stream is passed on; half an answer is not kept
            self._capture.abort()
            raise
        self._feed(chunk, decode_content)
        if amt is None or (amt and not chunk):
            self._capture.finish(self._status, self._seen())
        return chunk

    def close(self) -> None:
        try:
            self._raw.close()
        finally:
            self._capture.close(self._status, self._seen())

    def _feed(self, chunk: bytes, decode_content: bool | None) -> None:
        is_decoded = self._raw.decode_content if decode_content is None else decode_content
        if self._is_decoded not in (None, is_decoded):
            self._capture.abort()
        self._is_decoded = is_decoded
        if chunk:
            self._capture.feed(chunk)

    def _seen(self) -> Headers:
        """The headers of what was fed."""
        return self._headers.without("content-encoding") if self._is_decoded else self._headers
