"""The supervisor, of workers that are a small program; `end_to_end/test_workers` has real ones."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from khazad_mitm.cli import workers
from khazad_mitm.cli.lines import Listens
from khazad_mitm.errors import ConfigError
from khazad_mitm.settings import from_mapping

SHARED = from_mapping({"redis_url": "redis://127.0.0.1:6379"}, environ={})
LISTENS = [("regular", "127.0.0.1", 8080)]

# What is run instead of Python: `WORKER -m khazad_mitm.cli ARGUMENTS --worker FD`. The first of the
# arguments is a folder; in it is written who has been started, and whether there was a CA then.
WORKER = f"""#!{sys.executable}
import json, os, pathlib, signal, socket, sys
folder, *how = sys.argv[3:-2]
folder, line = pathlib.Path(folder), socket.socket(fileno=int(sys.argv[-1]))
ended = lambda *_: (print("told", os.getpid(), file=open(folder / "told", "a")), os._exit(0))
signal.signal(signal.SIGTERM, ended)
with open(folder / "started", "a") as log:
    print(os.getpid(), (folder / "ca").exists(), file=log)
if "fails" in how:
    sys.exit(7)
(folder / "ca").touch()
line.sendall(json.dumps({LISTENS}).encode() + b"\\n")
if "ends" in how:
    sys.exit(3)
line.recv(1)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    program = tmp_path / "worker"
    program.write_text(WORKER)
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    return tmp_path


class Supervised:
    """Several workers, and what was told of them."""

    def __init__(self, folder: Path, count: int, *how: str) -> None:
        self._folder = folder
        self.ready = asyncio.Event()
        self.told: list[tuple[Sequence[tuple[str, str, int]], str]] = []
        argv = (str(folder), *how)
        self.task = asyncio.create_task(workers.supervise(argv, count, folder / "ca", self._tell))

    def _tell(self, listens: Listens, ca: str) -> None:
        self.told.append((listens, ca))
        self.ready.set()

    @property
    def started(self) -> list[tuple[int, bool]]:
        """Of each worker, in order: its process, and whether there was a CA already."""
        lines = (self._folder / "started").read_text().splitlines()
        return [(int(pid), was == "True") for pid, was in map(str.split, lines)]

    async def begun(self, count: int) -> None:
        """Until so many have been started."""
        while len(self.started) < count:
            assert not self.task.done()
            await asyncio.sleep(0.01)

    async def ended(self) -> int:
        """The status, after a SIGTERM."""
        os.kill(os.getpid(), signal.SIGTERM)
        return await self.task


async def test_it_is_told_once_where_they_listen_when_all_are_ready(folder: Path) -> None:
    supervised = Supervised(folder, 3)
    await supervised.ready.wait()

    assert [(LISTENS, str(folder / "ca"))] == supervised.told
    assert 3 == len(supervised.started)
    assert 0 == await supervised.ended()


async def test_the_first_makes_the_authority_alone(folder: Path) -> None:
    supervised = Supervised(folder, 3)
    await supervised.ready.wait()

    assert [False, True, True] == [was_there for _, was_there in supervised.started]
    await supervised.ended()


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
async def test_all_of_them_are_told_to_end(folder: Path, told: signal.Signals) -> None:
    supervised = Supervised(folder, 3)
    await supervised.ready.wait()
    os.kill(os.getpid(), told)

    assert 0 == await supervised.task
    lines = (folder / "told").read_text().splitlines()
    assert {f"told {pid}" for pid, _ in supervised.started} == set(lines)


async def test_one_that_is_killed_is_replaced_and_the_others_stay(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    supervised = Supervised(folder, 2)
    await supervised.ready.wait()
    (first, _), (second, _) = supervised.started
    os.kill(first, signal.SIGKILL)
    await supervised.begun(3)
    os.kill(second, 0)

    assert [LISTENS] == [listens for listens, _ in supervised.told]
    assert "[Khazad] a worker has ended (status -9)" in caplog.text
    # Told while it is being started, too.
    assert 0 == await supervised.ended()


async def test_one_that_cannot_begin_ends_all_with_its_status(folder: Path) -> None:
    supervised = Supervised(folder, 3, "fails")

    assert 7 == await supervised.task
    assert [] == supervised.told


async def test_workers_that_end_as_soon_as_they_are_ready_are_given_up(folder: Path) -> None:
    supervised = Supervised(folder, 1, "ends")

    assert 1 == await supervised.task
    assert workers.MAX_SOON == len(supervised.started)


async def test_workers_that_have_lasted_are_replaced_without_end(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "SOON_S", 0.0)
    supervised = Supervised(folder, 1, "ends")
    await supervised.ready.wait()
    await supervised.begun(workers.MAX_SOON + 1)

    assert 0 == await supervised.ended()


@pytest.mark.parametrize("count", [1, 2, workers.MAX_WORKERS])
def test_so_many_may_serve_together(count: int) -> None:
    workers.check(count, 8080, SHARED)


@pytest.mark.parametrize(
    ("count", "port", "redis_url", "message"),
    [
        (0, 8080, "auto", "--workers: 0 is not a number from 1 to 256"),
        (-1, 8080, "auto", "--workers: -1 is not"),
        (257, 8080, "auto", "--workers: 257 is not"),
        (2, 0, "auto", "port 0 would be another one for each"),
        (2, 8080, "memory", "the store `memory` is one process' own"),
    ],
)
def test_what_they_cannot_share_is_said(
    count: int, port: int, redis_url: str, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        workers.check(count, port, from_mapping({"redis_url": redis_url}, environ={}))
