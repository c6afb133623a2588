"""A master behind sentinels: who it is, and who it is by now."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
import redis

from khazad_mitm.cache.commands import Get, Put, StoreCommand
from khazad_mitm.errors import CacheUnavailable, ConfigError
from khazad_mitm.store.connect import Bounds, Stores, connect
from khazad_mitm.store.sentinels import Sentinels, SentinelURL
from tests.nodes import Node
from tests.sentinels import SERVICE, Watched, watched
from tests.servers import RedisServer, until
from tests.store.entries import QUESTION, digest, entry

WITHIN_S = 2.0

Ask = Callable[[StoreCommand], Any]


@pytest.fixture(scope="module")
def guarded() -> Iterator[Watched]:
    """For tests that do not ill-treat it."""
    with watched() as made:
        yield made


@pytest.fixture
def failing() -> Iterator[Watched]:
    with watched() as made:
        yield made


@pytest.fixture
def stores(failing: Watched) -> Iterator[Stores]:
    made = opened(failing.url)
    with closing(made.sync):
        yield made


def opened(url: str, namespace: str = "kh") -> Stores:
    return connect(url, namespace, deadline_s=20.0, bounds=Bounds(100, 2**30))


@pytest.fixture(params=["blocking", "awaiting"])
def ask(request: pytest.FixtureRequest, stores: Stores) -> Iterator[Ask]:
    if request.param == "blocking":
        yield lambda command: stores.sync.perform(command, WITHIN_S)
    else:
        with closing(asyncio.new_event_loop()) as loop:
            yield lambda command: loop.run_until_complete(
                stores.awaitable.perform(command, WITHIN_S)
            )
            loop.run_until_complete(loop.shutdown_asyncgens())


def answers(ask: Ask, command: StoreCommand) -> bool:
    """Where it does not, it is away: nothing else is raised."""
    try:
        return ask(command) is not None
    except CacheUnavailable:
        return False


def keeps(ask: Ask, number: int) -> bool:
    try:
        ask(Put(entry(number), "s", QUESTION))
    except CacheUnavailable:
        return False
    return answers(ask, Get(digest(number)))


@pytest.mark.parametrize("ends", [signal.SIGKILL, signal.SIGSTOP])
def test_a_master_that_is_gone_or_hangs_is_followed_by_its_replica(
    ask: Ask, failing: Watched, ends: signal.Signals
) -> None:
    assert keeps(ask, 1)
    failing.wait_until_safe()
    before = failing.master
    before.process.send_signal(ends)
    # By itself: nobody tells the store.
    until(lambda: answers(ask, Get(digest(1))), limit_s=60.0)

    assert keeps(ask, 2)
    assert before is not failing.master


def test_one_that_is_a_replica_by_now_is_written_to_no_more(ask: Ask, failing: Watched) -> None:
    assert keeps(ask, 1)
    failing.wait_until_safe()
    before = failing.master
    failing.told("FAILOVER", SERVICE)
    until(lambda: before is not failing.master)
    until(lambda: before.role == "slave")
    # Its connections are still there, and lead to it.
    until(lambda: keeps(ask, 2))

    with failing.master.client() as client:
        assert client.keys("*:e:" + digest(2))


def test_a_sentinel_that_is_away_is_passed_over(guarded: Watched, namespace: str) -> None:
    alive = guarded.url.partition("://")[2]
    stores = opened(f"redis+sentinel://127.0.0.1:9,127.0.0.1:10,{alive}", namespace)
    stores.sync.perform(Put(entry(1)))

    assert stores.sync.perform(Get(digest(1))) is not None
    assert asyncio.run(stores.awaitable.perform(Get(digest(1)))) is not None
    stores.sync.close()


def test_what_cannot_work_is_said_at_the_start(
    guarded: Watched, redis_server: RedisServer, namespace: str
) -> None:
    away = r"no sentinel answers at redis://127\.0\.0\.1:9 .*\n\nhint: redis\+sentinel://"
    with pytest.raises(ConfigError, match=away):
        opened("redis+sentinel://127.0.0.1:10,127.0.0.1:9/answers")
    with pytest.raises(ConfigError, match=r"knows no master 'others'\n\nhint: .*sentinel monitor"):
        opened(guarded.url.replace(SERVICE, "others"))
    with pytest.raises(ConfigError, match="is no sentinel that answers us"):
        opened(f"redis+sentinel://127.0.0.1:{guarded.master.port}/{SERVICE}")
    with pytest.raises(ConfigError, match="refuses us"):
        opened(guarded.url.replace("://", "://nobody:secret@"))


@contextmanager
def locked(sentinel: Node) -> Iterator[None]:
    with sentinel.client() as client:
        client.execute_command("ACL", "SETUSER", "default", "resetpass", ">theirs")
        try:
            yield
        finally:
            client.execute_command("ACL", "SETUSER", "default", "nopass")


def test_sentinels_have_a_password_of_their_own(guarded: Watched, namespace: str) -> None:
    url = f"redis+sentinel://127.0.0.1:{guarded.sentinels[0].port}/{SERVICE}/3"
    with locked(guarded.sentinels[0]):
        with pytest.raises(ConfigError, match=r"that answers us: .*\n\nhint: .*sentinel_password"):
            opened(url, namespace)
        stores = opened(f"{url}?sentinel_password=theirs", namespace)
        stores.sync.perform(Put(entry(1)))
        stores.sync.close()
    with redis.Redis(port=guarded.nodes[0].port, db=3, protocol=2) as client:
        assert client.keys(f"{{{namespace}*")


def test_a_url_names_sentinels_a_service_and_a_database() -> None:
    url = SentinelURL.read(
        "rediss+sentinel://me:p@ss@a,[::1]:7/answers/2?sentinel_username=u&ssl_ca_certs=/ca"
        "&sentinel_password=w%26"
    )

    assert (("a", 26379), ("::1", 7)) == url.seeds
    assert "rediss://u:w%26@[::1]:7?ssl_ca_certs=/ca" == url.of(("::1", 7))
    assert "rediss://me:p@ss@master:1/2?ssl_ca_certs=/ca" == url.of(("master", 1))
    assert ("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "answers") == url.question
    assert "redis://m:1" == SentinelURL.read("redis+sentinel://a/x/").of(("m", 1))


@pytest.mark.parametrize("rest", ["", "a", "a/", "/x", "a:x/y", "me:secret@a,,b/x", "a/x/y"])
def test_what_names_no_service_is_refused_without_showing_a_password(rest: str) -> None:
    with pytest.raises(ConfigError, match="names no service of sentinels") as refused:
        SentinelURL.read(f"redis+sentinel://{rest}")

    assert "secret" not in str(refused.value)


def test_a_sentinel_that_knows_nothing_leaves_what_is_known() -> None:
    topology = Sentinels(SentinelURL.read("redis+sentinel://a,b,c/x"))
    assert not topology.is_known
    assert topology.learn([b"m", b"1"], ("a", 26379)) is None
    assert "no master 'x'" in str(topology.learn(None, ("a", 26379)))
    topology.failed(("a", 26379))

    assert ("m", 1) == topology.node(5)
    assert topology.is_stale
    assert ["b", "c", "a"] == [host for host, _ in topology.to_ask()]
