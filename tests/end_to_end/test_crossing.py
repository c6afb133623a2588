"""Clients of several workers that ask for the same stream: one call, and each reads along."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.end_to_end.services import Service, ask, serving
from tests.end_to_end.test_workers import PATH, SLOW_STORE, linux_only, pids, two_workers
from tests.end_to_end.upstream import (
    WAIT_S,
    Answer,
    Call,
    Upstream,
    question,
    stream_answer,
    stream_frames,
)
from tests.servers import RedisServer, running_redis, until

STREAMED = question("What is the capital of France?", stream=True)
WORDS = ("Par", "is", ".")
FRAMES = stream_frames(WORDS)
WHOLE = b"".join(FRAMES)

Two = tuple[Service, Service]

PATIENCE_S = 3 * WAIT_S


@pytest.fixture
def own_redis() -> Iterator[RedisServer]:
    with running_redis() as server:
        yield server


class Patient(threading.Semaphore):
    """Waits for longer than a store that is away is waited for."""

    def acquire(self, blocking: bool = True, timeout: float | None = None) -> bool:
        return super().acquire(timeout=PATIENCE_S)


@pytest.fixture
def drip(upstream: Upstream) -> threading.Semaphore:
    """Lets the upstream send a frame more."""
    drip = Patient(0)
    upstream.answer = lambda call: stream_answer(WORDS, drip=drip)
    return drip


@contextmanager
def proxies(folder: Path, upstream: Upstream, store: RedisServer) -> Iterator[Two]:
    """Two with one store."""
    with ExitStack() as stack:
        some = []
        for name in ("one", "two"):
            (folder / name).mkdir()
            arguments = ("--redis-url", store.url, *SLOW_STORE)
            some.append(stack.enter_context(serving(folder / name, upstream, *arguments)))
        yield some[0], some[1]


@pytest.fixture(scope="module")
def standing_two(
    tmp_path_factory: pytest.TempPathFactory, standing_upstream: Upstream, redis_server: RedisServer
) -> Iterator[Two]:
    with proxies(tmp_path_factory.mktemp("two"), standing_upstream, redis_server) as two:
        yield two


@pytest.fixture
def two(standing_two: Two, upstream: Upstream) -> Two:
    """Proxies that remember nothing."""
    for service in standing_two:
        assert 200 == ask(service.port, "POST", "/flush", host="khazad.internal").status
    return standing_two


@pytest.fixture
def own_two(tmp_path: Path, upstream: Upstream, own_redis: RedisServer) -> Iterator[Two]:
    """To be killed, with or without their store."""
    with proxies(tmp_path, upstream, own_redis) as two:
        yield two


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(20) as pool:
        yield pool


@contextmanager
def opened(
    service: Service, key: str = "one", body: bytes = STREAMED
) -> Iterator[http.client.HTTPResponse]:
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=PATIENCE_S)
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
    try:
        connection.request("POST", PATH, body, headers)
        yield connection.getresponse()
    finally:
        connection.close()


@contextmanager
def begun(service: Service) -> Iterator[http.client.HTTPResponse]:
    """A client who has the first frame."""
    with opened(service) as response:
        assert FRAMES[0] == response.read(len(FRAMES[0]))
        yield response


def read(service: Service, key: str = "one", body: bytes = STREAMED) -> tuple[bytes, str]:
    with opened(service, key, body) as response:
        return response.read(), response.getheader("cache-status") or ""


def test_who_comes_late_to_another_worker_is_given_what_has_come_and_then_each_frame(
    two: Two, upstream: Upstream, drip: threading.Semaphore
) -> None:
    with begun(two[0]) as first, begun(two[1]) as late:
        assert "khazad; fwd=miss; collapsed" in (late.getheader("cache-status") or "")
        drip.release()
        assert FRAMES[1] == late.read(len(FRAMES[1])) == first.read(len(FRAMES[1]))
        # And whoever comes later still, to either.
        with begun(two[1]) as later:
            drip.release(len(FRAMES))
            rest = {response.read() for response in (first, late)}
            assert b"".join(FRAMES[1:]) == later.read()

    assert {b"".join(FRAMES[2:])} == rest
    assert 1 == len(upstream.calls)


@linux_only
def test_a_hundred_clients_of_two_workers_are_one_call(
    tmp_path: Path, upstream: Upstream, drip: threading.Semaphore, redis_server: RedisServer
) -> None:
    store = ("--redis-url", redis_server.url, *SLOW_STORE, "--namespace", "hundred")
    with two_workers(tmp_path, upstream, *store) as service, ThreadPoolExecutor(100) as pool:
        pids(service, 2)
        asking = [pool.submit(read, service) for _ in range(100)]
        until(lambda: upstream.calls)
        drip.release(len(FRAMES))
        answers = [one.result(WAIT_S) for one in asking]

    assert {WHOLE} == {body for body, _ in answers}
    assert 1 == len(upstream.calls)
    assert 1 == sum("collapsed" not in said and "hit" not in said for _, said in answers)


def test_who_asked_first_may_leave_the_others_in_another_worker(
    two: Two, upstream: Upstream, drip: threading.Semaphore
) -> None:
    with ExitStack() as stack:
        with begun(two[0]):
            late = stack.enter_context(begun(two[1]))
        drip.release(len(FRAMES))
        assert b"".join(FRAMES[1:]) == late.read()
        until(lambda: "hit" in read(two[1])[1])

    assert 1 == len(upstream.calls)


def test_a_cut_is_everyones_in_every_worker_and_the_next_asks_again(
    two: Two, upstream: Upstream
) -> None:
    drip = threading.Semaphore(0)
    upstream.answer = lambda call: stream_answer(WORDS, drip=drip, ending="cut")
    with begun(two[0]) as first, begun(two[1]) as late:
        drip.release(len(FRAMES))
        for response in (first, late):
            with pytest.raises(http.client.IncompleteRead):
                response.read()
    upstream.answer = lambda call: stream_answer(WORDS)

    assert WHOLE == read(two[1])[0]
    assert 2 == len(upstream.calls)


def test_another_key_is_another_call(
    two: Two, upstream: Upstream, drip: threading.Semaphore
) -> None:
    with begun(two[0]):
        drip.release(2 * len(FRAMES))
        body, said = read(two[1], key="another")

    assert WHOLE == body
    assert "collapsed" not in said
    assert 2 == len(upstream.calls)


def test_who_wants_no_stream_is_given_the_answer_of_another_workers_when_it_has_come(
    two: Two, upstream: Upstream, drip: threading.Semaphore, pool: ThreadPoolExecutor
) -> None:
    plain = question("What is the capital of France?")
    with begun(two[0]) as first:
        asked = pool.submit(read, two[1], body=plain)
        drip.release(len(FRAMES))
        first.read()
        body, _ = asked.result(WAIT_S)

    assert "Paris." == json.loads(body)["choices"][0]["message"]["content"]
    assert 1 == len(upstream.calls)


def test_a_worker_that_is_killed_before_its_answer_comes_is_followed_by_one(
    own_two: Two, upstream: Upstream, pool: ThreadPoolExecutor
) -> None:
    go_on, asked_twice = threading.Event(), threading.Event()

    def answer(call: Call) -> Answer:
        if len(upstream.calls) == 2:
            asked_twice.set()
        assert go_on.wait(3 * WAIT_S)
        return stream_answer(WORDS)

    upstream.answer = answer
    lost = pool.submit(read, own_two[0])
    until(lambda: upstream.calls)
    waiting = [pool.submit(read, own_two[1]) for _ in range(10)]
    own_two[0].process.kill()
    assert asked_twice.wait(3 * WAIT_S)
    go_on.set()

    assert {WHOLE} == {one.result(WAIT_S)[0] for one in waiting}
    assert isinstance(lost.exception(WAIT_S), ConnectionError)
    assert 2 == len(upstream.calls)


def test_who_has_read_a_part_is_cut_when_the_worker_that_was_given_it_is_killed(
    own_two: Two, upstream: Upstream, drip: threading.Semaphore, pool: ThreadPoolExecutor
) -> None:
    with begun(own_two[0]), begun(own_two[1]) as late, begun(own_two[1]) as later:
        own_two[0].process.kill()
        for response in (late, later):
            with pytest.raises(http.client.IncompleteRead) as cut:
                response.read()
            assert b"" == cut.value.partial
        # Nobody asks on their account; who asks now is one.
        assert 1 == len(upstream.calls)
    drip.release(2 * len(FRAMES))
    asking = [pool.submit(read, own_two[1]) for _ in range(10)]

    assert {WHOLE} == {one.result(WAIT_S)[0] for one in asking}
    assert 2 == len(upstream.calls)


def test_a_store_that_restarts_empty_in_the_middle_costs_nobody_his_answer(
    own_two: Two, upstream: Upstream, drip: threading.Semaphore, own_redis: RedisServer
) -> None:
    with begun(own_two[0]) as first, begun(own_two[1]) as late:
        own_redis.restart()
        drip.release(len(FRAMES))
        assert b"".join(FRAMES[1:]) == late.read() == first.read()

    assert 1 == len(upstream.calls)


def test_a_store_that_is_gone_for_good_cuts_those_alone_who_read_through_it(
    own_two: Two, upstream: Upstream, drip: threading.Semaphore, own_redis: RedisServer
) -> None:
    with begun(own_two[0]) as first, begun(own_two[1]) as late:
        own_redis.process.kill()
        with pytest.raises(http.client.IncompleteRead):
            late.read()
        drip.release(2 * len(FRAMES))
        assert b"".join(FRAMES[1:]) == first.read()
        assert WHOLE == read(own_two[1])[0]

    assert 2 == len(upstream.calls)
