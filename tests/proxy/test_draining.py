"""What it is for is proven end to end (`test_ending`)."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mitmproxy import http
from mitmproxy.connection import Client
from mitmproxy.test import tflow

from khazad_mitm.proxy.draining import Draining
from khazad_mitm.proxy.splice import Splice
from tests.proxy.masters import serving

PATIENT_S = 60.0
HOOKS = ("requestheaders", "response", "error")


class Servers:
    async def update(self, modes: Any) -> None:
        assert [] == modes


class Handler:
    """The connection of one client, which is taken away when it is hung up on."""

    def __init__(self, server: Server, client: Client) -> None:
        self.client = client
        self.layer: Any = None
        self.wakeup_timer: set[Any] = set()
        self.unsent = 0
        transport = SimpleNamespace(get_write_buffer_size=lambda: self.unsent)
        task = SimpleNamespace(cancel=lambda _: server.connections.pop(client.id))
        io = SimpleNamespace(handler=task, writer=SimpleNamespace(transport=transport))
        self.transports = {client: io}
        server.connections[client.id] = self


class Server:
    """As much of mitmproxy's proxy server as is looked at."""

    def __init__(self) -> None:
        self.servers = Servers()
        self.connections: dict[str, Handler] = {}


def draining() -> tuple[Draining, Server]:
    server = Server()
    return Draining(server), server  # type: ignore[arg-type]  # as much of it as is looked at


def connected(server: Server) -> Handler:
    return Handler(server, tflow.tclient_conn())


def flow_of(handler: Handler, status: int = 200) -> http.HTTPFlow:
    flow = tflow.tflow(client_conn=handler.client, resp=True)
    assert flow.response is not None
    flow.response.status_code = status
    return flow


async def still_there(drain: Draining, server: Server) -> set[str]:
    """Who has not been hung up on after everybody was looked at."""
    task = asyncio.create_task(drain.drain(PATIENT_S))
    idle = connected(server)
    while idle.client.id in server.connections and not task.done():
        await asyncio.sleep(0)
    drain.hurry()
    await task
    return set(server.connections)


@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from(HOOKS)), max_size=12))
def test_who_has_heard_as_many_ends_as_it_has_begun_is_hung_up_on(
    told: list[tuple[int, str]],
) -> None:
    drain, server = draining()
    handlers = [connected(server) for _ in range(3)]
    going_on = [0, 0, 0]
    for number, hook in told:
        getattr(drain, hook)(flow_of(handlers[number]))
        # A flow may fail before anything was heard of it, or after its answer.
        going_on[number] = max(going_on[number] + (1 if hook == "requestheaders" else -1), 0)
    busy = {h.client.id for h, count in zip(handlers, going_on, strict=True) if count}

    assert busy == asyncio.run(still_there(drain, server))


@pytest.mark.parametrize("what", ["a tunnel", "a websocket", "a paced replay", "unsent bytes"])
async def test_who_is_not_at_rest_is_not_hung_up_on(what: str) -> None:
    drain, server = draining()
    handler = connected(server)
    match what:
        case "a tunnel":
            handler.layer = Splice(handler.client, tflow.tserver_conn())
        case "a websocket":
            flow = flow_of(handler, 101)
            drain.requestheaders(flow)
            drain.response(flow)
        case "a paced replay":
            handler.wakeup_timer.add("timer")
        case "unsent bytes":
            handler.unsent = 1

    assert {handler.client.id} == await still_there(drain, server)


async def test_nothing_is_remembered_of_a_client_that_has_gone() -> None:
    drain, server = draining()
    handler = connected(server)
    flow = flow_of(handler, 101)
    drain.response(flow)
    drain.requestheaders(flow)
    drain.client_disconnected(handler.client)

    assert set() == await still_there(drain, server)


async def test_a_client_without_a_connection_any_more_is_waited_for() -> None:
    drain, server = draining()
    connected(server).transports.clear()

    assert 1 == len(await still_there(drain, server))


@pytest.mark.parametrize(("version", "expected"), [("HTTP/1.1", "close"), ("HTTP/2.0", None)])
async def test_http1_clients_are_told_of_the_end_and_only_then(
    version: str, expected: str | None
) -> None:
    drain, server = draining()
    flow = flow_of(connected(server))
    flow.request.http_version = version
    assert flow.response is not None
    drain.responseheaders(flow)
    assert "connection" not in flow.response.headers

    drain.hurry()
    await drain.drain(PATIENT_S)
    drain.responseheaders(flow)

    assert expected == flow.response.headers.get("connection")


async def test_it_is_over_when_all_have_gone() -> None:
    drain, server = draining()
    connected(server)

    await drain.drain(PATIENT_S)

    assert {} == server.connections


async def test_nobody_is_waited_for_without_grace() -> None:
    drain, server = draining()
    handler = connected(server)
    drain.requestheaders(flow_of(handler))

    await drain.drain(0.0)

    assert {handler.client.id} == set(server.connections)


async def test_a_real_connection_at_rest_is_hung_up_on_and_one_with_an_exchange_is_not(
    tmp_path: Path,
) -> None:
    async with serving(tmp_path) as proxy:
        idle, _ = await proxy.connect()
        busy = await proxy.ask()
        ending = asyncio.create_task(proxy.master.end(PATIENT_S))
        assert b"" == await idle.read()
        proxy.upstream.go_on.set()
        said = await busy.read()
        await ending

    assert said.lower().startswith(b"http/1.1 200 ok\r\n")
    assert b"connection: close" in said.lower()
    assert said.endswith(b"\r\n\r\nwhole")
