"""The second stage at work in a process: on the way of a call, and afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import khazad
from khazad_mitm.errors import ConfigError
from khazad_mitm.inprocess.instance import Khazad
from tests.inprocess.upstream import PATH, PATIENCE_S, Upstream, question

ASKED = "What is the capital of Italy?"
PARAPHRASE = "what is the capital of Italy"


def lengths(texts: list[str]) -> Any:
    """To it, all questions are nearly the same."""
    return [[1.0, 0.01 * len(text)] for text in texts]


AGREED: list[khazad.Pair] = []


def agrees(pair: khazad.Pair) -> bool:
    AGREED.append(pair)
    return True


@pytest.fixture
def started(either: Any, upstream: Upstream) -> Iterator[Any]:
    caches = []

    def start(**settings: Any) -> Any:
        # No deadline of the embedder: on a busy machine it may take its time.
        cache = Khazad("memory", embedder=lengths, embed_deadline_ms=600_000, **settings)
        caches.append(cache)

        def ask(text: str, model: str = "gpt-4o") -> str:
            asked = question(text) | {"model": model}
            answer = either.post(upstream.url + PATH, json=asked, timeout=PATIENCE_S)
            here = cache._source.here()
            assert here.drain(PATIENCE_S)
            assert here._archive.drain_judging(PATIENCE_S)
            said: str = answer.headers["cache-status"]
            return said

        return ask

    yield start
    for cache in caches:
        cache.stop()


def test_a_function_has_the_last_word(started: Any) -> None:
    shown: list[khazad.Pair] = []

    async def verify(pair: khazad.Pair) -> bool:
        shown.append(pair)
        return False

    ask = started(verifier=verify, verifier_deadline_ms=600_000)
    ask(ASKED)

    assert "refused verifier" in ask(PARAPHRASE)
    assert [(ASKED, PARAPHRASE)] == [(pair.stored, pair.asked) for pair in shown]


def test_a_route_has_a_verifier_of_its_own_or_none(
    started: Any, upstream: Upstream, tmp_path: Path
) -> None:
    file = tmp_path / "routes.yaml"
    file.write_text(
        "- {model: trusting, verifier: off}\n"
        "- {model: other, verifier: 'tests.inprocess.test_verifiers:agrees'}\n"
    )
    AGREED.clear()
    ask = started(verifier=lambda pair: False, verifier_deadline_ms=600_000, routes=str(file))

    def of(model: str) -> str:
        ask(ASKED, model)
        said: str = ask(PARAPHRASE, model)
        return said

    assert "refused verifier" in of("gpt-4o")
    assert "semantic" in of("trusting")
    assert [] == AGREED
    assert "semantic" in of("other")
    assert [ASKED] == [pair.stored for pair in AGREED]


def test_what_a_chat_model_is_asked_is_not_looked_up(
    started: Any, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("openai", reason="the extra openai-embeddings is not installed")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-judge")
    monkeypatch.setenv("OPENAI_BASE_URL", f"{upstream.url}/v1")
    upstream.says = "yes"
    ask = started(verifier="chat-model:small", verifier_deadline_ms=600_000)
    ask(ASKED)

    assert "semantic" in ask(PARAPHRASE)
    assert 2 == len(upstream.calls)


def test_what_nobody_waited_for_is_an_exact_hit_once_it_is_approved(
    started: Any, upstream: Upstream
) -> None:
    ask = started(verifier=lambda pair: True, verifier_deadline_ms=0)
    ask(ASKED)
    upstream.status = 500  # its answer is not kept: what is found then is the alias

    assert "fwd=miss" in ask(PARAPHRASE)
    assert 'hit; ttl=3600; detail="exact"' in ask(PARAPHRASE).replace("3599", "3600")


def test_what_is_below_the_threshold_is_served_once_it_is_approved(
    started: Any, upstream: Upstream
) -> None:
    ask = started(verifier=lambda pair: True, threshold=1.0, verifier_margin=0.1)
    ask(ASKED)
    upstream.status = 500

    assert "fwd=miss" in ask(PARAPHRASE)
    assert "hit" in ask(PARAPHRASE)


def test_a_margin_without_a_verifier_is_refused(started: Any) -> None:
    with pytest.raises(ConfigError, match=r"verifier_margin: 0\.05 without a verifier"):
        started(verifier_margin=0.05)
