"""What every store tells of its entries, and how it forgets several; `memory` is held to it too."""

from __future__ import annotations

import pytest
import redis

from khazad_mitm.cache.commands import Alias, ForgetMany, Get, Inventory, Label, Nearest, Put
from khazad_mitm.cache.facts import Facts
from khazad_mitm.store import inventory
from khazad_mitm.store.connect import Store
from khazad_mitm.store.inventory import MOST_TAGS
from khazad_mitm.store.redis_store import RedisStore
from tests.servers import RedisServer, until
from tests.store.conftest import MakeStore
from tests.store.entries import QUESTION, digest, entry


def known(store: Store) -> dict[str, Facts]:
    return {facts.id: facts for facts in store.perform(Inventory())}


def test_an_entry_is_told_without_its_body(store: Store) -> None:
    kept = entry(1, tags=("faq", "de at"), tenant="t")
    store.perform(Put(kept, "s", QUESTION))

    (facts,) = store.perform(Inventory())
    assert (kept.id, kept.provider, kept.model) == (facts.id, facts.provider, facts.model)
    assert (kept.stored_at, kept.expires_at) == (facts.stored_at, facts.expires_at)
    assert (("faq", "de at"), "t") == (facts.tags, facts.tenant)
    assert len(kept.answer) + len(kept.original) < facts.size_bytes


def test_more_entries_than_are_read_at_once_are_all_told(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inventory, "SCANNED", 100)
    for number in range(700):
        store.perform(Put(entry(number)))

    assert {digest(number) for number in range(700)} == set(known(store))


def test_what_has_expired_is_not_told(store: Store) -> None:
    store.perform(Put(entry(1, ttl_s=0.05)))
    store.perform(Put(entry(2, ttl_s=None)))

    until(lambda: set(known(store)) == {digest(2)})


def test_putting_again_tells_of_the_newer_one(store: Store) -> None:
    store.perform(Put(entry(1, model="old", tags=("a",))))
    store.perform(Put(entry(1, model="new", tags=())))

    assert ("new", ()) == (known(store)[digest(1)].model, known(store)[digest(1)].tags)


def test_an_entry_is_labelled_further(store: Store) -> None:
    store.perform(Put(entry(1, tags=("a",))))
    store.perform(Put(entry(2, tags=())))
    store.perform(Label(digest(1), ("b", "a", "c")))
    store.perform(Label(digest(2), ("b",)))
    store.perform(Label(digest(3), ("b",)))

    told = known(store)
    assert ("a", "b", "c") == told[digest(1)].tags
    assert ("b",) == told[digest(2)].tags
    assert digest(3) not in told


def test_labels_of_an_entry_are_bounded(store: Store) -> None:
    store.perform(Put(entry(1, tags=())))
    for number in range(MOST_TAGS + 10):
        store.perform(Label(digest(1), (str(number),)))

    assert MOST_TAGS == len(known(store)[digest(1)].tags)


def test_several_are_forgotten_with_all_that_goes_with_them(store: Store) -> None:
    for number in range(100):
        store.perform(Put(entry(number), "s", QUESTION))
    store.perform(Alias(digest(200), digest(201), entry(1)))
    gone = tuple(digest(number) for number in range(99))

    assert 99 == store.perform(ForgetMany((*gone, digest(300))))
    assert {digest(99)} == set(known(store))
    assert store.perform(Get(digest(400), digest(200))) is None
    assert [digest(99)] == [one.id for one in store.perform(Nearest("s", QUESTION, 0.9))]
    assert 0 == store.perform(ForgetMany(gone))
    assert 0 == store.perform(ForgetMany(()))


def test_the_facts_of_an_evicted_entry_go_with_it(make_store: MakeStore) -> None:
    store = make_store(max_entries=2)
    for number in range(5):
        store.perform(Put(entry(number)))

    assert 2 == len(known(store))


@pytest.mark.parametrize(
    "line", [b"", b"x", b"1 []\n", b"1 {}\na", b"x [1]", b"\xff", b"1 [" * 9999]
)
def test_facts_that_another_program_wrote_are_none(
    redis_store: RedisStore, redis_server: RedisServer, line: bytes
) -> None:
    redis_store.perform(Put(entry(1)))
    with redis_server.client() as client:
        client.hset(redis_store.space.keys.facts, digest(2), line)

    assert {digest(1)} == set(known(redis_store))


def test_a_full_server_labels_nothing_and_fails_not(
    redis_store: RedisStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> object:
        raise redis.exceptions.OutOfMemoryError("OOM")

    monkeypatch.setattr(inventory, "call", full)
    assert redis_store.perform(Label(digest(1), ("a",))) is None
