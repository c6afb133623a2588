"""Leads the LLM host to the fake provider on loopback; its name and certificate stay."""

from mitmproxy import ctx
from mitmproxy.addonmanager import Loader
from mitmproxy.proxy.server_hooks import ServerConnectionHookData

from bench.conversation import HOST


class Redirect:
    def load(self, loader: Loader) -> None:
        loader.add_option("redirect_to", int, 0, "port of the fake provider on loopback")

    def server_connect(self, data: ServerConnectionHookData) -> None:
        if data.server.address is not None and data.server.address[0] == HOST:
            data.server.address = ("127.0.0.1", ctx.options.redirect_to)


addons = [Redirect()]
