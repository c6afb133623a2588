"""A real master with a replica, and three sentinels that look after them, on loopback."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from khazad_mitm.store.embedded_files import redis_server as binary
from tests.nodes import Node, free_port
from tests.servers import until

SERVICE = "answers"
SENTINELS = 3
# How long a master may be away before a replica takes its place.
DOWN_MS = 1_000


@dataclass
class Watched:
    nodes: list[Node]
    sentinels: list[Node]

    @property
    def url(self) -> str:
        places = ",".join(f"127.0.0.1:{node.port}" for node in self.sentinels)
        return f"redis+sentinel://{places}/{SERVICE}"

    def told(self, *command: Any) -> Any:
        """What the first sentinel that is alive says."""
        alive = next(one for one in self.sentinels if one.process.poll() is None)
        with alive.client() as client:
            return client.execute_command("SENTINEL", *command)

    @property
    def master(self) -> Node:
        _, port = self.told("GET-MASTER-ADDR-BY-NAME", SERVICE)
        return next(node for node in self.nodes if node.port == int(port))

    def wait_until_safe(self) -> None:
        """A failover now would lead to a replica that has everything."""
        (replica,) = (node for node in self.nodes if node is not self.master)
        until(lambda: replica.is_in_step())
        until(lambda: self.told("CKQUORUM", SERVICE))
        with self.master.client() as client:
            assert client.wait(1, 20_000)


@contextmanager
def watched() -> Iterator[Watched]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="khazad-")))
        nodes = [_start(folder, stack) for _ in range(2)]
        master, replica = nodes
        until(lambda: all(node.answers() for node in nodes))
        with replica.client() as client:
            client.execute_command("REPLICAOF", "127.0.0.1", master.port)
        until(lambda: replica.is_in_step())
        sentinels = [_start(folder, stack, master.port) for _ in range(SENTINELS)]
        until(lambda: all(one.answers() for one in sentinels))
        made = Watched(nodes, sentinels)
        until(lambda: all(map(_knows_all, sentinels)))
        yield made


def _start(folder: Path, stack: ExitStack, watches: int | None = None) -> Node:
    port = free_port()
    config = folder / f"{port}.conf"
    lines = [f"port {port}", "bind 127.0.0.1", f"dir {folder}", f"logfile {port}.log"]
    if watches is None:
        lines += ['save ""', "repl-diskless-sync-delay 0"]
    else:
        lines += [
            f"sentinel monitor {SERVICE} 127.0.0.1 {watches} 2",
            f"sentinel down-after-milliseconds {SERVICE} {DOWN_MS}",
            f"sentinel failover-timeout {SERVICE} 3000",
        ]
    config.write_text("\n".join(lines) + "\n")
    command = [str(binary(folder)), str(config), *(["--sentinel"] * (watches is not None))]
    return Node.started(port, command, stack)


def _knows_all(sentinel: Node) -> bool:
    with sentinel.client() as client:
        flat = client.execute_command("SENTINEL", "MASTER", SERVICE)
    told = flat if isinstance(flat, dict) else dict(zip(flat[::2], flat[1::2], strict=True))
    told = {_text(name): _text(value) for name, value in told.items()}
    return (told["num-slaves"], told["num-other-sentinels"]) == ("1", str(SENTINELS - 1))


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
