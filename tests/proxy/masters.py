"""A `LeanMaster` that serves in this event loop, and an upstream that answers when told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeAlias

from khazad_mitm.assembly import build
from khazad_mitm.proxy.master import LeanMaster
from khazad_mitm.settings import from_mapping

Streams: TypeAlias = tuple[asyncio.StreamReader, asyncio.StreamWriter]

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwhole"


class _Ready:
    name = "ready"

    def __init__(self) -> None:
        self.event = asyncio.Event()

    def running(self) -> None:
        self.event.set()


class Serving:
    def __init__(self, master: LeanMaster, task: asyncio.Task[None], upstream: Upstream) -> None:
        self.master = master
        self.task = task
        """Done when the master has ended."""
        self.upstream = upstream
        (self.address,) = master.server.listen_addrs()
        self._writers: list[asyncio.StreamWriter] = []

    async def connect(self) -> Streams:
        reader, writer = await asyncio.open_connection(*self.address)
        self._writers.append(writer)
        return reader, writer

    async def hang_up(self) -> None:
        for writer in self._writers:
            writer.close()
            await asyncio.gather(writer.wait_closed(), return_exceptions=True)

    async def ask(self) -> asyncio.StreamReader:
        """The answer to a request that the upstream has, and of which it has answered nothing."""
        reader, writer = await self.connect()
        writer.write(
            f"GET http://127.0.0.1:{self.upstream.port}/ HTTP/1.1\r\n"
            f"Host: 127.0.0.1:{self.upstream.port}\r\n\r\n".encode()
        )
        await self.upstream.asked.get()
        return reader


class Upstream:
    """Plain HTTP. Answers when `go_on` is set."""

    def __init__(self) -> None:
        self.port = 0
        self.asked: asyncio.Queue[None] = asyncio.Queue()
        self.go_on = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                await reader.readuntil(b"\r\n\r\n")
                self.asked.put_nowait(None)
                await self.go_on.wait()
                writer.write(ANSWER)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


@asynccontextmanager
async def serving(confdir: Path) -> AsyncIterator[Serving]:
    """Ended, if it has not by then, as by Ctrl-C."""
    cache = build(from_mapping({"redis_url": "memory", "mode": "exact"}, environ={}))
    upstream = Upstream()
    server = await asyncio.start_server(upstream.serve, "127.0.0.1", 0)
    upstream.port = server.sockets[0].getsockname()[1]
    ready = _Ready()
    master = LeanMaster(cache, {"mode": ["regular@127.0.0.1:0"], "confdir": str(confdir)})
    master.addons.add(ready)
    task = asyncio.create_task(master.run())
    try:
        await ready.event.wait()
        made = Serving(master, task, upstream)
        yield made
        await made.hang_up()
    finally:
        upstream.go_on.set()
        master.shutdown()
        await task
        server.close()
        cache.close()
