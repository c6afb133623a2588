"""What is particular to a cluster: buckets, bounds of all together, masters that die."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from khazad_mitm.cache.commands import (
    Accept,
    Alias,
    Block,
    Find,
    ForgetMany,
    Get,
    GetMany,
    Inventory,
    IsAccepted,
    Nearest,
    Put,
    PutMany,
)
from khazad_mitm.errors import CacheUnavailable
from khazad_mitm.exchange import Entry
from khazad_mitm.store import space as spaces
from khazad_mitm.store.cluster_store import BUCKETS, AsyncClusterStore, ClusterStore
from khazad_mitm.store.cluster_url import ClusterURL
from tests.clusters import Cluster, running_cluster
from tests.servers import until
from tests.store.conftest import DEADLINE_S
from tests.store.entries import QUESTION, entry
from tests.store.invariants import Namespace


def at(
    cluster: Cluster, namespace: str, deadline_s: float = DEADLINE_S, **bounds: int
) -> ClusterStore:
    most = {"max_entries": 1_000, **bounds}
    return ClusterStore(ClusterURL.read(cluster.url), namespace, deadline_s=deadline_s, **most)


@pytest.fixture
def store(redis_cluster: Cluster, namespace: str) -> Iterator[ClusterStore]:
    made = at(redis_cluster, namespace)
    yield made
    made.close()


def name(bucket: int, number: int = 0) -> str:
    return f"{bucket:04x}{number:028x}"


def kept(bucket: int, number: int = 0, **changes: object) -> Entry:
    return replace(entry(1), id=name(bucket, number), conversation=name(bucket, 999), **changes)


def test_entries_of_all_buckets_are_kept_on_all_masters(
    store: ClusterStore, redis_cluster: Cluster
) -> None:
    entries = tuple(kept(bucket) for bucket in range(3 * BUCKETS))
    store.perform(PutMany(entries))
    wanted = tuple(one.id for one in reversed(entries))

    assert entries[::-1] == store.perform(GetMany(wanted))
    assert len(entries) == store.count() == len(store.perform(Inventory()))
    keys = {store.space.at(one.id).expiry for one in entries}
    assert BUCKETS == len(keys)
    assert 3 == len({redis_cluster.serving(key).port for key in keys})


def test_what_belongs_to_an_entry_lies_in_its_bucket(
    store: ClusterStore, redis_cluster: Cluster
) -> None:
    one = kept(5)
    store.perform(Put(one, name(5, 1), QUESTION))
    store.perform(Alias(name(5, 2), name(5, 3), one))
    store.perform(Block(name(5, 7), name(6, 7)))
    store.perform(Accept(name(9), 100))

    assert one == store.perform(Get(name(5, 8), name(5, 2)))
    assert [one.id] == [found.id for found in store.perform(Nearest(name(5, 1), QUESTION, 0.9))]
    assert store.perform(IsAccepted(name(9)))
    assert (one.id,) == store.perform(Find("0005"))
    keys = store.space.at(one.id)
    with redis_cluster.serving(keys.expiry).client() as client:
        Namespace(client, keys).check(max_entries=1_000, max_bytes=2**30)


def test_forgetting_and_flushing_reach_all_buckets(store: ClusterStore) -> None:
    entries = tuple(kept(bucket) for bucket in range(BUCKETS))
    store.perform(PutMany(entries))

    assert 10 == store.perform(ForgetMany(tuple(one.id for one in entries[:10])))
    assert BUCKETS - 10 == store.flush()
    assert 0 == store.count()


def test_one_bucket_may_have_all_there_is_room_for(
    redis_cluster: Cluster, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spaces, "SURVEY_EVERY_MS", 0)
    store = at(redis_cluster, namespace, max_entries=100)
    for number in range(120):
        store.perform(Put(kept(1, number)))

    assert 95 <= store.count() <= 100
    store.close()


def test_beyond_the_bounds_every_bucket_that_is_written_to_gives_its_share(
    redis_cluster: Cluster, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spaces, "SURVEY_EVERY_MS", 0)
    store = at(redis_cluster, namespace, max_entries=100)
    for number in range(40):
        for bucket in (1, 2, 3, 4):
            store.perform(Put(kept(bucket, number)))

    assert store.count() <= 110
    counted = [
        sum(one.id.startswith(f"{b:04x}") for one in store.perform(Inventory())) for b in range(5)
    ]
    assert all(15 <= count <= 35 for count in counted[1:])
    store.close()


def test_the_bytes_of_all_buckets_are_bounded(
    redis_cluster: Cluster, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spaces, "SURVEY_EVERY_MS", 0)
    store = at(redis_cluster, namespace, max_bytes=200_000)
    for number in range(60):
        store.perform(Put(kept(number % 7, number, answer=b"x" * 9_000)))
    sizes = [facts.size_bytes for facts in store.perform(Inventory())]

    assert 100_000 < sum(sizes) <= 220_000
    store.close()


def test_what_nobody_writes_to_any_more_keeps_nobody_out(
    redis_cluster: Cluster, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spaces, "SURVEY_EVERY_MS", 0)
    store = at(redis_cluster, namespace, max_entries=100, max_bytes=10**6)
    store.perform(PutMany(tuple(kept(1, number) for number in range(100))))
    for number in range(90):
        store.perform(Put(kept(2, number)))
    counted = [
        sum(one.id.startswith(f"{bucket:04x}") for one in store.perform(Inventory()))
        for bucket in (1, 2)
    ]

    assert sum(counted) <= 110
    assert counted[1] >= 80
    store.close()


def test_what_has_expired_in_a_bucket_is_swept_by_writers_to_others(
    redis_cluster: Cluster, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spaces, "SURVEY_EVERY_MS", 0)
    store = at(redis_cluster, namespace)
    store.perform(Put(kept(1, expires_at=time.time() + 0.05), name(1, 1), QUESTION))
    until(lambda: store.count() == 0)
    store.perform(Put(kept(2)))
    keys = store.space.at(name(1))

    with redis_cluster.serving(keys.expiry).client() as client:
        assert set() == Namespace(client, keys).names()
    store.close()


def test_flushing_finds_more_than_one_page_of_a_bucket(store: ClusterStore) -> None:
    store.perform(PutMany(tuple(kept(1, number) for number in range(900))))

    assert 900 == store.flush()
    assert 0 == store.count()


def test_a_secret_that_was_lost_comes_back(
    redis_cluster: Cluster, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spaces, "SURVEY_EVERY_MS", 0)
    store = at(redis_cluster, namespace)
    secret = store.secret()
    with redis_cluster.serving(store.space.keys.secret).client() as client:
        client.delete(store.space.keys.secret)
    store.perform(Put(kept(1)))

    assert secret == at(redis_cluster, namespace).secret()
    store.close()


@pytest.fixture(scope="module")
def own_cluster() -> Iterator[Cluster]:
    """A cluster that a test may ill-treat."""
    with running_cluster() as cluster:
        yield cluster


def test_a_master_killed_under_load_costs_its_slots_and_only_for_a_while(
    own_cluster: Cluster, namespace: str
) -> None:
    """Threads and a loop ask and keep all the time: nothing hangs, nothing is wrong, the other
    masters' entries are served on, and the dead one's again when its replica has taken over."""
    store = at(own_cluster, namespace, deadline_s=1.0)
    entries = {bucket: kept(bucket) for bucket in range(BUCKETS)}
    store.perform(PutMany(tuple(entries.values())))
    victim = own_cluster.serving(store.space.at(name(3)).expiry)
    # What was acknowledged is to be on the replicas before one of their masters is killed.
    until(lambda: _replicas_have_all(own_cluster))
    lost = {b for b in entries if own_cluster.serving(store.space.at(name(b)).expiry) is victim}
    over, wrong, slowest = threading.Event(), [], [0.0]
    served: dict[int, float] = {}

    def answered(bucket: int, found: Entry | None, began: float) -> None:
        took = time.monotonic() - began
        slowest[0] = max(slowest[0], took)
        if found is not None and found != entries[bucket]:
            wrong.append(found)
        if found is not None:
            served[bucket] = time.monotonic()

    def ask(bucket: int) -> None:
        while not over.is_set():
            began = time.monotonic()
            try:
                answered(bucket, store.perform(Get(name(bucket))), began)
                store.perform(Put(kept(bucket, 1)))
            except CacheUnavailable:
                slowest[0] = max(slowest[0], time.monotonic() - began)

    async def ask_all() -> None:
        awaitable = AsyncClusterStore(store)
        while not over.is_set():
            for bucket in entries:
                began = time.monotonic()
                try:
                    answered(bucket, await awaitable.perform(Get(name(bucket))), began)
                except CacheUnavailable:
                    slowest[0] = max(slowest[0], time.monotonic() - began)

    buckets = [min(lost), min(set(entries) - lost)]
    threads = [threading.Thread(target=ask, args=(bucket,)) for bucket in buckets]
    threads.append(threading.Thread(target=lambda: asyncio.run(ask_all())))
    for thread in threads:
        thread.start()
    try:
        until(lambda: len(served) == BUCKETS)
        victim.kill()
        killed_at = time.monotonic()
        # The others go on meanwhile.
        until(lambda: all(served[b] > killed_at for b in entries if b not in lost))
        until(lambda: all(served[b] > killed_at for b in lost), 60.0)
    finally:
        over.set()
        for thread in threads:
            thread.join()

    assert [] == wrong
    # Some deadlines, never a hang.
    assert slowest[0] < 10.0
    assert set(entries.values()) <= set(store.perform(GetMany(tuple(map(name, entries)))))
    store.close()


def test_a_master_that_hangs_costs_a_deadline(own_cluster: Cluster, namespace: str) -> None:
    store = at(own_cluster, namespace, deadline_s=0.2)
    store.perform(PutMany(tuple(kept(bucket) for bucket in range(BUCKETS))))
    victim = own_cluster.serving(store.space.at(name(3)).expiry)
    os.kill(victim.process.pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        with pytest.raises(CacheUnavailable):
            store.perform(Get(name(3)))
        took = time.monotonic() - began
    finally:
        os.kill(victim.process.pid, signal.SIGCONT)

    assert took < 5.0
    until(lambda: _recovered(store))
    store.close()


def _recovered(store: ClusterStore) -> bool:
    try:
        return store.perform(Get(name(3))) is not None
    except CacheUnavailable:
        return False


def _replicas_have_all(cluster: Cluster) -> bool:
    for node in cluster.masters():
        with node.client() as client:
            told = client.info("replication")
        for number in range(int(told["connected_slaves"])):
            if told[f"slave{number}"]["offset"] < told["master_repl_offset"]:
                return False
    return True
