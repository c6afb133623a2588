"""Entries in a Redis with Vector Sets: the two runners of `vectorset`'s programs.

`RedisStore` blocks, `AsyncRedisStore` awaits; what is asked and what it means is the programs'
business. Both write a whole round trip at once to redis-py's connections, past its client and
pipeline objects, which would cost more than what they carry. Every error leaves as
CacheUnavailable.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from collections import deque
from contextlib import suppress
from typing import Any, Protocol, TypeVar

import redis
from redis.exceptions import OutOfMemoryError, ReadOnlyError, RedisError, ResponseError

from khazad_mitm.cache.commands import StoreCommand
from khazad_mitm.errors import CacheUnavailable, NotAsked, WriteDenied
from khazad_mitm.store import vectorset
from khazad_mitm.store.deadlines import timed, timeout
from khazad_mitm.store.keys import Keys
from khazad_mitm.store.loops import LoopConnections
from khazad_mitm.store.namespace import SECRET_BYTES, clear, count_live, secret_of
from khazad_mitm.store.seal import Seal
from khazad_mitm.store.space import Space
from khazad_mitm.store.trips import Program, RedisCommand

T = TypeVar("T")

# What a server says that cannot save its data, or has too few replicas, to every write.
DENIALS = ("MISCONF", "NOREPLICAS")

# Kept open for threads that come back; executors have fewer threads.
IDLE_CONNECTIONS = 32


class Server(Protocol):
    """A server that is ours to look after."""

    def revive(self) -> None:
        """See to it that there is one; returns at once, never fails."""
        ...

    def close(self) -> None: ...


class RedisStore:
    """The blocking store; thread-safe, and safe to carry over a fork.

    `deadline_s` bounds each trip where nobody waits for all of them. A `server` of our own is asked
    to revive when it cannot be reached, and let go with the store. With a `seal` nothing that holds
    a prompt or an answer lies there in the clear.
    """

    def __init__(
        self,
        url: str,
        namespace: str,
        *,
        deadline_s: float,
        max_entries: int,
        max_bytes: int = 2**30,
        server: Server | None = None,
        seal: Seal | None = None,
    ) -> None:
        self.url = url
        self.deadline_s = deadline_s
        self.space = Space((Keys.of(namespace),), max_entries, max_bytes, seal=seal)
        self._server = server
        self._pool = redis.ConnectionPool.from_url(url, **connection_options(deadline_s))
        self._idle: deque[Any] = deque()

    def perform(self, command: StoreCommand, within_s: float | None = None) -> Any:
        """Obey. Raises CacheUnavailable where the server does not, or not `within_s` seconds."""
        return self._run(vectorset.program(command, self.space, now_ms()), within_s)

    def secret(self) -> bytes:
        """The namespace's random key of 32 bytes, made once and kept in the store.

        Raises ConfigError where it is sealed with another key.
        """
        if self.space.secret is None:
            fresh = secrets.token_bytes(SECRET_BYTES)
            self.space.secret = self._run(secret_of(self.space.keys, fresh, self.space.seal))
        return self.space.secret

    def flush(self) -> int:
        """Remove the namespace's entries, and nobody else's; returns how many. The secret stays."""
        if self.space.seal is not None:
            self.space.seal.unopened = 0
        return self._run(clear(self.space.buckets))

    def count(self) -> int:
        """How many entries are live."""
        return self._run(count_live(self.space.buckets, now_ms()))

    def close(self) -> None:
        """Close what is idle, and let go of the server."""
        self._disconnect_idle()
        if self._server is not None:
            self._server.close()

    def _disconnect_idle(self) -> None:
        with suppress(IndexError):  # other threads take some, too
            while True:
                self._idle.pop().disconnect()

    def unavailable(self, error: Exception) -> CacheUnavailable:
        """What a failure is called outside; has the server revived where it is gone."""
        if self._server is not None and isinstance(error, (redis.ConnectionError, OSError)):
            self._server.revive()
        if isinstance(error, ReadOnlyError):
            # It was the master once: the name leads to another by now.
            self._disconnect_idle()
        is_denied = isinstance(error, (OutOfMemoryError, ReadOnlyError))
        kind = WriteDenied if is_denied or str(error).startswith(DENIALS) else CacheUnavailable
        return kind(f"{type(error).__name__}: {error}")

    def _run(self, program: Program[T], within_s: float | None = None) -> T:
        connection, was_used = self._take()
        end = None if within_s is None else time.monotonic() + within_s
        try:
            commands = next(program)
            try:
                replies = self._trip(connection, commands, end)
            except redis.ConnectionError:
                # The server may have restarted since this connection was last used; every program
                # may be begun twice. A time-out is another matter: nobody waits for two, and a new
                # connection calls one so while it introduces itself.
                if not was_used:
                    raise
                connection.disconnect()
                replies = self._trip(connection, commands, end)
            while True:
                replies = self._trip(connection, program.send(replies), end)
        except StopIteration as done:
            self._give(connection)
            result: T = done.value
            return result
        except (RedisError, OSError) as error:
            connection.disconnect()
            raise self.unavailable(error) from error
        except BaseException:
            connection.disconnect()
            raise

    def _trip(self, connection: Any, commands: list[RedisCommand], end: float | None) -> list[Any]:
        connection.until = time.monotonic() + self.deadline_s if end is None else end
        send(connection, commands)
        return receive(connection, len(commands))

    def _take(self) -> tuple[Any, bool]:
        """A connection, and whether it has been used before."""
        try:
            while True:
                connection = self._idle.pop()
                if connection.pid == os.getpid():
                    return connection, True
        except IndexError:
            return timed(self._pool), False

    def _give(self, connection: Any) -> None:
        if len(self._idle) < IDLE_CONNECTIONS:
            self._idle.append(connection)
        else:
            connection.disconnect()


class AsyncRedisStore:
    """The same namespace, awaited; in any number of event loops, one after another or at once."""

    def __init__(self, store: RedisStore) -> None:
        self._store = store
        self._loops = LoopConnections(store.url, connection_options(store.deadline_s))

    async def perform(self, command: StoreCommand, within_s: float | None = None) -> Any:
        """Obey. Raises CacheUnavailable where the server does not, or not `within_s` seconds;
        NotAsked where others had its connections all that time."""
        program = vectorset.program(command, self._store.space, now_ms())
        limit_s = self._store.deadline_s if within_s is None else within_s
        return await self._run(program, limit_s)

    async def _run(self, program: Program[T], within_s: float) -> T:
        connections = await self._loops.here()
        was_asked = False
        try:
            async with timeout(within_s):
                connection = await connections.take()
                was_asked = True
                was_used = await connections.connect(connection)
                try:
                    return await _told(connection, program, was_used)
                finally:
                    connections.give(connection)
        except asyncio.TimeoutError as error:
            raise (CacheUnavailable if was_asked else NotAsked)("no answer in time") from error
        except (RedisError, OSError) as error:
            raise self._store.unavailable(error) from error


async def _told(connection: Any, program: Program[T], was_used: bool) -> T:
    try:
        replies = await first_trip_async(connection, next(program), was_used)
        while True:
            replies = await _trip_async(connection, program.send(replies))
    except StopIteration as done:
        result: T = done.value
        return result
    except BaseException:
        # Cancelled too, with replies on their way that nobody else must read.
        await connection.disconnect(nowait=True)
        raise


async def first_trip_async(
    connection: Any, commands: list[RedisCommand], was_used: bool
) -> list[Any]:
    """Once more on a new connection where that was an old one, as in `RedisStore._run`."""
    try:
        return await _trip_async(connection, commands)
    except redis.ConnectionError:
        if not was_used:
            raise
        await connection.disconnect(nowait=True)
        return await _trip_async(connection, commands)


async def _trip_async(connection: Any, commands: list[RedisCommand]) -> list[Any]:
    await send_async(connection, commands)
    return await receive_async(connection, len(commands))


def send(connection: Any, commands: list[RedisCommand]) -> None:
    connection.send_packed_command(connection.pack_commands(commands), check_health=False)


def receive(connection: Any, count: int) -> list[Any]:
    replies: list[Any] = []
    for _ in range(count):
        try:
            replies.append(connection.read_response())
        except ResponseError as error:
            replies.append(error)
    return replies


async def send_async(connection: Any, commands: list[RedisCommand]) -> None:
    await connection.send_packed_command(connection.pack_commands(commands), check_health=False)


async def receive_async(connection: Any, count: int) -> list[Any]:
    replies: list[Any] = []
    for _ in range(count):
        try:
            replies.append(await connection.read_response())
        except ResponseError as error:
            replies.append(error)
    return replies


def connection_options(deadline_s: float) -> dict[str, Any]:
    # RESP2: one trip less to connect, and the same replies inside and outside a script.
    return {
        "protocol": 2,
        "decode_responses": False,
        # What is bounded is the whole (`deadlines`); the other is for closing one, too.
        "socket_timeout": None,
        "socket_connect_timeout": deadline_s,
    }


def now_ms() -> int:
    return time.time_ns() // 1_000_000
