"""The lean dispatch does what mitmproxy's own does: the same play before both."""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import Any

import pytest
from mitmproxy import exceptions
from mitmproxy.addonmanager import AddonManager
from mitmproxy.proxy.layers.http import HttpRequestHook
from mitmproxy.test import tflow

from khazad_mitm.proxy.dispatch import LeanAddonManager, manager_for

from .play import Addon, Awaited, master_with, play


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
