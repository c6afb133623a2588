"""Ending without cutting anybody short: no new connections, and what goes on may end.

An exchange is over when its last byte has been taken by the client's socket. Whoever is between
two is hung up on; HTTP/1 clients are told beforehand, with `Connection: close`. Tunnels and
WebSockets end when their ends do: nobody can tell whether they are at rest.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from khazad_mitm.proxy.splice import Splice

if TYPE_CHECKING:
    from mitmproxy import http
    from mitmproxy.addons.proxyserver import Proxyserver

_A_MOMENT_S = 0.02


class Draining:
    """An addon that knows who is being answered."""

    name = "khazad-draining"

    def __init__(self, server: Proxyserver) -> None:
        self._server = server
        self._open: Counter[str] = Counter()
        """Exchanges that go on, by client connection."""
        self._upgraded: set[str] = set()
        self.has_begun = False
        self._is_enough = False

    # -- what goes on

    def requestheaders(self, flow: http.HTTPFlow) -> None:
        self._open[flow.client_conn.id] += 1

    def responseheaders(self, flow: http.HTTPFlow) -> None:
        response = flow.response
        if self.has_begun and response is not None and flow.request.is_http11:
            response.headers["connection"] = "close"

    def response(self, flow: http.HTTPFlow) -> None:
        self._over(flow)
        status = None if flow.response is None else flow.response.status_code
        if status == HTTPStatus.SWITCHING_PROTOCOLS:
            self._upgraded.add(flow.client_conn.id)

    def error(self, flow: http.HTTPFlow) -> None:
        self._over(flow)

    def client_disconnected(self, client: Any) -> None:
        self._open.pop(client.id, None)
        self._upgraded.discard(client.id)

    def _over(self, flow: http.HTTPFlow) -> None:
        # A flow may fail before anything was heard of it, or after its answer.
        if self._open[flow.client_conn.id] > 0:
            self._open[flow.client_conn.id] -= 1

    # -- the end

    def hurry(self) -> None:
        """Wait no longer."""
        self._is_enough = True

    async def drain(self, grace_s: float) -> None:
        """Until nothing goes on any more, for at most so many seconds."""
        self.has_begun = True
        await self._server.servers.update([])
        end = time.monotonic() + grace_s
        while time.monotonic() < end and not self._is_enough:
            for identity, handler in list(self._server.connections.items()):
                if self._is_at_rest(str(identity), handler):
                    hang_up(handler)
            if not self._server.connections:
                return
            await asyncio.sleep(_A_MOMENT_S)

    def _is_at_rest(self, identity: str, handler: Any) -> bool:
        if isinstance(handler.layer, Splice) or identity in self._upgraded:
            return False
        # A replay that is paced is between two frames.
        is_waiting = bool(handler.wakeup_timer)
        return not (self._open[identity] or is_waiting or _has_more_to_send(handler))


def hang_up(handler: Any) -> None:
    """End the connection of a client; what was in flight is aborted."""
    connection = handler.transports.get(handler.client)
    if connection is not None and connection.handler is not None:
        connection.handler.cancel("the proxy ends")


def _has_more_to_send(handler: Any) -> bool:
    connection = handler.transports.get(handler.client)
    writer = None if connection is None else connection.writer
    return writer is not None and writer.transport.get_write_buffer_size() > 0
