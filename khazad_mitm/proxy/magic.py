"""The magic host `http://khazad.internal/`: the running proxy speaks of itself, to its clients.

`.internal` is reserved and resolves nowhere, so only a request that came through the proxy gets
here. Reading is free; forgetting takes a POST that no web page sent.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from mitmproxy import http

from khazad_mitm import __version__

if TYPE_CHECKING:
    from khazad_mitm.cache.front import Cache

HOST = "khazad.internal"


def is_meant(request: http.Request) -> bool:
    """Plain HTTP only: nobody has a certificate for this name."""
    return request.host == HOST and request.scheme == "http"


async def page(request: http.Request, cache: Cache | None) -> http.Response:
    """The answer of the magic host; 503 where there is no cache."""
    match request.method, request.path.partition("?")[0]:
        case _, "/health" | "/stats" | "/flush" if cache is None:
            return _json(503, {"status": "no cache"})
        case "GET", "/health" if cache is not None:
            # A program that calls `khazad.init()` leaves to us what we look at: mode and hosts.
            said = {"status": "ok", "version": __version__, "mode": cache.mode}
            return _json(200, {**said, "hosts": list(cache.hosts)})
        case "GET", "/stats" if cache is not None:
            return _json(200, cache.stats().to_dict())
        case "POST", "/flush" if cache is not None:
            if "origin" in request.headers:
                return _json(403, {"error": "not from a web page"})
            # May wait for the store: not on the event loop.
            flushed = await asyncio.get_running_loop().run_in_executor(None, cache.flush)
            return _json(200, {"flushed": flushed})
        case _:
            pages = ["GET /health", "GET /stats", "POST /flush"]
            return _json(404, {"error": "no such page", "pages": pages})


def _json(status: int, value: Any) -> http.Response:
    headers = {"content-type": "application/json", "cache-control": "no-store"}
    return http.Response.make(status, json.dumps(value), headers)
