"""An addon for mitmdump: whatever host is asked for, the connection goes to the fake upstream.

Names, certificates' names and `Host` stay as the client said. Loopback addresses stay too.
"""

from __future__ import annotations

from mitmproxy import ctx
from mitmproxy.addonmanager import Loader
from mitmproxy.proxy.server_hooks import ServerConnectionHookData


class Redirect:
    name = "redirect"

    def load(self, loader: Loader) -> None:
        loader.add_option("redirect_to", int, 0, "port of the fake upstream on loopback")

    def server_connect(self, data: ServerConnectionHookData) -> None:
        assert data.server.address is not None
        if data.server.address[0] not in ("127.0.0.1", "localhost"):
            data.server.address = ("127.0.0.1", ctx.options.redirect_to)


addons = [Redirect()]
