"""The magic host `http://khazad.internal/`: the running proxy speaks of itself, to its clients.

`.internal` is reserved and resolves nowhere, so only a request that came through the proxy gets
here: `curl -x http://127.0.0.1:8080 http://khazad.internal/ready`, or, for a load balancer that
knows no proxies, `GET /ready` with `Host: khazad.internal`. Reading is free; forgetting takes a
POST that no web page sent, nor somebody from elsewhere who has not authenticated. What is stored is
shown, and taken back, only for callers on this machine: over a network the proxy's clients are
tenants, and one must not read another's prompts. Who puts a balancer in front of it on the same
machine makes callers of his network local ones: let it refuse these pages.
"""

from __future__ import annotations

import asyncio
import json
import os
from functools import partial
from typing import TYPE_CHECKING, Any

from mitmproxy import http

from khazad_mitm import __version__
from khazad_mitm.cache.inventory import Selection
from khazad_mitm.errors import CacheUnavailable, UnknownEntry
from khazad_mitm.proxy.team import readiness_of, said_by, stats_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from khazad_mitm.fronts import Front
    from khazad_mitm.proxy.team import Said, Team, Topic

HOST = "khazad.internal"

FOR_THE_OPERATOR = (
    ("GET", "/explain"),
    ("GET", "/entry"),
    ("POST", "/wrong"),
    ("GET", "/entries"),
    ("POST", "/forget"),
)
PAGES_OF_A_CACHE = {"/health", "/ready", "/stats", "/flush", *(p for _, p in FOR_THE_OPERATOR)}


def is_meant(request: http.Request) -> bool:
    """Plain HTTP only: nobody has a certificate for this name."""
    return request.host == HOST and request.scheme == "http"


async def page(
    request: http.Request,
    cache: Front | None,
    is_ending: bool = False,
    team: Team | None = None,
    *,
    is_local: bool = False,
    may_change: bool = True,
) -> http.Response:
    """The answer of the magic host; 503 where there is no cache.

    `team`: the processes that serve this port together. `is_local`: the caller is on this machine.
    `may_change`: he is, or has said who he is.
    """
    match request.method, request.path.partition("?")[0]:
        case "GET", "/live":
            return _json(200, {"status": "live"})
        case _, path if cache is None and path in PAGES_OF_A_CACHE:
            return _json(503, {"status": "no cache"})
        case "GET", "/ready" if cache is not None:
            # Without store or model calls still go through: that is no reason to be taken out.
            own = await said_by(cache, "ready", is_ending=is_ending)
            told = readiness_of(own, await _asked(team, "ready") or [own])
            return _json(503 if is_ending else 200, told)
        case "GET", "/health" if cache is not None:
            # A program that calls `khazad.init()` leaves to us what we look at: mode and hosts.
            said = {"status": "ok", "version": __version__, "pid": os.getpid(), "mode": cache.mode}
            return _json(200, {**said, "hosts": list(cache.hosts)})
        case "GET", "/stats" if cache is not None:
            own = await said_by(cache, "stats", is_ending=is_ending)
            return _json(200, stats_of(await _asked(team, "stats") or [own]))
        case "POST", "/flush" if cache is not None:
            if "origin" in request.headers or not may_change:
                return _json(403, {"error": "not from a web page, nor by just anybody"})
            # All of them: the answers are shared, the counters are each one's own.
            all_said = await _asked(team, "flush")
            all_said = all_said or [await said_by(cache, "flush", is_ending=is_ending)]
            return _json(200, {"flushed": sum(said["flushed"] for said in all_said)})
        case (_, page) if cache is not None and (request.method, page) in FOR_THE_OPERATOR:
            if not is_local or "origin" in request.headers:
                return _json(403, {"error": "only for callers on the proxy's own machine"})
            return await _about_entries(request, page, cache)
        case _:
            pages = ["GET /live", "GET /ready", "GET /health", "GET /stats", "POST /flush"]
            pages += [" ".join(page) for page in FOR_THE_OPERATOR]
            return _json(404, {"error": "no such page", "pages": pages})


async def _asked(team: Team | None, topic: Topic) -> Sequence[Said]:
    return () if team is None else await team.ask(topic)


async def _about_entries(request: http.Request, page: str, cache: Front) -> http.Response:
    """`?id=` and, where given, `ask=` and `other=`; of several `?id=`, `tag=`, `model=`, `older=`
    (seconds) and `most=`."""
    asked = {name: value for name, value in request.query.items() if value}
    id_, ask = asked.get("id", ""), asked.get("ask")
    try:
        match page:
            case "/explain":
                job = partial(cache.explain, id_, ask, asked.get("other"))
            case "/entry":
                job = partial(cache.export, id_)
            case "/wrong":
                job = partial(cache.wrong, id_, ask)
            case "/entries":
                most = int(asked["most"]) if "most" in asked else None
                job = partial(cache.entries, _selection(request), most)
            case _:
                job = partial(_forgotten, cache, _selection(request))
    except ValueError as error:
        return _json(404, {"error": str(error)})
    try:
        told = await asyncio.get_running_loop().run_in_executor(None, job)
    except UnknownEntry as error:
        return _json(404, {"error": str(error)})
    except CacheUnavailable as error:
        return _json(503, {"error": f"the store does not answer: {error}"})
    return _json(200, told)


def _selection(request: http.Request) -> Selection:
    query = request.query
    older = query.get("older")
    return Selection(
        tuple(id_ for id_ in query.get_all("id") if id_),
        query.get("tag"),
        query.get("model"),
        None if older is None else float(older),
    )


def _forgotten(cache: Front, wanted: Selection) -> dict[str, Any]:
    return {"forgotten": cache.forget(wanted)}


def _json(status: int, value: Any) -> http.Response:
    headers = {"content-type": "application/json", "cache-control": "no-store"}
    return http.Response.make(status, json.dumps(value), headers)
