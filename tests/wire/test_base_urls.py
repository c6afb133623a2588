from __future__ import annotations

import pytest

from khazad_mitm.wire import hosts
from khazad_mitm.wire.base_urls import BASE_URLS, Target, target, variables, with_more

OPENAI = Target("https", "api.openai.com", 443, "/v1/models?limit=1")


@pytest.mark.parametrize(
    ("host", "path"),
    [
        ("127.0.0.1", "/openai/v1/models?limit=1"),
        ("openai.localhost", "/v1/models?limit=1"),
        ("OpenAI.example.com", "/v1/models?limit=1"),
    ],
)
def test_a_provider_is_named_by_path_or_host(host: str, path: str):
    assert OPENAI == target(BASE_URLS, host, path)


@pytest.mark.parametrize(
    ("path", "there"),
    [("/openai", "/"), ("/openai/", "/"), ("/openai?x=/1", "/?x=/1"), ("/openai//a", "//a")],
)
def test_what_is_below_the_name_stays_as_it_is(path: str, there: str):
    found = target(BASE_URLS, "127.0.0.1", path)

    assert found is not None
    assert there == found.path


@pytest.mark.parametrize("path", ["/", "/v1/openai", "/openaix/v1", "//openai/v1"])
def test_all_else_names_none(path: str):
    assert target(BASE_URLS, "127.0.0.1", path) is None


def test_a_url_of_ones_own_goes_before_and_beside_ours():
    more = with_more(BASE_URLS, {"ollama": "http://gpu:1234/base/", "mine": "https://llm.corp"})

    assert Target("http", "gpu", 1234, "/base/api/chat") == target(more, "h", "/ollama/api/chat")
    assert Target("https", "llm.corp", 443, "/v1") == target(more, "h", "/mine/v1")
    assert len(BASE_URLS) + 1 == len(more)


def test_variables_are_those_of_the_sdks():
    told = variables(BASE_URLS, "http://127.0.0.1:8080/")

    assert "http://127.0.0.1:8080/openai/v1" == told["OPENAI_BASE_URL"]
    assert "http://127.0.0.1:8080/anthropic" == told["ANTHROPIC_BASE_URL"]
    assert "http://127.0.0.1:8080/ollama" == told["OLLAMA_HOST"]
    # These begin their paths with the version, or with all of `/openai/v1`, themselves.
    for name in ("groq", "together", "cerebras"):
        assert f"http://127.0.0.1:8080/{name}" == told[f"{name.upper()}_BASE_URL"]


def test_every_provider_in_the_cloud_is_a_known_host():
    places = [target(BASE_URLS, "h", f"/{provider.name}/") for provider in BASE_URLS]

    unknown = {p.host for p in places if p is not None and not hosts.is_known(p.host)}
    assert {"127.0.0.1"} == unknown
