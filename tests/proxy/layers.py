"""mitmproxy's HTTP layer without sockets: what a client sends goes in, what becomes of it out."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from mitmproxy.addonmanager import Loader
from mitmproxy.addons.proxyserver import Proxyserver
from mitmproxy.connection import ConnectionState
from mitmproxy.options import Options
from mitmproxy.proxy.commands import Command, RequestWakeup, StartHook
from mitmproxy.proxy.context import Context
from mitmproxy.proxy.events import DataReceived, HookCompleted, Start, Wakeup
from mitmproxy.proxy.layers.http import HttpLayer, HTTPMode
from mitmproxy.proxy.mode_specs import ProxyMode
from mitmproxy.test import tflow


def options() -> Options:
    """With those that the HTTP layers ask for."""
    made = Options()
    master = SimpleNamespace(options=made)
    Proxyserver().load(Loader(master))  # type: ignore[no-untyped-call]
    return made


class Played:
    """A layer whose hooks are answered at once, by `hook(command)`, and whose timers run out."""

    def __init__(
        self,
        mode: HTTPMode = HTTPMode.regular,
        *,
        inside: HttpLayer | None = None,
        proxy_mode: str = "regular",
        hook: Callable[[Any], None] = lambda command: None,
    ) -> None:
        context = Context(tflow.tclient_conn(), options()) if inside is None else inside.context
        self.client = context.client
        self.client.state = ConnectionState.OPEN
        self.client.tls = False
        self.client.alpn = b"http/1.1"
        self.client.proxy_mode = ProxyMode.parse(proxy_mode)
        self.layer = HttpLayer(context.fork(), mode)
        self._hook = hook
        self.hear(Start())

    def receive(self, data: bytes) -> list[Command]:
        """All that is said on what the client sends, hooks and timers included."""
        return self.hear(DataReceived(self.client, data))

    def hear(self, event: Any) -> list[Command]:
        said: list[Command] = []
        events = [event]
        while events:
            for command in self.layer.handle_event(events.pop(0)):
                said.append(command)
                if isinstance(command, StartHook):
                    self._hook(command)
                    events.append(HookCompleted(command))
                elif isinstance(command, RequestWakeup):
                    events.append(Wakeup(command))
        return said
