"""botocore, and so boto3, and its messages in our words. Written against botocore 1.44.

Its requests are signed: nothing of them is ever changed. What carries our control headers goes on
with them, and batches are not taken apart (the core sees the signature).
"""

from __future__ import annotations

from typing import Any

from khazad_mitm.cache.live import Live
from khazad_mitm.exchange import Reply
from khazad_mitm.inprocess import urllib3_bodies
from khazad_mitm.inprocess.requests_library import headers, request
from khazad_mitm.inprocess.streams import RESET, Capture
from khazad_mitm.messages import Request, Response


class BotocoreLibrary:
    """The `Translation` of what one `URLLib3Session` sends."""

    def __init__(self, session: Any) -> None:
        self._session = session

    def request(self, theirs: Any, *, whole: bool = False) -> Request | None:
        """None for a body that is a file."""
        body = theirs.body.encode() if isinstance(theirs.body, str) else theirs.body
        if not isinstance(body, bytes | bytearray):
            return None
        return request(theirs.method, theirs.url, theirs.headers, bytes(body))

    def proxy_url(self, url: str, options: dict[str, Any]) -> str | None:
        found: str | None = self._session._proxy_config.proxy_url_for(url)
        return found

    def without_headers(self, theirs: Any, names: tuple[str, ...]) -> Any:
        return theirs

    def with_body(self, theirs: Any, body: bytes) -> Any:
        raise NotImplementedError("a signed body cannot be replaced")

    def again(self, theirs: Any) -> Any:
        """As it is: sending changes nothing of it, and its signature is good for minutes."""
        return theirs

    def response(self, reply: Reply, theirs: Any, *, is_stream: bool) -> Any:
        from botocore.awsrequest import AWSResponse

        raw = urllib3_bodies.made(reply, theirs.method, is_stream=is_stream)
        return AWSResponse(theirs.url, reply.status, raw.headers, raw)

    # Its bodies are files, which are read when they are whole.
    follows = False

    def following(self, reply: Reply, theirs: Any, live: Live) -> Any:
        raise NotImplementedError("its bodies are files: it never follows (`follows`)")

    def reset(self, theirs: Any) -> Exception:
        from botocore.exceptions import ConnectionClosedError

        found: Exception = ConnectionClosedError(error=RESET, endpoint_url=theirs.url)
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
        """What is no stream has been read by the session."""
        return bool(response.raw.isclosed())

    def read(self, response: Any) -> None:
        assert isinstance(response.content, bytes)

    def whole(self, response: Any) -> Response:
        return Response(response.status_code, headers(response.headers), response.content)
