from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from mitmproxy.connection import ConnectionState, Server
from mitmproxy.options import Options
from mitmproxy.proxy import layers
from mitmproxy.proxy.commands import CloseConnection, CloseTcpConnection, SendData
from mitmproxy.proxy.context import Context
from mitmproxy.proxy.events import ConnectionClosed, DataReceived, Start
from mitmproxy.proxy.layers import modes
from mitmproxy.test import tflow

from khazad_mitm.proxy.splice import Splice, may_be_spliced


@pytest.fixture
def context() -> Context:
    context = Context(tflow.tclient_conn(), Options())
    context.server = Server(address=("example.com", 443))
    context.server.state = ConnectionState.OPEN
    context.client.state = ConnectionState.OPEN
    modes.HttpProxy(context)
    return context


def transports(context: Context) -> dict[Any, Any]:
    io = SimpleNamespace(writer=object())
    return {context.client: io, context.server: io}


def said(splice: Splice, event: Any) -> list[tuple[type, Any]]:
    return [(type(command), command.connection) for command in splice.handle_event(event)]


def test_what_comes_from_one_side_goes_to_the_other(context: Context):
    client, server = context.client, context.server
    splice = Splice(client, server)

    assert [(SendData, server)] == said(splice, DataReceived(client, b"asked"))
    assert [(SendData, client)] == said(splice, DataReceived(server, b"answered"))
    assert [] == said(splice, Start())


def test_each_half_is_closed_alone_and_then_all(context: Context):
    client, server = context.client, context.server
    splice = Splice(client, server)

    client.state = ConnectionState.CAN_WRITE
    assert [(CloseTcpConnection, server)] == said(splice, ConnectionClosed(client))
    server.state = ConnectionState.CLOSED
    assert [(CloseConnection, client)] == said(splice, ConnectionClosed(server))


def test_a_plain_tunnel_between_two_sockets_may_be_spliced(context: Context):
    assert may_be_spliced(context, transports(context), 0)


def test_a_tunnel_whose_tls_was_only_looked_at_may_be_spliced(context: Context):
    layers.ClientTLSLayer(context)

    assert may_be_spliced(context, transports(context), 1)


def test_a_tunnel_inside_the_tls_of_the_proxy_itself_may_not(context: Context):
    layers.ClientTLSLayer(context)

    assert not may_be_spliced(context, transports(context), 0)


@pytest.mark.parametrize("missing", ["server", "client", "writer", "open", "direct"])
def test_a_tunnel_with_more_between_may_not(context: Context, missing: str):
    sockets = transports(context)
    match missing:
        case "server" | "client":
            del sockets[getattr(context, missing)]
        case "writer":
            sockets[context.server] = SimpleNamespace(writer=None)
        case "open":
            context.server.state = ConnectionState.CAN_READ
        case "direct":
            context.layers[0] = modes.HttpUpstreamProxy(context.fork())

    assert not may_be_spliced(context, sockets, 0)
