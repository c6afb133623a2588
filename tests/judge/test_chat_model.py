from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from khazad_mitm.errors import CacheUnavailable, ConfigError
from khazad_mitm.exchange import Pair
from khazad_mitm.judge.chat_model import ChatModelVerifier
from khazad_mitm.judge.choose import choose
from tests.inprocess.upstream import Upstream, running

pytest.importorskip("openai", reason="the extra openai-embeddings is not installed")

PAIR = Pair('Is "red" a colour?', "Tell me whether red is one", 0.93)


@pytest.fixture
def upstream(monkeypatch: pytest.MonkeyPatch) -> Iterator[Upstream]:
    with running() as server:
        monkeypatch.setenv("OPENAI_API_KEY", "sk-judge")
        monkeypatch.setenv("OPENAI_BASE_URL", f"{server.url}/v1")
        yield server


@pytest.mark.parametrize(
    ("said", "expected"), [("yes", True), ("Yes.", True), ("no", False), (" **No** ", False)]
)
def test_the_model_says_yes_or_no(upstream: Upstream, said: str, expected: bool) -> None:
    upstream.says = said

    assert expected is choose("chat-model:small").approves(PAIR)


def test_both_questions_go_to_the_model_as_data(upstream: Upstream) -> None:
    upstream.says = "no"
    ChatModelVerifier("small").approves(PAIR)

    asked = json.loads(upstream.bodies[0])
    assert "small" == asked["model"]
    assert {"first": PAIR.stored, "second": PAIR.asked} == json.loads(
        asked["messages"][-1]["content"]
    )
    assert ["Bearer sk-judge"] == [call["authorization"] for call in upstream.calls]


@pytest.mark.parametrize("said", ["maybe", "", "yes, but only in July", "yes no"])
def test_anything_else_is_no_opinion(upstream: Upstream, said: str) -> None:
    upstream.says = said
    with pytest.raises(CacheUnavailable, match="neither yes nor no"):
        ChatModelVerifier("small").approves(PAIR)


def test_an_error_is_one_call_and_no_opinion(upstream: Upstream) -> None:
    upstream.status = 429
    with pytest.raises(CacheUnavailable, match=r"^openai: RateLimitError 429$"):
        ChatModelVerifier("small").approves(PAIR)

    assert 1 == len(upstream.calls)


def test_the_name_tells_the_model_and_the_server(upstream: Upstream) -> None:
    assert "chat-model:small@127.0.0.1" == ChatModelVerifier("small").name


def test_a_missing_key_fails_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_ADMIN_KEY", raising=False)
    with pytest.raises(ConfigError, match=r"verifier: 'chat-model:small' cannot be used"):
        choose("chat-model:small")
