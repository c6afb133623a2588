"""What lies in Redis, or in a cluster, under a seal: what can be read there, moved there, and what
comes of keys."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import redis

from khazad_mitm.cache.budget import Earned
from khazad_mitm.cache.commands import (
    Alias,
    Asked,
    Block,
    Get,
    GetMany,
    Nearest,
    Put,
    Recall,
    Remember,
    Resolve,
    Settle,
    StoreCommand,
    Weigh,
)
from khazad_mitm.errors import ConfigError
from khazad_mitm.store import space, vectorset
from khazad_mitm.store.cluster_store import ClusterStore
from khazad_mitm.store.cluster_url import ClusterURL
from khazad_mitm.store.codec import encode
from khazad_mitm.store.connect import Bounds, connect
from khazad_mitm.store.redis_store import RedisStore
from khazad_mitm.store.seal import Seal
from tests.clusters import Cluster
from tests.servers import RedisServer
from tests.store.behind import Behind, behind
from tests.store.entries import QUESTION, digest, entry

OLD, NEW = bytes(range(32)), bytes(range(1, 33))
WORDS = (b"Initech", b"req-5d1f", b"sell", b"messages")
KEPT = entry(
    1,
    answer=b'{"said": "sell to Initech"}',
    original=b"data: sell\n\n",
    request=b'{"messages": "Initech"}',
    question="our merger with Initech",
    model="gpt-merger",
    headers=entry(1).headers.plus(("x-request-id", "req-5d1f")),
    tags=("tag-7c2b",),
    tenant="tenant-1",
)
ASKED = Asked(digest(9), "what of Initech?", "messages[0].content", 0.9, 1e9, "tenant-1")

Make = Callable[..., RedisStore]


@pytest.fixture(params=["redis_server", "redis_cluster"])
def server(request: pytest.FixtureRequest) -> RedisServer | Cluster:
    held: RedisServer | Cluster = request.getfixturevalue(request.param)
    return held


@pytest.fixture
def make(
    server: RedisServer | Cluster, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Make]:
    made: list[RedisStore] = []
    monkeypatch.setattr(space, "SURVEY_EVERY_MS", 0)  # with each write

    def make(*keys: bytes, name: str = namespace) -> RedisStore:
        how: dict[str, Any] = {"deadline_s": 5.0, "max_entries": 100}
        how["seal"] = Seal(keys, name) if keys else None
        if isinstance(server, RedisServer):
            made.append(RedisStore(server.url, name, **how))
        else:
            made.append(ClusterStore(ClusterURL.read(server.url), name, **how))
        return made[-1]

    yield make
    for store in made:
        store.close()


@pytest.fixture
def others(server: RedisServer | Cluster) -> Iterator[Behind]:
    with behind(server) as others:
        yield others


def fill(store: RedisStore) -> None:
    store.secret()
    told: tuple[StoreCommand, ...] = (
        Put(KEPT, "s", QUESTION),
        Alias(digest(2), digest(3), KEPT, 0.9),
        Remember(KEPT.id, ASKED),
        Block(KEPT.id, digest(9)),
        Weigh(digest(7), 3, 2, 1, 1),
        Settle(digest(7), Earned(0.9)),
    )
    for command in told:
        store.perform(command)


def unopened(store: RedisStore) -> int:
    return 0 if store.space.seal is None else store.space.seal.unopened


def test_nothing_that_holds_a_prompt_or_an_answer_can_be_read(make: Make, others: Behind) -> None:
    plain, sealed = make(name="plain"), make(OLD)
    for store in (plain, sealed):
        fill(store)
    for node in others.nodes:
        node.config_set("rdbcompression", "no")

    # In the clear all of it can be: the search finds what it looks for.
    assert [] == [word for word in WORDS if word not in others.raw(plain)]
    assert [] == [word for word in WORDS if word in others.raw(sealed)]
    assert sealed.secret() not in others.raw(sealed)
    plain.flush()


def test_everything_is_found_as_before(make: Make) -> None:
    fill(make(OLD))
    store = make(OLD)
    store.secret()

    assert KEPT == store.perform(Get(KEPT.id))
    assert KEPT == store.perform(Get(digest(5), digest(2)))
    assert KEPT == store.perform(Get(digest(5), digest(2), digest(7)))
    assert (KEPT, None) == store.perform(GetMany((KEPT.id, digest(5))))
    assert (KEPT.conversation,) == store.perform(Resolve((digest(3),)))
    assert [KEPT] == [one.entry for one in store.perform(Nearest("s", QUESTION, 0.9))]
    assert (ASKED,) == store.perform(Recall(KEPT.id))
    assert 0 == unopened(store)


@pytest.mark.parametrize("is_large", [False, True])
def test_without_the_key_an_entry_is_a_miss_that_is_counted(make: Make, is_large: bool) -> None:
    fill(make(OLD))
    store = make(NEW)
    store.space.large.update(["s"] if is_large else [])

    assert store.perform(Get(KEPT.id)) is None
    assert store.perform(Get(digest(5), digest(2))) is None
    assert (None,) == store.perform(GetMany((KEPT.id,)))
    assert (None,) == store.perform(Resolve((digest(3),)))
    assert [] == store.perform(Nearest("s", QUESTION, 0.9))
    assert () == store.perform(Recall(KEPT.id))
    assert 6 == unopened(store)
    store.flush()
    assert 0 == unopened(store)


def test_an_entry_that_was_moved_or_copied_is_none(make: Make, others: Behind) -> None:
    store, keys = make(OLD), make(OLD).space.keys
    fill(store)
    other = make(OLD, name="other")
    elsewhere = "0005" + digest(2)[4:]  # in a cluster, on another node
    for name in (
        keys.entry(digest(2)),
        store.space.at(elsewhere).entry(elsewhere),
        other.space.keys.entry(KEPT.id),
    ):
        others.copy(keys.entry(KEPT.id), name)
    others.copy(keys.history(KEPT.id), keys.history(digest(2)))

    assert (None, None) == store.perform(GetMany((digest(2), elsewhere)))
    assert other.perform(Get(KEPT.id)) is None
    assert () == store.perform(Recall(digest(2)))
    other.flush()


def test_what_another_program_wrote_in_the_clear_is_none(make: Make, others: Behind) -> None:
    store = make(OLD)
    fill(store)
    client = others.at(store.space.keys.expiry)
    client.set(store.space.keys.entry(KEPT.id), encode(replace(KEPT, answer=b"forged")))
    client.lpush(store.space.keys.history(KEPT.id), b'["1", "forged", "", 1, 1, ""]')

    assert store.perform(Get(KEPT.id)) is None
    assert (ASKED,) == store.perform(Recall(KEPT.id))


def test_an_alias_that_was_turned_to_another_entry_is_none(make: Make, others: Behind) -> None:
    store, keys = make(OLD), make(OLD).space.keys
    fill(store)
    store.perform(Put(entry(4)))
    store.perform(Alias(digest(5), digest(6), entry(4), 0.9))
    for name in (keys.alias, keys.conversation):
        number = 5 if name == keys.alias else 6
        others.copy(name(digest(number)), name(digest(number - 3)))
    for forged in (f"{digest(4)}:0.9", f"{digest(4)}:0.9:" + "0" * 32, "", ":", "é"):
        others.at(keys.expiry).set(keys.alias(digest(8)), forged)
        assert store.perform(Get(digest(9), digest(8))) is None

    assert store.perform(Get(digest(9), digest(2))) is None
    assert (None,) == store.perform(Resolve((digest(3),)))
    assert store.perform(Get(digest(9), digest(5))) is not None


def test_keys_are_changed_by_putting_a_new_one_first(make: Make, others: Behind) -> None:
    fill(make(OLD))
    secret = make(OLD).secret()
    between = make(NEW, OLD)

    assert secret == between.secret()
    assert KEPT == between.perform(Get(KEPT.id))
    later = entry(4)
    between.perform(Put(later))
    after = make(NEW)
    assert secret == after.secret()
    assert (None, later) == after.perform(GetMany((KEPT.id, later.id)))


def test_without_its_key_a_namespace_is_refused_at_the_start(make: Make) -> None:
    fill(make(OLD))

    with pytest.raises(ConfigError, match="no key given opens what lies in the namespace"):
        make(NEW).secret()
    with pytest.raises(ConfigError, match="encrypted, and no key is given\n\nhint: give the key"):
        make().secret()


def test_a_secret_that_lay_in_the_clear_is_replaced(make: Make, others: Behind) -> None:
    fill(make())
    known = make().secret()
    one, other = make(OLD), make(OLD)

    assert known != one.secret() == other.secret()
    assert one.perform(Get(KEPT.id)) is None


def test_a_secret_that_was_lost_is_put_back_sealed(make: Make, others: Behind) -> None:
    store = make(OLD)
    fill(store)
    name = store.space.keys.secret
    others.at(name).delete(name)
    store.perform(Put(entry(4)))

    assert store.secret() not in (others.at(name).get(name) or b"")
    assert store.secret() == make(OLD).secret()


def test_the_start_says_which_keys_are_in_use(
    server: RedisServer | Cluster, namespace: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "khazad")
    seal = Seal((NEW, OLD), namespace)
    stores = connect(server.url, namespace, deadline_s=5.0, bounds=Bounds(9, 2**30), seal=seal)
    stores.sync.close()

    new, old = seal.key_ids
    assert [f"store: {stores.url}, encrypted with key {new}, opened with {old} too"] == (
        caplog.messages
    )


def test_the_embedded_server_has_nothing_to_read_on_its_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR"):
        monkeypatch.setenv(variable, str(tmp_path))
    stores = connect(
        "embedded", "kh", deadline_s=5.0, bounds=Bounds(9, 2**30), seal=Seal((OLD,), "kh")
    )
    try:
        fill(stores.sync)  # type: ignore[arg-type]  # a RedisStore, as the url says
        with redis.Redis(unix_socket_path=stores.url.rpartition("unix://")[2]) as client:
            client.save()
    finally:
        stores.sync.close()

    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    written = b"".join(path.read_bytes() for path in files)
    assert KEPT.id.encode() in written
    assert [] == [word for word in WORDS if word in written]


def test_large_sets_are_opened_too(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectorset, "LARGE_SET", 0)
    store = make(OLD)
    fill(store)

    assert [KEPT] == [one.entry for one in store.perform(Nearest("s", QUESTION, 0.9))]
