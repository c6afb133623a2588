"""Upstream connections are found again when an addon has sent them elsewhere.

mitmproxy looks for a connection to use again by its address. Where an addon changes the address in
`server_connect` (a redirect, a gateway) and the connection was not made at CONNECT, it never finds
it, opens another for every request, and hangs at the sixth: it allows five per address and client
(11.0.2 and 12.2.3, `ConnectionHandler.max_conns`). Here a connection is also known by the address
it was asked for.

Relies on `GetHttpConnection.connection_spec_matches`, which is private; where it has changed,
mitmproxy is left as it is.
"""

from __future__ import annotations

import dataclasses
import inspect
import logging
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from mitmproxy.connection import Server
from mitmproxy.proxy.layers.http import GetHttpConnection

if TYPE_CHECKING:
    from mitmproxy.connection import Address, Connection
    from mitmproxy.proxy.server_hooks import ServerConnectionHookData

logger = logging.getLogger("khazad")

_METHOD = "connection_spec_matches"


class Reuse:
    """A hook lent to `KhazadAddon`, which must hear it before an addon changes the address."""

    def __init__(self) -> None:
        self._asked_for: WeakKeyDictionary[Server, Address] = WeakKeyDictionary()
        self._original: Any = None

    def server_connect(self, data: ServerConnectionHookData) -> None:
        if data.server.address is not None:
            self._asked_for[data.server] = data.server.address

    def install(self) -> None:
        if self._original is not None:
            return
        original = getattr(GetHttpConnection, _METHOD, None)
        if not is_as_read(original):
            logger.info("[Khazad] mitmproxy has changed: redirected connections are not reused")
            return
        self._original = original

        def matches(wanted: GetHttpConnection, connection: Connection) -> bool:
            if self._original(wanted, connection):
                return True
            if not isinstance(connection, Server) or connection.address is None:
                return False
            if self._asked_for.get(connection) != wanted.address:
                return False
            moved = dataclasses.replace(wanted, address=connection.address)
            return bool(self._original(moved, connection))

        setattr(GetHttpConnection, _METHOD, matches)

    def uninstall(self) -> None:
        if self._original is not None:
            setattr(GetHttpConnection, _METHOD, self._original)
            self._original = None


def is_as_read(method: Any) -> bool:
    """Is this the method, of the class, that was read?"""
    fields = {field.name for field in dataclasses.fields(GetHttpConnection)}
    return (
        method is not None
        and list(inspect.signature(method).parameters) == ["self", "connection"]
        and fields == {"address", "tls", "via", "transport_protocol"}
    )
