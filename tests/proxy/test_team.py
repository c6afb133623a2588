from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import pytest

from khazad_mitm.cache.stats import Stats
from khazad_mitm.proxy.team import readiness_of, said_by, stats_of

ONE = Stats(cache_hits=1, exact_hits=1, similarity_sum=1.0, bypassed={"off": 2})
OTHER = Stats(cache_hits=1, cache_misses=2, semantic_hits=1, similarity_sum=0.5)


def said(pid: int, stats: Stats) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(json.dumps({"pid": pid, "stats": asdict(stats)}))
    return told


def test_statistics_are_the_sum_and_each_ones_own():
    page = stats_of([said(1, ONE), said(2, OTHER)])

    assert (4, 0.5, 0.75) == tuple(
        page[name] for name in ("total_requests", "hit_rate", "avg_hit_similarity")
    )
    assert {"off": 2} == page["bypassed"]
    assert [(1, 1), (2, 3)] == [
        (worker["pid"], worker["total_requests"]) for worker in page["workers"]
    ]


def test_of_one_alone_the_page_is_what_it_was():
    assert ONE.to_dict() == stats_of([said(1, ONE)])
    assert {"status": "ready"} == readiness_of({"pid": 1, "status": "ready"}, [{}])


def test_readiness_is_of_whoever_answers_with_all_beside_it():
    own, other = {"pid": 1, "status": "ready"}, {"pid": 2, "status": "ending"}

    assert {"status": "ready", "workers": [own, other]} == readiness_of(own, [own, other])


class Front:
    def stats(self) -> Stats:
        return ONE

    def parts(self) -> dict[str, str]:
        return {"store": "ready"}

    def flush(self) -> int:
        return 3


@pytest.mark.parametrize(
    ("topic", "expected"),
    [
        ("stats", {"stats": asdict(ONE)}),
        ("ready", {"status": "ending", "store": "ready"}),
        ("flush", {"flushed": 3}),
    ],
)
async def test_what_a_process_says_of_itself(topic: Any, expected: dict[str, Any]):
    told = await said_by(Front(), topic, is_ending=True)  # type: ignore[arg-type]  # the same face

    told.pop("pid", None)
    assert expected == told
