"""Bounds of a namespace: what is kept is counted, and what goes leaves nothing behind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khazad_mitm.cache.commands import (
    Alias,
    Asked,
    Forget,
    ForgetMany,
    Get,
    Inventory,
    Label,
    Nearest,
    Put,
    Remember,
)
from khazad_mitm.store import vectorset
from khazad_mitm.store.memory import MemoryStore
from khazad_mitm.store.redis_store import RedisStore
from tests.servers import RedisServer, until
from tests.store.conftest import DEADLINE_S, MakeStore
from tests.store.entries import QUESTION, at_cosine, digest, entry
from tests.store.invariants import Namespace

MOST_ENTRIES = 6
MOST_BYTES = 16_000

numbers = st.integers(0, 9)
puts = st.builds(
    lambda number, size, scope, ttl_s: Put(
        entry(number, ttl_s, answer=b"x" * size), scope, QUESTION if scope else None
    ),
    numbers,
    st.sampled_from([0, 100, 3_000, 9_000, 20_000]),
    st.sampled_from([None, "s", "t"]),
    st.sampled_from([None, 1_000, 1_000, 0.005]),
)
aliases = st.builds(
    lambda number, alias, conversation: Alias(
        digest(100 + alias), digest(200 + conversation), entry(number)
    ),
    numbers,
    numbers,
    numbers,
)
asked = st.builds(
    lambda number, length: Remember(
        digest(number), Asked(digest(1), "why" * length, "messages[0].content", 0.9, 1e9, "t")
    ),
    numbers,
    st.integers(0, 300),
)
others = st.one_of(
    st.builds(lambda number: Forget(digest(number)), numbers),
    st.builds(lambda some: ForgetMany(tuple(map(digest, some))), st.lists(numbers, max_size=3)),
    st.builds(lambda number, tag: Label(digest(number), (f"tag {tag}",)), numbers, numbers),
    st.builds(lambda number, alias: Get(digest(number), digest(100 + alias)), numbers, numbers),
    st.builds(lambda scope: Nearest(scope, at_cosine(0.99), 0.9), st.sampled_from(["s", "t"])),
)
stories = st.lists(st.one_of(puts, puts, aliases, asked, others), max_size=30)


@given(stories)
def test_after_anything_the_account_is_right_and_nothing_is_left_over(
    redis_server: RedisServer, story: list[Any]
) -> None:
    store = RedisStore(
        redis_server.url,
        uuid4().hex,
        deadline_s=DEADLINE_S,
        max_entries=MOST_ENTRIES,
        max_bytes=MOST_BYTES,
    )
    with redis_server.client() as client:
        namespace = Namespace(client, store.space.keys)
        for command in story:
            store.perform(command)
            namespace.check(max_entries=MOST_ENTRIES, max_bytes=MOST_BYTES)
        store.perform(ForgetMany(tuple(digest(number) for number in range(10))))
        assert set() == namespace.names()
    store.close()


@given(stories)
def test_what_has_expired_goes_with_the_next_writes(
    redis_server: RedisServer, story: list[Any]
) -> None:
    store = RedisStore(
        redis_server.url, uuid4().hex, deadline_s=DEADLINE_S, max_entries=10, max_bytes=MOST_BYTES
    )
    with redis_server.client() as client:
        namespace = Namespace(client, store.space.keys)
        for command in story:
            if isinstance(command, Put):
                command = Put(entry(int(command.entry.id, 16), 0.02), command.scope, command.vector)
            store.perform(command)
        until(lambda: store.count() == 0)
        store.perform(Put(entry(99)))
        store.perform(Forget(digest(99)))
        assert set() == namespace.names()
    store.close()


@given(stories)
def test_memory_counts_and_forgets_alike(story: list[Any]) -> None:
    store = MemoryStore(max_entries=MOST_ENTRIES, max_bytes=MOST_BYTES)
    for command in story:
        store.perform(command)
        kept = store._kept
        assert store._bytes == sum(one.size_bytes for one in kept.values()) <= MOST_BYTES
        assert len(kept) <= MOST_ENTRIES
        assert {id_ for id_, _ in store._aliases.values()} <= set(kept)
        assert set(store._conversations.values()) <= set(kept)
        assert sum(map(len, store._vectors.values())) == sum(
            one.scope is not None for one in kept.values()
        )
    store.perform(ForgetMany(tuple(digest(number) for number in range(10))))
    store.perform(Put(entry(99)))
    store.perform(Forget(digest(99)))
    left = (store._kept, store._aliases, store._conversations, store._vectors)
    assert ({}, {}, {}, {}, 0) == (*left, store._bytes)


def sizes(store: Any) -> int:
    return sum(facts.size_bytes for facts in store.perform(Inventory()))


def test_beyond_the_bytes_the_least_recently_used_goes(make_store: MakeStore) -> None:
    store = make_store(max_bytes=50_000)
    for number in range(20):
        store.perform(Put(entry(number, answer=b"x" * 5_000), "s", QUESTION))
        store.perform(Get(digest(0)))

    assert sizes(store) <= 50_000
    assert 4 <= store.count() <= 9
    assert store.perform(Get(digest(19))) is not None
    assert store.perform(Get(digest(1))) is None
    assert store.count() == len(store.perform(Nearest("s", QUESTION, 0.9, count=100)))


def test_one_large_entry_takes_the_room_of_many(make_store: MakeStore) -> None:
    store = make_store(max_bytes=300_000)
    for number in range(150):
        store.perform(Put(entry(number)))
    store.perform(Put(entry(900, answer=b"x" * 200_000)))

    assert store.perform(Get(digest(900))) is not None
    assert sizes(store) <= 300_000


def test_an_entry_larger_than_all_is_not_kept_and_costs_nobody_his_place(
    make_store: MakeStore,
) -> None:
    store = make_store(max_bytes=50_000)
    store.perform(Put(entry(1)))
    store.perform(Put(entry(2, answer=b"x" * 60_000)))
    store.perform(Put(entry(2, answer=b"x" * 60_000), "s", QUESTION))

    assert store.perform(Get(digest(1))) is not None
    assert store.perform(Get(digest(2))) is None
    assert [] == store.perform(Nearest("s", QUESTION, 0.0))


def test_an_entry_too_large_forgets_the_one_it_was_to_replace(make_store: MakeStore) -> None:
    store = make_store(max_bytes=50_000)
    store.perform(Put(entry(1)))
    store.perform(Put(entry(1, answer=b"x" * 60_000)))

    assert store.perform(Get(digest(1))) is None


def test_putting_the_same_again_counts_once(make_store: MakeStore) -> None:
    store = make_store()
    kept = entry(1)
    store.perform(Put(kept, "s", QUESTION))
    before = sizes(store)
    for _ in range(20):
        store.perform(Put(kept, "s", QUESTION))

    assert before == sizes(store)


def test_aliases_and_what_was_asked_count_too(make_store: MakeStore) -> None:
    store = make_store(max_bytes=20_000)
    for number in range(3):
        store.perform(Put(entry(number)))
    before = sizes(store)
    store.perform(Alias(digest(100), digest(200), entry(2)))
    store.perform(Alias(digest(100), digest(200), entry(2)))
    once = sizes(store)
    store.perform(Remember(digest(2), Asked(digest(1), "w" * 900, "p", 0.9, 1e9, "t")))

    assert before < once < sizes(store) - 900
    for number in range(200):
        store.perform(Alias(digest(300 + number), digest(600 + number), entry(2)))
    assert sizes(store) <= 20_000


def test_the_aliases_of_one_entry_are_bounded(
    make_store: MakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vectorset, "MOST_LINKS", 10)
    monkeypatch.setattr("khazad_mitm.store.memory.MOST_LINKS", 10)
    store = make_store()
    store.perform(Put(entry(1), "s", QUESTION))
    for number in range(100):
        store.perform(Alias(digest(300 + number), digest(600 + number), entry(1)))

    found = [store.perform(Get(digest(2), digest(300 + number))) for number in range(100)]
    assert 1 <= sum(one is not None for one in found) <= 10
    assert 1 == len(store.perform(Nearest("s", QUESTION, 0.9)))


def test_a_smaller_bound_is_reached_in_a_few_writes(
    redis_store: RedisStore, redis_server: RedisServer, namespace: str
) -> None:
    for number in range(600):
        redis_store.perform(Put(entry(number)))
    smaller = RedisStore(
        redis_server.url, namespace, deadline_s=5.0, max_entries=1_000, max_bytes=20_000
    )
    for number in range(600, 612):
        smaller.perform(Put(entry(number)))

    assert sizes(smaller) <= 20_000
    smaller.close()


def test_a_long_run_of_writes_leaves_memory_flat() -> None:
    """Of the store in memory: nothing grows with what has been written, only with what is kept."""
    store = MemoryStore(max_entries=50, max_bytes=2**20)

    def write(start: int) -> None:
        for number in range(start, start + 2_000):
            one = entry(number % 60)
            store.perform(Put(one, digest(number % 7), QUESTION))
            store.perform(Alias(digest(number), digest(number + 1), one))

    def grown() -> list[int]:
        return [
            *map(len, (store._kept, store._aliases, store._conversations, store._vectors)),
            len(store._expiry) // 200,
        ]

    write(0)
    before = grown()
    write(2_000)
    assert before == grown()


def test_the_bytes_of_a_server_are_about_those_counted(
    own_store: Callable[..., RedisStore], redis_server: RedisServer
) -> None:
    """Within a third: what is counted shall be what a server needs."""
    with redis_server.client() as client:
        store = own_store()
        before = client.info("memory")["used_memory_dataset"]
        for number in range(1_500):
            kept = entry(number, answer=b"x" * 700)
            store.perform(Put(kept, digest(number % 40), at_cosine(number / 1_500)))
            store.perform(Alias(digest(10_000 + number), digest(20_000 + number), kept))
        used = client.info("memory")["used_memory_dataset"] - before

    assert 0.67 < sizes(store) / used < 1.5


@pytest.fixture
def own_store(redis_server: RedisServer, namespace: str) -> Callable[..., RedisStore]:
    return lambda: RedisStore(
        redis_server.url, namespace, deadline_s=DEADLINE_S, max_entries=10_000
    )
