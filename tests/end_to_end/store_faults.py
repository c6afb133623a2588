"""Whatever happens to Redis: every call is answered as without us, at most one of them waits for
it, one line says that it is away and one that it is back, and then the cache works again.

One Redis that is ill-treated in every way, and before it what whoever imports these tests gives as
`front` (`proxies`, `askers`). Its deadline is so long that no other delay can be taken for it.
"""

from __future__ import annotations

import itertools
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from tests.end_to_end import certificates, redises
from tests.end_to_end.certificates import Authority
from tests.end_to_end.redises import Redis
from tests.end_to_end.relay import Relay
from tests.end_to_end.upstream import WAIT_S, Call, Upstream, chat_answer, question
from tests.servers import until

DEADLINE_S = 2.0
CALLS = 8

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits of other processes")


class Ground:
    """The parts, and what they have said since the test began."""

    def __init__(self, redis: Redis, relay: Relay, front: Any, stray: ssl.SSLContext) -> None:
        self.redis = redis
        self.relay = relay
        self.front = front
        self.stray = stray
        """TLS in the name of somebody else."""
        self._numbers = itertools.count()
        self.client: Any
        self._began = 0

    def begin(self) -> None:
        self._began = len(self.front.log)
        self.client = self.front.client()

    def new(self) -> bytes:
        return question(f"What is {next(self._numbers)} squared?")

    def ask(self, body: bytes) -> Any:
        received = self.client.ask(body)
        assert 200 == received.status
        assert answer_to(body).frames[0] == received.body
        return received

    def ask_alone(self, body: bytes) -> bytes:
        """On a connection of one's own."""
        with self.front.client() as client:
            answer: bytes = client.ask(body).body
            return answer

    def is_hit(self, body: bytes) -> bool:
        return "khazad; hit" in self.ask(body).cache_status

    def learn(self) -> bytes:
        """A question that the cache can answer."""
        body = self.new()
        until(lambda: self.is_hit(body))
        return body

    def lines(self, said: str) -> list[str]:
        return [line for line in self.front.log[self._began :] if f"[Khazad] store {said}" in line]

    def wait_for(self, said: str) -> None:
        until(lambda: self.lines(said))


def answer_to(body: bytes) -> Any:
    return chat_answer(f"The answer to {body.decode()}")


@pytest.fixture(scope="module")
def standing_ground(
    authority: Authority,
    standing_upstream: Upstream,
    tmp_path_factory: pytest.TempPathFactory,
    front: Callable[..., Any],
) -> Iterator[Ground]:
    with ExitStack() as stack:
        redis = stack.enter_context(redises.running())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(authority.certificate, authority.key)
        relay = Relay(redis.socket, context)
        stack.callback(relay.close)
        url = f"rediss://127.0.0.1:{relay.port}?ssl_ca_certs={authority.ca}"
        deadline_ms = str(int(DEADLINE_S * 1000))
        settings = {"redis_url": url, "store_deadline_ms": deadline_ms}
        standing = front(tmp_path_factory.mktemp("faults"), standing_upstream, settings)
        stack.callback(standing.stop)
        others = certificates.make(tmp_path_factory.mktemp("others"))
        stray = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        stray.load_cert_chain(others.certificate, others.key)
        yield Ground(redis, relay, standing.wait(), stray)


@pytest.fixture
def ground(standing_ground: Ground, upstream: Upstream) -> Iterator[Ground]:
    def answer(call: Call) -> Any:
        return answer_to(call.body)

    upstream.answer = answer
    standing_ground.begin()
    with standing_ground.client:
        yield standing_ground


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
        ground.relay.target = home
        ground.redis.start()
        ground.relay.cut()


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
    until(lambda: ground.is_hit(known))
    ground.learn()
    ground.wait_for("is back")

    assert sum(wait >= DEADLINE_S for wait in waits) <= 1
    assert max(waits) < 1.45 * DEADLINE_S
    said = "unavailable", "is back"
    assert [1, 1] == [len(ground.lines(what)) for what in said], ground.lines("")


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
    until(lambda: ground.lines("is back") or not ground.ask(ground.new()))

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

    assert [] == ground.lines("unavailable")
    said = "takes no more answers", "takes answers again"
    assert [1, 1] == [len(ground.lines(what)) for what in said]


def test_a_store_that_was_restarted_empty_is_filled_again(ground: Ground) -> None:
    known = ground.learn()
    ground.redis.kill()
    ground.redis.wipe()
    ground.redis.start()

    assert not ground.is_hit(known)
    until(lambda: ground.is_hit(known))
    assert [] == ground.lines("")
