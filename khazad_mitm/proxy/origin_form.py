"""Which requests are to the proxy itself: `POST /path`, not `POST http://host/path` (RFC 9112 §3).

mitmproxy takes the first for the second, by its Host header, and has forgotten which it was when
an addon sees it. Behind a load balancer, or a port that Docker maps, that header names nothing we
know as ours: asked to forward it, the proxy would ask itself, for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from mitmproxy import http
from mitmproxy.proxy.layers.http import HttpLayer, HTTPMode

from khazad_mitm.proxy.privates import ORIGIN_FORM, Patches

if TYPE_CHECKING:
    from mitmproxy.proxy import commands, events
    from mitmproxy.proxy.layers.http._http1 import Http1Server


class OriginForm:
    """The requests that came so, outside of tunnels. Marked while it is installed."""

    def __init__(self) -> None:
        self._patches = Patches()
        self._requests: WeakSet[http.Request] = WeakSet()

    def __contains__(self, request: http.Request) -> bool:
        return request in self._requests

    def install(self) -> None:
        if ORIGIN_FORM.is_there():
            from mitmproxy.proxy.layers.http import _http1

            self._patches.put(_http1.Http1Server, "read_headers", self._marking)

    def uninstall(self) -> None:
        self._patches.undo()

    def _marking(self, original: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        def read_headers(
            connection: Http1Server, event: events.Event
        ) -> Iterator[commands.Command]:
            for command in original(connection, event):
                request = getattr(getattr(command, "event", None), "request", None)
                if isinstance(request, http.Request) and not request.authority:
                    mode = _mode_around(connection)
                    if mode is not None and mode is not HTTPMode.transparent:
                        self._requests.add(request)
                yield command

        return read_headers


def _mode_around(connection: Http1Server) -> HTTPMode | None:
    """Inside a tunnel, and where there is one upstream only, it is `transparent`."""
    for layer in reversed(connection.context.layers):
        if isinstance(layer, HttpLayer):
            return layer.mode
    return None
