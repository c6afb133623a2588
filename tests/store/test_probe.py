from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from khazad_mitm.errors import ConfigError
from khazad_mitm.store.probe import probe, without_secrets
from tests.servers import RedisServer, running_redis


@contextmanager
def answering(replies: Callable[[bytes], bytes]) -> Iterator[str]:
    """A server on loopback that speaks enough RESP; gives its URL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            client, _ = listener.accept()
            with client:
                while request := client.recv(4096):
                    client.sendall(replies(request))

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"redis://someone:hunter2@127.0.0.1:{listener.getsockname()[1]}/0"
        thread.join()


def redis_of(info: str, vadd: bytes = b"*1\r\n*-1\r\n") -> Callable[[bytes], bytes]:
    def reply(request: bytes) -> bytes:
        if b"VADD" in request:
            return vadd
        if b"INFO" in request and b"SETINFO" not in request:
            return f"${len(info)}\r\n{info}\r\n".encode()
        return b"+OK\r\n"

    return reply


def test_a_redis_with_vector_sets_will_do(redis_server: RedisServer) -> None:
    probe(redis_server.url)


def test_redis_7_is_told_by_its_version() -> None:
    with (
        answering(redis_of("# Server\r\nredis_version:7.2.5\r\nredis_mode:standalone\r\n")) as url,
        pytest.raises(ConfigError) as raised,
    ):
        probe(url)

    assert "is Redis 7.2.5, without Vector Sets" in str(raised.value)
    assert "hint: Vector Sets came with Redis 8.0" in str(raised.value)
    assert "hunter2" not in str(raised.value)


def test_a_node_of_a_cluster_is_not_supported_yet() -> None:
    info = redis_of("redis_version:8.2.3\r\nredis_mode:cluster\r\n", b"*1\r\n*1\r\n$4\r\nvadd\r\n")
    with answering(info) as url, pytest.raises(ConfigError, match="node of a cluster"):
        probe(url)


def test_a_port_where_nobody_listens_is_named_without_the_password() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(ConfigError) as raised:
        probe(f"redis://someone:hunter2@127.0.0.1:{port}/0")

    assert f"no Redis answers at redis://127.0.0.1:{port}/0" in str(raised.value)
    assert "hint: " in str(raised.value)
    assert "hunter2" not in str(raised.value)


def test_a_server_that_says_nothing_is_not_waited_for_long() -> None:
    with answering(lambda _: b"") as url, pytest.raises(ConfigError, match="no Redis answers"):
        probe(url, timeout_s=0.05)


def test_a_server_that_wants_a_password_refuses_us() -> None:
    with running_redis() as server:
        with server.client() as client:
            client.config_set("requirepass", "secret")
        with pytest.raises(ConfigError, match="refuses us"):
            probe(server.url)
        with pytest.raises(ConfigError, match="refuses us"):
            probe(f"unix://:wrong@{server.socket}")
        probe(f"unix://:secret@{server.socket}")


@pytest.mark.parametrize(
    "url",
    ["redis://me:pass#word@host:6379", "redis://host:hunter2", "redis://host?no_such_option=1"],
)
def test_a_url_that_cannot_be_read_is_no_redis_url(url: str) -> None:
    with pytest.raises(ConfigError, match="is no Redis URL") as raised:
        probe(url)

    assert "word@" not in str(raised.value)
    assert raised.value.__suppress_context__


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://user:pass@host:6379/2", "redis://host:6379/2"),
        ("rediss://:pa@ss?w/ord@host", "rediss://host"),
        ("unix:///run/redis.sock?password=secret", "unix:///run/redis.sock"),
        ("redis://host?password=a@b", "redis://b"),
    ],
)
def test_a_url_is_shown_without_secrets(url: str, shown: str) -> None:
    assert shown == without_secrets(url)
