"""Who may use the proxy, and where he may go with it.

On loopback everybody is at home: he could go there himself. A listener that others reach demands
that they authenticate, or that its operator has said `--open`; and it takes nobody who comes from
elsewhere into the networks behind it (RFC 1918, loopback, link-local with its cloud metadata, and
so on), unless the host is named in `hosts`, the address is a provider's that the operator has
named, or private networks are allowed altogether.

What is checked is the address that is dialled: a name is looked up here, once, and the connection
goes to the address that was looked at, so that no second answer of a name server leads elsewhere.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import socket
from collections.abc import Collection
from typing import TYPE_CHECKING, TypeAlias

from mitmproxy.proxy.mode_specs import RegularMode, Socks5Mode

from khazad_mitm.errors import ConfigError
from khazad_mitm.proxy.flows import is_local, is_loopback
from khazad_mitm.wire.hosts import matches

if TYPE_CHECKING:
    from mitmproxy.proxy.server_hooks import ServerConnectionHookData

Address: TypeAlias = "ipaddress.IPv4Address | ipaddress.IPv6Address"

# An IPv4 address in an IPv6 one, for gateways that translate (RFC 6052).
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")

logger = logging.getLogger("khazad")


def check(listen_host: str, *, has_authentication: bool, is_open: bool) -> None:
    """Raises ConfigError for a listener that others reach and nobody guards."""
    if has_authentication or is_open or listen_host == "localhost" or is_loopback(listen_host):
        return
    raise ConfigError(
        f"--listen, --mode: {listen_host or 'every address'} is reached by others, and nothing says"
        " who may use the proxy",
        "demand a name and a password with --proxy-auth, or say --open",
    )


class Admission:
    """An addon. Its one hook is of the connection, whatever led to it: CONNECT, a request in
    absolute form, SOCKS, a `Host` that another addon followed."""

    name = "khazad-admission"

    def __init__(
        self, hosts: tuple[str, ...] = (), addresses: Collection[tuple[str, int]] = ()
    ) -> None:
        """Where callers from elsewhere may go, wherever that lies: `hosts` as the option, at any
        port, and `addresses`, host and port."""
        self._hosts = hosts
        self._addresses = addresses

    async def server_connect(self, data: ServerConnectionHookData) -> None:
        address, client = data.server.address, data.client
        # In the other modes the operator has said where connections go.
        goes_anywhere = isinstance(client.proxy_mode, (RegularMode, Socks5Mode))
        if address is None or not goes_anywhere or is_local(client):
            return
        host, port = address[0], address[1]
        if matches(host, self._hosts) or (host, port) in self._addresses:
            return
        try:
            found = await asyncio.get_running_loop().getaddrinfo(
                host, port, type=socket.SOCK_STREAM
            )
        except (OSError, UnicodeError) as error:
            data.server.error = f"no address found for the host ({type(error).__name__})"
            return
        addresses = [str(info[4][0]) for info in found]
        # One is enough: a name that has both leads inside now or later.
        if not addresses or any(is_private(one) for one in addresses):
            logger.info("[Khazad] REFUSED - to a private network - %s", host)
            data.server.error = "the proxy takes nobody from elsewhere into a private network"
            return
        if data.server.sni is None:
            data.server.sni = client.sni or host
        data.server.address = (addresses[0], port)


def is_private(address: str) -> bool:
    """Does this address lie behind us, and not in the internet?"""
    found: Address = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour
        if found in _NAT64:
            inner = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        found = inner or found
    return not found.is_global or found.is_multicast
