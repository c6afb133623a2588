"""mitmproxy's core with the addons a proxy needs.

`mitmdump` loads some 35 addons and asks each of them at every hook; here are a dozen, asked by
`dispatch`. What it speaks and how it decrypts is mitmproxy's, unchanged.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from mitmproxy import exceptions, http, tcp
from mitmproxy.addons import block, core, disable_h2c, next_layer, proxyserver, tlsconfig
from mitmproxy.master import Master
from mitmproxy.options import Options

from khazad_mitm.errors import ConfigError
from khazad_mitm.proxy.addon import KhazadAddon
from khazad_mitm.proxy.dispatch import LeanAddonManager, manager_for
from khazad_mitm.proxy.draining import Draining, hang_up
from khazad_mitm.proxy.gateway import Gateway
from khazad_mitm.proxy.lazy import LazyReverse
from khazad_mitm.proxy.shortcut import Shortcut
from khazad_mitm.wire.base_urls import BASE_URLS, BaseUrl

if TYPE_CHECKING:
    from khazad_mitm.fronts import Front
    from khazad_mitm.proxy.team import Team

HANG_UP_TIMEOUT_S = 1.0
_A_MOMENT_S = 0.01

# Loaded only where their option is given: each costs a call per request, and the first the import
# of an LDAP client.
_OPTIONAL = {"proxyauth": "ProxyAuth", "upstream_auth": "UpstreamAuth"}


class LeanMaster(Master):
    """mitmproxy's master with our dispatch and a few of its addons."""

    def __init__(
        self,
        cache: Front,
        wanted: Mapping[str, Any],
        given: Sequence[str] = (),
        providers: Iterable[BaseUrl] = BASE_URLS,
        reverse_only: Iterable[str] = (),
        team: Team | None = None,
    ) -> None:
        """`wanted`: mitmproxy's options, by name and type; `given`: more of them, as NAME=VALUE.

        `providers` and `reverse_only` are the gateway's, `team` is the magic host's.
        """
        super().__init__(Options())
        self.addons = manager_for(self)
        optional = [
            getattr(import_module(f"mitmproxy.addons.{name}"), addon)()
            for name, addon in _OPTIONAL.items()
            if name in wanted or any(text.startswith(f"{name}=") for text in given)
        ]
        self.server = proxyserver.Proxyserver()
        self._draining = Draining(self.server)
        self._khazad = KhazadAddon(cache, team)
        self.addons.add(
            core.Core(),
            block.Block(),
            disable_h2c.DisableH2C(),
            *optional,
            self.server,
            LazyReverse(self.server),
            Gateway(cache.decrypts, providers, reverse_only),
            self._khazad,
            _NoHistory(),
            self._draining,
            next_layer.NextLayer(),
            tlsconfig.TlsConfig(),
        )
        if isinstance(self.addons, LeanAddonManager):
            self.addons.add(Shortcut(self.server, self.addons))
        try:
            self.options.update(**wanted)
            self.options.set(*given)
        except (KeyError, TypeError, ValueError, exceptions.OptionsError) as error:
            raise ConfigError(f"mitmproxy: {error}") from error

    async def end(self, grace_s: float) -> None:
        """Let what goes on come to its end, for at most so many seconds, and then end."""
        self._khazad.is_ending = True
        await self._draining.drain(grace_s)
        self.shutdown()

    def hurry(self) -> None:
        """Wait no longer for what goes on."""
        self._draining.hurry()

    async def done(self) -> None:
        """Hang up before the addons end, so that what is in flight is aborted and not lost."""
        await self.server.servers.update([])
        for connection in list(self.server.connections.values()):
            hang_up(connection)
        for _ in range(int(HANG_UP_TIMEOUT_S / _A_MOMENT_S)):
            if not self.server.connections:
                break
            await asyncio.sleep(_A_MOMENT_S)
        await super().done()


class _NoHistory:
    """mitmproxy remembers every message of a WebSocket for its screens, of which there are none."""

    name = "khazad-no-history"

    def tcp_message(self, flow: tcp.TCPFlow) -> None:
        flow.messages.clear()

    def websocket_message(self, flow: http.HTTPFlow) -> None:
        if flow.websocket is not None:
            flow.websocket.messages.clear()
