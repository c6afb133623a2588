"""Hooks that need not wait are called on the spot, without a task of the event loop each.

mitmproxy starts a task for every hook and goes on when it has ended, even where no addon listens.
Of the hooks of a request only `request` has to wait. What a layer says to the outside passes here
first: hooks whose handlers are plain functions are answered at once, in the order in which
mitmproxy would have answered them, and all else passes on.

Built on public names of mitmproxy (`Proxyserver.connections`, `ConnectionHandler.layer`,
`Layer.handle_event`, `StartHook`, `HookCompleted`).
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from mitmproxy.proxy.commands import StartHook
from mitmproxy.proxy.events import Event, HookCompleted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mitmproxy.addons.proxyserver import Proxyserver
    from mitmproxy.connection import Client
    from mitmproxy.proxy.commands import Command
    from mitmproxy.proxy.layer import Layer

    from khazad_mitm.proxy.dispatch import LeanAddonManager


class Shortcut:
    """An addon: puts itself around the layers of every new connection."""

    name = "khazad-shortcut"

    def __init__(self, server: Proxyserver, manager: LeanAddonManager) -> None:
        self._server = server
        self._manager = manager

    def client_connected(self, client: Client) -> None:
        connection: Any = self._server.connections.get(client.id)
        if connection is not None:
            connection.layer = _OnTheSpot(connection.layer, self._manager)


class _OnTheSpot:
    """What `ConnectionHandler` asks of its outermost layer."""

    __slots__ = ("_layer", "_manager")

    def __init__(self, layer: Layer, manager: LeanAddonManager) -> None:
        self._layer = layer
        self._manager = manager

    def handle_event(self, event: Event) -> Iterator[Command]:
        waiting = deque([event])
        while waiting:
            for command in self._layer.handle_event(waiting.popleft()):
                if isinstance(command, StartHook) and self._manager.call_at_once(command):
                    # Only when the layer has said all it had to say to the event before.
                    if command.blocking:
                        waiting.append(HookCompleted(command))
                else:
                    yield command
