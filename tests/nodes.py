"""One of several servers on loopback that know each other: in a cluster, behind sentinels."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import redis


@dataclass
class Node:
    port: int
    process: subprocess.Popen[bytes]

    @classmethod
    def started(cls, port: int, command: list[str], stack: ExitStack) -> Node:
        node = cls(port, subprocess.Popen(command, stdout=subprocess.DEVNULL))
        stack.callback(node.kill)
        return node

    @contextmanager
    def client(self) -> Iterator[redis.Redis]:
        client = redis.Redis(port=self.port, protocol=2)
        try:
            yield client
        finally:
            client.close()

    def info(self) -> dict[str, str]:
        with self.client() as client:
            lines = client.execute_command("CLUSTER", "INFO")
            text = lines.decode() if isinstance(lines, bytes) else ""
            if isinstance(lines, dict):
                return {str(name): str(value) for name, value in lines.items()}
            return dict(line.split(":", 1) for line in text.split() if ":" in line)

    @property
    def role(self) -> str:
        with self.client() as client:
            return str(client.info("replication")["role"])

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def start(self) -> None:
        """Again, as it was started before."""
        self.process = subprocess.Popen(self.process.args, stdout=subprocess.DEVNULL)

    def answers(self) -> bool:
        try:
            with self.client() as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def is_in_step(self) -> bool:
        """Does it follow its master, and has it all that is there?"""
        with self.client() as client:
            told = client.info("replication")
        return bool(told["role"] == "slave" and told["master_link_status"] == "up")


def free_port() -> int:
    # The second port, of the bus, is 10,000 above: it must be one too.
    while True:
        with socket.socket() as one, socket.socket() as two:
            one.bind(("127.0.0.1", 0))
            port: int = one.getsockname()[1]
            if port < 50_000:
                try:
                    two.bind(("127.0.0.1", port + 10_000))
                except OSError:
                    continue
                return port
