from __future__ import annotations

import asyncio
import gc
import warnings
from pathlib import Path

import pytest
import redis

from khazad_mitm.cache.commands import Get, Put
from khazad_mitm.errors import CacheUnavailable
from khazad_mitm.store.loops import CONNECTIONS
from khazad_mitm.store.redis_store import AsyncRedisStore, RedisStore
from tests.end_to_end.relay import Relay
from tests.servers import RedisServer
from tests.store.entries import digest, entry


def test_one_store_serves_one_loop_after_another_and_leaves_nothing_open(
    redis_store: RedisStore,
) -> None:
    redis_store.perform(Put(entry(1)))
    store = AsyncRedisStore(redis_store)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(3):
            assert asyncio.run(store.perform(Get(digest(1)))) is not None
        gc.collect()


def test_hundreds_at_once_share_a_few_connections(
    redis_store: RedisStore, redis_server: RedisServer
) -> None:
    for number in range(300):
        redis_store.perform(Put(entry(number)))
    store = AsyncRedisStore(redis_store)

    async def ask() -> tuple[list[str], int]:
        found = await asyncio.gather(*(store.perform(Get(digest(n))) for n in range(300)))
        with redis_server.client() as client:
            return [one.id for one in found], connected(client)

    with redis_server.client() as client:
        before = connected(client)
    ids, during = asyncio.run(ask())

    assert [digest(number) for number in range(300)] == ids
    assert during - before <= CONNECTIONS


def connected(client: redis.Redis) -> int:
    return int(client.info("clients")["connected_clients"])


def test_a_connection_that_takes_longer_than_a_caller_may_wait_is_there_for_the_next(
    redis_server: RedisServer,
) -> None:
    relay = Relay(redis_server.socket)
    store = RedisStore(f"redis://127.0.0.1:{relay.port}", "kh", deadline_s=60.0, max_entries=1)
    awaited = AsyncRedisStore(store)

    async def ask() -> int:
        relay.delay_s = 0.2
        with pytest.raises(CacheUnavailable):
            await awaited.perform(Get(digest(1)), 0.1)
        relay.delay_s = 0.0
        connections = await awaited._loops.here()
        while not connections._idle:
            await asyncio.sleep(0)
        (connection,) = connections._idle
        assert connection.is_connected
        assert await awaited.perform(Get(digest(1)), 60.0) is None
        assert [connection] == connections._idle
        return relay.accepted

    assert 1 == asyncio.run(ask())
    relay.close()


@pytest.mark.parametrize("leaves", [True, False])
def test_a_server_that_cannot_be_reached_costs_no_connection(leaves: bool, tmp_path: Path) -> None:
    store = RedisStore(f"unix://{tmp_path}/none", "kh", deadline_s=60.0, max_entries=1)
    awaited = AsyncRedisStore(store)

    async def ask() -> None:
        for _ in range(2 * CONNECTIONS):
            asking = asyncio.ensure_future(awaited.perform(Get(digest(1)), 60.0))
            await asyncio.sleep(0)
            if leaves:
                asking.cancel()
            with pytest.raises((CacheUnavailable, asyncio.CancelledError)):
                await asking
        connections = await awaited._loops.here()
        while len(connections._idle) < connections._open:
            await asyncio.sleep(0)

    asyncio.run(ask())


def test_a_cancelled_request_leaves_its_reply_to_nobody(redis_store: RedisStore) -> None:
    for number in range(40):
        redis_store.perform(Put(entry(number)))
    store = AsyncRedisStore(redis_store)

    async def ask() -> list[str]:
        for _ in range(20):
            tasks = [asyncio.create_task(store.perform(Get(digest(n)))) for n in range(40)]
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            for task in tasks[::2]:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return [(await store.perform(Get(digest(n)))).id for n in range(40)]

    assert [digest(number) for number in range(40)] == asyncio.run(ask())
