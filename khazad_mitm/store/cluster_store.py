"""Entries in a Redis Cluster, or behind sentinels: the two runners of `topology`'s legs, blocking
and awaiting.

What a store promises, and what its programs ask, is as in `redis_store`.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections import defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import redis
import redis.asyncio
from redis.exceptions import RedisError

from khazad_mitm.cache.commands import StoreCommand
from khazad_mitm.errors import NotAsked
from khazad_mitm.store import vectorset
from khazad_mitm.store.cluster_url import ClusterURL
from khazad_mitm.store.deadlines import timed, timeout
from khazad_mitm.store.keys import Keys
from khazad_mitm.store.loops import LoopConnections
from khazad_mitm.store.redis_store import (
    IDLE_CONNECTIONS,
    RedisStore,
    connection_options,
    first_trip_async,
    now_ms,
    receive,
    send,
)
from khazad_mitm.store.seal import Seal
from khazad_mitm.store.sentinels import Sentinels, SentinelURL
from khazad_mitm.store.space import Space
from khazad_mitm.store.topology import Address, Leg, Replies, Topology, routed
from khazad_mitm.store.trips import Program

T = TypeVar("T")

# Of a namespace: so many slots, over all masters. Enough for dozens of them, and few enough to ask
# each how much it holds.
BUCKETS = 64


class ClusterStore(RedisStore):
    """The blocking store; thread-safe, and safe to carry over a fork."""

    def __init__(
        self,
        url: ClusterURL,
        namespace: str,
        *,
        deadline_s: float,
        max_entries: int,
        max_bytes: int = 2**30,
        seal: Seal | None = None,
    ) -> None:
        self.cluster = url
        self.deadline_s = deadline_s
        is_one = isinstance(url, SentinelURL)
        self.topology = Sentinels(url) if isinstance(url, SentinelURL) else Topology(url.seeds)
        buckets = tuple(Keys.of(namespace, bucket) for bucket in range(1 if is_one else BUCKETS))
        self.space = Space(buckets, max_entries, max_bytes, seal=seal)
        self._server = None
        self._pools: dict[Address, redis.ConnectionPool] = {}
        self._kept: defaultdict[Address, deque[Any]] = defaultdict(deque)

    def close(self) -> None:
        """Close what is idle."""
        self._disconnect_idle()

    def _disconnect_idle(self) -> None:
        for idle in list(self._kept.values()):
            with suppress(IndexError):  # other threads take some, too
                while True:
                    idle.pop().disconnect()

    def _run(self, program: Program[T], within_s: float | None = None) -> T:
        end = None if within_s is None else time.monotonic() + within_s
        with self._named_errors():
            steps = routed(program, self.topology)
            try:
                legs = next(steps)
                while True:
                    legs = steps.send(self._trips(legs, end))
            except StopIteration as done:
                result: T = done.value
                return result

    @contextmanager
    def _named_errors(self) -> Iterator[None]:
        try:
            yield
        except (RedisError, OSError) as error:
            raise self.unavailable(error) from error

    def _trips(self, legs: list[Leg], end: float | None) -> list[Replies]:
        """All at once: what one node takes, another takes meanwhile."""
        taken = [self._take_at(node) for node, _ in legs]
        for connection, _ in taken:
            connection.until = time.monotonic() + self.deadline_s if end is None else end
        replies: list[Replies] = []
        done = 0
        try:
            sent = [
                _sent(connection, commands)
                for (connection, _), (_, commands) in zip(taken, legs, strict=True)
            ]
            for (connection, was_used), (node, commands), failed in zip(
                taken, legs, sent, strict=True
            ):
                told = failed or _received(connection, len(commands))
                if was_used and isinstance(told, redis.ConnectionError):
                    # As in RedisStore._run: it may have restarted since.
                    connection.disconnect()
                    told = _sent(connection, commands) or _received(connection, len(commands))
                if isinstance(told, Exception):
                    connection.disconnect()
                else:
                    self._give_at(node, connection)
                done += 1
                replies.append(told)
        finally:
            # Left in the middle: replies are on their way that nobody else must read.
            for connection, _ in taken[done:]:
                connection.disconnect()
        return replies

    def _take_at(self, node: Address) -> tuple[Any, bool]:
        try:
            while True:
                connection = self._kept[node].pop()
                if connection.pid == os.getpid():
                    return connection, True
        except IndexError:
            pool = self._pools.get(node)
            if pool is None:
                options = connection_options(self.deadline_s)
                pool = redis.ConnectionPool.from_url(self.cluster.of(node), **options)
                self._pools[node] = pool
            return timed(pool), False

    def _give_at(self, node: Address, connection: Any) -> None:
        if len(self._kept[node]) < IDLE_CONNECTIONS:
            self._kept[node].append(connection)
        else:
            connection.disconnect()


class AsyncClusterStore:
    """The same namespace, awaited; in any number of event loops, one after another or at once."""

    def __init__(self, store: ClusterStore) -> None:
        self._store = store
        self._nodes: dict[Address, LoopConnections] = {}

    async def perform(self, command: StoreCommand, within_s: float | None = None) -> Any:
        """Obey. Raises CacheUnavailable where the cluster does not, or not `within_s` seconds;
        NotAsked where others had its connections all that time."""
        program = vectorset.program(command, self._store.space, now_ms())
        limit_s = self._store.deadline_s if within_s is None else within_s
        end = time.monotonic() + limit_s
        with self._store._named_errors():
            steps = routed(program, self._store.topology)
            try:
                legs = next(steps)
                while True:
                    if len(legs) == 1:
                        legs = steps.send([await self._trip(*legs[0], end)])
                    else:
                        came = await asyncio.gather(*(self._trip(*leg, end) for leg in legs))
                        legs = steps.send(list(came))
            except StopIteration as done:
                return done.value

    async def _trip(self, node: Address, commands: Any, end: float) -> Replies:
        if node not in self._nodes:
            options = connection_options(self._store.deadline_s)
            self._nodes[node] = LoopConnections(self._store.cluster.of(node), options)
        connections = await self._nodes[node].here()
        was_asked = False
        try:
            async with timeout(end - time.monotonic()):
                connection = await connections.take()
                was_asked = True
                was_used = await connections.connect(connection)
                try:
                    return await _told(connection, commands, was_used)
                finally:
                    connections.give(connection)
        except asyncio.TimeoutError:
            return (redis.TimeoutError if was_asked else NotAsked)("no answer in time")
        except (RedisError, OSError) as error:
            return error


async def _told(connection: Any, commands: Any, was_used: bool) -> list[Any]:
    try:
        return await first_trip_async(connection, commands, was_used)
    except BaseException:
        # Cancelled too: replies are on their way that nobody else must read.
        await connection.disconnect(nowait=True)
        raise


def _sent(connection: Any, commands: Any) -> Exception | None:
    try:
        send(connection, commands)
    except (RedisError, OSError) as error:
        return error
    return None


def _received(connection: Any, count: int) -> Replies:
    try:
        return receive(connection, count)
    except (RedisError, OSError) as error:
        return error
