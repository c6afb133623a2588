from __future__ import annotations

import asyncio
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mitmproxy import ctx, http
from mitmproxy.proxy import events
from mitmproxy.proxy.commands import RequestWakeup, SendData
from mitmproxy.proxy.layers.http import HttpRequestHook, HttpResponseHeadersHook, HttpStream
from mitmproxy.test import tflow

from khazad_mitm.exchange import Reply
from khazad_mitm.messages import Headers
from khazad_mitm.proxy import paced
from khazad_mitm.proxy.paced import Paced
from tests.proxy.layers import Played

ASKED = b"POST http://api.openai.com/v1/chat/completions HTTP/1.1\r\nHost: api.openai.com\r\n\r\n"

frames = st.lists(st.binary(max_size=40), max_size=8).map(tuple)
waits = st.lists(st.sampled_from((0.0, 0.0, 0.01, 2.0)), max_size=8).map(tuple)


@pytest.fixture(scope="module")
def pacing() -> Iterator[Paced]:
    made = Paced()
    made.install()
    yield made
    made.uninstall()


def reply(*parts: bytes, waits: tuple[float, ...] = (), resets_after: int | None = None) -> Reply:
    return Reply(200, Headers(), parts, waits, resets_after)


def heard(pacing: Paced, planned: Reply, then: Any = None) -> list[Any]:
    """Pauses and bytes, in order, that a client gets where an addon answers so."""

    def hook(command: Any) -> None:
        if isinstance(command, HttpRequestHook):
            command.flow.response = http.Response.make(planned.status, planned.body)
            pacing.plan(command.flow, planned)
        if isinstance(command, HttpResponseHeadersHook) and then is not None:
            then(command.flow)

    return [
        command.delay if isinstance(command, RequestWakeup) else command.data
        for command in Played(hook=hook).receive(ASKED)
        if isinstance(command, (RequestWakeup, SendData))
    ]


def pauses(said: list[Any]) -> list[float]:
    return [one for one in said if isinstance(one, float)]


def sent(said: list[Any]) -> bytes:
    """Body of all that was written."""
    return b"".join(one for one in said if isinstance(one, bytes)).partition(b"\r\n\r\n")[2]


@given(frames, waits)
def test_every_frame_comes_once_in_order_with_all_its_pauses(
    pacing: Paced, parts: tuple[bytes, ...], between: tuple[float, ...]
) -> None:
    said = heard(pacing, reply(*parts, waits=between))

    assert b"".join(parts) == sent(said)
    # Without a body there is nothing to pace.
    assert [wait for wait in between if wait and any(parts)] == pauses(said)


def test_a_pause_is_before_its_frame(pacing: Paced) -> None:
    _, *said = heard(pacing, reply(b"one", b"two", b"three", waits=(0.0, 0.5, 0.25)))

    assert [b"one", 0.5, b"two", 0.25, b"three"] == said


def test_what_another_addon_has_changed_is_sent_as_it_is(pacing: Paced) -> None:
    def change(flow: http.HTTPFlow) -> None:
        assert flow.response is not None
        flow.response.content = b"something else"

    said = heard(pacing, reply(b"one", b"two", waits=(0.5, 0.5)), change)

    assert ([], b"something else") == (pauses(said), sent(said))


def test_an_answer_without_a_plan_is_sent_at_once(pacing: Paced) -> None:
    def hook(command: Any) -> None:
        if isinstance(command, HttpRequestHook):
            command.flow.response = http.Response.make(200, b"from an addon")

    said = Played(hook=hook).receive(ASKED)

    assert not [command for command in said if isinstance(command, RequestWakeup)]
    assert b"from an addon" in b"".join(c.data for c in said if isinstance(c, SendData))


@given(st.integers(0, 4))
def test_a_fault_resets_the_client_after_its_frames_and_says_no_more(
    pacing: Paced, count: int
) -> None:
    parts, reset = (b"one", b"two", b"three"), []
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(paced, "reset", reset.append)
        said = heard(pacing, reply(*parts, resets_after=count))

    assert b"".join(parts[:count]) == sent(said)
    assert 1 == len(reset)
    # What was sent is on its way before that.
    assert 0 == said[-1]


async def test_a_reset_is_one_to_the_client_and_no_farewell(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    accepted: asyncio.Queue[asyncio.StreamWriter] = asyncio.Queue()
    server = await asyncio.start_server(lambda _, w: accepted.put_nowait(w), "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    theirs = await accepted.get()
    client = tflow.tclient_conn()
    handler = SimpleNamespace(transports={client: SimpleNamespace(writer=theirs)})
    proxies = SimpleNamespace(connections={client.id: handler})
    addons = SimpleNamespace(get=lambda name: proxies if name == "proxyserver" else None)
    monkeypatch.setattr(ctx, "master", SimpleNamespace(addons=addons), raising=False)

    paced.reset(client)

    with pytest.raises(ConnectionResetError):
        await reader.read()
    writer.close()
    server.close()


async def test_a_client_that_has_gone_is_not_reset(monkeypatch: pytest.MonkeyPatch) -> None:
    proxies = SimpleNamespace(connections={})
    addons = SimpleNamespace(get=lambda name: proxies if name == "proxyserver" else None)
    monkeypatch.setattr(ctx, "master", SimpleNamespace(addons=addons), raising=False)

    paced.reset(tflow.tclient_conn())


def test_afterwards_mitmproxy_is_as_it_was() -> None:
    original, could_reply = HttpStream.send_response, hasattr(events.Wakeup, "reply")
    made = Paced()

    made.install()
    assert original is not HttpStream.send_response
    made.uninstall()

    assert original is HttpStream.send_response
    assert could_reply == hasattr(events.Wakeup, "reply")


def test_where_mitmproxy_has_changed_all_is_sent_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    original = HttpStream.send_response
    changed = lambda self, streamed=False: original(self, streamed)  # noqa: E731
    monkeypatch.setattr(HttpStream, "send_response", changed)
    made = Paced()
    made.install()

    said = heard(made, reply(b"one", b"two", waits=(0.5, 0.5)))

    assert changed is HttpStream.send_response
    assert ([], b"onetwo") == (pauses(said), sent(said))
