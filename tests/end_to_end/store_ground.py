"""A Redis that is ill-treated, what asks it, and an upstream: where `store_faults` play.

Before the Redis stands what whoever imports this gives as `front` (`proxies`, `askers`).
"""

from __future__ import annotations

import itertools
import json
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from tests.end_to_end import certificates, redises
from tests.end_to_end.certificates import Authority
from tests.end_to_end.redises import Redis
from tests.end_to_end.relay import Relay
from tests.end_to_end.upstream import Call, Upstream, chat_answer, question
from tests.servers import until

DEADLINE_S = 2.0

# Probes that fail while the machine is busy make for pauses of fifteen seconds.
BACK_S = 90.0


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
        """A question that the cache can answer, from its store."""
        body = self.new()
        # It is a hit as soon as its answer has passed by, and kept a moment later.
        until(lambda: self.is_hit(body) and self.is_kept(body))
        return body

    def is_kept(self, body: bytes) -> bool:
        return self.redis is None or self.redis.holds(asked_in(body))

    def lines(self, said: str) -> list[str]:
        return [line for line in self.front.log[self._began :] if f"[Khazad] store {said}" in line]

    def wait_for(self, said: str) -> None:
        with self._telling():
            until(lambda: self.lines(said))

    def wait_until_back(self) -> None:
        """Ask until the store is: what is asked twice may be a hit before that, of the answer that
        has just passed by."""
        with self._telling():
            until(lambda: self.lines("is back") or not self.ask(self.new()), BACK_S)

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """What was said, where it is waited for in vain."""
        try:
            yield
        except AssertionError as error:
            raise AssertionError("\n".join(self.front.log[self._began :])) from error

    def is_settled(self) -> bool:
        """Is each trouble that was told of over?"""
        return len(self.lines("unavailable")) == len(self.lines("is back"))


def asked_in(body: bytes) -> bytes:
    text: str = json.loads(body)["messages"][-1]["content"]
    return text.encode()


def answer_to(body: bytes) -> Any:
    return chat_answer(f"The answer to {body.decode()}")


@pytest.fixture(scope="module")
def make_ground(
    authority: Authority,
    standing_upstream: Upstream,
    tmp_path_factory: pytest.TempPathFactory,
    front: Callable[..., Any],
) -> Iterator[Callable[..., Ground]]:
    """make_ground(**settings): with these beside the URL of its Redis."""
    with ExitStack() as stack:

        def make(**settings: str) -> Ground:
            redis = stack.enter_context(redises.running())
            relay = Relay(redis.socket, server_tls(authority))
            stack.callback(relay.close)
            settings["redis_url"] = f"rediss://127.0.0.1:{relay.port}?ssl_ca_certs={authority.ca}"
            standing = front(tmp_path_factory.mktemp("faults"), standing_upstream, settings)
            stack.callback(standing.stop)
            others = certificates.make(tmp_path_factory.mktemp("others"))
            return Ground(redis, relay, standing.wait(), server_tls(others))

        yield make


def server_tls(authority: Authority) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.certificate, authority.key)
    return context


@pytest.fixture(scope="module")
def patient_ground(make_ground: Callable[..., Ground]) -> Ground:
    return make_ground(store_deadline_ms=str(int(DEADLINE_S * 1000)))


@pytest.fixture(scope="module")
def hasty_ground(make_ground: Callable[..., Ground]) -> Ground:
    return make_ground()


@pytest.fixture
def ground(patient_ground: Ground, upstream: Upstream) -> Iterator[Ground]:
    """Its deadline is so long that no other delay can be taken for it."""
    with begun(patient_ground, upstream):
        yield patient_ground


@pytest.fixture
def hasty(hasty_ground: Ground, upstream: Upstream) -> Iterator[Ground]:
    """With the deadline as it is where nobody says another."""
    with begun(hasty_ground, upstream):
        yield hasty_ground


def begun(ground: Ground, upstream: Upstream) -> Any:
    def answer(call: Call) -> Any:
        return answer_to(call.body)

    upstream.answer = answer
    ground.begin()
    return ground.client
