"""A Redis of one's own that is to have a hard time: stopped, killed, filled, cut off its disk."""

from __future__ import annotations

import resource
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import redis

from khazad_mitm.store.embedded import serves
from khazad_mitm.store.embedded_files import redis_server
from tests.servers import until


class Redis:
    """With an append-only file, so that what a kill leaves is there again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.socket = folder / "redis.sock"
        self._data = folder / "data"
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        self._data.mkdir(exist_ok=True)
        command = [str(redis_server(self._folder)), "--port", "0"]
        command += ["--unixsocket", str(self.socket), "--dir", str(self._data)]
        command += ["--save", "", "--appendonly", "yes", "--appendfsync", "everysec"]
        command += ["--logfile", "redis.log"]
        # Python ignores SIGXFSZ; inherited, a write beyond the limit fails and does not kill.
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, restore_signals=False)
        until(lambda: serves(self.socket))

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def tell(self, *command: Any) -> Any:
        client = redis.Redis(unix_socket_path=str(self.socket), protocol=2)
        try:
            return client.execute_command(*command)
        finally:
            client.close()

    def holds(self, text: bytes) -> bool:
        """Is there an entry with this in it?"""
        entries = self.tell("KEYS", "*:e:*")
        return any(text in kept for kept in self.tell("MGET", *entries)) if entries else False

    def stop(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def wipe(self) -> None:
        """Take away what it has saved; it is not running."""
        shutil.rmtree(self._data)

    def fill_disk(self) -> None:
        """No file of its may become larger than one byte: every saving fails."""
        resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))

    def free_disk(self) -> None:
        unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        resource.prlimit(self.pid, resource.RLIMIT_FSIZE, unlimited)


@contextmanager
def running() -> Iterator[Redis]:
    # Not pytest's tmp_path, which may be too long for a unix socket.
    with tempfile.TemporaryDirectory(prefix="khazad-") as folder:
        server = Redis(Path(folder))
        try:
            yield server
        finally:
            server.kill()
