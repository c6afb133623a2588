"""What `store_faults` says, of a proxy; and of one with a server of its own."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end import proxies
from tests.end_to_end.store_faults import (
    CALLS,
    test_a_store_that_does_not_answer_costs_one_deadline_and_no_call,
    test_a_store_that_is_slower_than_the_default_deadline_costs_no_call,
    test_a_store_that_takes_nothing_still_serves_what_it_has,
    test_a_store_that_was_restarted_empty_is_filled_again,
    test_equal_questions_share_one_call_while_it_is_away,
)
from tests.end_to_end.store_ground import (
    Ground,
    answer_to,
    ground,
    hasty,
    hasty_ground,
    make_ground,
    patient_ground,
)
from tests.end_to_end.upstream import Upstream
from tests.servers import until

__all__ = [
    "ground",
    "hasty",
    "hasty_ground",
    "make_ground",
    "patient_ground",
    "test_a_store_that_does_not_answer_costs_one_deadline_and_no_call",
    "test_a_store_that_is_slower_than_the_default_deadline_costs_no_call",
    "test_a_store_that_takes_nothing_still_serves_what_it_has",
    "test_a_store_that_was_restarted_empty_is_filled_again",
    "test_equal_questions_share_one_call_while_it_is_away",
]

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits of other processes")


@pytest.fixture(scope="module")
def front() -> Callable[..., Any]:
    def start(folder: Path, upstream: Upstream, settings: dict[str, str]) -> proxies.Proxy:
        return proxies.engine(folder, upstream, {"mode": "exact", **settings})

    return start


def test_the_embedded_server_is_killed_and_comes_back_by_itself(
    tmp_path: Path, upstream: Upstream
) -> None:
    upstream.answer = lambda call: answer_to(call.body)
    settings = {"redis_url": "embedded", "mode": "exact", "store_deadline_ms": "2000"}
    proxy = proxies.engine(tmp_path, upstream, settings)
    try:
        ground = Ground(None, None, proxy.wait(), None)  # type: ignore[arg-type]  # has its own
        ground.begin()
        with ground.client:
            known = ground.learn()
            (pid,) = tmp_path.rglob("server.pid")
            # One that ends within a second of its start is not started again.
            until(lambda: time.time() - pid.stat().st_mtime > 1.5)
            os.kill(int(pid.read_text()), signal.SIGKILL)
            for _ in range(CALLS):
                ground.ask(ground.new())
            ground.wait_until_back()
            until(lambda: ground.is_hit(known))
            ground.learn()
        assert [1, 1] == [len(ground.lines(said)) for said in ("unavailable", "is back")]
    finally:
        proxy.stop()
