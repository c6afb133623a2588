from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.cli.programs import WAIT_S, command, environ, khazad
from tests.end_to_end.certificates import Authority
from tests.end_to_end.upstream import Upstream

RUN = ("run", "--redis-url", "memory", "--mode", "exact", "--")

# Asks twice through the proxy of its environment, whatever NO_PROXY says of loopback.
ASK_TWICE = textwrap.dedent("""
    import http.client, os, sys, urllib.parse
    proxy = urllib.parse.urlsplit(os.environ["HTTP_PROXY"])
    body = '{"model": "m", "messages": [{"role": "user", "content": "hello"}]}'
    for _ in range(int(sys.argv[2])):
        client = http.client.HTTPConnection(proxy.hostname, proxy.port)
        client.request("POST", sys.argv[1], body, {"Content-Type": "application/json"})
        answer = client.getresponse()
        answer.read()
        status = answer.getheader("cache-status")
        while "miss" in status:
            client.request("GET", "http://khazad.internal/stats")
            if b'"stored": 1' in client.getresponse().read():
                break
        print(status)
""")


@pytest.fixture
def upstream(authority: Authority) -> Upstream:
    return Upstream(authority)


def test_a_command_is_served_from_the_cache_and_the_account_says_so(
    tmp_path: Path, upstream: Upstream
) -> None:
    url = f"http://127.0.0.1:{upstream.port}/v1/chat/completions"
    done = khazad(tmp_path, *RUN, sys.executable, "-c", ASK_TWICE, url, "2")
    upstream.close()

    assert 0 == done.returncode, done.stderr
    assert 1 == len(upstream.calls)
    assert "khazad; hit" in done.stdout.splitlines()[1]
    assert "2 LLM calls, 1 served from the cache (50 %)" in done.stderr


def test_the_exit_status_and_the_streams_are_the_commands(tmp_path: Path) -> None:
    program = (
        "import sys; print(sys.stdin.read().upper()); print('e', file=sys.stderr); sys.exit(7)"
    )
    done = khazad(tmp_path, *RUN, sys.executable, "-c", program, input="in")

    assert (7, "IN\n") == (done.returncode, done.stdout)
    assert "e\nkhazad: no LLM call seen\n" == done.stderr


def test_a_command_that_is_not_there_is_127_as_in_a_shell(tmp_path: Path) -> None:
    done = khazad(tmp_path, *RUN, "no-such-command")

    assert 127 == done.returncode
    assert "no-such-command: command not found" in done.stderr


def test_no_command_is_an_error_with_an_example(tmp_path: Path) -> None:
    done = khazad(tmp_path, "run")

    assert 2 == done.returncode
    assert "hint: khazad-mitm run -- python app.py" in done.stderr


def test_a_signal_is_handed_on_and_its_status_is_the_shells(tmp_path: Path) -> None:
    program = "import time; print('up', flush=True); time.sleep(60)"
    process = subprocess.Popen(
        command(*RUN, sys.executable, "-c", program),
        env=environ(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdout is not None
    with process.stdout:
        assert b"up\n" == process.stdout.readline()
        os.kill(process.pid, signal.SIGTERM)
        assert 128 + signal.SIGTERM == process.wait(WAIT_S)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--threshold", "2"), "--threshold: 2 is not a cosine similarity"),
        (("--redis-url", "unix:///no/redis.sock"), "redis"),
    ],
)
def test_a_wrong_setting_is_said_before_anything_starts(
    tmp_path: Path, flags: tuple[str, ...], message: str
) -> None:
    done = khazad(tmp_path, "run", *flags, "--", sys.executable, "-c", "print('ran')")

    assert (2, "") == (done.returncode, done.stdout)
    assert message in done.stderr
    assert "hint:" in done.stderr
    assert "Traceback" not in done.stderr
