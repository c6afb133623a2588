"""From `khazad_redis_url` to a store that works, or an error that helps.

The one place that knows which kinds of store there are. Asks at start-up, so that a wrong URL is
not found out by traffic.
"""

from __future__ import annotations

import logging
import sys
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from khazad_mitm.errors import CacheUnavailable, ConfigError

if TYPE_CHECKING:
    from khazad_mitm.cache.commands import StoreCommand
    from khazad_mitm.store.embedded import EmbeddedServer
    from khazad_mitm.store.redis_store import RedisStore
    from khazad_mitm.store.seal import Seal

logger = logging.getLogger("khazad")

LOCAL_REDIS = "redis://localhost:6379"
# `auto` looks for a Redis on this machine; one that is there answers in a millisecond.
LOOK_S = 0.25
# What a server may take for its first answer.
START_S = 5.0


class Store(Protocol):
    """A namespace, blocking; any thread may call."""

    def perform(self, command: StoreCommand, within_s: float | None = None) -> Any: ...
    def secret(self) -> bytes: ...
    def flush(self) -> int: ...
    def count(self) -> int: ...
    def close(self) -> None: ...


class AwaitableStore(Protocol):
    """The same namespace, awaited."""

    async def perform(self, command: StoreCommand, within_s: float | None = None) -> Any: ...


@dataclass(frozen=True, slots=True)
class Bounds:
    """Of a namespace."""

    max_entries: int
    max_bytes: int


@dataclass(frozen=True, slots=True)
class Stores:
    """One namespace, both ways."""

    sync: Store
    awaitable: AwaitableStore
    url: str
    """For people: without user and password."""


def connect(
    redis_url: str,
    namespace: str,
    *,
    deadline_s: float,
    bounds: Bounds,
    seal: Seal | None = None,
) -> Stores:
    """The stores that `redis_url` means: `auto`, `embedded`, `memory`, or the URL of a Redis 8.

    `seal` is for what leaves this process: `memory` has no use for it.
    Raises ConfigError or MissingExtra where it cannot work.
    """
    match redis_url.partition("://")[0]:
        case "auto" | "embedded" | "memory" as kind if kind == redis_url:
            if kind == "memory":
                return _memory(bounds)
            if kind == "auto" and _redis_is_here():
                return _redis(LOCAL_REDIS, namespace, deadline_s, bounds, seal)
            return _embedded(namespace, deadline_s, bounds, seal)
        case "redis" | "rediss" | "unix":
            from khazad_mitm.store.probe import probe

            probe(redis_url)
            return _redis(redis_url, namespace, deadline_s, bounds, seal)
        case "redis+cluster" | "rediss+cluster" | "redis+sentinel" | "rediss+sentinel":
            return _of_nodes(redis_url, namespace, deadline_s, bounds, seal)
        case unknown:
            raise ConfigError(
                f"khazad_redis_url: {unknown!r} is no kind of store",
                "auto, embedded, memory, or a redis://, rediss://, unix://, redis+cluster:// or"
                " redis+sentinel:// URL",
            )


def _redis_is_here() -> bool:
    from khazad_mitm.store.probe import probe

    try:
        probe(LOCAL_REDIS, LOOK_S)
    except ConfigError as error:
        logger.debug("not used: %s", error)
        return False
    return True


def _redis(
    url: str,
    namespace: str,
    deadline_s: float,
    bounds: Bounds,
    seal: Seal | None,
    server: EmbeddedServer | None = None,
) -> Stores:
    from khazad_mitm.store.probe import without_secrets
    from khazad_mitm.store.redis_store import AsyncRedisStore, RedisStore

    make = partial(
        RedisStore,
        url,
        namespace,
        max_entries=bounds.max_entries,
        max_bytes=bounds.max_bytes,
        seal=seal,
    )
    store = make(deadline_s=deadline_s, server=server)
    _learn_secret(store, make(deadline_s=START_S), url)
    shown = "embedded server, " * (server is not None) + without_secrets(url)
    _tell(shown, seal)
    return Stores(store, AsyncRedisStore(store), shown)


def _of_nodes(
    url: str, namespace: str, deadline_s: float, bounds: Bounds, seal: Seal | None
) -> Stores:
    from khazad_mitm.store.cluster_store import AsyncClusterStore, ClusterStore
    from khazad_mitm.store.cluster_url import ClusterURL
    from khazad_mitm.store.probe import probe_cluster, probe_sentinels, without_secrets
    from khazad_mitm.store.sentinels import SentinelURL

    read: ClusterURL
    if "+sentinel://" in url:
        read = SentinelURL.read(url)
        probe_sentinels(read)
    else:
        read = ClusterURL.read(url)
        probe_cluster(read)
    make = partial(
        ClusterStore,
        read,
        namespace,
        max_entries=bounds.max_entries,
        max_bytes=bounds.max_bytes,
        seal=seal,
    )
    store = make(deadline_s=deadline_s)
    _learn_secret(store, make(deadline_s=START_S), url)
    shown = without_secrets(url)
    _tell(shown, seal)
    return Stores(store, AsyncClusterStore(store), shown)


def _tell(shown: str, seal: Seal | None) -> None:
    if seal is None:
        logger.info("store: %s", shown)
        return
    first, *others = seal.key_ids
    older = f", opened with {', '.join(others)} too" * bool(others)
    logger.info("store: %s, encrypted with key %s%s", shown, first, older)


def _learn_secret(store: RedisStore, patient: RedisStore, url: str) -> None:
    """The deadline is for traffic; start-up may take the time that a far server needs."""
    from khazad_mitm.store.probe import without_secrets

    try:
        store.space.secret = patient.secret()
    except CacheUnavailable as error:
        raise ConfigError(f"khazad_redis_url: {without_secrets(url)}: {error}") from error
    finally:
        patient.close()


def _embedded(namespace: str, deadline_s: float, bounds: Bounds, seal: Seal | None) -> Stores:
    if sys.platform == "win32":
        raise ConfigError(
            "khazad_redis_url: there is no embedded server for Windows",
            "use khazad_redis_url=memory, or redis://HOST:PORT of a Redis 8",
        )
    from khazad_mitm.store.embedded import start_embedded

    server = start_embedded()
    try:
        try:
            return _redis(server.url, namespace, deadline_s, bounds, seal, server)
        except ConfigError:
            # What has answered a moment ago may have been a server that was ending with its guard.
            server.wait()
            return _redis(server.url, namespace, deadline_s, bounds, seal, server)
    except BaseException:
        server.close()
        raise


def _memory(bounds: Bounds) -> Stores:
    from khazad_mitm.store.memory import AsyncMemoryStore, MemoryStore

    store = MemoryStore(max_entries=bounds.max_entries, max_bytes=bounds.max_bytes)
    logger.info("store: memory of this process")
    return Stores(store, AsyncMemoryStore(store), "memory")
