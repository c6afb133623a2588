from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.programs import WAIT_S, command, environ, khazad


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`khazad-mitm serve` on a free port: the process, and its URL."""
    process = subprocess.Popen(
        command("serve", "--listen", "127.0.0.1:0", "--redis-url", "memory", "--mode", "exact"),
        env=environ(tmp_path),
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    with process.stderr:
        found = None
        while found is None:
            line = process.stderr.readline()
            assert line, "serve has ended"
            found = re.search(r"listens on (127\.0\.0\.1:\d+)", line)
        yield process, f"http://{found[1]}"
        if process.poll() is None:
            process.kill()
        process.wait(WAIT_S)


def test_a_running_proxy_tells_its_statistics(
    tmp_path: Path, served: tuple[subprocess.Popen[str], str]
) -> None:
    told = khazad(tmp_path, "stats", "--json", "--proxy", served[1])
    shown = khazad(tmp_path, "stats", "--proxy", served[1])

    assert 0 == json.loads(told.stdout)["total_requests"]
    assert "cache_hits           0" in shown.stdout


def test_flush_goes_through_the_running_proxy(
    tmp_path: Path, served: tuple[subprocess.Popen[str], str]
) -> None:
    done = khazad(tmp_path, "flush", "--proxy", served[1])

    assert (0, "0 answers forgotten\n") == (done.returncode, done.stderr)


def test_sigterm_ends_it_with_status_0(served: tuple[subprocess.Popen[str], str]) -> None:
    served[0].send_signal(signal.SIGTERM)

    assert 0 == served[0].wait(WAIT_S)


def test_a_port_that_is_taken_is_said_with_a_hint(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        done = khazad(tmp_path, "serve", "--listen", address, "--redis-url", "memory")

    assert 2 == done.returncode
    assert f"--listen: {address} cannot be had" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("gone.pem", "gone.pem cannot be read"),
        ("empty.pem", "there is no certificate in empty.pem"),
    ],
)
def test_an_authority_that_is_none_is_refused(tmp_path: Path, file: str, message: str) -> None:
    (tmp_path / "empty.pem").touch()
    done = khazad(tmp_path, "serve", "--redis-url", "memory", "--upstream-ca", file)

    assert 2 == done.returncode
    assert f"--upstream-ca: {message}" in done.stderr


@pytest.mark.parametrize("address", ["8080x", "localhost:", "h:99999"])
def test_an_address_that_is_none_is_refused(tmp_path: Path, address: str) -> None:
    done = khazad(tmp_path, "serve", "--listen", address)

    assert 2 == done.returncode
    assert "is not HOST:PORT" in done.stderr


def test_no_proxy_to_ask_is_an_error_with_a_hint(tmp_path: Path) -> None:
    done = khazad(tmp_path, "stats", "--proxy", "http://127.0.0.1:1")

    assert 2 == done.returncode
    assert "hint: start one with `khazad-mitm serve`" in done.stderr


def test_path_prints_an_addon_that_is_there(tmp_path: Path) -> None:
    done = khazad(tmp_path, "path")

    assert Path(done.stdout.strip()).name == "addon.py"
    assert Path(done.stdout.strip()).is_file()
