"""What is particular to Redis: faults, other programs, and what is left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import tempfile
import threading
import time

import pytest
import redis

from khazad_mitm.cache.commands import (
    Accept,
    Alias,
    Get,
    GetMany,
    Nearest,
    Put,
    PutMany,
    Resolve,
)
from khazad_mitm.errors import CacheUnavailable, WriteDenied
from khazad_mitm.store import vectorset
from khazad_mitm.store.redis_store import AsyncRedisStore, RedisStore
from tests.servers import RedisServer, running_redis, until
from tests.store.entries import QUESTION, at_cosine, digest, entry


def at(server: RedisServer, deadline_s: float = 5.0) -> RedisStore:
    return RedisStore(server.url, "kh", deadline_s=deadline_s, max_entries=100)


def keys_left(client: redis.Redis, store: RedisStore) -> set[str]:
    return {key.decode() for key in client.scan_iter(store.space.keys.pattern)}


def test_nothing_is_left_of_expired_entries_after_a_few_writes(
    redis_store: RedisStore, client: redis.Redis
) -> None:
    for number in range(20):
        short = entry(number, ttl_s=0.03)
        redis_store.perform(Put(short, f"scope {number % 3}", QUESTION))
        redis_store.perform(Alias(digest(100 + number), digest(200 + number), short))
    until(lambda: redis_store.count() == 0)
    for number in (50, 51):
        redis_store.perform(Put(entry(number)))

    keys = redis_store.space.keys
    left = {keys.expiry, keys.use, keys.facts, keys.entry(digest(50)), keys.entry(digest(51))}
    assert left == keys_left(client, redis_store)
    assert 2 == client.zcard(keys.expiry) == client.zcard(keys.use)


def test_nothing_is_left_of_evicted_entries(redis_server: RedisServer, namespace: str) -> None:
    store = RedisStore(redis_server.url, namespace, deadline_s=5.0, max_entries=2)
    for number in range(10):
        store.perform(Put(entry(number), f"scope {number}", QUESTION))
        store.perform(Alias(digest(100 + number), digest(200 + number), entry(number)))

    with redis_server.client() as client:
        kinds = sorted(key[len(store.space.keys.prefix)] for key in keys_left(client, store))
    assert list("aadeellppuvvx") == kinds
    store.close()


def test_a_smaller_cap_is_reached_in_a_few_writes(
    redis_store: RedisStore, redis_server: RedisServer, namespace: str
) -> None:
    for number in range(40):
        redis_store.perform(Put(entry(number)))
    smaller = RedisStore(redis_server.url, namespace, deadline_s=5.0, max_entries=5)
    for number in range(40, 43):
        smaller.perform(Put(entry(number)))

    assert 5 == smaller.count()
    smaller.close()


def test_a_search_removes_the_vectors_of_expired_entries(
    redis_store: RedisStore, client: redis.Redis
) -> None:
    redis_store.perform(Put(entry(1), "s", QUESTION))
    redis_store.perform(Put(entry(2), "s", QUESTION))
    client.delete(redis_store.space.keys.entry(digest(1)))
    redis_store.perform(Nearest("s", QUESTION, 0.9))

    assert 1 == client.execute_command("VCARD", redis_store.space.keys.vectors("s"))


def test_a_set_that_has_grown_large_is_searched_in_two_trips_until_it_shrinks(
    redis_store: RedisStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vectorset, "LARGE_SET", 4)
    for number in range(6):
        redis_store.perform(Put(entry(number), "s", at_cosine(number / 10)))
    assert 6 == len(redis_store.perform(Nearest("s", QUESTION, 0.9)))
    assert {"s"} == redis_store.space.large

    for number in range(1, 6):
        redis_store.perform(Put(entry(number)))
    assert 1 == len(redis_store.perform(Nearest("s", QUESTION, 0.9)))
    assert set() == redis_store.space.large


def test_a_flushed_server_is_filled_again_under_the_same_secret(own_server: RedisServer) -> None:
    store = at(own_server)
    secret = store.secret()
    store.perform(Put(entry(1), "s", QUESTION))
    with own_server.client() as client:
        client.flushall()
        client.script_flush()
    assert [] == store.perform(Nearest("s", QUESTION, 0.9))
    store.perform(Put(entry(2), "s", QUESTION))

    assert [digest(2)] == [found.id for found in store.perform(Nearest("s", QUESTION, 0.9))]
    assert secret == at(own_server).secret()
    store.close()


def test_many_are_kept_by_a_server_that_forgets_its_scripts(own_server: RedisServer) -> None:
    store = at(own_server)
    for numbers in (range(10), range(10, 20)):
        store.perform(PutMany(tuple(map(entry, numbers))))
        with own_server.client() as client:
            client.script_flush()

    assert 20 == store.count()
    store.close()


@pytest.mark.parametrize("garbage", [b"", b"garbage", b"\x01" * 100])
def test_what_another_program_wrote_under_our_key_is_no_entry(
    redis_store: RedisStore, client: redis.Redis, garbage: bytes
) -> None:
    keys = redis_store.space.keys
    redis_store.perform(Put(entry(1), "s", QUESTION))
    client.set(keys.entry(digest(1)), garbage)
    client.set(keys.alias(digest(2)), b"\xff\xfe")
    client.set(keys.conversation(digest(3)), digest(1))

    assert redis_store.perform(Get(digest(1), digest(2))) is None
    assert all(one.entry is None for one in redis_store.perform(Nearest("s", QUESTION, 0.9)))
    assert ("",) == redis_store.perform(Resolve((digest(3),)))


@pytest.mark.parametrize("is_large", [False, True])
def test_an_entry_that_was_copied_under_the_key_of_another_is_none(
    redis_store: RedisStore, client: redis.Redis, is_large: bool
) -> None:
    keys, kept = redis_store.space.keys, entry(1)
    redis_store.perform(Put(kept, "s", QUESTION))
    redis_store.perform(Put(entry(2), "s", QUESTION))
    redis_store.perform(Alias(digest(3), digest(4), entry(2)))
    client.copy(keys.entry(digest(1)), keys.entry(digest(2)), replace=True)
    redis_store.space.large.update(["s"] if is_large else [])

    assert redis_store.perform(Get(digest(2))) is None
    assert redis_store.perform(Get(digest(5), digest(3))) is None
    assert (kept, None) == redis_store.perform(GetMany((digest(1), digest(2))))
    assert [kept] == [one.entry for one in redis_store.perform(Nearest("s", QUESTION, 0.9))]


def test_a_key_of_another_type_makes_the_cache_unavailable(
    redis_store: RedisStore, client: redis.Redis
) -> None:
    client.set(redis_store.space.keys.vectors("s"), b"not a vector set")

    with pytest.raises(CacheUnavailable, match="wrong kind"):
        redis_store.perform(Nearest("s", QUESTION, 0.9))
    with pytest.raises(CacheUnavailable):
        redis_store.perform(Put(entry(1), "s", QUESTION))
    assert redis_store.perform(Get(digest(1))) is None


def test_a_full_server_keeps_nothing_more_and_goes_on_answering(own_server: RedisServer) -> None:
    store = at(own_server)
    store.perform(Put(entry(1), "s", QUESTION))
    with own_server.client() as client:
        client.config_set("maxmemory-policy", "noeviction")
        client.config_set("maxmemory", 1)
    for command in (
        Put(entry(2), "s", QUESTION),
        Alias(digest(3), digest(4), entry(1)),
        Accept(digest(5), 3600),
    ):
        with pytest.raises(WriteDenied):
            store.perform(command)

    assert store.perform(Get(digest(1))) is not None
    assert store.perform(Get(digest(2))) is None
    assert [digest(1)] == [found.id for found in store.perform(Nearest("s", QUESTION, 0.9))]
    store.close()


def test_a_full_server_is_still_swept(own_server: RedisServer) -> None:
    store = at(own_server)
    store.perform(Put(entry(1, ttl_s=0.02), "s", QUESTION))
    until(lambda: store.count() == 0)
    with own_server.client() as client:
        client.config_set("maxmemory", 1)
        with pytest.raises(WriteDenied):
            store.perform(Put(entry(2), "s", QUESTION))

        assert set() == keys_left(client, store)
    store.close()


def test_a_server_that_was_restarted_is_used_again_at_once(own_server: RedisServer) -> None:
    store = at(own_server)
    store.perform(Put(entry(1)))
    with own_server.client() as client:
        client.client_kill_filter(_type="normal", skipme=True)

    assert store.perform(Get(digest(1))) is not None
    store.close()


def test_a_server_that_is_gone_makes_the_cache_unavailable() -> None:
    with running_redis() as server:
        store = at(server)
        store.perform(Put(entry(1)))
    with pytest.raises(CacheUnavailable):
        store.perform(Get(digest(1)))
    with pytest.raises(CacheUnavailable):
        asyncio.run(AsyncRedisStore(store).perform(Get(digest(1))))
    store.close()


def test_a_frozen_server_costs_about_one_deadline(own_server: RedisServer) -> None:
    store = at(own_server, deadline_s=0.1)
    store.perform(Put(entry(1)))

    async def awaited() -> list[object]:
        waiting = AsyncRedisStore(store)
        # More than there are connections: nobody waits for those who wait.
        asked = (waiting.perform(Get(digest(1))) for _ in range(60))
        return await asyncio.gather(*asked, return_exceptions=True)

    os.kill(own_server.process.pid, signal.SIGSTOP)
    try:
        begun = time.monotonic()
        with pytest.raises(CacheUnavailable):
            store.perform(Get(digest(1)))
        outcomes = asyncio.run(awaited())
        took_s = time.monotonic() - begun
    finally:
        os.kill(own_server.process.pid, signal.SIGCONT)

    assert all(isinstance(outcome, CacheUnavailable) for outcome in outcomes)
    assert took_s < 2.0
    until(lambda: recovered(store))
    store.close()


def test_a_new_connection_that_gets_no_answer_is_not_tried_twice() -> None:
    # Not pytest's tmp_path, which may be too long for a unix socket.
    with (
        tempfile.TemporaryDirectory(prefix="khazad-") as folder,
        socket.socket(socket.AF_UNIX) as deaf,
    ):
        deaf.bind(f"{folder}/s")
        deaf.listen()
        deaf.setblocking(False)
        store = RedisStore(f"unix://{folder}/s", "kh", deadline_s=0.1, max_entries=10)
        with pytest.raises(CacheUnavailable):
            asyncio.run(AsyncRedisStore(store).perform(Get(digest(1))))
        with pytest.raises(CacheUnavailable):
            store.perform(Get(digest(1)))
        for _ in range(2):
            deaf.accept()[0].close()
        with pytest.raises(BlockingIOError):
            deaf.accept()


def recovered(store: RedisStore) -> bool:
    try:
        return store.perform(Get(digest(1))) is not None
    except CacheUnavailable:
        return False


def test_threads_do_not_get_each_others_replies(redis_store: RedisStore) -> None:
    for number in range(20):
        redis_store.perform(Put(entry(number)))
    wrong: list[object] = []

    def ask(number: int) -> None:
        for _ in range(50):
            found = redis_store.perform(Get(digest(number)))
            if found is None or found.id != digest(number):
                wrong.append(found)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [] == wrong
