from __future__ import annotations

from collections.abc import Iterator

import pytest
from mitmproxy.connection import Server
from mitmproxy.proxy.layers.http import GetHttpConnection
from mitmproxy.proxy.server_hooks import ServerConnectionHookData
from mitmproxy.test import tflow

from khazad_mitm.proxy.reuse import Reuse, is_as_read

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


def test_this_mitmproxy_is_as_it_was_read():
    assert is_as_read(GetHttpConnection.connection_spec_matches)


def test_a_method_that_has_changed_is_left_alone(monkeypatch: pytest.MonkeyPatch):
    def changed(self: object, connection: object, more: object) -> bool:
        return False

    monkeypatch.setattr(GetHttpConnection, "connection_spec_matches", changed)
    Reuse().install()

    assert changed is GetHttpConnection.connection_spec_matches
