"""A cache in a dictionary with the face of `cache.front.Cache`, for the hooks of the addon.

It recognises every POST, keyed by its body: what is tested is mitmproxy's side.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from mitmproxy import http
from mitmproxy.test import tflow, tutils

from khazad_mitm.cache.capture import Capture
from khazad_mitm.exchange import Reply
from khazad_mitm.messages import Headers, Request, Response


@dataclass
class FakeCache:
    """`outcome` is what a look-up gives; what is captured ends in `kept` or `dropped`."""

    outcome: Any = None
    requests: list[Request] = field(default_factory=list)
    kept: list[Response] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    ours: tuple[str, ...] = ("api.openai.com",)
    rests: list[Response] = field(default_factory=list)
    whole: Reply | None = None
    """What a batch becomes."""
    life: list[str] = field(default_factory=list)
    is_closed: bool = False
    wants_all: bool = False

    def decrypts(self, host: str) -> bool:
        return host in self.ours

    async def look_up_async(self, request: Request, *, follows: bool = False) -> Any:
        self.requests.append(request)
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome

    async def complete_async(self, _miss: Any, response: Response) -> Reply | None:
        self.rests.append(response)
        return self.whole

    def reply(self, _outcome: Any) -> Reply:
        headers = Headers([("Content-Type", "text/plain"), ("Cache-Status", "khazad; hit")])
        return Reply(200, headers, (b"from ", b"cache"))

    def cache_status(self, _outcome: Any) -> str:
        return "khazad; fwd=miss"

    def capture(self, _miss: Any) -> Capture:
        return Capture(self.kept.append, self.dropped.append)

    def drain(self, _timeout_s: float) -> bool:
        self.life.append("drain")
        return True

    def close(self) -> None:
        self.life.append("close")


def asked(**changes: Any) -> http.HTTPFlow:
    """A live flow with a request and no answer yet."""
    return tflow.tflow(req=tutils.treq(**{"method": b"POST", "content": b"{}", **changes}))


def head(status: int = 200, **headers: str) -> http.Response:
    """The head of an upstream's answer, as mitmproxy has it before the body."""
    response = http.Response.make(status)
    response.headers = http.Headers(
        [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    )
    response.raw_content = None
    return response
