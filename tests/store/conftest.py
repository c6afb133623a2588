"""One suite, every store: in memory, over Redis in one trip and in two, awaited, sealed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
import redis

from khazad_mitm.store import vectorset
from khazad_mitm.store.cluster_store import AsyncClusterStore, ClusterStore
from khazad_mitm.store.cluster_url import ClusterURL
from khazad_mitm.store.connect import AwaitableStore, Store
from khazad_mitm.store.memory import MemoryStore
from khazad_mitm.store.redis_store import AsyncRedisStore, RedisStore
from khazad_mitm.store.seal import Seal
from tests.clusters import redis_cluster
from tests.servers import RedisServer, redis_server, running_redis

__all__ = ["redis_cluster", "redis_server"]

DEADLINE_S = 5.0
KEY = bytes(range(32))

MakeStore = Callable[..., Any]


@pytest.fixture
def namespace() -> str:
    return f"kh-{uuid4().hex}"


@pytest.fixture
def redis_store(redis_server: RedisServer, namespace: str) -> Iterator[RedisStore]:
    store = RedisStore(redis_server.url, namespace, deadline_s=DEADLINE_S, max_entries=1_000)
    yield store
    store.close()


@pytest.fixture
def own_server() -> Iterator[RedisServer]:
    """A server that a test may ill-treat."""
    with running_redis() as server:
        yield server


class Awaited:
    """The awaiting store behind a blocking face, in one event loop."""

    def __init__(self, store: AwaitableStore) -> None:
        self.loop = asyncio.new_event_loop()
        self._store = store

    def perform(self, command: Any) -> Any:
        return self.loop.run_until_complete(self._store.perform(command))


KINDS = (
    "memory",
    "redis",
    "redis-large-sets",
    "redis-awaited",
    "cluster",
    "cluster-awaited",
    "sealed",
    "cluster-sealed",
)


@pytest.fixture(params=KINDS)
def make_store(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, namespace: str
) -> Iterator[MakeStore]:
    """Makes a store with so many entries at most; a second one shares the first one's entries."""
    closing: list[Callable[[], None]] = []
    if request.param == "redis-large-sets":
        monkeypatch.setattr(vectorset, "LARGE_SET", 0)

    def make(max_entries: int = 1_000, max_bytes: int = 2**30) -> Store:
        bounds = {"max_entries": max_entries, "max_bytes": max_bytes}
        if request.param == "memory":
            return MemoryStore(**bounds)
        seal = Seal((KEY,), namespace) if request.param.endswith("sealed") else None
        store: RedisStore
        awaitable: AwaitableStore
        if request.param.startswith("cluster"):
            url = ClusterURL.read(request.getfixturevalue("redis_cluster").url)
            store = cluster = ClusterStore(
                url, namespace, deadline_s=DEADLINE_S, seal=seal, **bounds
            )
            awaitable = AsyncClusterStore(cluster)
        else:
            server = request.getfixturevalue("redis_server")
            store = RedisStore(server.url, namespace, deadline_s=DEADLINE_S, seal=seal, **bounds)
            awaitable = AsyncRedisStore(store)
        closing.append(store.close)
        if request.param.endswith("-awaited"):
            awaited = Awaited(awaitable)
            closing.append(
                lambda: awaited.loop.run_until_complete(awaited.loop.shutdown_asyncgens())
            )
            closing.append(awaited.loop.close)
            store.perform = awaited.perform  # type: ignore[method-assign]  # all but it is sync
        return store

    yield make
    for close in closing:
        close()


@pytest.fixture
def store(make_store: MakeStore) -> Store:
    made: Store = make_store()
    return made


@pytest.fixture
def client(redis_server: RedisServer) -> Iterator[redis.Redis]:
    with redis_server.client() as client:
        yield client
