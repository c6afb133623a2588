"""Killed at any moment, a worker or the server leaves nothing half done."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khazad_mitm.cache.commands import Nearest, Put
from khazad_mitm.store.redis_store import RedisStore
from tests.servers import RedisServer, running_redis, until
from tests.store.conftest import DEADLINE_S
from tests.store.entries import QUESTION, digest, entry
from tests.store.invariants import Namespace
from tests.store.worker import MOST_BYTES, MOST_ENTRIES

CHECKOUT = Path(__file__).resolve().parents[2]


class Workers:
    """Children that write to one namespace, one after another; each is killed."""

    def __init__(self, url: str, namespace: str) -> None:
        self._parent = subprocess.Popen(
            [sys.executable, "-m", "tests.store.worker", url, namespace],
            cwd=CHECKOUT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def start(self, seed: int, commands: int, spin_us: int) -> int:
        """Start one; returns its id so many microseconds after so many of its commands."""
        assert self._parent.stdin is not None
        assert self._parent.stdout is not None
        self._parent.stdin.write(b"%d\n" % seed)
        self._parent.stdin.flush()
        said = self._parent.stdout
        line = b""
        seen = 0
        while not line.endswith(b"\n") or seen < commands:
            sign = said.read(1)
            assert sign, "the workers' parent is gone"
            if sign == b".":
                seen += 1
            else:
                line += sign
        end = time.perf_counter() + spin_us / 1e6
        while time.perf_counter() < end:
            pass
        return int(line)

    def kill(self, child: int) -> None:
        assert self._parent.stdout is not None
        # Without its server it ends by itself.
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        assert self._parent.stdout.readline().endswith(b"gone\n")

    def close(self) -> None:
        self._parent.kill()
        self._parent.communicate()


@contextmanager
def workers(server: RedisServer, namespace: str) -> Iterator[Workers]:
    made = Workers(server.url, namespace)
    try:
        yield made
    finally:
        made.close()


@pytest.fixture(scope="module")
def killing() -> Iterator[tuple[RedisServer, Workers]]:
    with running_redis() as server, workers(server, "crash") as made:
        yield server, made


def nobody_else_is_there(server: RedisServer) -> bool:
    """Commands of the dead are executed as long as their connection is read."""
    with server.client() as client:
        return len(client.client_list()) == 1


kills = st.tuples(st.integers(0, 2**31), st.integers(0, 40), st.integers(0, 1_000))


@given(kills)
def test_a_worker_killed_anywhere_leaves_nothing_half_done(
    killing: tuple[RedisServer, Workers], kill: tuple[int, int, int]
) -> None:
    server, made = killing
    made.kill(made.start(*kill))
    until(lambda: nobody_else_is_there(server))
    store = RedisStore(
        server.url, "crash", deadline_s=DEADLINE_S, max_entries=MOST_ENTRIES, max_bytes=MOST_BYTES
    )
    with server.client() as client:
        namespace = Namespace(client, store.space.keys)
        namespace.check(max_entries=MOST_ENTRIES, max_bytes=MOST_BYTES)
        # All were to stay for ever: whatever has an index has a body.
        assert namespace.of("e") == namespace.indexed("u")
        # Whatever is written beside entries ends some day, and a lease when its time is over.
        for kind in "cwbf":
            for name in namespace.of(kind):
                life = client.ttl(f"{store.space.keys.prefix}{kind}:{name}")
                assert life != -1
                assert kind != "f" or life <= 10
    live = entry(99, ttl_s=None)
    store.perform(Put(live, "s", QUESTION))
    assert digest(99) in {one.id for one in store.perform(Nearest("s", QUESTION, 0.9, count=100))}
    store.close()


def test_a_server_killed_under_load_comes_back_with_nothing_half_done() -> None:
    """With its append-only file, as the embedded one: what it has read back is whole."""
    dice = random.Random(1)
    with running_redis("--appendonly", "yes") as server:
        for _ in range(3):
            with workers(server, "crash") as made:
                child = made.start(dice.randrange(1_000), 200, dice.randrange(1_000))
                server.restart()
                made.kill(child)
            store = RedisStore(
                server.url, "crash", deadline_s=DEADLINE_S, max_entries=1_000, max_bytes=2**30
            )
            with server.client() as client:
                namespace = Namespace(client, store.space.keys)
                assert namespace.names()
                namespace.check(max_entries=MOST_ENTRIES, max_bytes=MOST_BYTES)
                assert namespace.of("e") == namespace.indexed("u")
            store.close()
