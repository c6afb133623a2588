from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from khazad_mitm.cli import lines
from khazad_mitm.cli.lines import Line, Switchboard

LISTENS = [("regular", "127.0.0.1", 8080)]


class Worker:
    """One end of a line, and who has it."""

    def __init__(self, name: str) -> None:
        self.name = name
        ours, self.theirs = socket.socketpair()
        self.line = Line(ours.detach())
        self.is_alone = asyncio.Event()

    async def speak(self, topic: Any) -> dict[str, Any]:
        if topic == "nothing":
            await asyncio.Event().wait()
        if topic == "failure":
            raise RuntimeError("no cache any more")
        return {"name": self.name, "topic": topic}


@asynccontextmanager
async def team(*names: str) -> AsyncIterator[list[Worker]]:
    """Workers that are ready, at one switchboard."""
    switchboard, workers, ready = Switchboard(), [Worker(name) for name in names], []
    streams = [await asyncio.open_connection(sock=worker.theirs) for worker in workers]
    attending = [asyncio.create_task(switchboard.attend(*both, ready.append)) for both in streams]
    for worker in workers:
        worker.line.open(LISTENS, worker.speak, worker.is_alone.set)
    while len(ready) < len(workers):
        await asyncio.sleep(0)
    assert [LISTENS] * len(workers) == ready
    yield workers
    for _, writer in streams:
        writer.close()
    assert {True} == set(await asyncio.gather(*attending))
    for worker in workers:
        await worker.is_alone.wait()


async def test_whoever_asks_hears_all_of_them():
    async with team("one", "other") as (one, other):
        told = [await worker.line.ask("stats") for worker in (one, other)]

    for all_said in told:
        assert ["one", "other"] == sorted(said["name"] for said in all_said)
        assert {"stats"} == {said["topic"] for said in all_said}


async def test_many_may_ask_at_once():
    async with team("one", "other") as (one, other):
        asked = [worker.line.ask(f"{n}") for n in range(20) for worker in (one, other)]
        topics = [{said["topic"] for said in told} for told in await asyncio.gather(*asked)]

    assert [{f"{n}"} for n in range(20) for _ in range(2)] == topics


@pytest.mark.parametrize("topic", ["nothing", "failure"])
async def test_who_says_nothing_is_left_out(topic: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(lines, "WAIT_S", 0.05)
    async with team("one", "other") as (one, _):
        assert [] == await one.line.ask(topic)


async def test_before_it_is_open_and_when_its_supervisor_has_gone_nobody_is_heard():
    worker = Worker("early")
    assert () == await worker.line.ask("stats")
    worker.line.open(LISTENS, worker.speak, worker.is_alone.set)
    worker.theirs.close()
    await worker.is_alone.wait()

    assert () == await worker.line.ask("stats")


async def test_a_worker_that_ends_before_it_is_ready_was_not():
    worker = Worker("failed")
    reader, writer = await asyncio.open_connection(sock=worker.theirs)
    worker.line._socket.close()

    assert not await Switchboard().attend(reader, writer, pytest.fail)
    writer.close()
