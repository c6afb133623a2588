"""Time limits for all of a program, whatever it consists of: connecting, logging in, trips.

redis-py bounds each reading and each writing, and a server that says a little now and then may take
as long as it likes. What somebody waits for has one end.
"""

from __future__ import annotations

import sys
import time
from functools import cache
from typing import TYPE_CHECKING, Any

from khazad_mitm.store.tls import Context, context_of

if TYPE_CHECKING:
    import redis

if sys.version_info >= (3, 11):
    from asyncio import timeout
else:
    from async_timeout import timeout

__all__ = ["Timed", "timed", "timeout"]

# What a socket is given at the least: no time at all would mean that it does not block.
LEAST_S = 0.001


def timed(pool: redis.ConnectionPool) -> Timed:
    """A new connection of the kind and with the options of a pool, not connected yet."""
    connection: Timed = _timed(pool.connection_class)(**pool.connection_kwargs)
    connection.tls = context_of(connection, pool.connection_kwargs)
    return connection


@cache
def _timed(kind: Any) -> Any:
    return type(f"Timed{kind.__name__}", (Timed, kind), {})


class Timed:
    """Laid over a blocking connection of redis-py, so that `until` bounds whatever it does."""

    until = 0.0
    """time.monotonic()"""
    tls: Context | None = None
    """What to use in place of a context of its own."""

    # Asked for before each address that is tried, and before TLS begins.
    @property
    def socket_timeout(self) -> float:
        return max(LEAST_S, self.until - time.monotonic())

    @socket_timeout.setter
    def socket_timeout(self, _: float | None) -> None: ...

    socket_connect_timeout = socket_timeout

    def _connect(self) -> Any:
        return _Socket(super()._connect(), self)  # type: ignore[misc]  # of the connection below

    def _wrap_socket_with_ssl(self, sock: Any) -> Any:
        if self.tls is None:
            return super()._wrap_socket_with_ssl(sock)  # type: ignore[misc]  # of the one below
        host = self.host  # type: ignore[attr-defined]  # the same
        return self.tls.get().wrap_socket(sock, server_hostname=host)


class _Socket:
    """A socket that looks at the time before it waits."""

    def __init__(self, socket: Any, timed: Timed) -> None:
        self._socket = socket
        self._timed = timed

    def __getattr__(self, name: str) -> Any:
        return getattr(self._socket, name)

    def recv_into(self, buffer: Any) -> Any:
        return self._in_time().recv_into(buffer)

    def recv(self, size: int) -> Any:
        return self._in_time().recv(size)

    def sendall(self, data: bytes) -> None:
        self._in_time().sendall(data)

    def _in_time(self) -> Any:
        if time.monotonic() >= self._timed.until:
            raise TimeoutError("time is up")
        self._socket.settimeout(self._timed.socket_timeout)
        return self._socket
