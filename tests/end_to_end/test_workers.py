"""Several processes: on one port by themselves, or behind HAProxy. They share the store."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.cli.programs import khazad
from tests.end_to_end.services import Service, ask, free_port, serving
from tests.end_to_end.upstream import (
    WAIT_S,
    Answer,
    Call,
    Upstream,
    chat_answer,
    chat_body,
    question,
)
from tests.servers import RedisServer, until

CHECKOUT = Path(__file__).resolve().parents[2]
PATH = "/openai/v1/chat/completions"
SLOW_STORE = ("--mode", "exact", "--store-deadline-ms", "2000", "--grace", "0")

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="workers share a port on Linux")


@pytest.fixture
def store(redis_server: RedisServer) -> tuple[str, ...]:
    with redis_server.client() as client:
        client.flushall()
    return ("--redis-url", redis_server.url, *SLOW_STORE)


@contextmanager
def two_workers(folder: Path, upstream: Upstream, *store: str) -> Iterator[Service]:
    with free_port() as port:
        arguments = (*store, "--workers", "2", "--listen", f"127.0.0.1:{port}")
        with serving(folder, upstream, *arguments) as service:
            yield service


def pids(service: Service, count: int) -> set[int]:
    """Of so many workers, who answer as the kernel has it."""
    found: set[int] = set()
    until(lambda: found.add(service.page("/health")["pid"]) or len(found) == count)
    return found


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


@linux_only
def test_workers_share_the_port_and_the_answers(
    tmp_path: Path, upstream: Upstream, store: tuple[str, ...]
) -> None:
    with two_workers(tmp_path, upstream, *store) as service:
        both = pids(service, 2)
        asked = question("What is the capital of France?")
        ask(service.port, "POST", PATH, asked)
        until(lambda: "hit" in ask(service.port, "POST", PATH, asked).cache_status)
        answers = [ask(service.port, "POST", PATH, asked) for _ in range(20)]
        before = len(upstream.calls)
        service.tell()
        assert 0 == service.ended()

    assert {chat_body("Hello.")} == {answer.body for answer in answers}
    assert before == len(upstream.calls)
    assert all(is_gone(pid) for pid in both)


@linux_only
def test_equal_questions_to_several_workers_are_one_call(
    tmp_path: Path, upstream: Upstream, store: tuple[str, ...]
) -> None:
    go_on = threading.Event()

    def answer(call: Call) -> Answer:
        assert go_on.wait(WAIT_S)
        return chat_answer("Paris.")

    with two_workers(tmp_path, upstream, *store) as service, ThreadPoolExecutor(100) as pool:
        pids(service, 2)
        upstream.answer = answer
        asked = question("What is the capital of France?")
        asking = [pool.submit(ask, service.port, "POST", PATH, asked) for _ in range(100)]
        until(lambda: upstream.calls)
        go_on.set()
        answers = [one.result(WAIT_S) for one in asking]

    assert {chat_body("Paris.")} == {answer.body for answer in answers}
    assert 1 == len(upstream.calls)


def test_a_worker_that_is_killed_frees_what_it_asked_for_and_one_that_lives_does_not(
    tmp_path: Path, upstream: Upstream, store: tuple[str, ...]
) -> None:
    go_on, asked_twice = threading.Event(), threading.Event()
    calls: list[str] = []

    def answer(call: Call) -> Answer:
        (text,) = (text for text in ("lost", "kept") if text.encode() in call.body)
        calls.append(text)
        if calls.count("lost") == 2:
            asked_twice.set()
        assert go_on.wait(3 * WAIT_S)
        return chat_answer(text)

    with ExitStack() as stack:
        services = []
        for name in ("killed", "living", "other"):
            (tmp_path / name).mkdir()
            services.append(stack.enter_context(serving(tmp_path / name, upstream, *store)))
        pool = stack.enter_context(ThreadPoolExecutor(4))
        upstream.answer = answer

        def asked_of(service: Service, text: str) -> Any:
            return pool.submit(ask, service.port, "POST", PATH, question(text))

        killed, living, other = services
        asking = [asked_of(living, "kept")]
        until(lambda: calls == ["kept"])
        lost = asked_of(killed, "lost")
        until(lambda: calls == ["kept", "lost"])
        killed.process.kill()
        asking += [asked_of(other, "kept"), asked_of(other, "lost")]
        assert asked_twice.wait(3 * WAIT_S)
        go_on.set()
        answers = [one.result(WAIT_S) for one in asking]

        assert isinstance(lost.exception(WAIT_S), ConnectionError)
    # What is kept was asked for earlier: its lease would have ended earlier.
    assert ["kept", "lost", "lost"] == calls
    assert [chat_body(text) for text in ("kept", "kept", "lost")] == [one.body for one in answers]
    assert [False, True, False] == ["collapsed" in one.cache_status for one in answers]


@linux_only
def test_pages_are_about_all_workers(
    tmp_path: Path, upstream: Upstream, store: tuple[str, ...]
) -> None:
    with two_workers(tmp_path, upstream, *store) as service:
        both = pids(service, 2)
        asked = 0
        # Each call is a connection, and the kernel has it with whom it likes.
        while not all(worker["total_requests"] for worker in workers_of(service)):
            ask(service.port, "POST", PATH, question(f"What is {asked} squared?"))
            asked += 1
        stats, ready = service.page("/stats"), service.page("/ready")
        flushed = ask(service.port, "POST", "/flush", host="khazad.internal")
        empty = service.page("/stats")

    assert both == {worker["pid"] for worker in stats["workers"]}
    assert asked == stats["total_requests"]
    assert asked == sum(worker["total_requests"] for worker in stats["workers"])
    assert "ready" == ready["status"]
    assert {(pid, "ready", "ready") for pid in both} == {
        (worker["pid"], worker["status"], worker["store"]) for worker in ready["workers"]
    }
    assert 200 == flushed.status
    assert [0, 0, 0] == [page["total_requests"] for page in (empty, *empty["workers"])]


@linux_only
def test_no_worker_believes_in_a_key_once_all_is_forgotten(
    tmp_path: Path, upstream: Upstream, store: tuple[str, ...]
) -> None:
    asked = question("What is the capital of France?")

    def answered() -> str:
        return ask(service.port, "POST", PATH, asked).cache_status

    with two_workers(tmp_path, upstream, *store) as service:
        pids(service, 2)
        until(lambda: answered() and all(one["cache_hits"] for one in workers_of(service)))
        assert 200 == ask(service.port, "POST", "/flush", host="khazad.internal").status
        # Nothing that vouches for it anew.
        upstream.answer = lambda call: Answer(500)
        said = set[str]()
        until(lambda: said.add(answered()) or all(w["total_requests"] for w in workers_of(service)))

    assert said
    assert all("credential not accepted yet" in one for one in said)


def workers_of(service: Service) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = service.page("/stats")["workers"]
    assert 2 == len(told)
    return told


@linux_only
def test_a_worker_that_is_killed_is_replaced(
    tmp_path: Path, upstream: Upstream, store: tuple[str, ...]
) -> None:
    with two_workers(tmp_path, upstream, *store) as service:
        before = pids(service, 2)
        victim = min(before)
        os.kill(victim, signal.SIGKILL)
        until(lambda: is_gone(victim))
        after = pids(service, 2)

    assert max(before) in after
    assert victim not in after


@linux_only
def test_workers_whose_supervisor_is_killed_end(
    tmp_path: Path, upstream: Upstream, store: tuple[str, ...]
) -> None:
    with two_workers(tmp_path, upstream, *store) as service:
        both = pids(service, 2)
        service.process.kill()
        until(lambda: all(is_gone(pid) for pid in both))


@linux_only
def test_a_reason_that_every_worker_would_have_is_said_once(tmp_path: Path) -> None:
    done = khazad(tmp_path, "serve", "--workers", "3", "--redis-url", "unix:///no/redis.sock")

    assert 2 == done.returncode
    assert 1 == done.stderr.count("khazad-mitm: ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--workers", "0"), "--workers: 0 is not a number from 1 to 256"),
        (("--workers", "2", "--listen", "127.0.0.1:0"), "port 0 would be another one for each"),
        (("--workers", "2", "--redis-url", "memory"), "the store `memory` is one process' own"),
    ],
)
def test_what_workers_cannot_share_is_said(
    tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    done = khazad(tmp_path, "serve", *arguments)

    assert 2 == done.returncode
    assert message in done.stderr


@pytest.fixture
def haproxy() -> str:
    found = shutil.which("haproxy")
    if found is None:
        pytest.skip("there is no haproxy here")
    return found


def test_the_example_for_haproxy_serves_from_two_proxies(
    haproxy: str, tmp_path: Path, upstream: Upstream, store: tuple[str, ...]
) -> None:
    with ExitStack() as stack:
        ports = []
        for name in ("one", "two"):
            (tmp_path / name).mkdir()
            service = stack.enter_context(serving(tmp_path / name, upstream, *store))
            ports.append(service.port)
        front = stack.enter_context(free_port())
        example = (CHECKOUT / "examples" / "haproxy.cfg").read_text()
        example = example.replace("*:8080", f"127.0.0.1:{front}")
        for there, here in zip(("127.0.0.1:8081", "127.0.0.1:8082"), ports, strict=True):
            assert there in example
            example = example.replace(there, f"127.0.0.1:{here}")
        (tmp_path / "haproxy.cfg").write_text(example)
        process = subprocess.Popen([haproxy, "-db", "-f", str(tmp_path / "haproxy.cfg")])
        try:
            until(lambda: reaches(front))
            found: set[int] = set()
            until(lambda: found.add(pid_behind(front)) or len(found) == 2)
            asked = question("What is the capital of France?")
            ask(front, "POST", PATH, asked)
            until(lambda: "hit" in ask(front, "POST", PATH, asked).cache_status)
            hits = [ask(front, "POST", PATH, asked).cache_status for _ in range(4)]
        finally:
            process.terminate()
            process.wait(WAIT_S)

    assert all(status.startswith("khazad; hit") for status in hits)


def reaches(port: int) -> bool:
    try:
        return ask(port, "GET", "/live", host="khazad.internal").status == 200
    except (OSError, ConnectionError):
        return False


def pid_behind(port: int) -> int:
    body = ask(port, "GET", "/health", host="khazad.internal").body
    found = re.search(rb'"pid": (\d+)', body)
    assert found, body
    return int(found[1])
