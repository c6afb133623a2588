from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from mitmproxy.test import tflow

from khazad_mitm.errors import ConfigError
from khazad_mitm.proxy.dispatch import LeanAddonManager
from khazad_mitm.proxy.master import LeanMaster
from tests.proxy.fakes import FakeCache
from tests.proxy.masters import serving

PATIENT_S = 60.0


def master(*given: str, **wanted: Any) -> LeanMaster:
    return LeanMaster(FakeCache(), wanted, given)  # type: ignore[arg-type]  # the same face


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ([], {"no_such_option": True}),
        ([], {"http2": "yes"}),
        (["no_such_option=1"], {}),
        (["http2=perhaps"], {}),
        ([], {"block_list": ["no pattern"]}),
    ],
)
async def test_an_option_that_mitmproxy_refuses_is_a_mistake_of_the_configuration(
    given: list[str], wanted: dict[str, Any]
) -> None:
    with pytest.raises(ConfigError, match=r"^mitmproxy: "):
        master(*given, **wanted)


async def test_options_may_be_given_by_type_or_as_text() -> None:
    made = master("http2=false", connection_strategy="lazy")

    assert (False, "lazy") == (made.options.http2, made.options.connection_strategy)


@pytest.mark.parametrize("name", ["proxyauth", "upstream_auth"])
async def test_what_few_need_is_loaded_where_its_option_is_given(name: str) -> None:
    def is_loaded(made: LeanMaster) -> bool:
        return made.addons.get(name.replace("_", "")) is not None

    assert not is_loaded(master())
    assert is_loaded(master(f"{name}=user:password"))
    assert is_loaded(master(**{name: "user:password"}))


async def test_hooks_are_told_by_our_dispatch() -> None:
    assert isinstance(master().addons, LeanAddonManager)


async def test_messages_that_have_passed_are_not_remembered() -> None:
    addon: Any = master().addons.get("khazad-no-history")
    tcp, socket = tflow.ttcpflow(), tflow.twebsocketflow()
    assert socket.websocket is not None
    assert tcp.messages
    assert socket.websocket.messages

    addon.tcp_message(tcp)
    addon.websocket_message(socket)
    addon.websocket_message(tflow.tflow())

    assert ([], []) == (tcp.messages, socket.websocket.messages)


async def test_a_master_that_is_shut_down_hangs_up_on_whoever_is_there(tmp_path: Path) -> None:
    async with serving(tmp_path) as proxy:
        idle, _ = await proxy.connect()
        busy = await proxy.ask()

        proxy.master.shutdown()

        assert [b"", b""] == [await idle.read(), await busy.read()]
        await proxy.task


async def test_nobody_else_is_let_in_while_it_ends(tmp_path: Path) -> None:
    async with serving(tmp_path) as proxy:
        reader = await proxy.ask()
        ending = asyncio.create_task(proxy.master.end(PATIENT_S))
        while proxy.master.server.listen_addrs():
            await asyncio.sleep(0)
        with pytest.raises(ConnectionError):
            await proxy.connect()
        proxy.upstream.go_on.set()
        assert (await reader.read()).endswith(b"whole")
        await ending
        await proxy.task


async def test_whoever_is_in_a_hurry_waits_for_nobody(tmp_path: Path) -> None:
    async with serving(tmp_path) as proxy:
        reader = await proxy.ask()
        ending = asyncio.create_task(proxy.master.end(PATIENT_S))

        proxy.master.hurry()

        await ending
        await proxy.task
        assert b"" == await reader.read()
