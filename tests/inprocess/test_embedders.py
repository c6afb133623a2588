"""Embedders that speak HTTP through the library that is patched: their calls are our own."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from typing import Any

import pytest

from khazad_mitm.errors import ConfigError
from khazad_mitm.inprocess.instance import Khazad
from tests.inprocess.upstream import EMBEDDINGS, PATH, PATIENCE_S, Upstream, question
from tests.servers import until

ASKED = "What is the capital of Italy?"
# To the stub's model, which looks at the length and the first character, this is the same.
PARAPHRASE = "What is Italy's capital city?"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, upstream: Upstream) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-embed")
    monkeypatch.setenv("OPENAI_BASE_URL", f"{upstream.url}/v1")


def embedder(kind: str, library: Any, url: str) -> Any:
    asked: dict[str, Any] = {"model": "m"}

    def rows(response: Any) -> Any:
        return [row["embedding"] for row in response.json()["data"]]

    def embed(texts: list[str]) -> Any:
        return rows(library.post(url + EMBEDDINGS, json={**asked, "input": texts}))

    async def embed_async(texts: list[str]) -> Any:
        async with library.AsyncClient() as client:
            return rows(await client.post(url + EMBEDDINGS, json={**asked, "input": texts}))

    if kind == "openai" and find_spec("openai") is None:
        pytest.skip("the extra openai-embeddings is not installed")
    return {"openai": "openai", "function": embed, "async function": embed_async}[kind]


@pytest.mark.parametrize("kind", ["openai", "function", "async function"])
def test_what_an_embedder_asks_is_not_looked_up(either: Any, upstream: Upstream, kind: str) -> None:
    # No deadline: on a busy machine the first call may take its time, and this is not about that.
    cache = Khazad(
        "memory", embedder=embedder(kind, either, upstream.url), embed_deadline_ms=600_000
    )
    try:
        first = either.post(upstream.url + PATH, json=question(ASKED), timeout=PATIENCE_S)
        assert cache._source.here().drain(PATIENCE_S)
        second = either.post(upstream.url + PATH, json=question(PARAPHRASE), timeout=PATIENCE_S)
    finally:
        cache.stop()

    assert first.content == second.content
    assert "semantic 1.000" in second.headers["cache-status"]
    # One answer, and a vector for each question.
    assert 3 == len(upstream.calls)
    assert 2 == cache.get_stats().total_requests


def test_twenty_questions_at_once_are_embedded_in_two_calls(
    either: Any, upstream: Upstream
) -> None:
    pytest.importorskip("openai", reason="the extra openai-embeddings is not installed")
    cache = Khazad("memory", embedder="openai", embed_deadline_ms=600_000)
    # Nothing is compared, and so nothing embedded, for a credential that is not accepted yet.
    either.post(upstream.url + PATH, json=question("Hello"), timeout=PATIENCE_S)
    assert cache._source.here().drain(PATIENCE_S)  # type: ignore[attr-defined]
    upstream.bodies.clear()
    upstream.calls.clear()
    upstream.holds_calls = True
    waiting = cache._source.here()._parts.embedder._batcher._waiting  # type: ignore[attr-defined]

    def ask(number: int) -> Any:
        asked = question(f"What is the capital of country {number}?")
        return either.post(upstream.url + PATH, json=asked, timeout=PATIENCE_S)

    try:
        with ThreadPoolExecutor(20) as pool:
            answers = [pool.submit(ask, 0)]
            until(lambda: upstream.calls)
            answers += [pool.submit(ask, number) for number in range(1, 20)]
            until(lambda: len(waiting) == 19)
            upstream.go_on.set()
            assert {200} == {answer.result(PATIENCE_S).status_code for answer in answers}
    finally:
        cache.stop()

    embedded = [len(body["input"]) for body in map(json.loads, upstream.bodies) if "input" in body]
    assert [1, 19] == embedded
    assert 21 == cache.get_stats().total_requests


def test_an_embedder_that_fails_costs_hits_and_no_calls(either: Any, upstream: Upstream) -> None:
    cache = Khazad("memory", embedder=lambda texts: [[float("nan")]], log_level="ERROR")
    try:
        answers = [
            either.post(upstream.url + PATH, json=question(text)) for text in (ASKED, PARAPHRASE)
        ]
    finally:
        cache.stop()

    assert [200, 200] == [answer.status_code for answer in answers]
    assert 0 == cache.get_stats().cache_hits


def test_a_named_embedder_that_cannot_work_fails_before_anything_is_patched(
    either: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = either.Client._transport_for_url
    for name in ("OPENAI_API_KEY", "OPENAI_ADMIN_KEY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ConfigError, match="embedder: 'openai'"):
        Khazad("memory", embedder="openai")

    assert before is either.Client._transport_for_url
