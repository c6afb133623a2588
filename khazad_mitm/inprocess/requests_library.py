"""requests and its messages in our words. Written against requests 2.32 and 2.33."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from khazad_mitm.cache.live import Live
from khazad_mitm.exchange import Reply
from khazad_mitm.inprocess import urllib3_bodies
from khazad_mitm.inprocess.library import DEFAULT_PORTS
from khazad_mitm.inprocess.streams import RESET, Capture
from khazad_mitm.messages import Headers, Request, Response

_OF_THE_BODY = ("Content-Encoding", "Transfer-Encoding")


class RequestsLibrary:
    """The `Translation` of what one `HTTPAdapter` sends."""

    def __init__(self, adapter: Any) -> None:
        self._adapter = adapter

    def request(self, theirs: Any, *, whole: bool = False) -> Request | None:
        """None for a body that is a file or is generated while it is sent."""
        body = theirs.body.encode() if isinstance(theirs.body, str) else theirs.body
        if not isinstance(body, bytes):
            return None
        return request(theirs.method, theirs.url, theirs.headers, body)

    def proxy_url(self, url: str, options: dict[str, Any]) -> str | None:
        from requests.utils import select_proxy

        found: str | None = select_proxy(url, options.get("proxies"))
        return found

    def without_headers(self, theirs: Any, names: tuple[str, ...]) -> Any:
        if not any(name in theirs.headers for name in names):
            return theirs
        copy = theirs.copy()
        for name in names:
            copy.headers.pop(name, None)
        return copy

    def with_body(self, theirs: Any, body: bytes) -> Any:
        copy = self.without_headers(theirs.copy(), _OF_THE_BODY)
        copy.body = body
        copy.headers["Content-Length"] = str(len(body))
        return copy

    def again(self, theirs: Any) -> Any:
        return theirs.copy()

    def response(self, reply: Reply, theirs: Any, *, is_stream: bool) -> Any:
        raw = urllib3_bodies.made(reply, theirs.method, is_stream=is_stream)
        return self._adapter.build_response(theirs, raw)

    # Its bodies are files, which are read when they are whole.
    follows = False

    def following(self, reply: Reply, theirs: Any, live: Live) -> Any:
        raise NotImplementedError("its bodies are files: it never follows (`follows`)")

    def reset(self, theirs: Any) -> Exception:
        from requests.exceptions import ConnectionError as NotConnected

        found: Exception = NotConnected(RESET, request=theirs)
        return found

    def add_header(self, response: Any, name: str, value: str) -> None:
        before = response.headers.get(name)
        response.headers[name] = f"{before}, {value}" if before else value

    def tee(self, response: Any, capture: Capture, *, is_async: bool) -> None:
        response.raw = urllib3_bodies.Tee(
            response.raw, capture, response.status_code, headers(response.headers)
        )

    def status(self, response: Any) -> int:
        return int(response.status_code)

    def is_read(self, response: Any) -> bool:
        """The session reads it, after the adapter has given it back."""
        return False

    def read(self, response: Any) -> None:
        """`content` lets go of the connection when it is through."""
        assert isinstance(response.content, bytes)

    def whole(self, response: Any) -> Response:
        said = headers(response.headers).without("content-encoding")
        return Response(response.status_code, said, response.content)


def request(method: str, url: str, fields: Any, body: bytes) -> Request:
    """A request of a library that has its URL in one piece."""
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Request(
        method=method.upper(),
        scheme=parts.scheme,
        host=(parts.hostname or "").lower(),
        port=parts.port or DEFAULT_PORTS.get(parts.scheme, 0),
        target=target,
        headers=headers(fields),
        body=body,
    )


def headers(fields: Any) -> Headers:
    return Headers((_text(name), _text(value)) for name, value in fields.items())


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
