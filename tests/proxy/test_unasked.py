"""Passing over who has nothing to say changes nothing for who has: one play with and without."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from mitmproxy import exceptions
from mitmproxy.addonmanager import AddonManager
from mitmproxy.proxy.layers.http import HttpRequestHook
from mitmproxy.test import tflow

from khazad_mitm.proxy.unasked import Unasked

from .play import Addon, Awaited, Deaf, master_with, play


@contextmanager
def passing_over() -> Iterator[None]:
    unasked = Unasked()
    unasked.install()
    try:
        yield
    finally:
        unasked.uninstall()


class Parent:
    """Has no handler, and children that do."""

    name = "parent"

    def __init__(self, *children: Any) -> None:
        self.addons = list(children)


class Raising:
    name = "raising"

    @property
    def request(self) -> Any:
        raise ValueError("not now")


@pytest.mark.parametrize("middle", [Addon, Awaited])
@pytest.mark.parametrize("fails", [None, ValueError("a mistake"), exceptions.AddonHalt()])
async def test_the_same_handlers_are_called_in_the_same_order(middle: type[Addon], fails: Any):
    usual = await play(AddonManager, middle, fails)

    with passing_over():
        assert usual == await play(AddonManager, middle, fails)


async def test_who_has_nothing_to_say_is_not_asked(monkeypatch: pytest.MonkeyPatch):
    asked: list[Any] = []
    invoke = AddonManager.invoke_addon

    async def invoke_addon(self: Any, addon: Any, event: Any) -> None:
        asked.append(addon.name)
        await invoke(self, addon, event)

    monkeypatch.setattr(AddonManager, "invoke_addon", invoke_addon)
    master = master_with(AddonManager, Deaf(), Addon("heard", []))
    with passing_over():
        await master.addons.trigger_event(HttpRequestHook(tflow.tflow()))

    assert ["heard"] == asked


async def test_children_are_asked_where_the_parent_has_nothing_to_say():
    said: list[str] = []
    master = master_with(AddonManager, Parent(Addon("child", said)))
    with passing_over():
        await master.addons.trigger_event(HttpRequestHook(tflow.tflow()))

    assert ["child request"] == said


async def test_a_handler_that_comes_later_is_called():
    said: list[str] = []
    deaf = Deaf()
    master = master_with(AddonManager, deaf)
    with passing_over():
        await master.addons.trigger_event(HttpRequestHook(tflow.tflow()))
        deaf.request = lambda flow: said.append("heard")  # type: ignore[attr-defined]
        await master.addons.trigger_event(HttpRequestHook(tflow.tflow()))

    assert ["heard"] == said


async def test_an_attribute_that_raises_is_logged_and_the_next_addon_is_called(
    caplog: pytest.LogCaptureFixture,
):
    said: list[str] = []
    master = master_with(AddonManager)
    master.addons.chain += [Raising(), Addon("next", said)]
    with passing_over(), caplog.at_level(logging.ERROR):
        await master.addons.trigger_event(HttpRequestHook(tflow.tflow()))

    assert ["next request"] == said
    assert "not now" in caplog.text


def test_mitmproxy_is_as_it_was_afterwards():
    before = AddonManager.trigger_event
    with passing_over():
        assert AddonManager.trigger_event is not before

    assert AddonManager.trigger_event is before


def test_a_mitmproxy_that_has_changed_asks_everyone(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(AddonManager, "invoke_addon", lambda self, addon, event, more: None)
    before = AddonManager.trigger_event
    with passing_over():
        assert AddonManager.trigger_event is before
