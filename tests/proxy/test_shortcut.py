from __future__ import annotations

from typing import Any

from mitmproxy import options
from mitmproxy.addons.proxyserver import Proxyserver
from mitmproxy.master import Master
from mitmproxy.proxy.commands import Log
from mitmproxy.proxy.events import HookCompleted, Start
from mitmproxy.proxy.layers.http import HttpRequestHook
from mitmproxy.test import tflow

from khazad_mitm.proxy.dispatch import LeanAddonManager
from khazad_mitm.proxy.shortcut import Shortcut


class Layer:
    """Asks for a hook, says something more, and tells when the hook was completed."""

    def __init__(self) -> None:
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
        self.layer = Layer()


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
