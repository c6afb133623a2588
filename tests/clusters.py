"""A real Redis Cluster for tests: three masters, three replicas, on loopback."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from khazad_mitm.store.embedded_files import redis_server as binary
from tests.nodes import Node, free_port
from tests.servers import until

MASTERS = 3
SLOTS = 16_384
# How long a master may be away before a replica takes its place.
NODE_TIMEOUT_MS = 1_000


@dataclass
class Cluster:
    nodes: list[Node]

    @property
    def url(self) -> str:
        return "redis+cluster://" + ",".join(f"127.0.0.1:{node.port}" for node in self.nodes)

    @property
    def alive(self) -> list[Node]:
        return [node for node in self.nodes if node.process.poll() is None]

    def masters(self) -> list[Node]:
        return [node for node in self.alive if node.role == "master"]

    def serving(self, key: str) -> Node:
        """The master that has a key's slot."""
        with self.alive[0].client() as client:
            slot = client.execute_command("CLUSTER", "KEYSLOT", key)
            for first, last, (_, port, *_), *_ in client.execute_command("CLUSTER SLOTS"):
                if first <= slot <= last:
                    return next(node for node in self.nodes if node.port == port)
        raise LookupError(key)


@contextmanager
def running_cluster(announced: Callable[[int], int] | None = None) -> Iterator[Cluster]:
    """`announced` gives for each node's port the one where clients are to find it. Then there are
    no replicas, which would look for their masters there too."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="khazad-"))
        count = MASTERS if announced else 2 * MASTERS
        nodes = [_start(Path(folder), stack, announced) for _ in range(count)]
        for node in nodes:
            until(lambda node=node: node.answers())
        masters, replicas = nodes[:MASTERS], nodes[MASTERS:]
        each = -(-SLOTS // MASTERS)
        for number, node in enumerate(masters):
            with node.client() as client:
                last = min(SLOTS, (number + 1) * each) - 1
                client.execute_command("CLUSTER", "ADDSLOTSRANGE", number * each, last)
                client.execute_command("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
        for node in nodes[1:]:
            with node.client() as client:
                client.execute_command("CLUSTER", "MEET", "127.0.0.1", nodes[0].port)
        until(lambda: all(node.info()["cluster_known_nodes"] == str(count) for node in nodes))
        for master, replica in zip(masters, replicas, strict=False):
            with master.client() as client:
                name = client.execute_command("CLUSTER", "MYID")
            with replica.client() as client:
                client.execute_command("CLUSTER", "REPLICATE", name)
        until(lambda: all(node.info()["cluster_state"] == "ok" for node in nodes))
        until(lambda: all(node.is_in_step() for node in replicas))
        yield Cluster(nodes)


def _start(folder: Path, stack: ExitStack, announced: Callable[[int], int] | None) -> Node:
    port = free_port()
    command = [
        str(binary(folder)),
        "--port",
        str(port),
        "--bind",
        "127.0.0.1",
        "--dir",
        str(folder),
    ]
    command += ["--save", "", "--cluster-enabled", "yes", "--logfile", f"{port}.log"]
    command += ["--cluster-config-file", f"{port}.conf"]
    command += ["--cluster-node-timeout", str(NODE_TIMEOUT_MS), "--repl-diskless-sync-delay", "0"]
    if announced is not None:
        command += ["--cluster-announce-port", str(announced(port))]
    return Node.started(port, command, stack)


@pytest.fixture(scope="session")
def redis_cluster() -> Iterator[Cluster]:
    """One cluster for all tests that do not ill-treat it."""
    with running_cluster() as cluster:
        yield cluster
