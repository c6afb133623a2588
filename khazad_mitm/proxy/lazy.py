"""Hits without an upstream: hosts of ours are dialled when a request has to go there, not before.

mitmproxy's default (`connection_strategy=eager`) dials at CONNECT, which breaks a hit while the
upstream is away; its `lazy` for everyone breaks protocols in which the server speaks first. Only
public hooks are used here:

- `http_connect`: an addon may answer a CONNECT itself, and with a 2xx the tunnel is established
  as ever, but nothing has been dialled;
- `tls_clienthello`: asks mitmproxy not to shake hands with the upstream first. This must come
  after its own `TlsConfig`, therefore `LastWord` is added at the end of the chain;
- `tls_start_server`: the upstream is offered the protocol the client has got. Left alone, an
  HTTP/1 client can be paired with an HTTP/2 upstream, and its streams end by closing.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from mitmproxy import connection, ctx, http, tls
from mitmproxy.proxy.mode_specs import ReverseMode

if TYPE_CHECKING:
    from collections.abc import Callable

    from mitmproxy.addons.proxyserver import Proxyserver

# Where the server speaks first even if the host is one of ours: FTP, SSH, Telnet, SMTP, POP3,
# NNTP, IMAP, submission, MySQL, VNC. A CONNECT to these is dialled at once, as by mitmproxy.
_SERVER_SPEAKS_FIRST = frozenset((21, 22, 23, 25, 110, 119, 143, 587, 3306, 5900))

_HTTP1 = b"http/1.1"
_HTTP2 = b"h2"


class Lazy:
    """Hooks lent to `KhazadAddon`: no dialling at CONNECT, and the client's protocol upstream."""

    def __init__(self, waits: Callable[[str], bool]) -> None:
        """`waits(host)`: may the connection to this host wait until it is needed?"""
        self._waits = waits

    def http_connect(self, flow: http.HTTPFlow) -> None:
        if flow.response or flow.error or ctx.options.connection_strategy != "eager":
            return
        if flow.request.port in _SERVER_SPEAKS_FIRST or not self._waits(flow.request.host):
            return
        now = time.time()
        flow.response = http.Response(
            flow.request.data.http_version,
            200,
            b"Connection established",
            http.Headers(),
            b"",
            None,
            now,
            now,
        )

    def tls_start_server(self, data: tls.TlsData) -> None:
        client, server = data.context.client, data.conn
        if data.ssl_conn is not None or not isinstance(server, connection.Server):
            return
        if server.alpn_offers:
            return
        if client.alpn == _HTTP2:
            server.alpn_offers = (_HTTP2, _HTTP1)
        elif client.alpn == _HTTP1:
            server.alpn_offers = (_HTTP1,)


class LastWord:
    """Runs after every other addon: undoes the handshake, and learns who else has answered."""

    name = "khazad-last"

    def __init__(
        self,
        waits: Callable[[str], bool],
        answered: Callable[[http.HTTPFlow], None],
        holds: Callable[[http.HTTPFlow], bool],
    ) -> None:
        """`answered(flow)` is called where an addon behind us has set the response.

        `holds(flow)`: is the upstream's answer not for the client, whatever others do with it?
        """
        self._waits = waits
        self._answered = answered
        self._holds = holds

    def tls_clienthello(self, data: tls.ClientHelloData) -> None:
        server = data.context.server
        if server.connected or server.address is None or data.ignore_connection:
            return
        if self._waits(server.address[0]) or self._waits(data.client_hello.sni or ""):
            data.establish_server_tls_first = False

    def request(self, flow: http.HTTPFlow) -> None:
        if flow.response is not None:
            self._answered(flow)

    def responseheaders(self, flow: http.HTTPFlow) -> None:
        if flow.response is not None and self._holds(flow):
            flow.response.stream = False


class LazyReverse:
    """An addon: in reverse mode too the upstream is dialled for a request, and not for a client.

    mitmproxy reads `connection_strategy` from the options of the connection's context.
    """

    name = "khazad-lazy-reverse"

    def __init__(self, server: Proxyserver) -> None:
        self._server = server

    def client_connected(self, client: connection.Client) -> None:
        mode = client.proxy_mode
        if not isinstance(mode, ReverseMode) or mode.scheme not in ("http", "https"):
            return
        handler = self._server.connections.get(client.id)
        if handler is not None:
            context: Any = handler.layer.context
            context.options = _LazyOptions(context.options)


class _LazyOptions:
    """mitmproxy's options but for one."""

    connection_strategy = "lazy"

    def __init__(self, options: Any) -> None:
        self._options = options

    def __getattr__(self, name: str) -> Any:
        return getattr(self._options, name)

    def __contains__(self, name: str) -> bool:
        return name in self._options
