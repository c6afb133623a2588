"""The proxy of `khazad-mitm serve` and `run`: mitmproxy's core with the addons a proxy needs.

`mitmdump` loads some 35 addons and asks each of them at every hook; here are ten, asked by
`dispatch`. What it speaks and how it decrypts is mitmproxy's, unchanged. One at a time in a
process: mitmproxy keeps the running master in a global.
"""

from __future__ import annotations

import asyncio
import threading
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mitmproxy import exceptions, http, tcp
from mitmproxy.addons import core, disable_h2c, next_layer, proxyserver, tlsconfig
from mitmproxy.master import Master
from mitmproxy.options import CONF_BASENAME, Options

from khazad_mitm.assembly import build
from khazad_mitm.errors import ConfigError, KhazadError
from khazad_mitm.proxy.addon import KhazadAddon
from khazad_mitm.proxy.dispatch import LeanAddonManager, manager_for
from khazad_mitm.proxy.shortcut import Shortcut

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from khazad_mitm.cache.front import Cache
    from khazad_mitm.settings import Settings

STOP_TIMEOUT_S = 10.0
HANG_UP_TIMEOUT_S = 1.0
_A_MOMENT_S = 0.01

# Loaded only where their option is given: each costs a call per request, and the first the import
# of an LDAP client.
_OPTIONAL = {"proxyauth": "ProxyAuth", "upstream_auth": "UpstreamAuth"}


class LeanMaster(Master):
    """mitmproxy's master with our dispatch and a few of its addons."""

    def __init__(self, cache: Cache, wanted: Mapping[str, Any]) -> None:
        super().__init__(Options())
        self.addons = manager_for(self)
        optional = [
            getattr(import_module(f"mitmproxy.addons.{name}"), addon)()
            for name, addon in _OPTIONAL.items()
            if name in wanted
        ]
        self.server = proxyserver.Proxyserver()
        self.addons.add(
            core.Core(),
            disable_h2c.DisableH2C(),
            *optional,
            self.server,
            KhazadAddon(cache),
            _NoHistory(),
            next_layer.NextLayer(),
            tlsconfig.TlsConfig(),
        )
        if isinstance(self.addons, LeanAddonManager):
            self.addons.add(Shortcut(self.server, self.addons))
        try:
            self.options.update(**wanted)
        except (KeyError, TypeError, ValueError, exceptions.OptionsError) as error:
            raise ConfigError(f"mitmproxy: {error}") from error

    async def done(self) -> None:
        """Hang up before the addons end, so that what is in flight is aborted and not lost."""
        await self.server.servers.update([])
        for connection in list(self.server.connections.values()):
            client = connection.transports.get(connection.client)
            if client is not None and client.handler is not None:
                client.handler.cancel("the proxy ends")
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


class _Ready:
    """Last in the chain: the sockets are open and all addons have heard `running`."""

    name = "khazad-ready"

    def __init__(self, master: LeanMaster, ready: Callable[[str, int], None]) -> None:
        self._master = master
        self._ready = ready
        self.failure: Exception | None = None

    def running(self) -> None:
        failures = [s.last_exception for s in self._master.server.servers if s.last_exception]
        if failures:
            self.failure = failures[0]
            self._master.shutdown()
            return
        addresses = self._master.server.listen_addrs()
        host, port = (addresses[0][0], addresses[0][1]) if addresses else ("", 0)
        self._ready(host, port)


class Engine:
    """A proxy that runs in the current event loop until it is shut down."""

    def __init__(
        self,
        settings: Settings,
        *,
        listen_host: str = "127.0.0.1",
        listen_port: int = 8080,
        confdir: str | Path = "~/.mitmproxy",
        extra_options: Mapping[str, Any] | None = None,
        extra_addons: Sequence[object] = (),
    ) -> None:
        """`listen_port` 0: any free one. `extra_options` are mitmproxy's own, by name and type.

        `extra_addons` come after ours.
        """
        self._extra_addons = extra_addons
        self._settings = settings
        self._wanted = {
            "listen_host": listen_host,
            "listen_port": listen_port,
            "confdir": str(Path(confdir).expanduser()),
            # Byte by byte, not message by message: whatever extensions they have agreed on.
            "websocket": False,
            **(extra_options or {}),
        }
        self._master: LeanMaster | None = None
        self.cache: Cache | None = None
        """From `run` on, also after its end."""

    @property
    def ca_path(self) -> Path:
        """The certificate to trust; there once the proxy is ready."""
        return Path(self._wanted["confdir"]) / f"{CONF_BASENAME}-ca-cert.pem"

    async def run(self, ready: Callable[[str, int], None]) -> None:
        """Serve until `shutdown`; `ready(host, port)` is called once, when requests are welcome.

        Raises ConfigError (or MissingExtra) for settings that cannot work, OSError where the
        address cannot be had.
        """
        # Reading the model would keep the interpreter from all that comes before `ready`.
        cache = self.cache = build(self._settings, warms_up=False)

        def welcome(host: str, port: int) -> None:
            ready(host, port)
            cache.warm_up()

        try:
            self._master = LeanMaster(cache, self._wanted)
            announcer = _Ready(self._master, welcome)
            self._master.addons.add(*self._extra_addons, announcer)
            await self._master.run()
        finally:
            cache.close()
        if announcer.failure is not None:
            raise announcer.failure

    def shutdown(self) -> None:
        """End `run`, from any thread. Does nothing before it is ready."""
        if self._master is not None:
            self._master.shutdown()


class EngineThread:
    """An engine beside other work: in a thread and event loop of its own."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._is_ready = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="khazad-proxy", daemon=True)
        self.port = 0

    def start(self) -> None:
        """Returns when requests are welcome; raises what `Engine.run` raises."""
        self._thread.start()
        self._is_ready.wait()
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """Store what is waiting, and end. Idempotent."""
        self._engine.shutdown()
        self._thread.join(STOP_TIMEOUT_S)

    def _run(self) -> None:
        try:
            asyncio.run(self._engine.run(self._welcome))
        except (KhazadError, OSError) as error:
            self._failure = error
        finally:
            self._is_ready.set()

    def _welcome(self, _host: str, port: int) -> None:
        self.port = port
        self._is_ready.set()
