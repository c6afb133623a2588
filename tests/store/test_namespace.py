from __future__ import annotations

import pytest

from khazad_mitm.cache.commands import Accept, Get, IsAccepted, Put
from khazad_mitm.store.redis_store import RedisStore
from tests.servers import RedisServer
from tests.store.entries import QUESTION, digest, entry


def at(server: RedisServer, namespace: str) -> RedisStore:
    return RedisStore(server.url, namespace, deadline_s=5.0, max_entries=100)


@pytest.mark.parametrize(
    ("flushed", "neighbour"),
    [
        ("kh*", "kh"),
        ("kh*", "khazad"),
        ("k?", "kh"),
        ("k[gh]", "kh"),
        ("kh\\", "kh"),
        ("{kh}", "kh"),
        ("kh", "{kh}"),
        ("kh", "kh:0"),
        ("a}b", "a"),
        ("ein Raum 🦊", "ein Raum"),
    ],
)
def test_flushing_a_namespace_spares_its_neighbours(
    redis_server: RedisServer, flushed: str, neighbour: str
) -> None:
    one, other = at(redis_server, flushed), at(redis_server, neighbour)
    for store in (one, other):
        store.perform(Put(entry(1), "s", QUESTION))
        store.perform(Accept(digest(1), 100))

    assert 1 == one.flush()
    assert one.perform(Get(digest(1))) is None
    assert not one.perform(IsAccepted(digest(1)))
    assert other.perform(Get(digest(1))) is not None
    assert other.perform(IsAccepted(digest(1)))
    other.flush()
    one.close()
    other.close()


def test_flushing_finds_more_than_one_page_of_keys(redis_store: RedisStore) -> None:
    for number in range(1_000):
        redis_store.perform(Put(entry(number)))

    assert 1_000 == redis_store.flush()
    assert 0 == redis_store.count()


def test_every_process_of_a_namespace_has_the_same_secret(
    redis_server: RedisServer, namespace: str
) -> None:
    one, other = at(redis_server, namespace), at(redis_server, namespace)
    elsewhere = at(redis_server, namespace + "2")

    assert one.secret() == other.secret()
    assert one.secret() != elsewhere.secret()
    for store in (one, other, elsewhere):
        store.close()
