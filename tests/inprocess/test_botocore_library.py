"""boto3, with a cache between its sessions and a Bedrock on loopback."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from khazad_mitm.cache.front import Cache
from khazad_mitm.wire import recognise
from tests import wires
from tests.inprocess.upstream import PATIENCE_S
from tests.wire.sdks.server import Canned, canned

boto3 = pytest.importorskip("boto3", reason="boto3 is not installed here")

ASKED: Any = {"modelId": "m", "messages": [{"role": "user", "content": [{"text": "?"}]}]}


@pytest.fixture
def bedrock() -> Iterator[Canned]:
    with canned() as server:
        yield server


@pytest.fixture
def client(bedrock: Canned) -> Iterator[Any]:
    session = boto3.session.Session(
        aws_access_key_id="k", aws_secret_access_key="s", region_name="us-east-1"
    )
    with closing(session.client("bedrock-runtime", endpoint_url=bedrock.url)) as made:
        yield made


def answers_with(bedrock: Canned, name: str) -> None:
    wire = wires.one(name)
    parsed = recognise(wire.request)
    assert parsed is not None
    bedrock.body, bedrock.content_type = wire.body, parsed.provider.content_type(parsed)


def message(answer: dict[str, Any]) -> Any:
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


def test_the_second_of_two_equal_calls_makes_no_request(
    bedrock: Canned, client: Any, active: Cache
) -> None:
    answers_with(bedrock, "bedrock_converse/text-json")
    first = client.converse(**ASKED)
    assert active.drain(PATIENCE_S)
    second = client.converse(**ASKED)

    assert 1 == bedrock.calls
    assert message(first) == message(second)
    assert "hit" in second["ResponseMetadata"]["HTTPHeaders"]["cache-status"]


def test_a_stream_of_frames_is_found_again_in_either_framing(
    bedrock: Canned, client: Any, active: Cache
) -> None:
    answers_with(bedrock, "bedrock_converse/tool-use-stream")
    first = [*client.converse_stream(**ASKED)["stream"]]
    assert active.drain(PATIENCE_S)
    second = [*client.converse_stream(**ASKED)["stream"]]
    plain = client.converse(**ASKED)

    assert 1 == bedrock.calls
    assert first == second
    assert "toolUse" in json.dumps(plain["output"])


def test_a_body_that_is_read_in_pieces_is_found_again(
    bedrock: Canned, client: Any, active: Cache
) -> None:
    answers_with(bedrock, "bedrock_invoke/llama-json")
    asked = {"modelId": "m", "body": b'{"prompt": "?"}'}
    pieces = b"".join(client.invoke_model(**asked)["body"].iter_chunks(7))
    assert active.drain(PATIENCE_S)
    whole = client.invoke_model(**asked)["body"].read()

    assert 1 == bedrock.calls
    assert bedrock.body == pieces == whole
