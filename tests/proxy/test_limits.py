"""That many streams go on at once is proven end to end (`test_http_*`)."""

from __future__ import annotations

from collections import defaultdict
from types import SimpleNamespace
from typing import Any

import pytest
from mitmproxy.addons.proxyserver import Proxyserver
from mitmproxy.proxy.server import ConnectionHandler
from mitmproxy.test import taddons, tflow

from khazad_mitm.proxy.limits import IDLE_S, MAX_UPSTREAM_CONNECTIONS, Limits


def connected(limits: Limits, timeout: int = 600) -> Any:
    """The handler of a connection, after `limits` has heard of it."""
    client, proxies = tflow.tclient_conn(), Proxyserver()
    handler = SimpleNamespace(
        max_conns=defaultdict(int), timeout_watchdog=SimpleNamespace(timeout=timeout)
    )
    proxies.connections[client.id] = handler  # type: ignore[assignment]
    with taddons.context(proxies):
        limits.client_connected(client)
    return handler


async def test_a_client_may_have_many_connections_and_a_long_rest():
    handler = connected(Limits())

    for _ in range(MAX_UPSTREAM_CONNECTIONS):
        await handler.max_conns["upstream"].acquire()
    assert handler.max_conns["upstream"].locked()
    assert IDLE_S == handler.timeout_watchdog.timeout


async def test_who_allows_a_longer_rest_is_heard():
    assert 2 * IDLE_S == connected(Limits(), 2 * IDLE_S).timeout_watchdog.timeout


async def test_a_mitmproxy_that_has_changed_is_left_alone(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delitem(ConnectionHandler.__annotations__, "max_conns")

    assert 600 == connected(Limits()).timeout_watchdog.timeout


async def test_a_connection_that_nobody_knows_is_left_alone():
    with taddons.context(Proxyserver()):
        Limits().client_connected(tflow.tclient_conn())
