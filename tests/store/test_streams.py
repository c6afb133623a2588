"""Streams that one worker leads and others read, in a store that they share."""

from __future__ import annotations

from typing import Any

import pytest
import redis

from khazad_mitm.cache.worker_commands import (
    MOST_READ,
    Heard,
    Issue,
    Place,
    Publish,
    Read,
    Wanted,
)
from khazad_mitm.store.connect import Store
from khazad_mitm.store.keys import Keys
from khazad_mitm.store.redis_store import RedisStore
from khazad_mitm.store.seal import Seal
from tests.servers import RedisServer, until
from tests.store.conftest import KEY
from tests.store.entries import digest

# In a cluster they lie in different slots.
ONE, ANOTHER = Place(digest(1), "0" * 32), Place("0005" + digest(2)[4:], "1" * 32)
SHARED = pytest.mark.parametrize(
    "make_store",
    ["redis", "redis-awaited", "cluster", "cluster-awaited", "sealed", "cluster-sealed"],
    indirect=True,
)


def at(place: Place, number: int) -> Place:
    return Place(place.flight, place.stream, number)


def publish(store: Store, *issues: Issue, seconds: float = 60.0) -> Any:
    return store.perform(Publish(issues, seconds))


def issue(place: Place, *blocks: bytes, oldest: int = 0, dropped: int = 0) -> Issue:
    return Issue(place, blocks, oldest, dropped)


def read(store: Store, *places: Place) -> Any:
    return store.perform(Read(places, 60.0))


@SHARED
def test_blocks_are_read_from_any_place_on_in_their_order(store: Store) -> None:
    assert (True, True) == publish(store, issue(ONE, b"a", b"\x00\xff"), issue(ANOTHER, b"z"))
    assert (True,) == publish(store, issue(at(ONE, 2), b"c"))

    assert (Heard((b"a", b"\x00\xff", b"c")), Heard((b"z",))) == read(store, ONE, ANOTHER)
    assert (Heard((b"c",)), Heard(())) == read(store, at(ONE, 2), at(ONE, 3))


@SHARED
def test_what_was_never_told_is_not_there(store: Store) -> None:
    assert (None, None) == read(store, ONE, ANOTHER)


@SHARED
def test_the_same_may_be_told_again(store: Store) -> None:
    for _ in range(2):
        assert (True,) == publish(store, issue(ONE, b"a", b"b"))

    assert (Heard((b"a", b"b")),) == read(store, ONE)


@SHARED
def test_the_leader_is_told_where_the_store_has_lost_what_was_before(store: Store) -> None:
    assert (False,) == publish(store, issue(at(ONE, 2), b"c"))
    # It will be told again: nobody takes it for dropped.
    assert (Heard(()), Heard((b"c",))) == read(store, ONE, at(ONE, 2))

    assert (True,) == publish(store, issue(ONE, b"a", b"b", b"c"))


@SHARED
def test_what_was_dropped_is_lost_to_whoever_asks_for_it(store: Store) -> None:
    publish(store, issue(ONE, b"a", b"b", b"c"))
    assert (True,) == publish(store, issue(at(ONE, 3), b"d", oldest=2, dropped=0))

    lost = Heard((), is_lost=True)
    assert (lost, lost, Heard((b"c", b"d"))) == read(store, ONE, at(ONE, 1), at(ONE, 2))


@SHARED
def test_no_trip_reads_more_than_some(store: Store) -> None:
    words = tuple(b"%d" % number for number in range(MOST_READ + 3))
    publish(store, issue(ONE, *words))

    (first,) = read(store, ONE)
    assert words[:MOST_READ] == first.blocks
    assert (Heard(words[MOST_READ:]),) == read(store, at(ONE, MOST_READ))


@SHARED
def test_a_stream_is_wanted_once_somebody_has_asked_for_its_first_block(store: Store) -> None:
    both = Wanted((ONE, ANOTHER))
    read(store, at(ONE, 1))
    assert (False, False) == store.perform(both)
    read(store, ANOTHER)
    assert (False, True) == store.perform(both)
    read(store, Place(ANOTHER.flight, "2" * 32))  # the next one of that flight

    assert (False, False) == store.perform(both)


@SHARED
def test_all_of_it_has_an_end(store: Store) -> None:
    publish(store, issue(ONE, b"a"), seconds=0.05)
    store.perform(Read((ONE,), 0.05))

    until(lambda: read(store, at(ONE, 1)) == (None,))
    until(lambda: store.perform(Wanted((ONE,))) == (False,))


@SHARED
def test_one_that_has_not_been_heard_of_lately_is_begun_by_nobody(store: Store) -> None:
    publish(store, issue(ONE, b"a", b"b"), seconds=60.0)
    places = (ONE, ANOTHER, at(ONE, 1))

    begun = (Heard((b"a", b"b")), None, Heard((b"b",)))
    assert begun == store.perform(Read(places, 60.0, rest_s=30.0))
    assert (None, *begun[1:]) == store.perform(Read(places, 60.0, rest_s=61.0))


@SHARED
def test_whoever_says_more_puts_the_end_off(store: Store) -> None:
    publish(store, issue(ONE, b"a"), issue(ANOTHER, b"z"), seconds=0.2)
    publish(store, issue(at(ONE, 1)))
    until(lambda: read(store, ANOTHER) == (None,))

    assert (Heard((b"a",)),) == read(store, ONE)


@SHARED
def test_a_flush_leaves_nothing_of_it(store: Any) -> None:
    publish(store, issue(ONE, b"a"))
    read(store, ONE)
    store.flush()

    assert (None,) == read(store, at(ONE, 1))
    assert (False,) == store.perform(Wanted((ONE,)))


def test_in_one_process_nobody_else_reads() -> None:
    from khazad_mitm.store.memory import MemoryStore

    store = MemoryStore(max_entries=9)

    assert (True,) == publish(store, issue(ONE, b"a"))
    assert ((None,), (False,)) == (read(store, ONE), store.perform(Wanted((ONE,))))


@pytest.fixture
def sealed(redis_server: RedisServer, namespace: str) -> Any:
    seal = Seal((KEY,), namespace)
    store = RedisStore(redis_server.url, namespace, deadline_s=5.0, max_entries=9, seal=seal)
    publish(store, issue(ONE, b"secret a", b"secret b", b"secret c"))
    yield store
    store.close()


def test_sealed_nothing_of_it_can_be_read(
    sealed: RedisStore, client: redis.Redis, namespace: str
) -> None:
    lying = client.hgetall(Keys.of(namespace).stream(ONE.stream))

    assert {b"o", b"0", b"1", b"2"} == set(lying)
    assert not any(b"secret" in value for value in lying.values())


@pytest.mark.parametrize(
    ("number", "forged"),
    [(0, b"secret x"), (1, None), (1, 2), (2, b""), (0, b"\xe5" * 60)],
    ids=["in the clear", "of another stream", "of another place", "empty", "made up"],
)
def test_sealed_a_forged_block_and_what_follows_it_is_lost(
    number: int, forged: Any, sealed: RedisStore, client: redis.Redis, namespace: str
) -> None:
    keys = Keys.of(namespace)
    name = keys.stream(ONE.stream)
    if forged is None:
        other = Place(ONE.flight, "5" * 32)
        publish(sealed, issue(other, b"secret a", b"secret b", b"secret c"))
        forged = client.hget(keys.stream(other.stream), str(number))
    elif isinstance(forged, int):
        forged = client.hget(name, str(forged))
    client.hset(name, str(number), forged)
    whole = (b"secret a", b"secret b", b"secret c")

    assert (Heard(whole[:number], is_lost=True),) == read(sealed, ONE)


@pytest.mark.parametrize("oldest", [b"", b"x", b"-1", b"9" * 400, b"\xff", b"nan"])
def test_an_oldest_block_that_is_no_number_is_none_of_ours(
    oldest: bytes, redis_store: RedisStore, client: redis.Redis, namespace: str
) -> None:
    client.hset(Keys.of(namespace).stream(ONE.stream), "o", oldest)

    # Nor is what has no end.
    assert (None, Heard((), is_lost=True)) == read(redis_store, ONE, at(ONE, 1))
