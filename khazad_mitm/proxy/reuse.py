"""Which upstream connections are used again.

Two things mitmproxy does not know (11.0.2 and 12.2.3; `privates.REUSE`):

- It looks for a connection by its address. Where an addon changes the address in `server_connect`
  (a redirect, a gateway) and the connection was not made at CONNECT, it never finds it, and opens
  another for every request. Here a connection is also known by the address it was asked for.
- An upstream that has hung up on an idle connection may not have been heard yet when the next
  request arrives; sent there, the request fails with a 502. Clients look whether something is to
  be read from a connection at rest, which can only be its end, and so do we.
"""

from __future__ import annotations

import dataclasses
import select
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from mitmproxy import ctx
from mitmproxy.connection import Server
from mitmproxy.proxy.layers.http import GetHttpConnection

from khazad_mitm.proxy.privates import REUSE, Patches

if TYPE_CHECKING:
    from collections.abc import Callable

    from mitmproxy.connection import Address, Connection
    from mitmproxy.proxy.server_hooks import ServerConnectionHookData


class Reuse:
    """Hooks lent to `KhazadAddon`, which must hear them before an addon changes the address."""

    def __init__(self) -> None:
        self._patches = Patches()
        self._asked_for: WeakKeyDictionary[Server, Address] = WeakKeyDictionary()
        self._sockets: WeakKeyDictionary[Server, Any] = WeakKeyDictionary()

    def server_connect(self, data: ServerConnectionHookData) -> None:
        if data.server.address is not None:
            self._asked_for[data.server] = data.server.address

    def server_connected(self, data: ServerConnectionHookData) -> None:
        proxies = ctx.master.addons.get("proxyserver")
        handler = None if proxies is None else proxies.connections.get(data.client.id)
        io = None if handler is None else handler.transports.get(data.server)
        if io is not None and io.writer is not None:
            self._sockets[data.server] = io.writer.get_extra_info("socket")

    def install(self) -> None:
        if REUSE.is_there():
            self._patches.put(GetHttpConnection, "connection_spec_matches", self._matching)

    def uninstall(self) -> None:
        self._patches.undo()

    def _matching(
        self, original: Callable[[GetHttpConnection, Connection], bool]
    ) -> Callable[[GetHttpConnection, Connection], bool]:
        def matches(wanted: GetHttpConnection, connection: Connection) -> bool:
            if original(wanted, connection):
                return not self._has_hung_up(connection)
            if not isinstance(connection, Server) or connection.address is None:
                return False
            if self._asked_for.get(connection) != wanted.address:
                return False
            moved = dataclasses.replace(wanted, address=connection.address)
            return bool(original(moved, connection)) and not self._has_hung_up(connection)

        return matches

    def _has_hung_up(self, connection: Connection) -> bool:
        """Of an HTTP/1 connection, which is at rest whenever it is looked for.

        On HTTP/2 others are being answered, and the end is a frame.
        """
        socket = self._sockets.get(connection) if isinstance(connection, Server) else None
        if socket is None or not connection.connected or connection.alpn == b"h2":
            return False
        return _is_readable(socket)


def _is_readable(socket: Any) -> bool:
    number = socket.fileno()
    if number < 0:
        return True
    try:
        # Not `select`, which fails above 1,024 open files.
        poll = select.poll()
    except AttributeError:  # Windows
        return bool(select.select([number], [], [], 0)[0])
    poll.register(number, select.POLLIN | select.POLLHUP | select.POLLERR)
    return bool(poll.poll(0))
