from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from mitmproxy import options
from mitmproxy.addons.proxyserver import Proxyserver
from mitmproxy.connection import ConnectionState, Server
from mitmproxy.master import Master
from mitmproxy.proxy import layers
from mitmproxy.proxy.commands import Log, SendData
from mitmproxy.proxy.context import Context
from mitmproxy.proxy.events import HookCompleted, Start
from mitmproxy.proxy.layer import NextLayer, NextLayerHook
from mitmproxy.proxy.layers.http import HttpRequestHook, HttpStream
from mitmproxy.proxy.layers.modes import HttpProxy
from mitmproxy.test import tflow

from khazad_mitm.proxy.dispatch import LeanAddonManager
from khazad_mitm.proxy.remembered import Remembered
from khazad_mitm.proxy.shortcut import SMALL_BYTES, Shortcut, in_one_go
from khazad_mitm.proxy.splice import Splice


class Layer:
    """Asks for a hook, says something more, and tells when the hook was completed."""

    def __init__(self, context: Any = None) -> None:
        self.context = context or Context(tflow.tclient_conn(), options.Options())
        self.heard: list[Any] = []

    def handle_event(self, event: Any) -> Any:
        self.heard.append(event)
        if isinstance(event, HookCompleted):
            yield Log("after")
        else:
            yield HttpRequestHook(tflow.tflow())
            yield Log("before")


class Connection:
    def __init__(self) -> None:
        self.layer: Any = Layer()
        self.transports: dict[Any, Any] = {}


class Plain:
    name = "plain"
    called = 0

    def request(self, flow: Any) -> None:
        self.called += 1


class Awaited(Plain):
    async def request(self, flow: Any) -> None:  # type: ignore[override]
        self.called += 1


class Undecided(Plain):
    """Plain, and gives something to await now and then."""

    def __init__(self, waits: bool) -> None:
        self.waits = waits

    def request_waits(self, flow: Any) -> bool:
        return self.waits


async def play(addon: Plain) -> tuple[list[str], Layer]:
    """What passes to the outside, in order."""
    master = Master(options.Options())
    manager = LeanAddonManager(master)
    manager.add(addon)
    server, connection, client = Proxyserver(), Connection(), tflow.tclient_conn()
    layer = connection.layer
    server.connections[client.id] = connection  # type: ignore[assignment]
    Shortcut(server, manager).client_connected(client)
    passed = list(connection.layer.handle_event(Start()))
    return [getattr(command, "message", type(command).__name__) for command in passed], layer


async def test_a_plain_handler_is_called_and_the_layer_goes_on_in_order():
    addon = Plain()

    passed, layer = await play(addon)

    assert 1 == addon.called
    assert ["before", "after"] == passed
    assert [Start, HookCompleted] == [type(event) for event in layer.heard]


async def test_a_handler_that_must_be_awaited_is_left_to_mitmproxy():
    addon = Awaited()

    passed, layer = await play(addon)

    assert 0 == addon.called
    assert ["HttpRequestHook", "before"] == passed
    assert [Start] == [type(event) for event in layer.heard]


async def test_a_handler_is_asked_first_whether_it_must_be_awaited_this_time():
    at_once, waiting = Undecided(False), Undecided(True)

    assert ["before", "after"] == (await play(at_once))[0]
    assert ["HttpRequestHook", "before"] == (await play(waiting))[0]
    assert (1, 0) == (at_once.called, waiting.called)


async def test_a_connection_that_nobody_knows_is_left_alone():
    manager = LeanAddonManager(Master(options.Options()))

    Shortcut(Proxyserver(), manager).client_connected(tflow.tclient_conn())


class Tunnelling(Layer):
    """Asks for the next layer, and sends what had waited."""

    def handle_event(self, event: Any) -> Any:
        self.heard.append(event)
        if isinstance(event, HookCompleted):
            yield SendData(self.context.server, b"waited")
        else:
            yield NextLayerHook(NextLayer(self.context))


class Decides(Plain):
    def next_layer(self, nextlayer: NextLayer) -> None:
        nextlayer.layer = layers.TCPLayer(nextlayer.context, ignore=True)


class DecidesLater(Plain):
    async def next_layer(self, nextlayer: NextLayer) -> None:
        nextlayer.layer = layers.TCPLayer(nextlayer.context, ignore=True)


@pytest.mark.parametrize(("addon", "is_spliced"), [(Decides(), True), (DecidesLater(), False)])
async def test_a_tunnel_is_spliced_once_what_waited_has_passed(addon: Plain, is_spliced: bool):
    master = Master(options.Options())
    manager = LeanAddonManager(master)
    context = Context(tflow.tclient_conn(), master.options)
    context.server = Server(address=("example.com", 443))
    context.server.state = ConnectionState.OPEN
    context.client.state = ConnectionState.OPEN
    HttpProxy(context)
    server, connection = Proxyserver(), Connection()
    io = SimpleNamespace(writer=object())
    connection.transports = {context.client: io, context.server: io}
    connection.layer = Tunnelling(context)
    server.connections[context.client.id] = connection  # type: ignore[assignment]
    shortcut = Shortcut(server, manager)
    manager.add(addon, shortcut)

    shortcut.client_connected(context.client)
    passed = list(connection.layer.handle_event(Start()))

    assert [SendData if is_spliced else NextLayerHook] == [type(command) for command in passed]
    assert is_spliced == isinstance(connection.layer, Splice)


def test_small_data_for_one_connection_go_in_one_and_in_order():
    one, other = tflow.tclient_conn(), tflow.tserver_conn()
    large = b"x" * (SMALL_BYTES + 1)
    said = [
        SendData(one, b"head "), SendData(one, b"body"), SendData(other, b"a"), Log("between"),
        SendData(other, b"b"), SendData(other, large), SendData(other, b"c"), SendData(one, b"d"),
    ]  # fmt: skip

    passed = list(in_one_go(iter(said)))

    assert [
        (one, b"head body"), (other, b"a"), "between",
        (other, b"b"), (other, large), (other, b"c"), (one, b"d"),
    ] == [
        command.message if isinstance(command, Log) else (command.connection, command.data)
        for command in passed
    ]  # fmt: skip


async def test_hooks_of_a_stream_are_answered_in_it_for_a_client_that_is_there():
    master = Master(options.Options())
    manager = LeanAddonManager(master)
    addon = Plain()
    server = Proxyserver()
    shortcut = Shortcut(server, manager)
    manager.add(addon)
    stream = HttpStream(Context(tflow.tclient_conn(), master.options), 1)
    hook = HttpRequestHook(tflow.tflow())

    def says(_event: Any) -> Any:
        yield hook
        yield Log("after")

    stream._handle_event = says  # type: ignore[method-assign]
    original = HttpStream.handle_event

    shortcut.running()
    try:
        replayed = list(stream.handle_event(Start()))
        server.connections[stream.context.client.id] = Connection()  # type: ignore[assignment]
        stream._paused, hook.blocking = None, False
        alive = list(stream.handle_event(Start()))
    finally:
        shortcut.done()

    assert [hook] == replayed
    assert (["after"], 1) == ([getattr(command, "message", "") for command in alive], addon.called)
    assert original is HttpStream.handle_event


async def test_layers_of_a_connection_read_remembered_options():
    master = Master(options.Options())
    manager = LeanAddonManager(master)
    server, connection, client = Proxyserver(), Connection(), tflow.tclient_conn()
    context = connection.layer.context = Context(client, master.options)
    server.connections[client.id] = connection  # type: ignore[assignment]

    Shortcut(server, manager).client_connected(client)

    assert isinstance(context.options, Remembered)
