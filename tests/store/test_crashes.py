"""Killed at any moment, a worker or the server leaves nothing half done."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khazad_mitm.cache.commands import Nearest, Put
from khazad_mitm.store.redis_store import RedisStore
from tests.clusters import Cluster, running_cluster
from tests.servers import RedisServer, running_redis, until
from tests.store.behind import Behind, behind
from tests.store.conftest import DEADLINE_S
from tests.store.entries import QUESTION
from tests.store.invariants import Namespace
from tests.store.worker import BOUNDS, LEASE_S, bounds_of, places_of, store_at

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
def workers(url: str, namespace: str) -> Iterator[Workers]:
    made = Workers(url, namespace)
    try:
        yield made
    finally:
        made.close()


@dataclass
class Scene:
    url: str
    workers: Workers
    behind: Behind

    def nobody_else_is_there(self) -> bool:
        """Commands of the dead are executed as long as their connection is read."""
        return all(len(node.client_list(_type="normal")) == 1 for node in self.behind.nodes)


@pytest.fixture(scope="module", params=["a server", "a cluster"])
def scene(request: pytest.FixtureRequest) -> Iterator[Scene]:
    with ExitStack() as stack:
        running = running_redis if request.param == "a server" else running_cluster
        server: RedisServer | Cluster = stack.enter_context(running())
        made = stack.enter_context(workers(server.url, "crash"))
        yield Scene(server.url, made, stack.enter_context(behind(server)))


kills = st.tuples(st.integers(0, 2**31), st.integers(0, 40), st.integers(0, 1_000))


@given(kills)
def test_a_worker_killed_anywhere_leaves_nothing_half_done(
    scene: Scene, kill: tuple[int, int, int]
) -> None:
    scene.workers.kill(scene.workers.start(*kill))
    until(scene.nobody_else_is_there)
    with closing(store_at(scene.url, "crash", DEADLINE_S)) as store:
        for place in places_of(scene.url):
            keys = store.space.at(place.name(0))
            client = scene.behind.at(keys.expiry)
            check(Namespace(client, keys), bounds_of(scene.url))
            # Nothing that is left hides what comes.
            live, scope = place.entry(99), place.scopes[0]
            store.perform(Put(live, scope, QUESTION))
            found = store.perform(Nearest(scope, QUESTION, 0.9, count=100))
            assert live.id in {one.id for one in found}


def check(namespace: Namespace, bounds: dict[str, int]) -> None:
    namespace.check(**bounds)
    # All were to stay for ever: whatever has an index has a body.
    assert namespace.of("e") == namespace.indexed("u")
    # Whatever is written beside entries ends some day; a lease or a stream when its time is over.
    for kind in "cwbfsn":
        for name in namespace.of(kind):
            life = namespace.client.ttl(f"{namespace.keys.prefix}{kind}:{name}")
            assert life != -1
            assert kind not in "fsn" or life <= LEASE_S


def test_a_server_killed_under_load_comes_back_with_nothing_half_done() -> None:
    """With its append-only file, as the embedded one: what it has read back is whole."""
    dice = random.Random(1)
    with running_redis("--appendonly", "yes") as server:
        for _ in range(3):
            with workers(server.url, "crash") as made:
                child = made.start(dice.randrange(1_000), 200, dice.randrange(1_000))
                server.restart()
                made.kill(child)
            store = RedisStore(
                server.url, "crash", deadline_s=DEADLINE_S, max_entries=1_000, max_bytes=2**30
            )
            with server.client() as client:
                namespace = Namespace(client, store.space.keys)
                assert namespace.names()
                namespace.check(**BOUNDS)
                assert namespace.of("e") == namespace.indexed("u")
            store.close()
