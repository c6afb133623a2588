"""A proxy of ours on the way of this process' calls: it answers them, and nothing is done twice.

`init` asks for it once, at its magic host, and is told whose calls it looks at; those that go
through it are then left alone. Nothing on a call says so: there is no mark that a caller could
forge or that an upstream could see. What goes past the proxy (`NO_PROXY`, a client without one),
or through it unopened, is this process' own business as before.
"""

from __future__ import annotations

import http.client
import ipaddress
import json
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from khazad_mitm.wire import hosts

logger = logging.getLogger("khazad")

NAMED = "KHAZAD_PROXY"
"""Says that a proxy is ours, wherever it is; `khazad-mitm run` sets it."""
USED = ("https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY")
"""Asked only where it is on this machine: others need not hear of us, and might be slow."""

HEALTH = "http://khazad.internal/health"
NAMED_S, USED_S = 2.0, 0.5
"""What an answer may take; one on this machine comes in a millisecond."""

DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a proxy listens."""

    host: str
    port: int

    @classmethod
    def of(cls, url: str) -> Place | None:
        """None for what is no address."""
        try:
            parts = urlsplit(url if "//" in url else f"//{url}", scheme="http")
            port = parts.port or DEFAULT_PORTS.get(parts.scheme, 0)
        except ValueError:
            return None
        return cls.at(parts.hostname, port) if parts.hostname else None

    @classmethod
    def at(cls, host: str, port: int) -> Place:
        return cls("127.0.0.1" if host.lower() == "localhost" else host.lower(), port)

    def is_here(self) -> bool:
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


Way: TypeAlias = Callable[[], tuple[Place | None, str, str]]
"""Tells how one call goes: the proxy it is sent through, its scheme, the host it is for."""


@dataclass(frozen=True, slots=True)
class Ahead:
    """Our proxy, and whose calls it looks at."""

    place: Place
    hosts: tuple[str, ...] = ()
    """Its allow-list; empty: the known LLM hosts over TLS, every host otherwise."""

    def answers_for(self, way: Way) -> bool:
        """Does it look at a call that goes this way?"""
        try:
            proxy, scheme, host = way()
        except Exception:
            # An edge: libraries are asked for things that they do not promise.
            logger.debug("[Khazad] cannot tell which way a call goes", exc_info=True)
            return False
        if proxy != self.place:
            return False
        if self.hosts:
            return hosts.matches(host, self.hosts)
        return scheme == "http" or hosts.is_known(host)


def find(environ: Mapping[str, str]) -> Ahead | None:
    """The proxy of ours that this process' calls go through, if one answers."""
    for place, timeout_s in _candidates(environ):
        said = _asked(place, timeout_s)
        if said is not None and said.get("mode", "off") != "off":
            logger.info(
                "[Khazad] The proxy at %s:%d is khazad-mitm too: calls that go through it are"
                " left to it",
                place.host,
                place.port,
            )
            return Ahead(place, tuple(said["hosts"]))
    return None


def _candidates(environ: Mapping[str, str]) -> Iterator[tuple[Place, float]]:
    named = Place.of(environ.get(NAMED, ""))
    if named is not None:
        yield named, NAMED_S
    used = {Place.of(environ.get(name, "")): None for name in USED}
    for place in used:
        if place is not None and place != named and place.is_here():
            yield place, USED_S


def _asked(place: Place, timeout_s: float) -> dict[str, Any] | None:
    """What it says of itself; None where it is no proxy of ours."""
    connection = http.client.HTTPConnection(place.host, place.port, timeout=timeout_s)
    try:
        connection.request("GET", HEALTH)
        response = connection.getresponse()
        said = json.loads(response.read(65_536)) if response.status == 200 else None
    except (OSError, ValueError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    is_ours = isinstance(said, dict) and isinstance(said.get("hosts"), list)
    return said if is_ours else None
