"""Passwords, a user who may do no more than he must, and TLS: as docs/redis.md says."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest
import redis
import trustme

from khazad_mitm.cache.budget import WINDOW, Earned
from khazad_mitm.cache.commands import (
    Accept,
    Alias,
    Asked,
    Block,
    Find,
    Forget,
    ForgetMany,
    Get,
    GetMany,
    Inventory,
    IsAccepted,
    IsRefuted,
    Label,
    Nearest,
    Occupied,
    Put,
    PutMany,
    Recall,
    Refuse,
    Remember,
    Resolve,
    Settle,
    Standing,
    StoreCommand,
    Weigh,
)
from khazad_mitm.cache.worker_commands import (
    Issue,
    Lease,
    Place,
    Publish,
    Read,
    Renew,
    Wanted,
)
from khazad_mitm.errors import CacheUnavailable, ConfigError
from khazad_mitm.store import vectorset
from khazad_mitm.store.connect import Bounds, Stores, connect
from khazad_mitm.store.redis_store import RedisStore
from tests.clusters import running_cluster
from tests.end_to_end import certificates
from tests.end_to_end.certificates import Authority
from tests.servers import RedisServer, running_redis
from tests.store.entries import QUESTION, digest, entry
from tests.tls import tls_in_front

PAGE = Path(__file__).resolve().parents[2] / "docs" / "redis.md"
# Of clusters only, or asked before anything else.
ELSEWHERE = {"cluster|slots", "asking", "client|setinfo"}


def rules() -> list[str]:
    """The words of `ACL SETUSER khazad` as documented, without user and password."""
    told = re.search(r"<!-- acl: .*?```\nACL SETUSER khazad (.*?)```", PAGE.read_text(), re.S)
    assert told is not None
    return [word for word in told[1].split() if word != ">PASSWORD"]


@pytest.fixture
def server() -> Iterator[RedisServer]:
    with running_redis() as server:
        with server.client() as client:
            client.execute_command("ACL", "SETUSER", "khazad", *rules(), ">pass@word")
            client.execute_command("ACL", "SETUSER", "default", "resetpass", ">main")
            # This client stays who it is; others have to say who they are.
        yield server


def url(server: RedisServer, user: str = "khazad", password: str = "pass%40word") -> str:
    return f"unix://{user}@{server.socket}?password={password}"


def opened(at: str, namespace: str = "khazad") -> Stores:
    return connect(at, namespace, deadline_s=5.0, bounds=Bounds(100, 2**30))


@pytest.fixture
def admin(server: RedisServer) -> Iterator[redis.Redis]:
    with redis.Redis(unix_socket_path=str(server.socket), password="main", protocol=2) as client:
        yield client


kept = entry(1)
EVERYTHING: tuple[StoreCommand, ...] = (
    Put(kept, "s", QUESTION),
    PutMany((entry(2), entry(3, ttl_s=None))),
    Get(digest(1)),
    GetMany((digest(1), digest(2))),
    Alias(digest(4), digest(5), kept, 0.9),
    Settle(digest(6), Earned(0.8)),
    Get(digest(9), digest(4), digest(6)),
    Resolve((digest(5),)),
    Occupied("s"),
    Remember(digest(1), Asked(digest(2), "why?", "m", 0.9, 1.0, "t")),
    Recall(digest(1)),
    Block(digest(1), digest(2)),
    Nearest("s", QUESTION, 0.9, asked=digest(7)),
    Nearest("s", QUESTION, 0.9, asked=digest(1)),
    Standing(digest(6)),
    Weigh(digest(6), 1, WINDOW, WINDOW, 1, 0.5),
    Weigh(digest(6), 1, WINDOW, WINDOW, 1, 1e9),
    Settle(digest(6), None),
    Weigh(digest(6), 1, 1, 1, 1, refuted=digest(1)[:16]),
    IsRefuted(digest(6), digest(1)[:16]),
    Accept(digest(8), 60),
    IsAccepted(digest(8)),
    Refuse(digest(8)),
    Lease(digest(8), "us", 1.0),
    Renew((digest(8), digest(9)), "us", 1.0),
    Renew((digest(8),), "us", 0.0),
    Lease(digest(8), "us", 1.0, "0" * 32),
    Lease(digest(8), "us", 1.0, "1" * 32),
    Read((Place(digest(8), "0" * 32),), 1.0),
    Wanted((Place(digest(8), "0" * 32),)),
    Publish((Issue(Place(digest(8), "0" * 32), (b"a", b"b"), 0, 0),), 1.0),
    Publish((Issue(Place(digest(8), "0" * 32, 2), (b"c",), 1, 0),), 1.0),
    Find("0000"),
    Find(digest(1)),
    Label(digest(1), ("x",)),
    Inventory(),
    Forget(digest(1)),
    ForgetMany((digest(2), digest(3))),
)


def everything(stores: Stores, server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for largest in (10_000, 0):
        monkeypatch.setattr(vectorset, "LARGE_SET", largest)
        for command in EVERYTHING:
            stores.sync.perform(command)
    # Beyond its links and its blocks, some go at random.
    monkeypatch.setattr(vectorset, "MOST_LINKS", 2)
    monkeypatch.setattr("khazad_mitm.store.evidence.MOST_BLOCKS", 1)
    stores.sync.perform(Put(entry(1)))
    for number in range(20, 26):
        stores.sync.perform(Alias(digest(number), digest(number + 10), entry(1)))
        stores.sync.perform(Block(digest(1), digest(number)))
    stores.sync.perform(PutMany(tuple(entry(100 + number) for number in range(120))))
    assert 100 == stores.sync.count()
    stores.sync.flush()


def test_the_documented_user_may_do_all_that_is_done(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch, admin: redis.Redis
) -> None:
    stores = opened(url(server))
    everything(stores, server, monkeypatch)
    asyncio.run(stores.awaitable.perform(Put(entry(1), "s", QUESTION)))
    assert asyncio.run(stores.awaitable.perform(Get(digest(1)))) is not None

    assert [] == admin.execute_command("ACL", "LOG")
    stores.sync.close()


def test_nothing_is_granted_that_is_not_used(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch, admin: redis.Redis
) -> None:
    admin.config_resetstat()
    stores = opened(url(server))
    everything(stores, server, monkeypatch)
    stores.sync.close()
    used = {name.removeprefix("cmdstat_").lower() for name in admin.info("commandstats")}
    granted = {word[1:] for word in rules() if word.startswith("+")}

    assert set() == granted - used - ELSEWHERE


def test_the_documented_user_sees_no_other_namespace_and_no_other_command(
    server: RedisServer, admin: redis.Redis
) -> None:
    admin.set("{khazad2:0}:e:x", "theirs")
    with pytest.raises(ConfigError, match="No permissions to access a key"):
        opened(url(server), "khazad2")
    with redis.Redis(
        unix_socket_path=str(server.socket), username="khazad", password="pass@word", protocol=2
    ) as client:
        for command in (
            ("GET", "{khazad2:0}:e:x"),
            ("KEYS", "*"),
            ("CONFIG", "GET", "*"),
            ("FLUSHALL",),
            ("MONITOR",),
            ("EVAL", "return redis.call('GET', '{khazad2:0}:e:x')", 0),
        ):
            with pytest.raises(redis.ResponseError, match=r"permission|ACL"):
                client.execute_command(*command)


@pytest.mark.parametrize("password", ["wrong", ""])
def test_a_wrong_password_is_refused_at_the_start(server: RedisServer, password: str) -> None:
    with pytest.raises(ConfigError, match="refuses us") as refused:
        opened(url(server, password=password))

    assert "docs/redis.md" in str(refused.value)
    assert "wrong" not in str(refused.value).partition("refuses us")[0]


def test_a_password_without_a_user_will_do(server: RedisServer) -> None:
    stores = opened(f"unix://{server.socket}?password=main", "any")

    assert 0 == stores.sync.count()
    stores.sync.close()


def test_a_user_who_loses_his_rights_costs_the_cache_and_no_call(
    server: RedisServer, admin: redis.Redis
) -> None:
    stores = opened(url(server))
    admin.execute_command("ACL", "SETUSER", "khazad", "-mget", "-evalsha")
    for command in (Get(digest(1)), Put(entry(1))):
        with pytest.raises(CacheUnavailable):
            stores.sync.perform(command)
    admin.execute_command("ACL", "SETUSER", "khazad", "+mget", "+evalsha")

    assert stores.sync.perform(Get(digest(1))) is None
    stores.sync.close()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return certificates.make(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def behind_tls(redis_server: RedisServer, authority: Authority) -> Iterator[Callable[..., str]]:
    """The place of a TLS terminator before the server."""

    def dial() -> socket.socket:
        made = socket.socket(socket.AF_UNIX)
        made.connect(str(redis_server.socket))
        return made

    with ExitStack() as stack:

        def make(host: str = "127.0.0.1", *, clients: Path | None = None) -> str:
            front = tls_in_front(dial, authority, clients=clients)
            return f"{host}:{stack.enter_context(front)}"

        yield make


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_server_of_ones_own_authority_is_reached_over_tls(
    behind_tls: Callable[..., str], authority: Authority, namespace: str, host: str
) -> None:
    stores = opened(f"rediss://{behind_tls(host)}?ssl_ca_certs={authority.ca}", namespace)
    stores.sync.perform(Put(kept, "s", QUESTION))

    assert kept == stores.sync.perform(Get(digest(1)))
    assert kept == asyncio.run(stores.awaitable.perform(Get(digest(1))))
    assert "ssl_ca_certs" not in stores.url
    stores.sync.close()


def test_an_authority_that_nobody_vouches_for_is_refused_with_a_hint(
    behind_tls: Callable[..., str],
) -> None:
    with pytest.raises(ConfigError, match=r"(?i)certificate.*\n\nhint: .*ssl_ca_certs="):
        opened(f"rediss://{behind_tls()}")


def test_plain_words_to_a_server_that_speaks_tls_are_an_error_with_a_hint(
    behind_tls: Callable[..., str],
) -> None:
    with pytest.raises(ConfigError, match="no Redis answers"):
        opened(f"redis://{behind_tls()}")


def test_tls_to_a_server_that_speaks_none_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as plain:
        plain.settimeout(0)
        port = plain.getsockname()[1]
        with pytest.raises(ConfigError, match="no Redis answers"):
            opened(f"rediss://127.0.0.1:{port}")


def test_a_client_shows_a_certificate_where_the_server_wants_one(
    behind_tls: Callable[..., str], authority: Authority, namespace: str, tmp_path: Path
) -> None:
    clients, ours = tmp_path / "ca.pem", tmp_path / "us.pem"
    authority_of_clients = trustme.CA()
    authority_of_clients.cert_pem.write_to_path(clients)
    authority_of_clients.issue_cert("us").private_key_and_cert_chain_pem.write_to_path(ours)
    place = behind_tls(clients=clients)
    shown = f"ssl_certfile={ours}&ssl_keyfile={ours}"
    trusted = f"rediss://{place}?ssl_ca_certs={authority.ca}"
    with pytest.raises(ConfigError):
        opened(trusted, namespace)
    stores = opened(f"{trusted}&{shown}", namespace)

    assert asyncio.run(stores.awaitable.perform(Get(digest(1)))) is None
    stores.sync.close()


def test_a_store_that_was_reached_over_tls_is_reached_again(
    behind_tls: Callable[..., str], authority: Authority, namespace: str, redis_server: RedisServer
) -> None:
    place = behind_tls()
    store = RedisStore(
        f"rediss://{place}?ssl_ca_certs={authority.ca}", namespace, deadline_s=5.0, max_entries=9
    )
    store.perform(Put(kept))
    with redis_server.client() as client:
        client.client_kill_filter(_type="normal", skipme=True)

    assert kept == store.perform(Get(digest(1)))
    store.close()


def test_a_cluster_is_reached_over_tls(authority: Authority, namespace: str) -> None:
    """Each node behind a terminator, whose port it names to clients."""
    ports: list[int] = []
    with ExitStack() as stack:

        def announced(port: int) -> int:
            dial = partial(socket.create_connection, ("127.0.0.1", port))
            ports.append(stack.enter_context(tls_in_front(dial, authority)))
            return ports[-1]

        stack.enter_context(running_cluster(announced))
        at = f"rediss+cluster://localhost:{ports[0]}?ssl_ca_certs={authority.ca}"
        stores = opened(at, namespace)
        entries = tuple(entry(1, id=f"{bucket:04x}{0:028x}") for bucket in range(64))
        stores.sync.perform(PutMany(entries))
        wanted = GetMany(tuple(one.id for one in entries))

        assert entries == stores.sync.perform(wanted)
        assert entries == asyncio.run(stores.awaitable.perform(wanted))
        assert 64 == stores.sync.flush()
        stores.sync.close()
