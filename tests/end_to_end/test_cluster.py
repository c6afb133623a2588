"""Two proxies on one Redis Cluster."""

from __future__ import annotations

import json

import pytest

from khazad_mitm.cli import main
from tests.clusters import Cluster, redis_cluster
from tests.end_to_end import proxies
from tests.end_to_end.conftest import Start
from tests.end_to_end.upstream import Upstream

__all__ = ["redis_cluster"]


def chat(*said: str) -> bytes:
    roles = ("user", "assistant")
    turns = [{"role": roles[place % 2], "content": text} for place, text in enumerate(said)]
    return json.dumps({"model": "gpt-4o", "messages": turns}).encode()


def test_what_one_proxy_keeps_in_a_cluster_another_serves(
    start: Start,
    upstream: Upstream,
    redis_cluster: Cluster,
    capsys: pytest.CaptureFixture[str],
) -> None:
    settings = {
        "redis_url": redis_cluster.url,
        "embedder": "local",
        "embed_deadline_ms": "20000",
        "store_deadline_ms": "5000",
    }
    question, reworded = "How do I change my password?", "How can I change my password?"
    one = start(proxies.engine, settings=settings).wait()
    with one.client() as client:
        client.ask(chat(question))
        one.wait_until(stored=1)
        assert "semantic" in client.ask(chat(reworded)).cache_status
        client.ask(chat(question, "Like this.", "And my name?"))
        one.wait_until(stored=2)
        # A conversation that began in other words goes on as the one that was kept.
        again = client.ask(chat(reworded, "Like this.", "And my name?"))
        assert "hit" in again.cache_status
    other = start(proxies.mitmdump, settings=settings).wait()
    with other.client() as client:
        # The key that it shows has been accepted: the cluster says so.
        assert "hit" in client.ask(chat(question)).cache_status
        assert "exact" in client.ask(chat(reworded)).cache_status
        assert 2 == len(upstream.calls)
    at = f"--proxy=http://127.0.0.1:{other.port}"
    assert 0 == main(["list", at, "--json"])
    assert 2 == json.loads(capsys.readouterr().out)["count"]
    assert 0 == main(["forget", at, "--model", "gpt-*", "--yes"])
    with one.client() as client:
        assert "fwd=miss" in client.ask(chat(question)).cache_status
