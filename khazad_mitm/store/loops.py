"""Connections of the running event loop: few, handed from trip to trip, closed when the loop ends.

In-process users call `asyncio.run` again and again, each time with a new loop, and a connection
cannot outlive the loop it was opened in.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from functools import partial
from typing import Any

import redis.asyncio

from khazad_mitm.store.tls import context_of

# Opening one takes longer than ten trips over it: hundreds of requests at the same moment must
# queue here, or they would all miss their deadline connecting.
CONNECTIONS = 16

# A server that takes longer is as good as away.
CONNECT_S = 1.0


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
            return self._made()
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            return await turn
        except asyncio.CancelledError:
            if not turn.cancelled():
                self.give(turn.result())
            raise

    def _made(self) -> Any:
        options = self._pool.connection_kwargs
        connection: Any = self._pool.connection_class(**options)
        context = context_of(connection, options)
        if context is not None:
            connection.ssl_context = context
        return connection

    async def connect(self, connection: Any) -> bool:
        """To be done before it is used; has it been used before?

        Whoever cannot wait until then leaves it to the next, connected. Or, where that takes longer
        than a caller may wait, nobody would ever have one. Where this fails it is given back.
        """
        if connection.is_connected:
            return True
        connecting = asyncio.ensure_future(asyncio.wait_for(connection.connect(), CONNECT_S))
        try:
            await asyncio.shield(connecting)
            return False
        except BaseException:
            connecting.add_done_callback(partial(self._connected, connection))
            raise

    def _connected(self, connection: Any, connecting: asyncio.Future[None]) -> None:
        if not connecting.cancelled():
            connecting.exception()  # looked at, so that nobody complains
        self.give(connection)

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
