"""What need not go all of mitmproxy's way, does not.

mitmproxy starts a task of the event loop for every hook and goes on when it has ended, even where
no addon listens. Of the hooks of a request only `request` has to wait. What a layer says to the
outside passes here first: hooks whose handlers are plain functions are answered at once, in the
order in which mitmproxy would have answered them, and all else passes on. A tunnel that was found
to be none of our business is spliced (`splice`).

Built on public names of mitmproxy (`Proxyserver.connections`, `ConnectionHandler.layer` and
`transports`, `Layer.handle_event`, `StartHook`, `HookCompleted`).
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from mitmproxy.proxy import layers
from mitmproxy.proxy.commands import StartHook
from mitmproxy.proxy.events import Event, HookCompleted

from khazad_mitm.proxy.splice import Splice, may_be_spliced

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mitmproxy import tls
    from mitmproxy.addons.proxyserver import Proxyserver
    from mitmproxy.connection import Client
    from mitmproxy.proxy.commands import Command
    from mitmproxy.proxy.context import Context
    from mitmproxy.proxy.layer import Layer, NextLayer

    from khazad_mitm.proxy.dispatch import LeanAddonManager


class Shortcut:
    """An addon, after all others: puts itself around the layers of every new connection."""

    name = "khazad-shortcut"

    def __init__(self, server: Proxyserver, manager: LeanAddonManager) -> None:
        self._server = server
        self._manager = manager

    def client_connected(self, client: Client) -> None:
        connection: Any = self._server.connections.get(client.id)
        if connection is not None:
            connection.layer = _OnTheSpot(connection, self._manager)

    def next_layer(self, nextlayer: NextLayer) -> None:
        # One without a flow: nobody wants to see what is in it.
        if isinstance(nextlayer.layer, layers.TCPLayer) and nextlayer.layer.flow is None:
            self._splice(nextlayer.context, 0)

    def tls_clienthello(self, data: tls.ClientHelloData) -> None:
        if data.ignore_connection:
            self._splice(data.context, 1)

    def _splice(self, context: Context, tls_layers: int) -> None:
        connection: Any = self._server.connections.get(context.client.id)
        if connection is not None and isinstance(connection.layer, _OnTheSpot):
            connection.layer.splice(context, tls_layers)


class _OnTheSpot:
    """What `ConnectionHandler` asks of its outermost layer."""

    __slots__ = ("_connection", "_is_heard", "_layer", "_manager", "_tunnel")

    def __init__(self, connection: Any, manager: LeanAddonManager) -> None:
        self._connection = connection
        self._layer: Layer = connection.layer
        self._manager = manager
        self._is_heard = False
        self._tunnel: tuple[Context, int] | None = None

    def splice(self, context: Context, tls_layers: int) -> None:
        """Make way after the event that is being handled; by then all that waited has passed.

        Not where the decision was awaited: mitmproxy may then hold back what came meanwhile.
        """
        if self._is_heard:
            self._tunnel = (context, tls_layers)

    def handle_event(self, event: Event) -> Iterator[Command]:
        self._is_heard = True
        waiting = deque([event])
        while waiting:
            for command in self._layer.handle_event(waiting.popleft()):
                if isinstance(command, StartHook) and self._manager.call_at_once(command):
                    # Only when the layer has said all it had to say to the event before.
                    if command.blocking:
                        waiting.append(HookCompleted(command))
                else:
                    yield command
        self._is_heard = False
        if self._tunnel is not None:
            (context, tls_layers), self._tunnel = self._tunnel, None
            if may_be_spliced(context, self._connection.transports, tls_layers):
                self._connection.layer = Splice(context.client, context.server)
