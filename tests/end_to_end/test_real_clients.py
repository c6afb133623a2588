"""The official SDK of today and curl, unmodified, before a proxy with everything switched on."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from khazad_mitm.cli import environment, trust
from tests.end_to_end import proxies
from tests.end_to_end.proxies import Proxy
from tests.end_to_end.upstream import Answer, Call, Upstream, chat_answer
from tests.servers import running_redis

PROGRAM = Path(__file__).parent / "programs" / "openai_calls.py"
ASKED = "How do I reset my password?"
IN_OTHER_WORDS = "How can I reset my password?"
Ask = Callable[..., list[dict[str, Any]]]


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str]:
    with running_redis() as server:
        yield server.url


@pytest.fixture(scope="module", params=["mitmdump", "engine"])
def whole_proxy(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    standing_upstream: Upstream,
    redis_url: str,
) -> Iterator[Proxy]:
    """Real Redis 8, the bundled model, deadlines that a busy machine can keep."""
    settings = {
        "redis_url": redis_url,
        "namespace": request.param,
        "store_deadline_ms": "5000",
        "embed_deadline_ms": "20000",
    }
    make = getattr(proxies, request.param)
    proxy = make(tmp_path_factory.mktemp("whole"), standing_upstream, settings=settings).wait()
    standing_upstream.reset()
    with proxy.client() as client:
        # The model is read in the background; until then nothing is compared by meaning.
        for number in range(2_000):
            body = json.dumps({"messages": [{"role": "user", "content": f"warm up {number}"}]})
            if "embedder" not in client.ask(body.encode()).cache_status:
                break
    yield proxy
    proxy.stop()


@pytest.fixture
def variables(whole_proxy: Proxy, upstream: Upstream, tmp_path: Path) -> dict[str, str]:
    """What `khazad-mitm run` gives a program."""
    whole_proxy.page("/flush", "POST")
    bundle = tmp_path / "bundle.pem"
    trust.write_bundle({}, bundle, whole_proxy.ca)
    url = f"http://127.0.0.1:{whole_proxy.port}"
    return environment.variables(os.environ, url, environment.Files(bundle))


@pytest.fixture
def ask(clients_python: Path, variables: dict[str, str], whole_proxy: Proxy) -> Ask:
    """Ask by the SDK; each call begins when the answer before it is stored."""

    def ask(*calls: tuple[str, str]) -> list[dict[str, Any]]:
        answers = []
        for call in calls:
            done = subprocess.run(
                [clients_python, PROGRAM],
                env=variables,
                input=json.dumps([call]),
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            assert 0 == done.returncode, done.stderr
            answers.append(json.loads(done.stdout))
            if "fwd=miss" in answers[-1]["cache_status"]:
                missed = sum("fwd=miss" in answer["cache_status"] for answer in answers)
                whole_proxy.wait_until(stored=missed)
        return answers

    return ask


@pytest.mark.parametrize("way", ["whole", "stream", "async_whole", "async_stream"])
def test_the_sdk_is_served_the_second_time_and_reads_the_same(
    ask: Ask, upstream: Upstream, way: str
) -> None:
    upstream.answer = in_the_framing_asked_for
    first, second = ask((way, ASKED), (way, ASKED))

    assert 1 == len(upstream.calls)
    assert first["answer"] == second["answer"]
    assert 'detail="exact"' in second["cache_status"]


def test_the_sdk_is_served_in_other_words_streamed_or_not(ask: Ask, upstream: Upstream) -> None:
    _, whole, stream = ask(("whole", ASKED), ("whole", IN_OTHER_WORDS), ("stream", ASKED))

    assert 1 == len(upstream.calls)
    assert "semantic 0.9" in whole["cache_status"]
    text = "".join(chunk["choices"][0]["delta"]["content"] or "" for chunk in stream["answer"])
    assert whole["answer"]["choices"][0]["message"]["content"] == text


def test_a_look_alike_is_not_served(ask: Ask, upstream: Upstream) -> None:
    _, other = ask(("whole", "Where is my order 4711?"), ("whole", "Where is my order 4712?"))

    assert 2 == len(upstream.calls)
    assert "refused figures" in other["cache_status"]


def test_another_key_is_not_served(whole_proxy: Proxy, ask: Ask, upstream: Upstream) -> None:
    ask(("whole", ASKED))
    body = json.dumps({"model": "gpt-4o", "messages": [{"role": "user", "content": ASKED}]})
    with whole_proxy.client() as client:
        other = client.ask(body.encode(), Authorization="Bearer sk-other")

    assert "fwd=miss" in other.cache_status
    assert 2 == len(upstream.calls)


@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
def test_curl_is_served_the_second_time(
    variables: dict[str, str], whole_proxy: Proxy, upstream: Upstream, version: str
) -> None:
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("no curl on this machine")
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": ASKED}]})
    command = [curl, "-sS", "-i", version, "https://api.openai.com/v1/chat/completions"]
    command += ["-H", "Content-Type: application/json", "-H", "Authorization: Bearer k", "-d", body]
    outputs = []
    for _ in range(2):
        done = subprocess.run(command, env=variables, capture_output=True, timeout=60, check=False)
        assert 0 == done.returncode, done.stderr
        outputs.append(done.stdout.decode())
        whole_proxy.wait_until(stored=1)

    assert 1 == len(upstream.calls)
    assert "khazad; hit" in outputs[1]
    assert outputs[0].rpartition("\r\n\r\n")[2] == outputs[1].rpartition("\r\n\r\n")[2]


def in_the_framing_asked_for(call: Call) -> Answer:
    if not json.loads(call.body).get("stream"):
        return chat_answer("Use the link on the login page.")
    chunk = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o"}
    choices: list[dict[str, Any]] = [
        {"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None},
        {"index": 0, "delta": {"content": "Use the "}, "finish_reason": None},
        {"index": 0, "delta": {"content": "link."}, "finish_reason": None},
        {"index": 0, "delta": {}, "finish_reason": "stop"},
    ]
    frames = [f"data: {json.dumps(chunk | {'choices': [c]})}\n\n".encode() for c in choices]
    return Answer(
        headers=(("Content-Type", "text/event-stream"),),
        frames=(*frames, b"data: [DONE]\n\n"),
        framing="chunked",
    )
