"""The official SDKs on recordings: they read them, and a miss raises what they raise as ever."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from khazad_mitm.cli import environment, trust
from tests.cli.programs import khazad
from tests.end_to_end import matrix, proxies
from tests.end_to_end.conftest import Start
from tests.end_to_end.proxies import Proxy
from tests.end_to_end.upstream import Upstream

PROGRAM = Path(__file__).parent / "programs" / "fixture_calls.py"
UNKNOWN = "What is the capital of Spain?"
PARAPHRASE = "What's the capital city of France?"


def sdk_is_there(python: Path, sdk: str) -> bool:
    name = {"google": "google.genai"}.get(sdk, sdk)
    return 0 == subprocess.run([python, "-c", f"import {name}"], capture_output=True).returncode


def behind(proxy: Proxy, folder: Path, python: Path, *arguments: str) -> list[Any]:
    """What the program tells that runs behind a proxy."""
    bundle = folder / "bundle.pem"
    trust.write_bundle({}, bundle, proxy.ca)
    url = f"http://127.0.0.1:{proxy.port}"
    done = subprocess.run(
        [python, PROGRAM, *arguments],
        env=environment.variables(os.environ, url, environment.Files(bundle)),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert 0 == done.returncode, done.stderr
    told: list[Any] = json.loads(done.stdout)
    return told


@pytest.mark.parametrize(
    ("sdk", "error"),
    [
        ("openai", "openai.BadRequestError"),
        ("anthropic", "anthropic.BadRequestError"),
        ("google", "google.ClientError"),
    ],
)
def test_an_sdk_reads_recordings_and_raises_its_usual_error_at_a_miss(
    sdk: str, error: str, start: Start, upstream: Upstream, clients_python: Path, tmp_path: Path
) -> None:
    if not sdk_is_there(clients_python, sdk):
        pytest.skip(f"no {sdk} in .venv-clients")
    upstream.answer = matrix.answer
    recording = start(proxies.engine, settings={"cassette": str(tmp_path / "c"), "record": "once"})
    live = behind(recording.wait(), tmp_path, clients_python, sdk)
    recording.stop()
    calls = len(upstream.calls)

    program = ("--", str(clients_python), str(PROGRAM), sdk)
    played = khazad(tmp_path, "replay", "c", *program)
    missing = khazad(tmp_path, "replay", "c", *program, UNKNOWN)

    assert 0 == played.returncode, played.stderr
    assert live == json.loads(played.stdout)
    assert played.stderr.endswith("khazad: 2 LLM calls replayed\n")
    assert 1 == missing.returncode
    *answers, names, status, message = json.loads(missing.stdout)
    assert live == answers
    assert (True, 400) == (error in names, status)
    assert "no recording matches POST" in message
    # Asked once: it is of no use to try again.
    assert "1 without a recording" in missing.stderr
    assert calls == len(upstream.calls)


def test_a_miss_is_answered_by_meaning_with_the_bundled_model(
    start: Start, upstream: Upstream, clients_python: Path, tmp_path: Path
) -> None:
    upstream.answer = matrix.answer
    settings = {"cassette": str(tmp_path / "c"), "embedder": "local"}
    recording = start(proxies.engine, settings={**settings, "record": "once"}).wait()
    live = behind(recording, tmp_path, clients_python, "openai")
    recording.stop()
    calls = len(upstream.calls)

    playing = {**settings, "record": "none", "on_miss": "semantic"}
    proxy = start(proxies.engine, settings=playing).wait()
    asked = behind(proxy, tmp_path, clients_python, "openai", PARAPHRASE, UNKNOWN)

    assert [*live, live[0]] == asked[:3]
    assert "openai.BadRequestError" in asked[3]
    assert "no recording matches POST" in asked[5]
    assert calls == len(upstream.calls)
