"""Where and as what the engine listens: `--mode`, as mitmproxy spells it and one of our own."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mitmproxy.proxy import mode_servers
from mitmproxy.proxy.mode_specs import ProxyMode

from khazad_mitm.errors import ConfigError
from khazad_mitm.proxy.privates import LISTENING, Patches

if TYPE_CHECKING:
    from mitmproxy.proxy.mode_servers import AsyncioServerInstance

KNOWN = ("regular", "socks5", "upstream", "reverse")

_HINT = (
    "one of regular, socks5, upstream:http://HOST:PORT, reverse (every provider on one port) and"
    " reverse:https://HOST, each with an optional @[HOST:]PORT; or cache, exact, refresh, off"
)


@dataclass(frozen=True, slots=True)
class Modes:
    """Checked modes, each with its address."""

    specs: tuple[str, ...]
    """For mitmproxy's option `mode`."""
    reverse_only: tuple[str, ...]
    """Those of them that serve as a gateway to the providers and proxy to nowhere else."""
    hosts: tuple[str, ...]
    """Where they listen; "" is every address."""


def parse(modes: Iterable[str], host: str, port: int) -> Modes:
    """The modes as given on the command line; one without an address listens at `host:port`.

    Raises ConfigError for what mitmproxy would not know, and where two have one address.
    """
    specs: list[str] = []
    reverse_only: list[str] = []
    hosts: list[str] = []
    for mode in modes:
        head, at, address = mode.rpartition("@")
        head, address = (head, address) if at else (mode, f"{host}:{port}")
        if ":" not in address:
            address = f"{host}:{address}"
        name = head.partition(":")[0].lower()
        # To our own gateway every request is one to the proxy itself.
        spec = f"{'regular' if head.lower() == 'reverse' else head}@{address}"
        try:
            if name not in KNOWN:
                raise ValueError("unknown mode")
            parsed = ProxyMode.parse(spec)
        except ValueError as error:
            raise ConfigError(f"--mode: {mode!r} is none ({error})", _HINT) from None
        if any(spec.rpartition("@")[2] == other.rpartition("@")[2] for other in specs):
            raise ConfigError(
                f"--mode: {mode!r} is not the only one at {address}",
                "give every mode but one a port of its own: --mode socks5@1080",
            )
        specs.append(spec)
        hosts.append((parsed.custom_listen_host or "").strip("[]"))
        if head.lower() == "reverse":
            reverse_only.append(spec)
    return Modes(tuple(specs), tuple(reverse_only), tuple(hosts))


class SharedPort:
    """Several processes on one port: the kernel hands each new connection to one of them."""

    def __init__(self) -> None:
        self._patches = Patches()

    def install(self) -> None:
        """Raises ConfigError where it cannot be."""
        hint = "start several without, on ports of their own, behind HAProxy (examples/haproxy.cfg)"
        if sys.platform != "linux":
            raise ConfigError("--workers: only Linux spreads connections over processes", hint)
        if not LISTENING.is_there():
            raise ConfigError("--workers: mitmproxy has changed how it listens", hint)
        self._patches.put(mode_servers.AsyncioServerInstance, "listen", _sharing)

    def uninstall(self) -> None:
        self._patches.undo()


def _sharing(original: Callable[..., Any]) -> Callable[..., Any]:
    async def listen(self: AsyncioServerInstance[Any], host: str, port: int) -> list[Any]:
        if self.mode.transport_protocol != "tcp":
            return list(await original(self, host, port))
        # An empty host is every address, of IPv4 and IPv6; `None` says so to asyncio.
        return [await asyncio.start_server(self.handle_stream, host or None, port, reuse_port=True)]

    return listen
