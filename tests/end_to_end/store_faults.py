"""Whatever happens to Redis: every call is answered as without us, at most one of them waits for
it, one line says that it is away and one that it is back, and then the cache works again.

Whoever imports these tests imports the fixtures of `store_ground` too.
"""

from __future__ import annotations

import socket
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from tests.end_to_end import redises
from tests.end_to_end.store_ground import BACK_S, DEADLINE_S, Ground, answer_to
from tests.end_to_end.upstream import WAIT_S, Call, Upstream
from tests.servers import until

CALLS = 8

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits of other processes")


# -- the store does not answer


@contextmanager
def stopped(ground: Ground) -> Iterator[None]:
    ground.redis.stop()
    yield
    ground.redis.go_on()


@contextmanager
def killed(ground: Ground) -> Iterator[None]:
    ground.redis.kill()
    yield
    ground.redis.start()


@contextmanager
def loading(ground: Ground) -> Iterator[None]:
    ground.relay.says = b"-LOADING Redis is loading the dataset in memory\r\n"
    yield
    ground.relay.says = None


@contextmanager
def slow(ground: Ground) -> Iterator[None]:
    ground.relay.delay_s = DEADLINE_S * 1.5
    yield
    ground.relay.delay_s = 0.0


@contextmanager
def nearly_too_slow(ground: Ground) -> Iterator[None]:
    """Each command is answered in time, and two of them are not."""
    ground.relay.delay_s = DEADLINE_S * 0.75
    yield
    ground.relay.delay_s = 0.0


@contextmanager
def password_changed(ground: Ground) -> Iterator[None]:
    ground.redis.tell("CONFIG", "SET", "requirepass", "another")
    ground.relay.cut()
    yield
    ground.redis.kill()
    ground.redis.start()


@contextmanager
def tls_failing(ground: Ground) -> Iterator[None]:
    known, ground.relay.context = ground.relay.context, ground.stray
    ground.relay.cut()
    yield
    ground.relay.context = known


@contextmanager
def failing_over(ground: Ground) -> Iterator[None]:
    """A replica is promoted, and the address leads to it: it knows what the master knew."""
    known = ground.learn()
    with redises.running() as replica:
        # It follows over TCP: the master opens a port for that.
        port = free_port()
        ground.redis.tell("CONFIG", "SET", "port", port)
        replica.tell("REPLICAOF", "127.0.0.1", port)
        until(lambda: replica.tell("INFO", "replication")["master_link_status"] == "up")
        until(lambda: ground.redis.tell("DBSIZE") == replica.tell("DBSIZE"))
        ground.redis.kill()
        replica.tell("REPLICAOF", "NO", "ONE")
        yield
        home, ground.relay.target = ground.relay.target, replica.socket
        until(lambda: ground.is_hit(known))
        # The replica ends, and takes what is connected to it along, when there is another again.
        ground.redis.start()
        ground.relay.target = home


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.mark.parametrize(
    "fault",
    [stopped, killed, loading, slow, nearly_too_slow, password_changed, tls_failing, failing_over],
)
def test_a_store_that_does_not_answer_costs_one_deadline_and_no_call(
    ground: Ground, fault: Any
) -> None:
    known = ground.learn()
    waits = []
    with fault(ground):
        for number in range(CALLS):
            began = time.monotonic()
            ground.ask(known if number % 2 else ground.new())
            waits.append(time.monotonic() - began)
    ground.wait_until_back()
    until(lambda: ground.is_hit(known))
    ground.learn()

    assert sum(wait >= DEADLINE_S for wait in waits) <= 1, waits
    assert max(waits) < 1.45 * DEADLINE_S, waits
    said = "unavailable", "is back"
    assert [1, 1] == [len(ground.lines(what)) for what in said], ground.lines("")


def test_a_store_that_is_slower_than_the_default_deadline_costs_no_call(hasty: Ground) -> None:
    known = hasty.learn()
    # On a busy machine so short a deadline may have passed before anything was done to it.
    until(lambda: hasty.is_hit(known) and hasty.is_settled())
    before = len(hasty.lines(""))
    hasty.relay.delay_s = 0.1
    until(lambda: len(hasty.lines("")) > before or not hasty.ask(hasty.new()))
    # Probes are late, too, and say nothing.
    late = hasty.relay.delayed
    until(lambda: hasty.relay.delayed >= late + 3 or not hasty.ask(hasty.new()), BACK_S)
    for number in range(CALLS):
        hasty.ask(known if number % 2 else hasty.new())
    assert 1 == len(hasty.lines("")[before:])
    hasty.relay.delay_s = 0.0
    until(lambda: len(hasty.lines("")) > before + 1 or not hasty.ask(hasty.new()), BACK_S)
    until(lambda: hasty.is_hit(known))

    (away, back) = hasty.lines("")[before : before + 2]
    assert "unavailable, passing calls through: no answer within 50 ms" in away
    assert "is back" in back


def test_equal_questions_share_one_call_while_it_is_away(
    ground: Ground, upstream: Upstream
) -> None:
    ground.learn()  # so that its key is known to the upstream
    body, go_on = ground.new(), threading.Event()

    def answer(call: Call) -> Any:
        assert go_on.wait(WAIT_S)
        return answer_to(call.body)

    upstream.answer = answer
    before = len(upstream.calls)
    with stopped(ground), ThreadPoolExecutor(20) as threads:
        asking = [threads.submit(ground.ask_alone, body) for _ in range(20)]
        ground.wait_for("unavailable")
        go_on.set()
        bodies = [asked.result() for asked in asking]
    ground.wait_until_back()

    assert [answer_to(body).frames[0]] * 20 == bodies
    assert body == upstream.calls[before].body
    assert 1 == sum(call.body == body for call in upstream.calls)


# -- the store answers, and takes nothing


@contextmanager
def read_only(ground: Ground) -> Iterator[None]:
    # Of a master that is not there: it goes on serving what it has.
    ground.redis.tell("REPLICAOF", "127.0.0.1", free_port())
    yield
    ground.redis.tell("REPLICAOF", "NO", "ONE")


@contextmanager
def out_of_memory(ground: Ground) -> Iterator[None]:
    ground.redis.tell("CONFIG", "SET", "maxmemory-policy", "noeviction")
    ground.redis.tell("CONFIG", "SET", "maxmemory", 1)
    yield
    ground.redis.tell("CONFIG", "SET", "maxmemory", 0)


@contextmanager
def without_replicas(ground: Ground) -> Iterator[None]:
    ground.redis.tell("CONFIG", "SET", "min-replicas-to-write", 1)
    yield
    ground.redis.tell("CONFIG", "SET", "min-replicas-to-write", 0)


@contextmanager
def disk_full(ground: Ground) -> Iterator[None]:
    ground.redis.fill_disk()
    yield
    ground.redis.free_disk()


@pytest.mark.parametrize("fault", [disk_full, read_only, out_of_memory, without_replicas])
def test_a_store_that_takes_nothing_still_serves_what_it_has(ground: Ground, fault: Any) -> None:
    known = ground.learn()
    with fault(ground):
        new = [ground.new() for _ in range(CALLS)]
        for body in new:
            ground.ask(body)
            assert ground.is_hit(known)
        ground.wait_for("takes no more answers")
        assert not any(map(ground.is_hit, new))
    until(lambda: all(map(ground.is_hit, new)))
    ground.wait_for("takes answers again")

    assert [] == ground.lines("unavailable"), ground.lines("")
    said = "takes no more answers", "takes answers again"
    assert [1, 1] == [len(ground.lines(what)) for what in said]


def test_a_store_that_was_restarted_empty_is_filled_again(ground: Ground) -> None:
    known = ground.learn()
    # What is kept is kept in order: all of the first is there, its vector too.
    ground.learn()
    ground.redis.kill()
    ground.redis.wipe()
    ground.redis.start()

    assert not ground.is_hit(known)
    until(lambda: ground.is_hit(known))
    assert [] == ground.lines("")
