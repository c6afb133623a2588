from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from khazad_mitm.cache.commands import Get, Put
from khazad_mitm.errors import CacheUnavailable, NotAsked
from khazad_mitm.store.loops import CONNECTIONS
from khazad_mitm.store.redis_store import AsyncRedisStore, RedisStore
from tests.servers import RedisServer
from tests.store.entries import digest, entry

WITHIN_S = 0.5
# Far from the deadline, and from what a server would take that is let to.
PATIENCE_S = 5.0


@contextmanager
def dripping() -> Iterator[int]:
    """A server whose every reply is long, and comes in bytes, each well within the deadline."""
    over = threading.Event()

    def drip(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.recv(65536)
            connection.sendall(b"*1\r\n$1000000\r\n")
            while not over.wait(WITHIN_S / 10):
                connection.sendall(b"x")

    def accept(listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=drip, args=(listener.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, args=(listener,), daemon=True).start()
        yield listener.getsockname()[1]
        over.set()
        listener.shutdown(socket.SHUT_RDWR)


def blocking(store: RedisStore) -> None:
    store.perform(Get(digest(1)), WITHIN_S)


def awaiting(store: RedisStore) -> None:
    asyncio.run(AsyncRedisStore(store).perform(Get(digest(1)), WITHIN_S))


@pytest.mark.parametrize("ask", [blocking, awaiting])
@pytest.mark.parametrize("login", ["", "user:password@"])
def test_a_reply_that_drips_costs_one_deadline(ask: Any, login: str) -> None:
    with dripping() as port:
        url = f"redis://{login}127.0.0.1:{port}"
        store = RedisStore(url, "kh", deadline_s=60.0, max_entries=1)
        began = time.monotonic()
        with pytest.raises(CacheUnavailable):
            ask(store)

    assert time.monotonic() - began < PATIENCE_S


def test_what_is_late_leaves_the_connection_to_nobody(redis_store: RedisStore) -> None:
    for number in range(2):
        redis_store.perform(Put(entry(number)))
    with pytest.raises(CacheUnavailable):
        redis_store.perform(Get(digest(0)), 1e-9)

    assert digest(1) == redis_store.perform(Get(digest(1)), 60.0).id


def test_who_waits_in_vain_for_a_connection_has_not_asked(own_server: RedisServer) -> None:
    store = RedisStore(own_server.url, "kh", deadline_s=60.0, max_entries=1)
    waiting = AsyncRedisStore(store)

    async def ask() -> list[Any]:
        await waiting.perform(Get(digest(1)))
        own_server.process.send_signal(signal.SIGSTOP)
        first = [waiting.perform(Get(digest(1)), 60.0) for _ in range(CONNECTIONS)]
        asking = [asyncio.ensure_future(one) for one in first]
        await asyncio.sleep(0)
        late = waiting.perform(Get(digest(1)), WITHIN_S)
        said = await asyncio.gather(late, return_exceptions=True)
        own_server.process.send_signal(signal.SIGCONT)
        await asyncio.gather(*asking)
        return said

    (said,) = asyncio.run(ask())

    assert isinstance(said, NotAsked)
