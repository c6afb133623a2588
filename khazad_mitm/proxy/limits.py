"""What one client connection may have: how many upstream connections, and how long a rest."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import TYPE_CHECKING

from mitmproxy import ctx

from khazad_mitm.proxy.privates import LIMITS

if TYPE_CHECKING:
    from mitmproxy.connection import Client

# Per client connection and upstream address. mitmproxy's 5 are too few for an HTTP/2 client whose
# upstream speaks HTTP/1, where each stream takes a connection: the sixth answer would not begin
# before another has ended. 100 streams is what HTTP/2 servers allow (RFC 9113 §6.5.2).
MAX_UPSTREAM_CONNECTIONS = 100

# mitmproxy hangs up after ten minutes without a byte in either direction. A batch at OpenAI's
# flex tier may think for fifteen, and an idle SSH session in a tunnel is nobody's business.
# The clients' own time-outs are shorter.
IDLE_S = 3600


class Limits:
    """A hook lent to `KhazadAddon`."""

    def __init__(self) -> None:
        self._is_there = LIMITS.is_there()

    def client_connected(self, client: Client) -> None:
        server = ctx.master.addons.get("proxyserver")
        handler = None if server is None else server.connections.get(client.id)
        if handler is None or not self._is_there:
            return
        handler.max_conns = defaultdict(lambda: asyncio.Semaphore(MAX_UPSTREAM_CONNECTIONS))
        watchdog = handler.timeout_watchdog
        if client.transport_protocol == "tcp":
            watchdog.timeout = max(watchdog.timeout, IDLE_S)
