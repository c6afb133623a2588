"""Tunnels that are none of our business, past mitmproxy's layers: what comes in on one side goes
out on the other, and a side that has said all it had to say is closed there, alone.

Inside a CONNECT mitmproxy closes the whole tunnel when one side closes its half, which cuts what
the other still had to say (`HttpStream.passthrough` says so itself); and each piece of data takes
a way through six layers.

Built on public names of mitmproxy, as `shortcut` is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from mitmproxy.connection import ConnectionState
from mitmproxy.proxy import commands, events, layers
from mitmproxy.proxy.layers import modes

if TYPE_CHECKING:
    from mitmproxy.connection import Client, Server
    from mitmproxy.proxy.context import Context

_DIRECT = (modes.HttpProxy, modes.Socks5Proxy)


def may_be_spliced(context: Context, transports: Any, tls_layers: int) -> bool:
    """Are the two ends of this tunnel sockets of our own, with nothing but the tunnel between?

    `tls_layers`: how many layers of the client's TLS there are that only look on.
    """
    client, server = context.client, context.server
    is_plain = tls_layers == sum(isinstance(x, layers.ClientTLSLayer) for x in context.layers)
    return (
        is_plain
        and isinstance(context.layers[0], _DIRECT)
        and client.state is ConnectionState.OPEN
        and server.state is ConnectionState.OPEN
        and client in transports
        and server in transports
        and transports[server].writer is not None
    )


class Splice:
    """What `ConnectionHandler` asks of its outermost layer."""

    __slots__ = ("_client", "_server")

    def __init__(self, client: Client, server: Server) -> None:
        self._client = client
        self._server = server

    def handle_event(self, event: events.Event) -> Iterator[commands.Command]:
        if not isinstance(event, events.ConnectionEvent):
            return
        other = self._server if event.connection is self._client else self._client
        if isinstance(event, events.DataReceived):
            yield commands.SendData(other, event.data)
        elif isinstance(event, events.ConnectionClosed):
            if (self._client.state | self._server.state) & ConnectionState.CAN_READ:
                yield commands.CloseTcpConnection(other, half_close=True)
                return
            for connection in (self._server, self._client):
                if connection.state is not ConnectionState.CLOSED:
                    yield commands.CloseConnection(connection)
