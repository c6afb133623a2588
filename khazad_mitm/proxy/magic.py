"""The magic host `http://khazad.internal/`: the running proxy speaks of itself, to its clients.

`.internal` is reserved and resolves nowhere, so only a request that came through the proxy gets
here: `curl -x http://127.0.0.1:8080 http://khazad.internal/ready`, or, for a load balancer that
knows no proxies, `GET /ready` with `Host: khazad.internal`. Reading is free; forgetting takes a
POST that no web page sent, nor somebody from elsewhere who has not authenticated.
"""

from __future__ import annotations

import asyncio
import json
import os
from typing import TYPE_CHECKING, Any

from mitmproxy import http

from khazad_mitm import __version__

if TYPE_CHECKING:
    from khazad_mitm.fronts import Front

HOST = "khazad.internal"


def is_meant(request: http.Request) -> bool:
    """Plain HTTP only: nobody has a certificate for this name."""
    return request.host == HOST and request.scheme == "http"


async def page(
    request: http.Request,
    cache: Front | None,
    is_ending: bool = False,
    *,
    may_change: bool = True,
) -> http.Response:
    """The answer of the magic host; 503 where there is no cache.

    `may_change`: the caller is on this machine, or has said who he is.
    """
    match request.method, request.path.partition("?")[0]:
        case "GET", "/live":
            return _json(200, {"status": "live"})
        case _, "/health" | "/ready" | "/stats" | "/flush" if cache is None:
            return _json(503, {"status": "no cache"})
        case "GET", "/ready" if cache is not None:
            # Without store or model calls still go through: that is no reason to be taken out.
            if is_ending:
                return _json(503, {"status": "ending", **cache.parts()})
            return _json(200, {"status": "ready", **cache.parts()})
        case "GET", "/health" if cache is not None:
            # A program that calls `khazad.init()` leaves to us what we look at: mode and hosts.
            said = {"status": "ok", "version": __version__, "pid": os.getpid(), "mode": cache.mode}
            return _json(200, {**said, "hosts": list(cache.hosts)})
        case "GET", "/stats" if cache is not None:
            # Counters are one process' own: with several workers, one of them answers.
            return _json(200, cache.stats().to_dict())
        case "POST", "/flush" if cache is not None:
            if "origin" in request.headers or not may_change:
                return _json(403, {"error": "not from a web page, nor by just anybody"})
            # May wait for the store: not on the event loop.
            flushed = await asyncio.get_running_loop().run_in_executor(None, cache.flush)
            return _json(200, {"flushed": flushed})
        case _:
            pages = ["GET /live", "GET /ready", "GET /health", "GET /stats", "POST /flush"]
            return _json(404, {"error": "no such page", "pages": pages})


def _json(status: int, value: Any) -> http.Response:
    headers = {"content-type": "application/json", "cache-control": "no-store"}
    return http.Response.make(status, json.dumps(value), headers)
