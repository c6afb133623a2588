"""Upstream connections that are over are let go.

mitmproxy keeps every upstream connection of a client's, with its TLS and its buffers, until the
client itself hangs up (11.0.2 and 12.2.3): some 80 kB each. An HTTP/2 client whose upstream speaks
HTTP/1 needs one for every request, and may stay for days. Here those that have been closed are
taken out before another is looked for, but for one that failed, which is asked for its error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from mitmproxy.connection import ConnectionState, Server
from mitmproxy.proxy import commands, events
from mitmproxy.proxy.layers.http import HttpLayer

from khazad_mitm.proxy.privates import CLOSED, Patches

Generator: TypeAlias = Iterator[commands.Command]


class Closed:
    """Installed while `KhazadAddon` runs."""

    def __init__(self) -> None:
        self._patches = Patches()

    def install(self) -> None:
        if CLOSED.is_there():
            self._patches.put(HttpLayer, "get_connection", _forgetting)

    def uninstall(self) -> None:
        self._patches.undo()


class _Nobody:
    """Hears what a connection still has to say that was taken out."""

    def handle_event(self, event: events.Event) -> Generator:
        return iter(())


class _Open(dict[Any, Any]):
    """The connections of a client, and nobody for all others."""

    def __missing__(self, connection: Any) -> _Nobody:
        return _Nobody()


def _forgetting(original: Callable[..., Generator]) -> Callable[..., Generator]:
    def get_connection(layer: HttpLayer, event: Any, *, reuse: bool = True) -> Generator:
        # The layer around a CONNECT keeps what is opened inside, too.
        for one in layer.context.layers:
            if isinstance(one, HttpLayer):
                _forget(one)
        return original(layer, event, reuse=reuse)

    return get_connection


def _forget(layer: HttpLayer) -> None:
    layer.connections = _Open(
        (connection, child)
        for connection, child in layer.connections.items()
        if not _is_over(layer, connection)
    )


def _is_over(layer: HttpLayer, connection: Any) -> bool:
    return (
        isinstance(connection, Server)
        and connection.state is ConnectionState.CLOSED
        # One that is only being opened has not ended.
        and connection.timestamp_end is not None
        and not connection.error
        and connection is not layer.context.server
        and connection not in layer.waiting_for_establishment
    )
