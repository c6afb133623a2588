"""A batch of texts to embed through a real proxy: the upstream is asked for what is not known."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from tests.end_to_end import proxies
from tests.end_to_end.clients import Received
from tests.end_to_end.conftest import Standing, Start
from tests.end_to_end.proxies import SETTINGS, Proxy
from tests.end_to_end.upstream import Answer, Call, Upstream

PATH = "/v1/embeddings"
VECTORS = {"a": "[1.50, 1e-05]", "b": "[0.10,2]", "c": "[-0.0, 3.00]", "d": "[4,5E1]"}

SPLITTING = {**SETTINGS, "mode": "cache"}


@pytest.fixture
def proxy(standing: Standing, kind: str) -> Proxy:
    return standing(kind, SPLITTING)


def embedded(call: Call) -> Answer:
    """As OpenAI does it: a vector for each text, by its index."""
    texts = json.loads(call.body)["input"]
    rows = [
        f'{{"object": "embedding", "index": {place}, "embedding": {VECTORS[text]}}}'
        for place, text in enumerate(texts)
    ]
    usage = f'{{"prompt_tokens": {len(texts)}, "total_tokens": {len(texts)}}}'
    body = f'{{"object": "list", "data": [{", ".join(rows)}], "model": "m", "usage": {usage}}}'
    headers = (("Content-Type", "application/json"), ("Content-Encoding", "gzip"))
    return Answer(headers=headers, frames=(gzip.compress(body.encode()),))


def ask(proxy: Proxy, *texts: str) -> Received:
    with proxy.client() as client:
        return client.ask(json.dumps({"model": "m", "input": texts}).encode(), PATH)


def read(received: Received) -> Any:
    body = received.body
    return json.loads(gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body)


def asked(upstream: Upstream) -> list[Any]:
    return [json.loads(call.body)["input"] for call in upstream.calls]


def vectors(received: Received) -> list[Any]:
    rows = read(received)["data"]
    assert list(range(len(rows))) == [row["index"] for row in rows]
    return [row["embedding"] for row in rows]


def test_only_the_unknown_items_of_a_batch_are_asked_for(proxy: Proxy, upstream: Upstream) -> None:
    upstream.answer = embedded
    ask(proxy, "a", "b")
    proxy.wait_until(stored=1)

    second = ask(proxy, "b", "c", "a", "d")
    proxy.wait_until(stored=2)
    third = ask(proxy, "d", "c")

    assert [["a", "b"], ["c", "d"]] == asked(upstream)
    assert [json.loads(VECTORS[text]) for text in "bcad"] == vectors(second)
    assert VECTORS["a"].encode() in second.body  # digit for digit
    assert second.cache_status.startswith("khazad; fwd=partial")
    assert 2 == read(second)["usage"]["total_tokens"]
    assert [json.loads(VECTORS[text]) for text in "dc"] == vectors(third)
    assert third.cache_status.startswith("khazad; hit")
    assert 0 == read(third)["usage"]["total_tokens"]


def test_an_error_of_the_rest_passes_and_leaves_what_is_known(
    proxy: Proxy, upstream: Upstream
) -> None:
    upstream.answer = embedded
    ask(proxy, "a")
    proxy.wait_until(stored=1)
    upstream.answer = lambda call: Answer(status=429, frames=(b'{"error": {}}',))

    assert 429 == ask(proxy, "a", "b").status
    assert [json.loads(VECTORS["a"])] == vectors(ask(proxy, "a"))


def test_an_answer_that_does_not_fit_never_reaches_the_caller(
    start: Start, upstream: Upstream
) -> None:
    # One of its own: from now on it splits no more batches for that host.
    proxy = start(proxies.mitmdump, settings=SPLITTING).wait()
    upstream.answer = embedded
    ask(proxy, "a")
    proxy.wait_until(stored=1)
    upstream.answer = lambda call: Answer(frames=(b'{"data": [], "model": "m"}',))

    assert 502 == ask(proxy, "a", "b").status
    upstream.answer = embedded
    assert [json.loads(VECTORS[text]) for text in "ab"] == vectors(ask(proxy, "a", "b"))
    assert ["a", "b"] == asked(upstream)[-1]


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("mitmdump", {"mode": "exact"}),
        ("mitmdump", {"mode": "cache", "split_batches": "false"}),
        ("engine", {"mode": "cache", "split_batches": "false"}),
    ],
)
def test_a_setting_leaves_batches_whole(
    kind: str, settings: dict[str, str], standing: Standing, upstream: Upstream
) -> None:
    proxy = standing(kind, {**SETTINGS, **settings})
    upstream.answer = embedded
    ask(proxy, "a", "b")
    proxy.wait_until(stored=1)

    ask(proxy, "a", "b")
    ask(proxy, "a", "c")

    assert [["a", "b"], ["a", "c"]] == asked(upstream)
