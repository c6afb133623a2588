"""Connections of the running event loop: few, handed from trip to trip, closed when the loop ends.

In-process users call `asyncio.run` again and again, each time with a new loop, and a connection
cannot outlive the loop it was opened in.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from typing import Any

import redis.asyncio

# Opening one takes longer than ten trips over it: hundreds of requests at the same moment must
# queue here, or they would all miss their deadline connecting.
CONNECTIONS = 16


class Connections:
    """Those of one loop; used in that loop alone."""

    def __init__(self, pool: redis.asyncio.ConnectionPool) -> None:
        self._pool = pool
        self._idle: list[Any] = []
        self._open = 0
        self._waiting: deque[asyncio.Future[Any]] = deque()

    async def take(self) -> Any:
        """A connection, perhaps not connected yet; to be given back in any case."""
        if self._idle:
            return self._idle.pop()
        if self._open < CONNECTIONS:
            self._open += 1
            return self._pool.connection_class(**self._pool.connection_kwargs)
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            return await turn
        except asyncio.CancelledError:
            if not turn.cancelled():
                self.give(turn.result())
            raise

    def give(self, connection: Any) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(connection)
                return
        self._idle.append(connection)

    async def close(self) -> None:
        while self._idle:
            await self._idle.pop().disconnect()


class LoopConnections:
    """The connections of every loop."""

    def __init__(self, url: str, options: dict[str, Any]) -> None:
        self._pool = redis.asyncio.ConnectionPool.from_url(url, **options)
        self._loops: dict[
            asyncio.AbstractEventLoop, tuple[Connections, AsyncGenerator[Connections, None]]
        ] = {}

    async def here(self) -> Connections:
        """Those of the running loop."""
        loop = asyncio.get_running_loop()
        if loop not in self._loops:
            for ended in [other for other in list(self._loops) if other.is_closed()]:
                self._loops.pop(ended, None)
            lifetime = self._lifetime(loop)
            self._loops[loop] = (await lifetime.__anext__(), lifetime)
        return self._loops[loop][0]

    async def _lifetime(self, loop: asyncio.AbstractEventLoop) -> AsyncGenerator[Connections, None]:
        # A loop has no hook for its end but this: `asyncio.run`, and every runner like it, closes
        # the async generators that were begun in it.
        connections = Connections(self._pool)
        try:
            yield connections
        finally:
            self._loops.pop(loop, None)
            await connections.close()
