"""`khazad.init()` in a program before a proxy of ours: each call is looked up and kept once."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from khazad_mitm.cli import environment, trust
from tests.cli.programs import khazad
from tests.end_to_end.proxies import Proxy
from tests.end_to_end.upstream import Upstream

PROGRAM = Path(__file__).parent / "programs" / "init_behind_proxy.py"
CHECKOUT = Path(__file__).resolve().parents[2]
PATH = "/v1/chat/completions"

LIBRARIES = ["httpx", "httpx2", "requests", "botocore"]
TWO = ["httpx2", "requests"]
"""One that asks for a transport, one that sends."""


def run(python: Path, proxy: Proxy, folder: Path, *arguments: str, **more: str) -> dict[str, Any]:
    bundle = folder / "bundle.pem"
    trust.write_bundle({}, bundle, proxy.ca, proxy.upstream.authority.ca)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("KHAZAD_")}
    variables = environment.variables(
        clean, f"http://127.0.0.1:{proxy.port}", environment.Files(bundle)
    )
    done = subprocess.run(
        [python, PROGRAM, *arguments],
        env={**variables, "PYTHONPATH": str(CHECKOUT), **more},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (0, "") == (done.returncode, done.stderr)
    told: dict[str, Any] = json.loads(done.stdout)
    return told


@pytest.mark.parametrize("library", LIBRARIES)
def test_what_the_proxy_looks_at_is_left_to_it(
    clients_python: Path, proxy: Proxy, tmp_path: Path, library: str
) -> None:
    told = run(clients_python, proxy, tmp_path, library, f"https://api.openai.com{PATH}", "proxied")

    assert 1 == len(proxy.upstream.calls)
    first, second = told["said"]
    assert first.startswith("khazad; fwd=miss")
    assert second.startswith("khazad; hit")
    # One cache has said something, not two.
    assert (1, 1) == (first.count("khazad"), second.count("khazad"))
    assert (0, 0) == (told["here"]["total_requests"], told["here"]["stored"])
    assert 2 == proxy.page("/stats")[1]["total_requests"]


@pytest.mark.parametrize("library", TWO)
def test_what_the_proxy_does_not_open_is_looked_up_here(
    clients_python: Path, proxy: Proxy, tmp_path: Path, library: str
) -> None:
    told = run(clients_python, proxy, tmp_path, library, f"https://example.com{PATH}", "proxied")

    assert 1 == len(proxy.upstream.calls)
    assert 1 == told["here"]["cache_hits"]
    assert 0 == proxy.page("/stats")[1]["total_requests"]


@pytest.mark.parametrize("library", TWO)
def test_what_goes_past_the_proxy_is_looked_up_here(
    clients_python: Path, proxy: Proxy, tmp_path: Path, library: str
) -> None:
    url = f"http://127.0.0.1:{proxy.upstream.port}{PATH}"
    told = run(clients_python, proxy, tmp_path, library, url, "direct")

    assert 1 == len(proxy.upstream.calls)
    assert 1 == told["here"]["cache_hits"]
    assert 0 == proxy.page("/stats")[1]["total_requests"]


@pytest.mark.parametrize("way", ["proxied", "direct"])
@pytest.mark.parametrize("library", TWO)
def test_no_header_of_ours_reaches_the_upstream_either_way(
    clients_python: Path, proxy: Proxy, tmp_path: Path, library: str, way: str
) -> None:
    url = f"http://127.0.0.1:{proxy.upstream.port}{PATH}"
    run(clients_python, proxy, tmp_path, library, url, way)

    [call] = proxy.upstream.calls
    assert [] == [name for name in call.headers if "khazad" in name]


def test_a_proxy_on_this_machine_is_known_without_being_named(
    clients_python: Path, proxy: Proxy, tmp_path: Path
) -> None:
    url = f"https://api.openai.com{PATH}"
    told = run(clients_python, proxy, tmp_path, "httpx", url, "proxied", KHAZAD_PROXY="")

    assert 0 == told["here"]["total_requests"]


def test_a_command_of_run_that_calls_init_is_looked_up_once(
    tmp_path: Path, clients_python: Path, upstream: Upstream
) -> None:
    url = f"http://127.0.0.1:{upstream.port}{PATH}"
    run = ("run", "--redis-url", "memory", "--mode", "exact", "--")
    done = khazad(tmp_path, *run, str(clients_python), str(PROGRAM), "httpx2", url, "proxied")

    assert 0 == done.returncode, done.stderr
    assert 1 == len(upstream.calls)
    assert 0 == json.loads(done.stdout)["here"]["total_requests"]
    assert "2 LLM calls, 1 served from the cache (50 %)" in done.stderr
