"""What workers and their supervisor say to each other, on the socket that joins each to it.

Lines of JSON. A worker first says where it listens. Then it may ask what all of them say on a
topic, and says itself what it is asked:

    worker      [["regular", "127.0.0.1", 8080]]
    worker      {"ask": "stats", "id": 1}
    supervisor  {"tell": "stats", "id": 7}          to each of them, the one that asks included
    worker      {"id": 7, "said": {...}}
    supervisor  {"id": 1, "told": [{...}, {...}]}

A worker that does not answer in time is left out.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
import socket
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeAlias

Listens: TypeAlias = Sequence[tuple[str, str, int]]
"""Mode, host and port of every socket."""

# A worker's loop is busy for some milliseconds; flushing a large store may take seconds.
WAIT_S = 2.0
# One line: of 256 workers, each with its counters for 100 models.
MAX_LINE_BYTES = 16 * 1024 * 1024

logger = logging.getLogger("khazad")


class Line:
    """A worker's end. A `proxy.team.Team`, which nobody answers before it is open."""

    def __init__(self, number: int) -> None:
        """`number`: the file descriptor of the socket."""
        self._socket = socket.socket(fileno=number)
        self._writer: asyncio.StreamWriter | None = None
        self._ids = itertools.count()
        self._waiting: dict[int, asyncio.Future[list[Any]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def open(
        self,
        listens: Listens,
        speak: Callable[[Any], Awaitable[dict[str, Any]]],
        when_alone: Callable[[], None],
    ) -> None:
        """Say where we listen, and from now on what `speak(topic)` gives.

        `when_alone` is called in the event loop when the supervisor has gone.
        """
        self._begin(self._live(listens, speak, when_alone))

    async def ask(self, topic: str) -> Sequence[Any]:
        """What all workers say; () where that cannot be had in time."""
        if self._writer is None:
            return ()
        id_ = next(self._ids)
        told = self._waiting[id_] = asyncio.get_running_loop().create_future()
        try:
            _write(self._writer, {"ask": topic, "id": id_})
            return await asyncio.wait_for(told, 2 * WAIT_S)
        except (asyncio.TimeoutError, OSError):
            return ()
        finally:
            self._waiting.pop(id_, None)

    async def _live(
        self,
        listens: Listens,
        speak: Callable[[Any], Awaitable[dict[str, Any]]],
        when_alone: Callable[[], None],
    ) -> None:
        reader, writer = await asyncio.open_connection(sock=self._socket, limit=MAX_LINE_BYTES)
        _write(writer, list(listens))
        self._writer = writer
        while line := await _line(reader):
            match json.loads(line):
                case {"tell": topic, "id": id_}:
                    self._begin(self._say(writer, id_, speak(topic)))
                case {"told": told, "id": id_} if id_ in self._waiting:
                    self._waiting.pop(id_).set_result(told)
        self._writer = None
        writer.close()
        when_alone()

    async def _say(
        self, writer: asyncio.StreamWriter, id_: int, said: Awaitable[dict[str, Any]]
    ) -> None:
        try:
            _write(writer, {"id": id_, "said": await said})
        except Exception:  # an edge: it may be asked in the middle of its end
            logger.debug("nothing was said", exc_info=True)

    def _begin(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class Switchboard:
    """The supervisor's end of all lines."""

    def __init__(self) -> None:
        self._writers: set[asyncio.StreamWriter] = set()
        self._ids = itertools.count()
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def attend(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        ready: Callable[[Listens], None],
    ) -> bool:
        """Stay with one worker until its line ends; was it ready?"""
        first = await _line(reader)
        if not first:
            return False
        ready([tuple(found) for found in json.loads(first)])
        self._writers.add(writer)
        try:
            while line := await _line(reader):
                match json.loads(line):
                    case {"ask": topic, "id": id_}:
                        task = asyncio.create_task(self._answer(writer, topic, id_))
                        self._tasks.add(task)
                        task.add_done_callback(self._tasks.discard)
                    case {"said": said, "id": id_} if id_ in self._waiting:
                        self._waiting.pop(id_).set_result(said)
        finally:
            self._writers.discard(writer)
        return True

    async def _answer(self, asker: asyncio.StreamWriter, topic: str, id_: int) -> None:
        told = await asyncio.gather(*(self._ask(writer, topic) for writer in self._writers))
        _write(asker, {"id": id_, "told": [said for said in told if said is not None]})

    async def _ask(self, writer: asyncio.StreamWriter, topic: str) -> Any:
        id_ = next(self._ids)
        said = self._waiting[id_] = asyncio.get_running_loop().create_future()
        try:
            _write(writer, {"tell": topic, "id": id_})
            return await asyncio.wait_for(said, WAIT_S)
        except (asyncio.TimeoutError, OSError):
            return None
        finally:
            self._waiting.pop(id_, None)


def _write(writer: asyncio.StreamWriter, value: Any) -> None:
    writer.write(json.dumps(value).encode() + b"\n")


async def _line(reader: asyncio.StreamReader) -> bytes:
    """One line, or b"" where there will be none."""
    try:
        line = await reader.readline()
    except (OSError, ValueError):
        return b""
    return line if line.endswith(b"\n") else b""
