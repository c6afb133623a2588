"""Azure with tokens of Entra ID, which last an hour: who shares answers when they change."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import khazad
from tests.cache.script import jwt
from tests.inprocess.upstream import Upstream, question

openai = pytest.importorskip("openai")


class Tokens:
    """What `azure.identity.get_bearer_token_provider` gives: called before each request."""

    def __init__(self) -> None:
        self.token = "token-1"

    def __call__(self) -> str:
        return self.token


@pytest.fixture
def tokens() -> Tokens:
    return Tokens()


@pytest.fixture
def client(upstream: Upstream, tokens: Tokens) -> Iterator[Any]:
    with openai.AzureOpenAI(
        azure_endpoint=upstream.url,
        api_version="2024-12-01-preview",
        azure_ad_token_provider=tokens,
        max_retries=0,
    ) as client:
        yield client


@pytest.fixture(params=["credential", "shared"])
def tenant(request: pytest.FixtureRequest) -> Iterator[str]:
    khazad.init(redis_url="memory", mode="exact", tenant=request.param, log_level="ERROR")
    yield request.param
    khazad.stop()


def ask(client: Any, *text: str) -> str:
    """What the cache says of the call."""
    response = client.chat.completions.with_raw_response.create(**question(*text))
    status: str = response.headers["cache-status"]
    return status.removeprefix("khazad; ")


def test_an_answer_is_found_while_the_token_stays(
    client: Any, upstream: Upstream, tenant: str
) -> None:
    assert ["fwd=miss", "hit"] == [ask(client).partition(";")[0] for _ in range(2)]
    assert "/openai/deployments/gpt-4o/chat/completions" in upstream.paths[0]
    assert 1 == len(upstream.calls)


def test_a_new_token_is_accepted_by_azure_before_it_is_served(
    client: Any, upstream: Upstream, tokens: Tokens, tenant: str
) -> None:
    ask(client)
    tokens.token = "token-2"
    first, second = ask(client), ask(client)

    assert first.startswith("fwd=miss")
    assert "credential not accepted yet" in first
    assert second.startswith("hit")
    assert ["Bearer token-1", "Bearer token-2"] == [
        call["authorization"] for call in upstream.calls
    ]


def test_a_renewed_token_finds_what_its_holder_was_answered_before(
    client: Any, upstream: Upstream, tokens: Tokens, tenant: str
) -> None:
    tokens.token = jwt(oid="one", exp=1)
    ask(client)
    tokens.token = jwt(oid="one", exp=2)
    ask(client, "What is the capital of Spain?")

    assert ask(client).startswith("hit")
    assert 2 == len(upstream.calls)


def test_a_token_that_azure_refuses_is_never_served(
    client: Any, upstream: Upstream, tokens: Tokens, tenant: str
) -> None:
    ask(client)
    tokens.token, upstream.status = "forged", 401
    for _ in range(2):
        with pytest.raises(openai.AuthenticationError):
            ask(client)

    assert 3 == len(upstream.calls)
