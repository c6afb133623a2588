"""Clients that were given our address as their provider's: sent on to where they mean.

Any port of mode `regular` or `upstream` does so for requests to the proxy itself, which would
otherwise be asked to connect to itself. A port of mode `reverse` does nothing else: there is no
proxying to anywhere, and an LLM host may also be meant by its own name (a name server or
`extra_hosts` that leads it here).
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from mitmproxy import http

from khazad_mitm.proxy import magic
from khazad_mitm.proxy.origin_form import OriginForm
from khazad_mitm.wire.base_urls import BASE_URLS, BaseUrl, Target, target

if TYPE_CHECKING:
    from mitmproxy.connection import Client

logger = logging.getLogger("khazad")


class Gateway:
    """An addon, before `KhazadAddon`: what that sees is addressed to the provider."""

    name = "khazad-gateway"

    def __init__(
        self,
        is_known: Callable[[str], bool],
        providers: Iterable[BaseUrl] = BASE_URLS,
        reverse_only: Iterable[str] = (),
    ) -> None:
        """`is_known(host)`: is this the name of an LLM host?

        `reverse_only`: modes, as mitmproxy spells them, whose ports proxy to nowhere else.
        """
        self._is_known = is_known
        self._providers = tuple(providers)
        self._reverse_only = frozenset(reverse_only)
        self._origin_form = OriginForm()

    def running(self) -> None:
        self._origin_form.install()

    def done(self) -> None:
        self._origin_form.uninstall()

    def http_connect(self, flow: http.HTTPFlow) -> None:
        if flow.response is None and self._is_reverse_only(flow.client_conn):
            flow.response = _refused(403, "this port is no proxy", self._providers)

    def requestheaders(self, flow: http.HTTPFlow) -> None:
        if flow.response or flow.error or not flow.live:
            return
        request, reverse_only = flow.request, self._is_reverse_only(flow.client_conn)
        if magic.is_meant(request):
            return
        is_to_us = request in self._origin_form or _is_our_own(
            request.host, request.port, flow.client_conn
        )
        if not is_to_us and not reverse_only:
            return
        found = target(self._providers, request.host, request.path)
        if found is None and reverse_only and self._is_known(request.host):
            found = Target("https", request.host, 443, request.path)
        if found is None:
            flow.response = _refused(404, "no such provider", self._providers)
        else:
            _send_to(request, found)

    def _is_reverse_only(self, client: Client) -> bool:
        return bool(self._reverse_only) and client.proxy_mode.full_spec in self._reverse_only


def _is_our_own(host: str, port: int, client: Client) -> bool:
    """Is this where the client has reached us, by address or by a name for loopback?"""
    ours = client.sockname
    if port != ours[1]:
        return False
    return host == ours[0] or host == "localhost" or host.lower().endswith(".localhost")


def _send_to(request: http.Request, found: Target) -> None:
    request.scheme, request.port, request.path = found.scheme, found.port, found.path
    # Sets `Host` too, by which the upstream knows who is meant.
    request.host = found.host


def _refused(status: int, why: str, providers: Iterable[BaseUrl]) -> http.Response:
    names = [f"/{provider.name}/" for provider in providers]
    body = {"error": {"message": why, "type": "khazad"}, "providers": names}
    return http.Response.make(status, json.dumps(body), {"content-type": "application/json"})
