"""Legacy completions: which requests are ours, and which answers are worth keeping."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given

from khazad_mitm.exchange import Answer, ParsedRequest, Unkept
from khazad_mitm.messages import Request
from khazad_mitm.wire.openai_completions import OpenAICompletions
from tests.strategies import json_values

COMPLETIONS = OpenAICompletions()
URL = "https://api.openai.com/v1/completions"


def ask(url: str = URL, method: str = "POST", **body: Any) -> ParsedRequest | None:
    body = {"model": "m", "prompt": "Once upon", **body}
    return COMPLETIONS.recognise(Request.to(url, json.dumps(body).encode(), method=method))


def answered(*choices: Any, **more: Any) -> bytes:
    return json.dumps({"choices": choices, **more}).encode()


def choice(text: Any = "a time", finish: Any = "stop", **more: Any) -> dict[str, Any]:
    return {"text": text, "finish_reason": finish, **more}


@pytest.mark.parametrize(
    ("url", "resource", "model"),
    [
        (URL, "/v1/completions", "m"),
        ("https://api.deepseek.com/beta/completions?key=s", "/beta/completions", "m"),
        (
            "https://r.openai.azure.com/openai/deployments/d/completions?api-version=1",
            "/openai/deployments/{model}/completions?api-version=1",
            "d",
        ),
        (
            "https://adb-1.azuredatabricks.net/serving-endpoints/e/invocations",
            "/serving-endpoints/{model}/invocations",
            "e",
        ),
    ],
)
def test_the_model_is_no_part_of_the_resource(url: str, resource: str, model: str) -> None:
    parsed = ask(url)

    assert parsed is not None
    assert (resource, model) == (parsed.resource, parsed.model)


@pytest.mark.parametrize(
    "url",
    [
        "https://api.openai.com/v1/chat/completions",
        "https://api.mistral.ai/v1/fim/completions",
        URL + "/1",
    ],
)
def test_other_endpoints_pass(url: str) -> None:
    assert ask(url) is None


@pytest.mark.parametrize(
    "body", [{"prompt": None}, {"prompt": ""}, {"prompt": []}, {"model": 1}, {"stream": "yes"}]
)
def test_other_bodies_pass(body: dict[str, Any]) -> None:
    assert ask(**body) is None


def test_a_text_to_be_continued_is_no_question() -> None:
    parsed = ask()

    assert parsed is not None
    assert (None, "prompt") == (parsed.question, parsed.exact_only)


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        (answered(choice()), ""),
        (answered(choice(), choice(finish="length", index=1)), "length"),
        (answered(choice(finish="eos")), ""),
    ],
)
def test_a_whole_answer_is_kept(body: bytes, outcome: str) -> None:
    parsed = ask()
    assert parsed is not None

    assert Answer(body, outcome) == COMPLETIONS.assemble(body, parsed)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (answered(choice(finish="content_filter")), "content-filter"),
        (answered(choice(finish=None)), "cut"),
        (answered(choice(" ")), "empty"),
        (answered(), "empty"),
        (answered(choice(1)), "malformed"),
        (answered(choice(index=1)), "malformed"),
        (answered(choice(), usage=0), "malformed"),
        (answered({"message": {}, "finish_reason": "stop"}), "malformed"),
        (answered(choice(), error={"message": "no"}), "error"),
        (answered(choice(error={"message": "no"})), "error"),
    ],
)
def test_another_is_not(body: bytes, reason: str) -> None:
    parsed = ask()
    assert parsed is not None

    assert Unkept(reason) == COMPLETIONS.assemble(body, parsed)


@given(json_values)
def test_nonsense_is_not_kept(value: Any) -> None:
    parsed = ask()
    assert parsed is not None

    assert isinstance(COMPLETIONS.assemble(json.dumps(value).encode(), parsed), Unkept)
