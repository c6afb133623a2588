"""The proxy of `khazad-mitm serve` and `run`, from settings to its end.

One at a time in a process: mitmproxy keeps the running master in a global.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mitmproxy.options import CONF_BASENAME

from khazad_mitm.assembly import build
from khazad_mitm.errors import ConfigError, KhazadError
from khazad_mitm.proxy import admission, listening
from khazad_mitm.proxy.alone import alone, settle
from khazad_mitm.proxy.master import LeanMaster
from khazad_mitm.proxy.team import said_by
from khazad_mitm.wire.base_urls import BASE_URLS, BaseUrl, target, with_more

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from khazad_mitm.fronts import Front
    from khazad_mitm.proxy.team import Said, Team, Topic
    from khazad_mitm.settings import Settings

STOP_TIMEOUT_S = 10.0


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
        modes: Sequence[str] = ("regular",),
        providers: Mapping[str, str] | None = None,
        shares_port: bool = False,
        confdir: str | Path = "~/.mitmproxy",
        extra_options: Mapping[str, Any] | None = None,
        given_options: Sequence[str] = (),
        extra_addons: Sequence[object] = (),
        front: Front | None = None,
        is_open: bool = False,
        reaches_private: bool = False,
        team: Team | None = None,
        is_alone: bool = False,
    ) -> None:
        """`listen_port` 0: any free one. `modes`: see `listening`.

        `providers`: URLs by name, beside those of `wire.base_urls`. `shares_port`: other
        processes listen there too. `extra_options` are mitmproxy's own, by name and type, and
        `given_options` more of them, as NAME=VALUE. `extra_addons` come after ours. `front`, where
        given, is asked in place of what the settings say. `is_open`: anybody may use it;
        `reaches_private`: and go anywhere. `team`: the processes of which this is one.
        `is_alone`: this process does nothing else, and Python may be set up for that.

        Raises ConfigError for modes that cannot be, and where others reach it and nothing says who
        may use it.
        """
        self._modes = listening.parse(modes, listen_host, listen_port)
        self._providers = with_more(BASE_URLS, providers or {})
        self._shared_port = listening.SharedPort() if shares_port else None
        self._front = front
        self._team = team
        self._is_alone = is_alone
        self._given = tuple(given_options)
        options = {**(extra_options or {}), **dict(map(_name_and_value, self._given))}
        for host in self._modes.hosts:
            admission.check(
                host, has_authentication=bool(options.get("proxyauth")), is_open=is_open
            )
        guard = admission.Admission(settings.hosts, _addresses(providers or {}))
        self._extra_addons = extra_addons if reaches_private else (guard, *extra_addons)
        self._settings = settings
        self._wanted = {
            "mode": list(self._modes.specs),
            "confdir": str(Path(confdir).expanduser()),
            # Byte by byte, not message by message: whatever extensions they have agreed on.
            "websocket": False,
            **(extra_options or {}),
        }
        self._master: LeanMaster | None = None
        self._is_ending = False
        self.cache: Front | None = None
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
        cache = self.cache = self._front or build(self._settings, warms_up=False)

        def welcome(host: str, port: int) -> None:
            ready(host, port)
            cache.warm_up(settle if self._is_alone else lambda: None)

        with alone() if self._is_alone else nullcontext():
            await self._serve(cache, welcome)

    async def _serve(self, cache: Front, welcome: Callable[[str, int], None]) -> None:
        try:
            if self._shared_port is not None:
                self._shared_port.install()
            self._master = LeanMaster(
                cache,
                self._wanted,
                self._given,
                self._providers,
                self._modes.reverse_only,
                self._team,
            )
            announcer = _Ready(self._master, welcome)
            self._master.addons.add(*self._extra_addons, announcer)
            await self._master.run()
        finally:
            if self._shared_port is not None:
                self._shared_port.uninstall()
            cache.close()
        if announcer.failure is not None:
            raise announcer.failure

    @property
    def listens(self) -> list[tuple[str, str, int]]:
        """Mode, host and port of every socket; empty before it is ready."""
        if self._master is None:
            return []
        found = []
        for server in self._master.server.servers:
            spec = server.mode.full_spec
            mode = "reverse" if spec in self._modes.reverse_only else spec.rpartition("@")[0]
            found += [(mode, address[0], address[1]) for address in server.listen_addrs]
        return found

    async def say(self, topic: Topic) -> Said:
        """What this process has to say to its team. Only once it is ready."""
        if self.cache is None:
            raise RuntimeError("it does not run yet")
        return await said_by(self.cache, topic, is_ending=self._is_ending)

    async def end(self, grace_s: float) -> None:
        """End `run` once what goes on has come to its end, after so many seconds at most.

        Asked again, it ends at once.
        """
        if self._master is None:
            return
        if self._is_ending:
            self._master.hurry()
            return
        self._is_ending = True
        await self._master.end(grace_s)

    def shutdown(self) -> None:
        """End `run` at once, from any thread. Does nothing before it is ready."""
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


def _name_and_value(given: str) -> tuple[str, str]:
    name, _, value = given.partition("=")
    if name in ("mode", "listen_host", "listen_port"):
        # Of where it listens there must be one word, which is the one that was checked.
        raise ConfigError(f"--set {name}: is ours to say", "use --mode and --listen")
    return name, value


def _addresses(providers: Mapping[str, str]) -> set[tuple[str, int]]:
    """Host and port of each provider that the operator has named."""
    found = (target([BaseUrl(name, url)], "", f"/{name}") for name, url in providers.items())
    return {(one.host, one.port) for one in found if one is not None}
