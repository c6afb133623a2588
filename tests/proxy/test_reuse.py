from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import pytest
from mitmproxy.addons.proxyserver import Proxyserver
from mitmproxy.connection import ConnectionState, Server
from mitmproxy.proxy.layers.http import GetHttpConnection
from mitmproxy.proxy.server_hooks import ServerConnectionHookData
from mitmproxy.test import taddons, tflow

from khazad_mitm.proxy.reuse import Reuse

ASKED = ("api.openai.com", 443)
MOVED = ("127.0.0.1", 9443)


@pytest.fixture
def reuse() -> Iterator[Reuse]:
    reuse = Reuse()
    reuse.install()
    yield reuse
    reuse.uninstall()


def moved_server(reuse: Reuse, *, tls: bool = True) -> Server:
    """A connection for ASKED that another addon has sent to MOVED."""
    server = Server(address=ASKED)
    server.tls = tls
    reuse.server_connect(ServerConnectionHookData(server, tflow.tclient_conn()))
    server.address = MOVED
    return server


def test_a_redirected_connection_is_found_by_the_address_asked_for(reuse: Reuse):
    server = moved_server(reuse)

    assert GetHttpConnection(ASKED, True, None).connection_spec_matches(server)
    assert GetHttpConnection(MOVED, True, None).connection_spec_matches(server)


def test_all_else_must_match_as_ever(reuse: Reuse):
    via = ("http", ("proxy.example", 3128))

    assert not GetHttpConnection(ASKED, True, None).connection_spec_matches(
        moved_server(reuse, tls=False)
    )
    assert not GetHttpConnection(ASKED, True, via).connection_spec_matches(  # type: ignore[arg-type]
        moved_server(reuse)
    )
    assert not GetHttpConnection(("example.com", 443), True, None).connection_spec_matches(
        moved_server(reuse)
    )
    assert not GetHttpConnection(ASKED, True, None).connection_spec_matches(tflow.tclient_conn())


def test_afterwards_mitmproxy_is_as_it_was():
    original = GetHttpConnection.connection_spec_matches
    reuse = Reuse()

    reuse.install()
    reuse.uninstall()

    assert original is GetHttpConnection.connection_spec_matches


@pytest.mark.parametrize(("alpn", "is_found"), [(b"http/1.1", False), (b"h2", True), (None, False)])
async def test_an_http1_connection_whose_other_end_has_gone_is_not_used_again(
    reuse: Reuse, alpn: bytes | None, is_found: bool
):
    ours, theirs = socket.socketpair()
    server = Server(address=ASKED)
    server.tls, server.alpn, server.state = True, alpn, ConnectionState.OPEN
    with connected(reuse, server, ours), ours:
        assert GetHttpConnection(ASKED, True, None).connection_spec_matches(server)
        theirs.close()
        assert is_found == GetHttpConnection(ASKED, True, None).connection_spec_matches(server)


@contextmanager
def connected(reuse: Reuse, server: Server, ours: socket.socket) -> Iterator[None]:
    """mitmproxy tells that it has connected by this socket."""
    client, proxies = tflow.tclient_conn(), Proxyserver()
    writer = SimpleNamespace(get_extra_info=lambda _name: ours)
    handler = SimpleNamespace(transports={server: SimpleNamespace(writer=writer)})
    proxies.connections[client.id] = handler  # type: ignore[assignment]
    with taddons.context(proxies):
        reuse.server_connected(ServerConnectionHookData(server, client))
        yield


def test_a_method_that_has_changed_is_left_alone(monkeypatch: pytest.MonkeyPatch):
    def changed(self: object, connection: object, more: object) -> bool:
        return False

    monkeypatch.setattr(GetHttpConnection, "connection_spec_matches", changed)
    Reuse().install()

    assert changed is GetHttpConnection.connection_spec_matches
