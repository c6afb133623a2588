"""A play of hooks before an addon manager, to be compared between managers."""

from __future__ import annotations

from typing import Any

from mitmproxy import options
from mitmproxy.addonmanager import AddonManager
from mitmproxy.master import Master
from mitmproxy.proxy.layers.http import HttpRequestHook
from mitmproxy.proxy.server_hooks import ClientConnectedHook
from mitmproxy.test import tflow


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
