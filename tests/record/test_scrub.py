from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khazad_mitm.messages import Headers, Request
from khazad_mitm.record.scrub import (
    CREDENTIAL_HEADERS,
    SCRUBBED,
    Scrubber,
    field_pattern,
    secrets_of,
    suspects,
)
from tests.record.calls import URL, chat, post
from tests.strategies import texts

# Made up, in the shapes their makers give them.
LOOKS = [
    "sk-proj-" + "aB3_" * 12,
    "sk-ant-api03-" + "Zx9-" * 10,
    "AIza" + "Sy0" * 12,
    "ya29." + "a0b_" * 10,
    "AKIA" + "ABCD" * 4,
    "hf_" + "aB3d" * 9,
    "gsk_" + "aB3d" * 9,
    "xai-" + "aB3d" * 9,
    "ghp_" + "aB3d" * 9,
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r",
    "org-" + "aB3d" * 6,
]
SCRUBBER = Scrubber()


@pytest.mark.parametrize("secret", LOOKS)
def test_what_looks_like_a_key_is_replaced_wherever_it_stands(secret: str) -> None:
    said = f'{{"error": "Incorrect API key provided: {secret}."}}'

    assert f'{{"error": "Incorrect API key provided: {SCRUBBED}."}}' == SCRUBBER.text(said)
    assert [] == list(suspects({"a": SCRUBBER.text(said)}))


@pytest.mark.parametrize(
    "text",
    [
        "a risk-averse-investor-who-asks-much",
        "task-management-for-beginners-today",
        "sk-short",
        "the organisation",
        '{"token": "Hello", "logprob": -0.1}',
        '{"password": {"type": "string"}}',
    ],
)
def test_words_are_left_alone(text: str) -> None:
    assert text == SCRUBBER.text(text)
    assert [] == list(suspects([text]))


@pytest.mark.parametrize("name", ["api_key", "password", "client_secret", "AccessToken", "apikey"])
def test_a_field_that_holds_a_secret_is_replaced_by_its_name(name: str) -> None:
    assert f'{{"{name}": "{SCRUBBED}"}}' == SCRUBBER.text(f'{{"{name}": "hunter\\"2"}}')


def test_of_a_request_only_what_is_needed_is_kept() -> None:
    request = post(URL, b"{}", anthropic_version="2023-06-01", cookie="a=b", x_mine="hello")

    kept = SCRUBBER.request(request).headers

    assert [
        ("content-type", "application/json"),
        ("anthropic-version", "2023-06-01"),
    ] == list(kept)
    assert "hello" == Scrubber(keeps=frozenset({"x-mine"})).request(request).headers.get("x-mine")


@pytest.mark.parametrize("name", CREDENTIAL_HEADERS)
def test_a_credential_is_replaced_in_the_body_too_whatever_it_looks_like(name: str) -> None:
    secret = "correct-horse-battery"
    request = Request.to(URL, f"my key is {secret}".encode(), Headers([(name, secret)]))

    scrubbed = SCRUBBER.request(request)

    assert f"my key is {SCRUBBED}".encode() == scrubbed.body
    assert secret not in str(list(scrubbed.headers))
    assert f"it was {SCRUBBED}" == SCRUBBER.text(f"it was {secret}", secrets_of(request))


def test_a_short_credential_is_a_word_and_tears_no_text_apart() -> None:
    assert b"a test" == SCRUBBER.request(post(URL, b"a test", x_api_key="test")).body


def test_credentials_in_the_target_are_replaced() -> None:
    request = Request.to("https://h/v1beta/m:g?key=AIzaSyabcdefghijkl&alt=sse", b"")

    assert f"/v1beta/m:g?key={SCRUBBED}&alt=sse" == SCRUBBER.request(request).target


def test_of_an_answer_what_belongs_to_the_way_is_dropped() -> None:
    headers = Headers(
        [
            ("Content-Type", "application/json"),
            ("Set-Cookie", "a=b"),
            ("CF-RAY", "1"),
            ("Connection", "close, x-hop"),
            ("X-Hop", "1"),
            ("Retry-After", "3"),
            ("OpenAI-Organization", "acme"),
            ("X-Customer", "7"),
            ("Vary", "a"),
            ("X-Request-Id", "r"),
            ("Vary", "b"),
        ]
    )

    assert [
        ("content-type", "application/json"),
        ("retry-after", "3"),
        ("openai-organization", SCRUBBED),
        ("x-customer", SCRUBBED),
        ("vary", "a"),
        ("vary", "b"),
        ("x-request-id", "r"),
    ] == list(Scrubber(headers=frozenset({"x-customer"})).answer_headers(headers))


def test_the_users_rules_come_last() -> None:
    scrubber = Scrubber(
        patterns=((re.compile(r"cust_(\d)\d+"), r"cust_\1x"),), fields=(field_pattern("email"),)
    )

    assert f'{{"email": "{SCRUBBED}", "of": "cust_1x"}}' == scrubber.text(
        '{"email": "a@b.example", "of": "cust_1234"}'
    )


@given(texts, st.sampled_from(LOOKS), st.binary(max_size=30))
def test_scrubbing_twice_is_scrubbing_once(text: str, secret: str, data: bytes) -> None:
    request = chat(f"{text} {secret} {text}", api_key=text)
    once = SCRUBBER.request(request)

    assert once == SCRUBBER.request(once)
    assert SCRUBBER.body(data) == SCRUBBER.body(SCRUBBER.body(data))


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("-----BEGIN RSA PRIVATE KEY-----\nMII", "a private key"),
        ("postgres://joe:hunter2@db.example/x", "a password in a URL"),
        ("api_key = 4f9a8b7c6d5e4f3a2b1c0d9e", "an assigned key"),
        (LOOKS[0], "a key"),
    ],
)
def test_what_merely_looks_like_a_secret_is_named_with_its_place(text: str, what: str) -> None:
    document = {"request": {"body": {"json": {"messages": [{"content": f"see {text}"}]}}}}

    assert [f"request.body.json.messages[0].content: {what}"] == list(suspects(document))
