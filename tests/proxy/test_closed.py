from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from mitmproxy.connection import ConnectionState, Server
from mitmproxy.options import Options
from mitmproxy.proxy import events
from mitmproxy.proxy.context import Context
from mitmproxy.proxy.layers.http import GetHttpConnection, HttpLayer, HTTPMode
from mitmproxy.test import tflow

from khazad_mitm.proxy.closed import Closed

ASKED = ("api.example.com", 443)


@pytest.fixture(autouse=True)
def closed() -> Iterator[Closed]:
    made = Closed()
    made.install()
    yield made
    made.uninstall()


@pytest.fixture
def layer() -> HttpLayer:
    return HttpLayer(Context(tflow.tclient_conn(), Options()), HTTPMode.regular)


class Layer:
    def handle_event(self, event: Any) -> Iterator[Any]:
        raise AssertionError("nobody is there")
        yield


def server(state: ConnectionState, error: str | None = None) -> Server:
    made = Server(address=("elsewhere.example.com", 443))
    made.state, made.error = state, error
    made.timestamp_end = 1.0 if state is ConnectionState.CLOSED else None
    return made


def asked(layer: HttpLayer) -> None:
    list(layer.get_connection(GetHttpConnection(ASKED, False, None)))


def test_connections_that_are_over_are_let_go_before_another_is_made(layer: HttpLayer) -> None:
    over, open_ = server(ConnectionState.CLOSED), server(ConnectionState.OPEN)
    failed = server(ConnectionState.CLOSED, "refused")
    waiting = server(ConnectionState.CLOSED)
    for one in (over, open_, failed, waiting):
        layer.connections[one] = Layer()  # type: ignore[assignment]
    layer.waiting_for_establishment[waiting] = []
    asked(layer)

    assert over not in layer.connections
    assert {open_, failed, waiting} < set(layer.connections)


def test_the_connection_that_was_made_for_the_client_stays(layer: HttpLayer) -> None:
    layer.connections[layer.context.server] = Layer()  # type: ignore[assignment]
    layer.context.server.state = ConnectionState.CLOSED
    asked(layer)

    assert layer.context.server in layer.connections


def test_the_layer_around_a_tunnel_lets_go_of_them_too(layer: HttpLayer) -> None:
    inside = HttpLayer(layer.context.fork(), HTTPMode.transparent)
    over = server(ConnectionState.CLOSED)
    layer.connections[over] = inside.connections[over] = Layer()  # type: ignore[assignment]
    asked(inside)

    assert over not in layer.connections
    assert over not in inside.connections


def test_one_that_is_being_opened_stays(layer: HttpLayer) -> None:
    """The layer around a tunnel knows it before it is open."""
    opening = Server(address=ASKED)
    layer.connections[opening] = Layer()  # type: ignore[assignment]
    asked(HttpLayer(layer.context.fork(), HTTPMode.transparent))

    assert opening in layer.connections


def test_what_a_connection_still_says_afterwards_is_heard_by_nobody(layer: HttpLayer) -> None:
    over = server(ConnectionState.CLOSED)
    layer.connections[over] = Layer()  # type: ignore[assignment]
    asked(layer)

    handler = layer.connections[over]
    assert [] == list(layer.event_to_child(handler, events.ConnectionClosed(over)))
    assert over not in layer.connections


def test_afterwards_mitmproxy_is_as_it_was(closed: Closed) -> None:
    patched = HttpLayer.get_connection
    closed.uninstall()

    assert patched is not HttpLayer.get_connection
    assert "mitmproxy" in HttpLayer.get_connection.__module__
