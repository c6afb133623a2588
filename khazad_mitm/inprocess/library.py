"""One HTTP library, httpx or httpx2, and its messages in our words.

The two are the same library under two names as far as we are concerned; the protocols below are
all we use of either. Nothing here imports them: whoever has found one loaded hands its module in.
Knows nothing of caching.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from http import HTTPStatus
from typing import Any, Protocol, cast

from khazad_mitm.cache.live import Live
from khazad_mitm.exchange import Reply
from khazad_mitm.inprocess.ahead import Place
from khazad_mitm.inprocess.shared import AsyncShared, Following, SyncShared
from khazad_mitm.inprocess.streams import RESET, AsyncTee, Capture, Replay, SyncTee
from khazad_mitm.messages import Headers, Request, Response

_OF_THE_BODY = ("content-length", "content-encoding", "transfer-encoding")

DEFAULT_PORTS = {"http": 80, "https": 443}


def reason(status: int) -> str:
    """The phrase of a status, "" where it has none: Anthropic's 529 is nobody else's."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


class TheirHeaders(Protocol):
    @property
    def raw(self) -> list[tuple[bytes, bytes]]: ...
    def __contains__(self, name: object) -> bool: ...


class TheirUrl(Protocol):
    @property
    def scheme(self) -> str: ...
    @property
    def raw_host(self) -> bytes: ...
    @property
    def port(self) -> int | None: ...
    @property
    def raw_path(self) -> bytes: ...


class TheirRequest(Protocol):
    method: str
    url: TheirUrl
    headers: TheirHeaders
    stream: Any
    extensions: dict[str, Any]

    def read(self) -> bytes: ...


class TheirResponse(Protocol):
    status_code: int
    headers: TheirHeaders
    stream: Any
    is_closed: bool

    @property
    def content(self) -> bytes: ...
    def read(self) -> bytes: ...
    def close(self) -> None: ...
    async def aread(self) -> bytes: ...
    async def aclose(self) -> None: ...


class HttpModule(Protocol):
    """`import httpx` or `import httpx2`: their public names that we use."""

    __name__: str
    Client: type
    AsyncClient: type
    BaseTransport: type
    AsyncBaseTransport: type
    ByteStream: type
    SyncByteStream: type
    AsyncByteStream: type
    Request: Any
    Response: Any
    Headers: Any
    RemoteProtocolError: type[Exception]
    ReadError: Any


class Library:
    """The `Translation` of one of the two."""

    follows = True

    def __init__(self, module: HttpModule) -> None:
        self.module = module
        sync_stream, async_stream = module.SyncByteStream, module.AsyncByteStream
        self._sync_tee: Any = type("SyncTee", (SyncTee, sync_stream), {})
        self._async_tee: Any = type("AsyncTee", (AsyncTee, async_stream), {})
        self._sync_shared: Any = type("SyncShared", (SyncShared, sync_stream), {})
        self._async_shared: Any = type("AsyncShared", (AsyncShared, async_stream), {})
        self._replay: Any = type("Replay", (Replay, sync_stream, async_stream), {})
        self._following: Any = type("Following", (Following, sync_stream, async_stream), {})

    def request(self, theirs: TheirRequest, *, whole: bool = False) -> Request | None:
        """The request as it will be dialled; None where it cannot be read without consuming it.

        That is a body that is generated while it is sent, and a `target` extension, which
        replaces the path of the URL on the wire. `whole`: read a generated one, which both
        libraries then keep for sending, unless it has to be awaited.
        """
        if "target" in theirs.extensions:
            return None
        is_kept = isinstance(theirs.stream, self.module.ByteStream)
        if not is_kept and not (whole and isinstance(theirs.stream, self.module.SyncByteStream)):
            return None
        url = theirs.url
        return Request(
            method=theirs.method,
            scheme=url.scheme,
            host=url.raw_host.decode("ascii").lower(),
            port=url.port or DEFAULT_PORTS.get(url.scheme, 0),
            target=url.raw_path.decode("ascii"),
            headers=_headers(theirs.headers),
            body=theirs.read(),
        )

    def without_headers(self, theirs: TheirRequest, names: tuple[str, ...]) -> TheirRequest:
        """The same request without these headers (given in lower case); itself if it has none.

        A copy otherwise: a redirect or a second try is made from the original, and must still
        carry them.
        """
        if not any(name in theirs.headers for name in names):
            return theirs
        return self._copy(theirs, names, {"stream": theirs.stream})

    def with_body(self, theirs: TheirRequest, body: bytes) -> TheirRequest:
        """The same request with another body, not encoded and of known length."""
        return self._copy(theirs, _OF_THE_BODY, {"content": body})

    def again(self, theirs: TheirRequest) -> TheirRequest:
        """Of the extensions only the time-outs: `trace` would call the application back."""
        copy = self._copy(theirs, (), {"content": theirs.read()})
        copy.extensions = {k: v for k, v in theirs.extensions.items() if k == "timeout"}
        return copy

    def _copy(
        self, theirs: TheirRequest, without: tuple[str, ...], body: dict[str, Any]
    ) -> TheirRequest:
        dropped = {name.encode("ascii") for name in without}
        copy = self.module.Request(
            theirs.method,
            theirs.url,
            headers=[item for item in theirs.headers.raw if item[0].lower() not in dropped],
            extensions=theirs.extensions,
            **body,
        )
        return cast("TheirRequest", copy)

    def response(self, reply: Reply, theirs: TheirRequest, *, is_stream: bool) -> TheirResponse:
        """A reply of ours, as a transport would return it: the client puts the request to it."""
        headers = reply.headers
        if not is_stream:
            headers = headers.plus(("Content-Length", str(len(reply.body))))
        return self._made(reply.status, headers, self._replay(self._frames(reply, theirs)))

    def following(self, reply: Reply, theirs: TheirRequest, live: Live) -> TheirResponse:
        """Where it is cut, its readers learn it as whoever asked for it first does."""
        body = self._following(live, self.module.RemoteProtocolError)
        return self._made(reply.status, reply.headers, body)

    def _made(self, status: int, headers: Headers, stream: Any) -> TheirResponse:
        made = self.module.Response(
            status,
            headers=list(headers),
            stream=stream,
            extensions={
                "http_version": b"HTTP/1.1",
                "reason_phrase": reason(status).encode("ascii"),
            },
        )
        return cast("TheirResponse", made)

    def _frames(self, reply: Reply, theirs: TheirRequest) -> Iterator[bytes]:
        yield from reply.frames[: reply.resets_after]
        if reply.resets_after is not None:
            raise self.reset(theirs)

    def reset(self, theirs: TheirRequest) -> Exception:
        return cast("Exception", self.module.ReadError(RESET, request=theirs))

    def add_header(self, response: TheirResponse, name: str, value: str) -> None:
        line = (name.encode("ascii"), value.encode("latin-1"))
        response.headers = self.module.Headers([*response.headers.raw, line])

    def tee(self, response: TheirResponse, capture: Capture, *, is_async: bool) -> None:
        headers = _headers(response.headers)
        capture.begin(response.status_code, headers)
        if capture.live is None:
            make = self._async_tee if is_async else self._sync_tee
        else:
            make = self._async_shared if is_async else self._sync_shared
        response.stream = make(response.stream, capture, response.status_code, headers)

    def status(self, response: TheirResponse) -> int:
        return response.status_code

    def is_read(self, response: TheirResponse) -> bool:
        return response.is_closed

    def read(self, response: TheirResponse) -> None:
        with closing(response):
            response.read()

    def whole(self, response: TheirResponse) -> Response:
        """The library has undone the coding."""
        headers = _headers(response.headers).without("content-encoding")
        return Response(response.status_code, headers, response.content)


def proxy_of(transport: Any) -> Place | None:
    """The HTTP proxy that a transport of theirs sends through.

    By a private name of theirs (httpx 0.28, httpx2 2.16): where it is another one, none is seen,
    and a proxy of ours does what we have done already.
    """
    url = getattr(getattr(transport, "_pool", None), "_proxy_url", None)
    if url is None or url.port is None:
        return None
    return Place.at(url.host.decode("ascii"), url.port)


def _headers(theirs: TheirHeaders) -> Headers:
    return Headers((k.decode("latin-1"), v.decode("latin-1")) for k, v in theirs.raw)
