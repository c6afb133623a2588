"""A proxy whose Redis is looked after by sentinels."""

from __future__ import annotations

from tests.end_to_end import proxies
from tests.end_to_end.conftest import Start
from tests.end_to_end.store_ground import Ground, answer_to
from tests.end_to_end.upstream import Upstream
from tests.sentinels import watched
from tests.servers import until


def test_a_failover_costs_no_call_and_the_cache_works_again_by_itself(
    start: Start, upstream: Upstream
) -> None:
    upstream.answer = lambda call: answer_to(call.body)
    with watched() as redis:
        settings = {"redis_url": redis.url, "mode": "exact", "store_deadline_ms": "2000"}
        proxy = start(proxies.engine, settings=settings).wait()
        ground = Ground(None, None, proxy, None)  # type: ignore[arg-type]  # of others
        ground.begin()
        with ground.client:
            known = ground.learn()
            redis.wait_until_safe()
            before = redis.master
            before.kill()
            until(lambda: ground.ask(ground.new()) and ground.lines("unavailable"))
            ground.wait_until_back()
            until(lambda: ground.is_hit(known))
            ground.learn()

        assert before is not redis.master
        said = "unavailable", "is back"
        assert [1, 1] == [len(ground.lines(what)) for what in said], ground.lines("")
