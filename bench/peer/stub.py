"""The fake provider of `make bench-peer`: plain HTTP on loopback, and it counts its calls."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from bench import conversation

_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
_ANSWER = _HEAD % len(conversation.ANSWER) + conversation.ANSWER


class Stub:
    """Speaks OpenAI's chat completions, at once or after a while."""

    def __init__(self) -> None:
        self.calls = 0
        self.delay_s = 0.0
        """What each answer takes from now on."""
        self.url = ""

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                size = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
                await reader.readexactly(size)
                self.calls += 1
                if self.delay_s:
                    await asyncio.sleep(self.delay_s)
                writer.write(_ANSWER)
                await writer.drain()
        except (asyncio.IncompleteReadError, OSError):
            writer.close()

    async def _until(self, end: asyncio.Event, listening: threading.Event) -> None:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=512)
        port = server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}{conversation.PATH}"
        listening.set()
        await end.wait()
        server.close()


@contextmanager
def running() -> Iterator[Stub]:
    """On a thread of this process, which has nothing else to do while others are measured."""
    stub = Stub()
    end, listening, loop = asyncio.Event(), threading.Event(), asyncio.new_event_loop()

    def run() -> None:
        loop.run_until_complete(stub._until(end, listening))
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()

    thread = threading.Thread(target=run, name="stub")
    thread.start()
    listening.wait()
    try:
        yield stub
    finally:
        loop.call_soon_threadsafe(end.set)
        thread.join()
