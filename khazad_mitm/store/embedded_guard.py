"""The process that keeps the embedded server: starts it, restarts it, and ends it after its users.

Run as a file by `embedded`, with Python's -I, so it imports the standard library only. What it and
the users share are three locks in the data directory (flock: the kernel lets go of them however a
process ends):

    guard.lock   held by the guard: there is one
    server.lock  held by the server, which inherits it: no second one ever opens the same data
    users.lock   held shared by every process that uses the server; the guard ends the server once
                 it can hold it alone, and keeps newcomers waiting until that is done

Usage: embedded_guard.py DATA_DIRECTORY SOCKET REDIS_SERVER
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

ADDRESS = "server.socket"
"""File in the data directory that names the socket in use."""
PID = "server.pid"
FAILED = "server.failed"
"""File there whose presence says that the server does not stay up."""

# How long a server may outlive its last user.
POLL_S = 0.25
# A server that ends sooner than this after its start is not started again: its data are damaged,
# or the disk is full. Its log says which.
SETTLED_S = 1.0
# Ending takes as long as flushing the append-only file.
END_S = 20.0
# Linux only: the parent's death ends the child (prctl, PR_SET_PDEATHSIG).
PARENT_DEATH_SIGNAL = 1


def main(data: Path, socket: Path, redis_server: str) -> None:
    guard_lock = open_lock(data, "guard.lock")
    if not try_lock(guard_lock, fcntl.LOCK_EX):
        return
    server_lock = open_lock(data, "server.lock")
    if not try_lock(server_lock, fcntl.LOCK_EX):
        # The server of a guard that was killed: it may still be writing, or know of nothing.
        with contextlib.suppress(OSError, ValueError):
            os.kill(int((data / PID).read_text()), signal.SIGTERM)
        fcntl.flock(server_lock, fcntl.LOCK_EX)
    users_lock = open_lock(data, "users.lock")
    record(data / ADDRESS, str(socket))
    while True:
        started = time.monotonic()
        server = start(data, socket, redis_server, server_lock)
        if ended_of_itself(server, socket, users_lock):
            if time.monotonic() - started < SETTLED_S:
                (data / FAILED).touch()
                return
            continue
        server.terminate()
        try:
            server.wait(END_S)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
        return


def start(data: Path, socket: Path, redis_server: str, server_lock: int) -> subprocess.Popen[bytes]:
    # A stale socket would be answered by nobody.
    with contextlib.suppress(FileNotFoundError):
        socket.unlink()
    options = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(data),
        "logfile": "redis.log",
        "loglevel": "warning",
        "databases": "1",
        "save": "",
        "appendonly": "yes",
        "appendfsync": "everysec",
        # Vectors written one by one take long to read back; those of a rewritten file do not.
        "auto-aof-rewrite-min-size": "16mb",
        "maxmemory-policy": "noeviction",
    }
    arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
    return subprocess.Popen(  # noqa: S603
        [redis_server, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=[server_lock],
        preexec_fn=partial(begin, data),
    )


def ended_of_itself(server: subprocess.Popen[bytes], socket: Path, users_lock: int) -> bool:
    """Wait for the server to end, or (False) for a reason to end it."""
    listened = False
    while True:
        try:
            server.wait(POLL_S)
            return True
        except subprocess.TimeoutExpired:
            pass
        if try_lock(users_lock, fcntl.LOCK_EX):
            return False
        listens = socket.exists()
        if listened and not listens:
            # Directories for sockets are swept at log-out: nobody could come any more.
            return False
        listened = listens


def begin(data: Path) -> None:
    """In the child, before it becomes the server."""
    if sys.platform == "linux":
        end_with_parent()
    # By itself: noted by a guard that is killed first it would be another's number, which the next
    # guard would end.
    record(data / PID, str(os.getpid()))


def end_with_parent() -> None:
    import ctypes

    ctypes.CDLL(None).prctl(PARENT_DEATH_SIGNAL, signal.SIGTERM)


def record(file: Path, text: str) -> None:
    """Write a file that others never see half written."""
    unfinished = file.with_suffix(".new")
    unfinished.write_text(text)
    unfinished.replace(file)


def open_lock(data: Path, name: str) -> int:
    """A descriptor that children do not inherit unless told."""
    return os.open(data / name, os.O_RDWR | os.O_CREAT, 0o600)


def try_lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
