"""The official SDK of today, in an interpreter of its own: it does not go with mitmproxy's pins."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.inprocess.upstream import Upstream

CHECKOUT = Path(__file__).resolve().parents[2]
PROGRAM = Path(__file__).parent / "programs" / "openai_twice.py"


def run(python: Path, way: str, upstream: Upstream) -> dict[str, Any]:
    done = subprocess.run(
        [python, PROGRAM, way, upstream.url + "/v1"],
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert 0 == done.returncode, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


WAYS = ["whole", "stream", "raw", "raw_stream", "helper_stream", "streaming_response"]
WAYS += ["async_whole", "async_stream", "async_raw", "async_streaming_response"]


@pytest.mark.parametrize("way", WAYS)
def test_the_sdk_reads_a_hit_as_it_read_the_miss(
    clients_python: Path, upstream: Upstream, way: str
) -> None:
    result = run(clients_python, way, upstream)

    assert 1 == len(upstream.calls)
    assert result["answers"][0] == result["answers"][1]
    assert result["answers"][0]
    assert 1 == result["stats"]["cache_hits"]


@pytest.mark.parametrize("way", ["stream", "async_stream"])
def test_a_stream_is_kept_though_the_sdk_never_reads_its_end(
    clients_python: Path, upstream: Upstream, way: str
) -> None:
    upstream.holds_back = 1
    result = run(clients_python, way, upstream)

    assert 1 == len(upstream.calls)
    assert 1 == result["stats"]["stored"]


@pytest.mark.parametrize("way", ["broken_off", "async_broken_off"])
def test_a_stream_that_the_application_leaves_is_not_kept(
    clients_python: Path, upstream: Upstream, way: str
) -> None:
    upstream.holds_back = 3
    result = run(clients_python, way, upstream)

    assert 2 == len(upstream.calls)
    assert 0 == result["stats"]["stored"]
