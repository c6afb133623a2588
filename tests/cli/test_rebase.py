from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.cli.programs import khazad
from tests.end_to_end.certificates import Authority
from tests.end_to_end.upstream import Answer, Call, Upstream, chat_answer

# An agent: its second question holds the answer to the first.
AGENT = textwrap.dedent("""
    import http.client, json, os, sys, urllib.parse
    url, system, *texts = sys.argv[1:]
    proxy = urllib.parse.urlsplit(os.environ["HTTP_PROXY"])
    client = http.client.HTTPConnection(proxy.hostname, proxy.port)
    turns = [{"role": "system", "content": system}]
    for text in texts:
        turns.append({"role": "user", "content": text})
        body = json.dumps({"model": "gpt-4o", "messages": turns})
        client.request("POST", url, body, {"Content-Type": "application/json"})
        answer = client.getresponse()
        data = answer.read()
        assert answer.status == 200, data
        turns.append(json.loads(data)["choices"][0]["message"])
    print(turns[-1]["content"])
""")

Agent = Callable[..., "CompletedProcess[str]"]


@pytest.fixture
def upstream(authority: Authority) -> Iterator[Upstream]:
    upstream = Upstream(authority)
    upstream.answer = echo
    yield upstream
    upstream.close()


def echo(call: Call) -> Answer:
    """An answer that depends on the system prompt and the question."""
    turns = json.loads(call.body)["messages"]
    return chat_answer(f"{turns[0]['content']} {turns[-1]['content']}")


@pytest.fixture
def agent(tmp_path: Path, upstream: Upstream) -> Agent:
    def run(command: tuple[str, ...], *arguments: str) -> CompletedProcess[str]:
        url = f"http://127.0.0.1:{upstream.port}/v1/chat/completions"
        program = (sys.executable, "-c", AGENT, url)
        return khazad(tmp_path, *command, "--", *program, *arguments)

    return run


def recordings(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "fixtures").iterdir()}


REBASE = ("cassette", "rebase", "fixtures")


def test_a_changed_system_prompt_is_recorded_anew_in_place_of_the_old(
    tmp_path: Path, upstream: Upstream, agent: Agent
) -> None:
    agent(("record", "fixtures"), "one", "hello", "and now?")
    agent(("record", "fixtures"), "kept", "something else")
    before = recordings(tmp_path)
    upstream.calls.clear()

    dry = agent((*REBASE, "--dry-run"), "two", "hello", "and now?")
    unasked = agent(REBASE, "two", "hello", "and now?")

    assert (0, 1) == (dry.returncode, unasked.returncode), dry.stderr
    assert "one and now?\n" == dry.stdout.splitlines(keepends=True)[0]
    assert '  messages[0].content   "one" → "two"\n' in dry.stdout
    assert "2 of 3 recordings are affected; to ask again takes about" in dry.stderr
    assert "tokens, about $0.000" in dry.stderr
    assert "nothing was recorded; --yes does it" in unasked.stderr
    assert [] == upstream.calls
    assert before == recordings(tmp_path)

    done = agent((*REBASE, "--yes"), "two", "hello", "and now?")

    assert 0 == done.returncode, done.stderr
    assert 2 == len(upstream.calls)
    after = recordings(tmp_path)
    assert 3 == len(after)
    assert 1 == len(before.keys() & after.keys())
    assert 2 == done.stdout.count("removed fixtures/") == done.stdout.count("written fixtures/")
    replayed = agent(("replay", "fixtures"), "two", "hello", "and now?")
    assert (0, "two and now?\n") == (replayed.returncode, replayed.stdout)
    assert 2 == len(upstream.calls)


def test_where_nothing_has_changed_nothing_is_asked(upstream: Upstream, agent: Agent) -> None:
    agent(("record", "fixtures"), "one", "hello")
    upstream.calls.clear()

    done = agent((*REBASE, "--yes"), "one", "hello")

    assert 0 == done.returncode
    assert "none of 1 recordings is affected" in done.stderr
    assert [] == upstream.calls


def test_what_fails_live_loses_no_recording(
    tmp_path: Path, upstream: Upstream, agent: Agent
) -> None:
    agent(("record", "fixtures"), "one", "hello", "and now?")
    before = recordings(tmp_path)
    upstream.answer = lambda call: Answer(status=500, frames=(b"no",), ending="cut")

    done = agent((*REBASE, "--yes"), "two", "hello", "and now?")

    assert 0 != done.returncode
    assert "2 old recordings are kept" in done.stderr
    assert before == recordings(tmp_path)


def test_what_differs_in_more_is_said(agent: Agent) -> None:
    agent(("record", "fixtures"), "one", "hello")

    done = agent((*REBASE, "--dry-run"), "two", "something else")

    assert 1 == done.returncode
    assert "1 calls have no recording at all, and would be recorded too" in done.stderr
    assert "the command ended with 1" in done.stderr
