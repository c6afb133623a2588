"""pytest with the plugin, as a process of its own, on tests of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.inprocess.upstream import Upstream, running

HTTPX = "httpx2" if find_spec("httpx") is None else "httpx"

HEAD = f"""
    import subprocess, sys
    import pytest
    import {HTTPX} as httpx

    URL = "URL/v1/chat/completions"

    def body(text):
        return {{"model": "gpt-4o", "messages": [{{"role": "user", "content": text}}]}}

    def ask(text="hello"):
        answer = httpx.post(URL, json=body(text))
        return answer.status_code, answer.text
"""

PLAIN = """
    @pytest.mark.khazad
    def test_it():
        one, other = ask(), ask()
        assert 200 == one[0] == other[0]
        assert one[1] != other[1]

    @pytest.mark.khazad
    @pytest.mark.parametrize("text", ["a/b", "ü"])
    def test_each(text):
        assert 200 == ask(text)[0]

    @pytest.mark.khazad
    async def test_awaiting():
        async with httpx.AsyncClient() as client:
            answer = await client.post(URL, json=body("later"))
        assert 200 == answer.status_code
"""

Run = Callable[..., tuple[int, str]]

# Others' plugins take most of the time of a start; ours is found by its entry point otherwise.
FEW = ("-p", "khazad_mitm.testing.plugin", "-p", "pytest_asyncio.plugin")


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with running() as upstream:
        yield upstream


@pytest.fixture
def run(tmp_path: Path, upstream: Upstream) -> Run:
    """Write a file of tests, if one is given, and run it."""
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n"
    )

    def run(source: str, *arguments: str, finds_plugins: bool = False) -> tuple[int, str]:
        text = textwrap.dedent(HEAD) + textwrap.dedent(source)
        (tmp_path / "test_them.py").write_text(text.replace("URL/v1", f"{upstream.url}/v1"))
        environ = {name: v for name, v in os.environ.items() if not name.startswith("KHAZAD_")}
        if not finds_plugins:
            environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
            arguments = (*FEW, *arguments)
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments],
            cwd=tmp_path,
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        return done.returncode, done.stdout

    return run


def recorded(folder: Path) -> list[str]:
    return sorted(path.parent.name for path in (folder / "cassettes" / "test_them").rglob("*.yaml"))


@pytest.mark.parametrize(
    "arguments", [(), ("-p", "xdist.plugin", "-n", "2")], ids=["here", "xdist"]
)
def test_each_test_plays_what_was_recorded_for_it(
    run: Run, upstream: Upstream, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    finds_plugins = not arguments
    status, said = run(PLAIN, "--khazad-record=once", *arguments, finds_plugins=finds_plugins)
    assert 0 == status, said
    assert 5 == len(upstream.calls)
    assert ["test_awaiting", "test_each-a-b", "test_each-xfc", "test_it", "test_it"] == recorded(
        tmp_path
    )

    status, said = run(PLAIN, "--khazad-block-network", *arguments)

    assert 0 == status, said
    assert 5 == len(upstream.calls)


def test_a_call_without_a_recording_fails_the_test_with_the_reason(
    run: Run, upstream: Upstream
) -> None:
    run(PLAIN, "--khazad-record=once")

    status, said = run(
        """
        @pytest.mark.khazad
        def test_it():
            ask("hullo"), ask(), ask()
        """
    )

    assert 1 == status
    assert "khazad: no recording matches POST 127.0.0.1/v1/chat/completions (gpt-4o)" in said
    assert 'messages[0].content   "hello" → "hullo"' in said
    assert 5 == len(upstream.calls)


def test_a_recording_nobody_asked_for_fails_the_test_unless_it_may(run: Run) -> None:
    run(PLAIN, "--khazad-record=once")
    once = """
        @pytest.mark.khazad
        def test_it():
            ask()
    """

    status, said = run(once)

    assert 1 == status
    assert "khazad: 1 recordings were not asked for:" in said
    assert 0 == run(once.replace("khazad\n", "khazad(allow_unused=True)\n"))[0]


def test_a_test_that_fails_fails_for_its_own_reason(run: Run) -> None:
    status, said = run(
        """
        @pytest.mark.khazad
        def test_it():
            assert 200 == ask()[0]
        """
    )

    assert 1 == status
    assert "assert 200 == 400" in said


def test_without_the_marker_nothing_is_touched(run: Run, upstream: Upstream) -> None:
    status, said = run(
        """
        def test_it():
            assert 200 == ask()[0]
        """
    )

    assert 0 == status, said
    assert 1 == len(upstream.calls)


def test_the_fixture_may_be_asked_and_a_cassette_named(run: Run, tmp_path: Path) -> None:
    status, said = run(
        """
        @pytest.mark.khazad(cassette="shared/one", record="once")
        def test_it(khazad_cassette):
            ask()
            khazad_cassette.drain(60)
            assert 1 == khazad_cassette.report().recorded
        """
    )

    assert 0 == status, said
    assert 1 == len(list((tmp_path / "shared" / "one").iterdir()))


def test_an_argument_nobody_knows_is_an_error(run: Run) -> None:
    status, said = run("@pytest.mark.khazad(casette='x')\ndef test_it(): ...")

    assert 0 != status
    assert (
        "@pytest.mark.khazad takes allow_unused, cassette, faults, hosts, on_miss, record" in said
    )


def test_a_test_may_have_faults_of_its_own(run: Run) -> None:
    once = """
        @pytest.mark.khazad
        def test_it():
            assert [529, 200] == [ask()[0], ask()[0]]
    """
    run(once.replace("529, 200", "200, 200"), "--khazad-record=once")

    status, said = run(
        once.replace("khazad\n", "khazad(faults=['status: 529, times: 1'], allow_unused=True)\n")
    )

    assert 0 == status, said


def test_block_network_refuses_all_but_loopback(run: Run) -> None:
    status, said = run(
        """
        def test_it():
            assert 200 == ask()[0]
            import socket
            socket.socket().connect(("192.0.2.1", 80))
        """,
        "--khazad-block-network",
    )

    assert 1 == status
    assert "--khazad-block-network: 192.0.2.1 may not be reached" in said


CHILDREN = """
    CHILD = '''
    import http.client, json, os, sys, urllib.parse
    proxy = urllib.parse.urlsplit(os.environ["HTTP_PROXY"])
    client = http.client.HTTPConnection(proxy.hostname, proxy.port)
    client.request("POST", sys.argv[1], sys.argv[2], {"Content-Type": "application/json"})
    answer = client.getresponse()
    print(answer.status, answer.read().decode())
    '''

    def child(environ, text):
        import json, textwrap
        command = [sys.executable, "-c", textwrap.dedent(CHILD), URL, json.dumps(body(text))]
        said = subprocess.run(command, env=environ, capture_output=True, text=True)
        with open("proxies", "a") as log:
            print(environ["HTTP_PROXY"], environ.get("PYTEST_XDIST_WORKER"), file=log)
        return said.stdout

    @pytest.mark.khazad
    def test_one(khazad_environ):
        assert "200" == child(khazad_environ, "hi")[:3]

    @pytest.mark.khazad
    def test_two(khazad_environ):
        said = child(khazad_environ, "hi"), child(khazad_environ, "hi")
        assert ["200", "200"] == [one[:3] for one in said]
        assert said[0] != said[1]

    @pytest.mark.khazad(record="MODE", cassette="third")
    def test_three(khazad_environ):
        assert "200" == child(khazad_environ, "something new")[:3]
"""


@pytest.mark.skipif(find_spec("mitmproxy") is None, reason="needs the extra proxy")
@pytest.mark.parametrize("arguments", [(), ("-n", "2")], ids=["here", "xdist"])
def test_the_children_of_all_tests_are_answered_by_one_proxy(
    run: Run, upstream: Upstream, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    status, said = run(CHILDREN.replace("MODE", "all"), "--khazad-record=once")
    assert 0 == status, said
    assert 4 == len(upstream.calls)
    (tmp_path / "proxies").unlink()

    status, said = run(CHILDREN.replace("MODE", "new_episodes"), *arguments, finds_plugins=True)

    assert 0 == status, said
    assert 4 == len(upstream.calls)
    used = set((tmp_path / "proxies").read_text().splitlines())
    assert len(used) <= max(1, len(arguments))
    assert len(used) == len({line.split()[1] for line in used})


@pytest.mark.skipif(find_spec("mitmproxy") is None, reason="needs the extra proxy")
def test_a_child_has_the_mode_of_its_test(run: Run, upstream: Upstream) -> None:
    status, said = run(CHILDREN.replace("MODE", "once"))

    assert 1 == status
    # The third records; the others have nothing to play.
    assert 1 == len(upstream.calls)
    assert 2 == said.count("FAILED test_them.py")


@pytest.mark.skipif(find_spec("mitmproxy") is None, reason="needs the extra proxy")
def test_what_outlives_its_test_is_refused(run: Run, upstream: Upstream) -> None:
    """By then another test may run that has no children, or none at all."""
    source = """
        KEPT = {}

        @pytest.mark.khazad(record="all")
        def test_one(khazad_environ):
            KEPT.update(khazad_environ)

        def test_two():
            import http.client, json, urllib.parse
            proxy = urllib.parse.urlsplit(KEPT["HTTP_PROXY"])
            client = http.client.HTTPConnection(proxy.hostname, proxy.port)
            json_ = {"Content-Type": "application/json"}
            client.request("POST", URL, json.dumps(body("hi")), json_)
            answer = client.getresponse()
            assert 400 == answer.status
            assert b"no recording" in answer.read()
            client.close()
    """

    status, said = run(source)

    assert 0 == status, said
    assert [] == upstream.calls
