"""Which tunnels are opened. TLS of hosts that are none of our business is passed on untouched,
with the upstream's own certificate, and so is everything that is neither TLS nor HTTP.
"""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING

from mitmproxy import ctx, tls
from mitmproxy.proxy import layer, layers
from mitmproxy.proxy.mode_specs import ReverseMode

if TYPE_CHECKING:
    from collections.abc import Callable

_HTTP_REQUEST = re.compile(rb"[A-Z]+ [^\r\n]* HTTP/\d")


class Tunnels:
    """Hooks lent to `KhazadAddon`, which decide before mitmproxy's own `NextLayer` does."""

    def __init__(self, decrypts: Callable[[str], bool]) -> None:
        """`decrypts(host)`: may TLS of this host be opened?"""
        self._decrypts = decrypts

    def next_layer(self, nextlayer: layer.NextLayer) -> None:
        """Tunnel by the address alone where it is a name: the shortest way through mitmproxy.

        Where it is a bare IP address, a ClientHello may still name one of ours.
        """
        context = nextlayer.context
        address = context.server.address
        if nextlayer.layer or address is None or context.client.transport_protocol != "tcp":
            return
        if context.client.tls or isinstance(context.client.proxy_mode, ReverseMode):
            return
        first = nextlayer.data_client()
        if _is_ip(address[0]) and first[:1] == b"\x16":  # a TLS handshake record
            return
        if self._decrypts(address[0]) or _HTTP_REQUEST.match(first):
            return
        nextlayer.layer = layers.TCPLayer(context, ignore=not ctx.options.show_ignored_hosts)

    def tls_clienthello(self, data: tls.ClientHelloData) -> None:
        """Tunnel by SNI. Every name given must be ours, the address and the SNI."""
        context = data.context
        # In reverse mode the SNI is the proxy's own name, and without an address the TLS is
        # the client's with the proxy itself.
        if context.server.address is None or isinstance(context.client.proxy_mode, ReverseMode):
            return
        host, sni = context.server.address[0], data.client_hello.sni
        names = [sni] if sni else [host]
        if sni and not _is_ip(host):
            names.append(host)
        if not all(self._decrypts(name) for name in names):
            data.ignore_connection = True


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
