"""What need not go all of mitmproxy's way, does not.

mitmproxy starts a task of the event loop for every hook and goes on when it has ended, even where
no addon listens. Of the hooks of a request only `request` has to wait. What a layer says to the
outside passes here first: hooks whose handlers are plain functions are answered at once, in the
order in which mitmproxy would have answered them, and all else passes on. Those of a request are
answered where they are called, in its `HttpStream`, and not below half a dozen layers. What a
connection is to be sent in one go is written in one go. A tunnel that was found to be none of our
business is spliced (`splice`). And mitmproxy looks at the type of each field of each message that
it makes, for the authors of scripts, of whom there are none here.

Built on public names of mitmproxy (`Proxyserver.connections`, `ConnectionHandler.layer` and
`transports`, `Layer.handle_event`, `HttpStream`, `StartHook`, `HookCompleted`, `SendData`,
`Context.options`, `http.MessageData`, which under `python -O` makes no such checks either).
"""

from __future__ import annotations

from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any

from mitmproxy import http
from mitmproxy.proxy import layers
from mitmproxy.proxy.commands import SendData, StartHook
from mitmproxy.proxy.events import Event, HookCompleted
from mitmproxy.proxy.layers.http import HttpStream

from khazad_mitm.proxy.privates import Patches
from khazad_mitm.proxy.remembered import Remembered
from khazad_mitm.proxy.splice import Splice, may_be_spliced

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mitmproxy import tls
    from mitmproxy.addons.proxyserver import Proxyserver
    from mitmproxy.connection import Client
    from mitmproxy.proxy.commands import Command
    from mitmproxy.proxy.context import Context
    from mitmproxy.proxy.layer import Layer, NextLayer

    from khazad_mitm.proxy.dispatch import LeanAddonManager


# Joining is copying: what is larger goes by itself. A record of TLS has 16 kB at most.
SMALL_BYTES = 64 * 1024


class Shortcut:
    """An addon, after all others: puts itself around the layers of every new connection."""

    name = "khazad-shortcut"

    def __init__(self, server: Proxyserver, manager: LeanAddonManager) -> None:
        self._server = server
        self._manager = manager
        self._patches = Patches()
        self._options: Remembered | None = None

    def running(self) -> None:
        self._patches.put(HttpStream, "handle_event", self._on_the_spot)
        self._patches.put(http.MessageData, "__post_init__", _unchecked)

    def done(self) -> None:
        self._patches.undo()

    def _on_the_spot(self, original: Callable[..., Iterator[Command]]) -> Any:
        at_once, connections = self._manager.call_at_once, self._server.connections

        def handle_event(stream: HttpStream, event: Event) -> Iterator[Command]:
            # A replayed flow has no client, and who replays it wants to hear its hooks.
            if stream.context.client.id in connections:
                return answering(at_once, partial(original, stream), event)
            return original(stream, event)

        return handle_event

    def client_connected(self, client: Client) -> None:
        connection: Any = self._server.connections.get(client.id)
        if connection is not None:
            context = connection.layer.context
            if self._options is None:
                self._options = Remembered(context.options)
            if self._options.are(context.options):
                context.options = self._options
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


def _unchecked(original: Any) -> Callable[[http.MessageData], None]:
    def trusting(message: http.MessageData) -> None:
        """Its fields are what they should be."""

    return trusting


def answering(
    at_once: Callable[[StartHook], bool],
    handle_event: Callable[[Event], Iterator[Command]],
    event: Event,
) -> Iterator[Command]:
    """What a layer says to an event, less the hooks that could be called at once."""
    waiting = deque([event])
    while waiting:
        for command in handle_event(waiting.popleft()):
            if isinstance(command, StartHook) and at_once(command):
                # Only when the layer has said all it had to say to the event before.
                if command.blocking:
                    waiting.append(HookCompleted(command))
            else:
                yield command


def in_one_go(commands: Iterator[Command]) -> Iterator[Command]:
    """The same commands; small data that follow each other to one connection in one.

    The head of an answer and its body would be two system calls, and often two packets.
    """
    held: list[SendData] = []
    for command in commands:
        small = command if isinstance(command, SendData) else None
        if small is not None and len(small.data) > SMALL_BYTES:
            small = None
        if held and (small is None or small.connection is not held[0].connection):
            yield _joined(held)
            held = []
        if small is None:
            yield command
        else:
            held.append(small)
    if held:
        yield _joined(held)


def _joined(held: list[SendData]) -> SendData:
    if len(held) == 1:
        return held[0]
    return SendData(held[0].connection, b"".join(command.data for command in held))


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
        commands = answering(self._manager.call_at_once, self._layer.handle_event, event)
        yield from in_one_go(commands)
        self._is_heard = False
        if self._tunnel is not None:
            (context, tls_layers), self._tunnel = self._tunnel, None
            if may_be_spliced(context, self._connection.transports, tls_layers):
                self._connection.layer = Splice(context.client, context.server)
