"""The play: who is in it, and what is told of it."""

from __future__ import annotations

import random
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.end_to_end import certificates, proxies, redises
from tests.end_to_end.proxies import Proxy
from tests.end_to_end.relay import Relay
from tests.end_to_end.upstream import Upstream, question
from tests.servers import until
from tests.soak import players, troubles
from tests.soak.ledger import Ledger

PLAYERS = 12
TTL_S = "20"
"""Short, so that answers expire while others are made."""


@dataclass
class Report:
    ledger: Ledger
    works_again: bool
    complaints: list[str]
    """Lines of the proxy that tell of a mistake of ours."""
    megabytes: tuple[int, int]
    """Resident, a fifth into the play and at its end."""

    @property
    def is_good(self) -> bool:
        ledger = self.ledger
        bad = (*ledger.wrong, *ledger.lost, *ledger.hung, *self.complaints)
        return self.works_again and not bad

    def lines(self) -> Iterator[str]:
        for what, count in sorted(self.ledger.counts.items()):
            yield f"{count:8} {what}"
        for what in ("wrong", "lost", "hung"):
            found = getattr(self.ledger, what)
            yield f"{len(found):8} {what.upper()}"
            yield from (f"         {one}" for one in found[:10])
        yield from self.complaints[:20]
        yield f"resident memory {self.megabytes[0]} MB, at the end {self.megabytes[1]} MB"
        if not self.works_again:
            yield "the cache did not work again"


def play(seconds: float, seed: int) -> Report:
    """For so long; of the same seed the same questions, not the same moments."""
    chance, ledger, is_over = random.Random(seed), Ledger(), threading.Event()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="khazad-soak-")))
        upstream = Upstream(certificates.make(folder))
        stack.callback(upstream.close)
        answers: Any = players.upstream(ledger, random.Random(seed + 1))
        upstream.answer = answers
        redis = stack.enter_context(redises.running())
        relay = Relay(redis.socket)
        stack.callback(relay.close)
        url = f"redis://127.0.0.1:{relay.port}"
        settings = {"redis_url": url, "mode": "exact", "ttl": TTL_S, "store_deadline_ms": "50"}
        proxy = proxies.engine(folder, upstream, settings)
        stack.callback(proxy.stop)
        proxy.wait()
        some = [players.Player(proxy, ledger, seed * 1000 + n) for n in range(PLAYERS)]
        threads = [threading.Thread(target=player.play, args=(is_over,)) for player in some]
        threads.append(
            threading.Thread(target=troubles.make, args=(chance, redis, relay, ledger, is_over))
        )
        for thread in threads:
            thread.start()
        is_over.wait(seconds / 5)
        before = megabytes(proxy)
        threading.Event().wait(seconds * 4 / 5)
        is_over.set()
        for thread in threads:
            thread.join()
        works_again = works(proxy)
        complaints = [line for line in proxy.log if "Traceback" in line or "could not" in line]
        return Report(ledger, works_again, complaints, (before, megabytes(proxy)))


def works(proxy: Proxy) -> bool:
    """Is a question served from the cache once all is in order?"""

    def is_hit() -> bool:
        with proxy.client() as client:
            return "; hit" in client.ask(question("after all")).cache_status

    try:
        until(is_hit)
    except AssertionError:
        return False
    return True


def megabytes(proxy: Proxy) -> int:
    """Resident memory of the proxy."""
    pid = proxy.page("/health")[1]["pid"]
    (line,) = (
        line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if "VmRSS" in line
    )
    return int(line.split()[1]) // 1024
