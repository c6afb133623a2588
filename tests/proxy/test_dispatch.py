"""The lean dispatch does what mitmproxy's own does: the same play before both."""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import Any

import pytest
from mitmproxy import exceptions, options
from mitmproxy.addonmanager import AddonManager
from mitmproxy.master import Master
from mitmproxy.proxy.layers.http import HttpRequestHook
from mitmproxy.proxy.server_hooks import ClientConnectedHook
from mitmproxy.test import tflow

from khazad_mitm.proxy.dispatch import LeanAddonManager, manager_for


class Addon:
    def __init__(self, name: str, said: list[str], *children: Addon, fails: Any = None) -> None:
        self.name = name
        self.said = said
        self.addons = list(children)
        self.fails = fails

    def request(self, flow: Any) -> None:
        self.said.append(f"{self.name} request")
        if self.fails is not None:
            raise self.fails

    def update(self, flows: Any) -> None:
        self.said.append(f"{self.name} update {len(flows)}")


class Awaited(Addon):
    async def request(self, flow: Any) -> None:  # type: ignore[override]
        super().request(flow)


class Deaf:
    name = "deaf"


def master_with(manager: type[AddonManager], *addons: Any) -> Master:
    master = Master(options.Options())
    master.addons = manager(master)
    master.addons.add(*addons)
    return master


async def play(manager: type[AddonManager], middle: type[Addon], fails: Any) -> list[str]:
    said: list[str] = []
    child = Addon("child", said)
    master = master_with(
        manager,
        Addon("first", said),
        Deaf(),
        middle("middle", said, child, fails=fails),
        Addon("last", said),
    )
    await master.addons.handle_lifecycle(HttpRequestHook(tflow.tflow()))
    await master.addons.handle_lifecycle(ClientConnectedHook(tflow.tclient_conn()))
    await master.addons.handle_lifecycle(HttpRequestHook(tflow.tflow()))
    return said


@pytest.mark.parametrize("middle", [Addon, Awaited])
@pytest.mark.parametrize("fails", [None, ValueError("a mistake"), exceptions.AddonHalt()])
async def test_the_same_handlers_are_called_in_the_same_order(middle: type[Addon], fails: Any):
    assert await play(AddonManager, middle, fails) == await play(LeanAddonManager, middle, fails)


async def test_what_a_handler_raises_is_logged_and_the_next_addon_is_called(
    caplog: pytest.LogCaptureFixture,
):
    with caplog.at_level(logging.ERROR):
        said = await play(LeanAddonManager, Addon, ValueError("a mistake"))

    assert "last request" in said
    assert "a mistake" in caplog.text


async def test_addons_may_come_and_go():
    said: list[str] = []
    late = Addon("late", said)
    master = master_with(LeanAddonManager)

    await master.addons.handle_lifecycle(HttpRequestHook(tflow.tflow()))
    master.addons.add(late)
    await master.addons.handle_lifecycle(HttpRequestHook(tflow.tflow()))
    master.addons.remove(late)
    await master.addons.handle_lifecycle(HttpRequestHook(tflow.tflow()))

    assert ["late request", "late update 1"] == said


def test_a_mitmproxy_that_has_changed_keeps_its_own_dispatch(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(AddonManager, "register", lambda self, addon, more: None)
    master = SimpleNamespace(addons=object())

    assert master.addons is manager_for(master)  # type: ignore[arg-type]  # has what is asked of it
