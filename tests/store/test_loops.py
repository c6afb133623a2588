from __future__ import annotations

import asyncio
import gc
import warnings

import redis

from khazad_mitm.cache.commands import Get, Put
from khazad_mitm.store.loops import CONNECTIONS
from khazad_mitm.store.redis_store import AsyncRedisStore, RedisStore
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
