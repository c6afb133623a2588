"""Where clients go: a proxy of one process that takes repeats, one of two that goes by meaning."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.end_to_end import proxies
from tests.end_to_end.clients import Client
from tests.end_to_end.services import free_port, serving
from tests.end_to_end.upstream import Upstream, question
from tests.servers import until
from tests.soak import questions
from tests.soak.questions import Question

TTL_S = "20"
"""Short, so that answers expire while others are made."""
DEADLINE_MS = "50"
# On a busy machine many a trip to the store is later than that, and a breaker opens again.
WORKS_S = 120.0
# Longer than anybody waits for somebody else's answer.
HUNG_S = 150.0

Draw = Callable[[random.Random, str], Question]
"""Another question; the name is in no other."""


@dataclass(frozen=True)
class House:
    name: str
    client: Callable[[], Client]
    authority: str
    draw: Draw
    by_meaning: bool
    pids: Callable[[], Sequence[int]]
    log: Sequence[str]

    def works(self) -> bool:
        """Does it do what it is for?"""

        def ask(text: str) -> str:
            with self.client() as client:
                return client.ask(question(text)).cache_status

        return works(ask, by_meaning=self.by_meaning)


def works(ask: Callable[[str], str], *, by_meaning: bool) -> bool:
    """Is a question served from the cache in time? `ask` gives the Cache-Status of an answer."""
    numbers = iter(range(10_000, 20_000))

    def is_hit() -> bool:
        first, second = questions.pair(next(numbers))
        ask(first)
        return "; hit" in ask(first) and (not by_meaning or "semantic" in ask(second))

    try:
        until(is_hit, WORKS_S)
    except AssertionError:
        return False
    return True


@contextmanager
def exact(folder: Path, upstream: Upstream, redis_url: str) -> Iterator[House]:
    settings = {"mode": "exact", "redis_url": redis_url}
    settings |= {"ttl": TTL_S, "store_deadline_ms": DEADLINE_MS}
    proxy = proxies.engine(folder, upstream, settings)
    try:
        proxy.wait()
        yield House(
            "one process, exact",
            proxy.client,
            "api.openai.com",
            questions.plain,
            False,
            lambda: [proxy.page("/health")[1]["pid"]],
            proxy.log,
        )
    finally:
        proxy.stop()


@contextmanager
def by_meaning(folder: Path, upstream: Upstream, redis_url: str) -> Iterator[House]:
    with free_port() as port:
        arguments = ["--workers", "2", "--listen", f"127.0.0.1:{port}", "--hosts", "localhost"]
        arguments += ["--redis-url", redis_url, "--ttl", TTL_S, "--store-deadline-ms", DEADLINE_MS]
        arguments += ["--confdir", str(folder / "workers"), "--grace", "0", "--embedder", "local"]
        with serving(folder, upstream, *arguments) as service:
            ca = folder / "workers" / "mitmproxy-ca-cert.pem"
            trusted = (ca, upstream.authority.ca)
            yield House(
                "two workers, by meaning",
                lambda: Client(service.port, "localhost", upstream.port, trusted),
                f"localhost:{upstream.port}",
                questions.any_kind,
                True,
                lambda: sorted(worker["pid"] for worker in service.page("/stats")["workers"]),
                service.log,
            )
