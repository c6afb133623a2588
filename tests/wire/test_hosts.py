"""Which connections may be looked into without being asked to."""

from __future__ import annotations

import base64
import gzip
import json
from urllib.parse import urlsplit

import pytest

from khazad_mitm.wire.hosts import KNOWN, is_known, matches
from tests.wire.test_laws import RECORDINGS

ASKED = frozenset({b'"messages"', b'"contents"', b'"input"', b'"prompt"', b'"message"', b'"texts"'})


@pytest.mark.parametrize(
    "host",
    [
        "api.openai.com",
        "API.OpenAI.com.",
        "eu.api.openai.com",
        "my-resource.openai.azure.com",
        "my-resource.cognitiveservices.azure.com",
        "bedrock-runtime.us-east-1.amazonaws.com",
        "vpce-0a1-b2.bedrock-runtime.us-east-1.vpce.amazonaws.com",
        "bedrock-mantle.eu-west-1.api.aws",
        "europe-west4-aiplatform.googleapis.com",
        "adb-1234.7.azuredatabricks.net",
        "org-account.snowflakecomputing.com",
        "abc.us-east-1.aws.endpoints.huggingface.cloud",
    ],
)
def test_an_llm_host_is_known(host: str) -> None:
    assert is_known(host)


@pytest.mark.parametrize(
    "host",
    [
        "",
        "openai.com",
        "chat.openai.com",
        "api.openai.com.evil.example",
        "evilapi.openai.com",
        "openai.azure.com",
        "s3.us-east-1.amazonaws.com",
        "bedrock-runtime.evil.example.amazonaws.com",
        "www.googleapis.com",
        "storage.googleapis.com",
        "huggingface.co",
        "127.0.0.1",
    ],
)
def test_another_host_is_not(host: str) -> None:
    assert not is_known(host)


def test_a_users_pattern_names_a_host_or_what_lies_below() -> None:
    assert matches("api.example.com", ["api.example.com"])
    assert matches("API.example.com.", ["other.net", "*.Example.com"])
    assert matches("a.b.example.com", ["*.example.com"])
    assert not matches("example.com", ["*.example.com"])
    assert not matches("apixexample.com", ["api.example.com"])
    assert not matches("api.example.com", [])


def test_no_host_stands_in_the_table_twice() -> None:
    patterns = [host.pattern for host in KNOWN]

    assert sorted(set(patterns)) == sorted(patterns)


def test_every_recorded_host_is_known() -> None:
    if not RECORDINGS.exists():
        pytest.skip("no recordings beside the checkout (KHAZAD_CORPUS)")
    unknown = set()
    with gzip.open(RECORDINGS, "rt", encoding="utf-8") as lines:
        for line in lines:
            sent = json.loads(line)["request"]
            host = urlsplit(sent["url"]).hostname
            asks = any(word in base64.b64decode(sent["body_b64"]) for word in ASKED)
            if asks and host not in ("localhost", "127.0.0.1", "0.0.0.0") and not is_known(host):
                unknown.add(host)

    assert set() == unknown
