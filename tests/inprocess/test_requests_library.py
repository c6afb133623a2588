"""requests, with a cache between its sessions and the upstream."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from khazad_mitm.cache.front import Cache
from tests.inprocess.upstream import (
    EMBEDDINGS,
    PATH,
    PATIENCE_S,
    Upstream,
    answer,
    frames,
    question,
    vectors,
)

requests = pytest.importorskip("requests", reason="requests is not installed here")


def status(response: Any) -> str:
    said: str = response.headers["cache-status"].split(";")[1]
    return said.strip()


def test_the_second_of_two_equal_calls_makes_no_request(upstream: Upstream, active: Cache) -> None:
    first = requests.post(upstream.url + PATH, json=question())
    assert active.drain(PATIENCE_S)
    with requests.Session() as session:
        second = session.post(upstream.url + PATH, json=question())

    assert 1 == len(upstream.calls)
    assert ["fwd=miss", "hit"] == [status(first), status(second)]
    assert answer("Rome #1") == first.content == second.content
    assert first.json() == second.json()
    assert (200, "OK", True) == (second.status_code, second.reason, second.ok)
    assert upstream.url + PATH == second.request.url


def test_an_encoded_answer_is_read_as_ever_and_found_again(
    upstream: Upstream, active: Cache
) -> None:
    upstream.gzips = True
    first = requests.post(upstream.url + PATH, json=question())
    assert active.drain(PATIENCE_S)
    second = requests.post(upstream.url + PATH, json=question())

    assert 1 == len(upstream.calls)
    assert answer("Rome #1") == first.content == second.content


@pytest.mark.parametrize("chunk_size", [None, 1, 512])
def test_a_stream_arrives_as_it_comes_and_is_found_again(
    upstream: Upstream, active: Cache, chunk_size: int | None
) -> None:
    upstream.holds_back = 3
    with requests.post(upstream.url + PATH, json=question(stream=True), stream=True) as response:
        chunks = response.iter_content(chunk_size)
        first = next(chunks)
        upstream.go_on.set()
        first += b"".join(chunks)
    assert active.drain(PATIENCE_S)
    with requests.post(upstream.url + PATH, json=question(stream=True), stream=True) as response:
        lines = [line for line in response.iter_lines() if line]
    plain = requests.post(upstream.url + PATH, json=question())

    assert 1 == len(upstream.calls)
    assert b"".join(frames("Rome #1")) == first
    assert [frame.strip() for frame in frames("Rome #1")] == lines
    assert "Rome#1" == plain.json()["choices"][0]["message"]["content"]


def test_a_caller_who_stops_early_leaves_nothing_behind(upstream: Upstream, active: Cache) -> None:
    upstream.holds_back = 3
    with requests.post(upstream.url + PATH, json=question(stream=True), stream=True) as response:
        next(response.iter_lines())
    upstream.go_on.set()
    assert active.drain(PATIENCE_S)

    assert 0 == active.stats().stored


def test_a_stream_that_breaks_off_is_not_kept(upstream: Upstream, active: Cache) -> None:
    upstream.holds_back, upstream.breaks_off = 2, True
    with (
        pytest.raises(requests.exceptions.ChunkedEncodingError),
        requests.post(upstream.url + PATH, json=question(stream=True), stream=True) as response,
    ):
        list(response.iter_lines())

    assert 0 == active.stats().stored
    assert {"cut": 1} == active.stats().unkept


def test_control_headers_are_not_sent_and_the_callers_request_is_left_alone(
    upstream: Upstream, active: Cache
) -> None:
    tagged = {"X-Khazad-Tag": "faq"}
    response = requests.post(upstream.url + PATH, json=question(), headers=tagged)

    assert "x-khazad-tag" not in upstream.calls[0]
    assert "X-Khazad-Tag" not in response.request.headers


@pytest.mark.parametrize(
    "body", [lambda: io.BytesIO(json.dumps(question()).encode()), lambda: iter([b"{}"])]
)
def test_a_body_that_is_no_bytes_passes_unread(
    upstream: Upstream, active: Cache, body: Any
) -> None:
    response = requests.post(upstream.url + PATH, data=body())

    assert "cache-status" not in response.headers


def test_a_batch_asks_for_what_is_not_known(upstream: Upstream, splitting: Cache) -> None:
    requests.post(upstream.url + EMBEDDINGS, json={"model": "m", "input": ["one"]})
    assert splitting.drain(PATIENCE_S)
    both = requests.post(upstream.url + EMBEDDINGS, json={"model": "m", "input": ["one", "four"]})

    assert ["four"] == json.loads(upstream.bodies[1])["input"]
    rows = [json.loads(vectors([text]))["data"][0]["embedding"] for text in ("one", "four")]
    assert rows == [row["embedding"] for row in both.json()["data"]]


def test_a_failure_of_the_transport_is_the_callers(upstream: Upstream, active: Cache) -> None:
    with pytest.raises(requests.exceptions.ConnectionError):
        requests.post("http://127.0.0.1:9" + PATH, json=question())
