from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from khazad_mitm.embed.openai import OTHER_WINDOW_BYTES, WINDOW_BYTES, OpenAIEmbedder
from khazad_mitm.errors import CacheUnavailable, ConfigError
from tests.inprocess.upstream import Upstream, running
from tests.servers import until

pytest.importorskip("openai", reason="the extra openai-embeddings is not installed")


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with running() as server:
        yield server


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, upstream: Upstream) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-embed")
    monkeypatch.setenv("OPENAI_BASE_URL", f"{upstream.url}/v1")


def test_the_sdk_takes_key_and_address_from_the_environment(upstream: Upstream) -> None:
    vector = OpenAIEmbedder().embed_if_fits("abc")

    # The stub's vectors are [length, first character].
    expected = (9 + 97**2) ** 0.5
    assert vector is not None
    assert [pytest.approx(3 / expected), pytest.approx(97 / expected)] == vector.tolist()
    assert ["Bearer sk-embed"] == [call["authorization"] for call in upstream.calls]
    assert b'"text-embedding-3-small"' in upstream.bodies[0]


def test_a_missing_key_fails_at_once_with_a_hint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    monkeypatch.delenv("OPENAI_ADMIN_KEY", raising=False)
    with pytest.raises(ConfigError, match=r"(?s)embedder: 'openai' .*hint: set OPENAI_API_KEY"):
        OpenAIEmbedder()


def test_a_missing_sdk_fails_at_once_with_a_hint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "openai", None)
    with pytest.raises(ConfigError, match=r"hint: pip install .*openai-embeddings"):
        OpenAIEmbedder()


def test_the_model_names_the_server_where_it_is_not_openais(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert "openai/bge-m3@127.0.0.1" == OpenAIEmbedder("bge-m3").model
    monkeypatch.delenv("OPENAI_BASE_URL")
    assert "openai/text-embedding-3-small" == OpenAIEmbedder().model


@pytest.mark.parametrize(
    ("model", "window"), [(None, WINDOW_BYTES), ("bge-small", OTHER_WINDOW_BYTES)]
)
def test_a_text_of_more_bytes_than_the_window_has_tokens_does_not_fit(
    upstream: Upstream, model: str | None, window: int
) -> None:
    embedder = OpenAIEmbedder(model)

    assert embedder.embed_if_fits("x" * window) is not None
    assert embedder.embed_if_fits("x" * (window + 1)) is None
    assert embedder.embed_if_fits("é" * (window // 2 + 1)) is None
    assert embedder.embed_if_fits("") is None
    assert 1 == len(upstream.calls)


def test_twenty_texts_at_once_take_two_calls(upstream: Upstream) -> None:
    upstream.holds_calls = True
    embedder = OpenAIEmbedder()
    with ThreadPoolExecutor(20) as pool:
        asked = [pool.submit(embedder.embed_if_fits, "x")]
        until(lambda: upstream.calls)
        asked += [pool.submit(embedder.embed_if_fits, "x" * (n + 2)) for n in range(19)]
        until(lambda: len(embedder._batcher._waiting) == 19)
        upstream.go_on.set()
        vectors: list[Any] = [one.result(10) for one in asked]

    assert 2 == len(upstream.calls)
    assert [pytest.approx((n + 1) / 120) for n in range(20)] == [v[0] / v[1] for v in vectors]


@pytest.mark.parametrize("status", [401, 404, 429, 500])
def test_an_error_is_one_call_and_repeats_no_message_of_the_server(
    upstream: Upstream, status: int
) -> None:
    upstream.status = status
    with pytest.raises(CacheUnavailable, match=rf"^openai: \w+Error {status}$"):
        OpenAIEmbedder().embed_if_fits("text")

    assert 1 == len(upstream.calls)


def test_an_answer_without_vectors_costs_a_hit(upstream: Upstream) -> None:
    upstream.embeds = False
    with pytest.raises(CacheUnavailable):
        OpenAIEmbedder().embed_if_fits("text")
