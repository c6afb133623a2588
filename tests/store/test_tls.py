from __future__ import annotations

import asyncio
import os
import shutil
import ssl
from pathlib import Path
from typing import Any

import pytest
import redis.asyncio

from khazad_mitm.cache.commands import Get
from khazad_mitm.errors import CacheUnavailable
from khazad_mitm.store.deadlines import timed
from khazad_mitm.store.redis_store import AsyncRedisStore, RedisStore
from khazad_mitm.store.tls import context_of
from tests.end_to_end import certificates
from tests.end_to_end.relay import Relay
from tests.servers import RedisServer
from tests.store.entries import digest


def blocking(store: RedisStore) -> Any:
    return store.perform(Get(digest(1)))


def awaiting(store: RedisStore) -> Any:
    return asyncio.run(AsyncRedisStore(store).perform(Get(digest(1))))


def server_of(folder: Path) -> tuple[ssl.SSLContext, Path]:
    authority = certificates.make(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.certificate, authority.key)
    return context, authority.ca


@pytest.mark.parametrize("ask", [blocking, awaiting])
def test_connections_that_are_made_alike_share_a_context(
    ask: Any, tmp_path: Path, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, ca = server_of(tmp_path)
    relay = Relay(redis_server.socket, context)
    url = f"rediss://127.0.0.1:{relay.port}?ssl_ca_certs={ca}"
    made = []
    make = ssl.create_default_context
    monkeypatch.setattr(ssl, "create_default_context", lambda *a: made.append(1) or make(*a))
    for _ in range(3):
        store = RedisStore(url, "kh", deadline_s=20.0, max_entries=1)
        assert ask(store) is None
        store.close()
    relay.close()

    assert 3 == relay.accepted
    assert [1] == made


@pytest.mark.parametrize("ask", [blocking, awaiting])
def test_certificates_that_are_replaced_are_read_again(
    ask: Any, tmp_path: Path, redis_server: RedisServer
) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "new").mkdir()
    (old, old_ca), (new, new_ca) = server_of(tmp_path / "old"), server_of(tmp_path / "new")
    given = tmp_path / "ca.pem"
    shutil.copy(old_ca, given)
    relay = Relay(redis_server.socket, old)
    url = f"rediss://127.0.0.1:{relay.port}?ssl_ca_certs={given}"
    store = RedisStore(url, "kh", deadline_s=20.0, max_entries=1)
    assert ask(store) is None
    relay.context = new
    relay.cut()
    with pytest.raises(CacheUnavailable, match="CERTIFICATE_VERIFY_FAILED"):
        ask(store)
    shutil.copy(new_ca, given)
    os.utime(given, ns=(1, 1))  # however coarse the clock of the file system is

    assert ask(store) is None
    store.close()
    relay.close()


def test_what_a_context_does_not_say_is_left_to_the_library() -> None:
    plain = redis.ConnectionPool.from_url("redis://localhost")
    checked = redis.ConnectionPool.from_url("rediss://localhost?ssl_validate_ocsp=yes")

    assert timed(plain).tls is None
    assert timed(checked).tls is None
    assert context_of(redis.asyncio.Connection(), {}) is None
