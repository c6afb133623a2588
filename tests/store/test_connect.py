from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest

from khazad_mitm.cache.commands import Get, Put
from khazad_mitm.errors import ConfigError
from khazad_mitm.store.connect import Bounds, Stores, connect
from tests.clusters import Cluster
from tests.servers import RedisServer
from tests.store.entries import digest, entry


def opened(url: str, namespace: str = "kh") -> Stores:
    return connect(url, namespace, deadline_s=5.0, bounds=Bounds(100, 2**30))


def test_a_redis_url_gives_a_namespace_both_ways(
    redis_server: RedisServer, namespace: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "khazad")
    stores = opened(redis_server.url, namespace)
    stores.sync.perform(Put(entry(1)))

    assert asyncio.run(stores.awaitable.perform(Get(digest(1)))) is not None
    assert redis_server.url == stores.url
    assert [f"store: {stores.url}"] == caplog.messages
    stores.sync.close()


def test_auto_takes_the_redis_of_this_machine(
    redis_server: RedisServer, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("khazad_mitm.store.connect.LOCAL_REDIS", redis_server.url)
    stores = opened("auto", namespace)

    assert redis_server.url == stores.url
    stores.sync.close()


def test_auto_brings_a_server_along_where_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("khazad_mitm.store.connect.LOCAL_REDIS", f"unix://{tmp_path}/none")
    for variable in ("XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR"):
        monkeypatch.setenv(variable, str(tmp_path))
    stores = opened("auto")
    stores.sync.perform(Put(entry(1)))

    assert stores.sync.perform(Get(digest(1))) is not None
    assert stores.url.startswith("embedded server, unix://")
    stores.sync.close()


def test_memory_gives_a_namespace_both_ways() -> None:
    stores = opened("memory")
    stores.sync.perform(Put(entry(1)))

    assert asyncio.run(stores.awaitable.perform(Get(digest(1)))) is not None
    assert "memory" == stores.url


def test_what_one_process_keeps_another_finds(redis_server: RedisServer, namespace: str) -> None:
    one, other = (opened(redis_server.url, namespace) for _ in range(2))
    one.sync.perform(Put(entry(1)))

    assert other.sync.perform(Get(digest(1))) is not None
    assert one.sync.secret() == other.sync.secret()
    for stores in (one, other):
        stores.sync.close()


def test_a_cluster_gives_a_namespace_both_ways(redis_cluster: Cluster, namespace: str) -> None:
    stores = opened(redis_cluster.url, namespace)
    stores.sync.perform(Put(entry(1)))

    assert asyncio.run(stores.awaitable.perform(Get(digest(1)))) is not None
    assert redis_cluster.url == stores.url
    assert stores.sync.secret() == opened(redis_cluster.url, namespace).sync.secret()
    stores.sync.close()


def test_a_cluster_and_a_single_server_are_told_apart(
    redis_cluster: Cluster, redis_server: RedisServer
) -> None:
    node = f"127.0.0.1:{redis_cluster.nodes[0].port}"
    with pytest.raises(ConfigError, match=rf"is a node of a cluster\n\nhint: .*cluster://{node}"):
        opened(f"redis://{node}")
    with pytest.raises(ConfigError, match=r"no Redis answers at redis://127\.0\.0\.1:9"):
        opened("redis+cluster://127.0.0.1:9,127.0.0.1:9")


def test_one_node_of_those_named_may_be_away(redis_cluster: Cluster, namespace: str) -> None:
    alive = redis_cluster.url.partition("://")[2]
    stores = opened(f"redis+cluster://127.0.0.1:9,{alive}", namespace)

    assert stores.sync.perform(Get(digest(1))) is None
    stores.sync.close()


@pytest.mark.parametrize("url", ["", "http://localhost", "memcached://x", "Memory", "memory://"])
def test_an_unknown_kind_of_store_is_an_error_with_a_hint(url: str) -> None:
    with pytest.raises(ConfigError, match="is no kind of store\n\nhint: auto, embedded, memory"):
        opened(url)


def test_a_namespace_is_not_empty(redis_server: RedisServer) -> None:
    with pytest.raises(ConfigError, match="khazad_namespace"):
        opened(redis_server.url, "")
