"""One TLS context for all connections that are made alike.

redis-py makes one for each, and to read the roots of the system takes 17 ms, on an event loop too:
a third of the time that a call may wait for the store.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from threading import Lock
from typing import Any

import redis.asyncio

FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile", "ssl_ca_path")


class Context:
    """Takes the place of the one that a connection of redis.asyncio has of its own."""

    def __init__(self, options: tuple[tuple[str, Any], ...]) -> None:
        """`options`: those of a connection that are about TLS."""
        self._options = dict(options)
        self._lock = Lock()
        self._made: ssl.SSLContext | None = None
        self._changed: tuple[int, ...] = ()

    def get(self) -> ssl.SSLContext:
        """Made anew where one of its files has changed: certificates are replaced while we run."""
        changed = tuple(_changed(self._options.get(name)) for name in FILES)
        with self._lock:
            if self._made is None or self._changed != changed:
                self._made = redis.asyncio.SSLConnection(**self._options).ssl_context.get()
                self._changed = changed
            return self._made


def _changed(file: str | None) -> int:
    with suppress(OSError, TypeError):
        return os.stat(file or "").st_mtime_ns
    return 0


@lru_cache(maxsize=16)
def _context(options: tuple[tuple[str, Any], ...]) -> Context:
    return Context(options)


def context_of(connection: Any, options: Mapping[str, Any]) -> Context | None:
    """The one for connections with these options; None for those without TLS, and where redis-py
    does more than a context says (OCSP, in blocking connections only)."""
    if not isinstance(connection, (redis.SSLConnection, redis.asyncio.SSLConnection)):
        return None
    own = tuple(sorted((name, value) for name, value in options.items() if name.startswith("ssl_")))
    return None if any("ocsp" in name for name, _ in own) else _context(own)
