"""Several processes that serve one port. Each is `khazad-mitm serve` once more, with the same
arguments, and a socket to its supervisor, which has gone when that closes.

One that ends is replaced. They share the store; what they say of themselves they say together
(`lines`).
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from khazad_mitm.cli.lines import MAX_LINE_BYTES, Listens, Switchboard
from khazad_mitm.errors import ConfigError
from khazad_mitm.settings import Settings

MAX_WORKERS = 256

# One that ends sooner has a reason that another will have too.
SOON_S = 5.0
MAX_SOON = 3

logger = logging.getLogger("khazad")


def check(count: int, port: int, settings: Settings) -> None:
    """Raises ConfigError where that many cannot serve together."""
    if not 1 <= count <= MAX_WORKERS:
        raise ConfigError(f"--workers: {count} is not a number from 1 to {MAX_WORKERS}")
    if port == 0:
        raise ConfigError("--workers: port 0 would be another one for each", "name one: --listen")
    if settings.redis_url == "memory":
        raise ConfigError(
            "--workers: the store `memory` is one process' own",
            "leave --redis-url at auto, or name a Redis 8",
        )


async def supervise(
    argv: Sequence[str], count: int, ca: Path, tell: Callable[[Listens, str], None]
) -> int:
    """Keep so many workers of `khazad-mitm ARGV` until told to end; the exit status."""
    supervisor = _Supervisor(argv)
    loop = asyncio.get_running_loop()
    for told in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(told, supervisor.end)
    keepers = [asyncio.create_task(supervisor.keep())]
    # Made by the first, where there is none: each would make one of its own.
    listens = None if ca.exists() else await supervisor.listens()
    lacking = count if listens is None else count - 1
    keepers += [asyncio.create_task(supervisor.keep()) for _ in range(count - 1)]
    for _ in range(lacking):
        listens = await supervisor.listens()
        if listens is None:
            break
    else:
        tell(listens or [], str(ca))
    await asyncio.gather(*keepers)
    return supervisor.status


class _Supervisor:
    def __init__(self, argv: Sequence[str]) -> None:
        self._argv = argv
        self._processes: set[asyncio.subprocess.Process] = set()
        self._is_ending = False
        self._soon = 0
        self._switchboard = Switchboard()
        self._ready: asyncio.Queue[Listens | None] = asyncio.Queue()
        self.status = 0

    def end(self) -> None:
        """Tell all of them, again where they have been told already."""
        self._is_ending = True
        self._ready.put_nowait(None)
        for process in self._processes:
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)

    async def listens(self) -> Listens | None:
        """Where the next worker listens that gets ready; None where there will be none."""
        listens = await self._ready.get()
        if listens is None:
            self._ready.put_nowait(None)
        return listens

    async def keep(self) -> None:
        """One worker, and another where it ends."""
        while not self._is_ending:
            started = time.monotonic()
            process, was_ready = await self._run()
            if self._is_ending:
                return
            if not was_ready:
                # It has said why.
                self._give_up(process.returncode or 1)
                return
            self._soon = self._soon + 1 if time.monotonic() - started < SOON_S else 0
            logger.error("[Khazad] a worker has ended (status %s)", process.returncode)
            if self._soon >= MAX_SOON:
                self._give_up(1)

    def _give_up(self, status: int) -> None:
        self.status = status
        self.end()

    async def _run(self) -> tuple[asyncio.subprocess.Process, bool]:
        ours, theirs = socket.socketpair()
        with theirs:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "khazad_mitm.cli", *self._argv),
                *("--worker", str(theirs.fileno())),
                pass_fds=(theirs.fileno(),),
                # Ctrl-C in a terminal is for us: we tell them once.
                start_new_session=True,
            )
        self._processes.add(process)
        reader, writer = await asyncio.open_unix_connection(sock=ours, limit=MAX_LINE_BYTES)
        try:
            if self._is_ending:  # told while it was being started
                process.send_signal(signal.SIGTERM)
            was_ready = await self._switchboard.attend(reader, writer, self._ready.put_nowait)
            await process.wait()
        finally:
            writer.close()
            self._processes.discard(process)
        return process, was_ready
