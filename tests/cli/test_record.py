from __future__ import annotations

import sys
import textwrap
from pathlib import Path

import pytest

from tests.cli.programs import khazad
from tests.end_to_end.certificates import Authority
from tests.end_to_end.upstream import Upstream

ASK = textwrap.dedent("""
    import http.client, json, os, sys, urllib.parse
    proxy = urllib.parse.urlsplit(os.environ["HTTP_PROXY"])
    client = http.client.HTTPConnection(proxy.hostname, proxy.port)
    for text in sys.argv[2:]:
        body = json.dumps({"model": "m", "messages": [{"role": "user", "content": text}]})
        client.request("POST", sys.argv[1], body, {"Content-Type": "application/json"})
        answer = client.getresponse()
        print(answer.status, len(answer.read()))
""")


@pytest.fixture
def upstream(authority: Authority) -> Upstream:
    return Upstream(authority)


def test_a_command_is_recorded_and_then_runs_on_its_recordings(
    tmp_path: Path, upstream: Upstream
) -> None:
    url = f"http://127.0.0.1:{upstream.port}/v1/chat/completions"
    asking = (sys.executable, "-c", ASK, url)
    recorded = khazad(tmp_path, "record", "fixtures", "--", *asking, "one", "two")
    upstream.close()

    replayed = khazad(tmp_path, "replay", "fixtures", "--", *asking, "one", "two")

    assert (0, 0) == (recorded.returncode, replayed.returncode), recorded.stderr
    assert "khazad: 0 LLM calls replayed, 2 recorded\n" == recorded.stderr
    assert "khazad: 2 LLM calls replayed\n" == replayed.stderr
    assert recorded.stdout == replayed.stdout
    assert 2 == len(list((tmp_path / "fixtures").iterdir()))

    missing = khazad(tmp_path, "replay", "fixtures", "--on-miss", "fail", "--", *asking, "three")
    assert 1 == missing.returncode
    assert "no recording matches POST 127.0.0.1/v1/chat/completions (m)" in missing.stderr
    assert "1 without a recording, 2 recordings not asked for" in missing.stderr
    assert missing.stdout.startswith("400 ")


def test_a_command_is_tried_with_faults(tmp_path: Path, upstream: Upstream) -> None:
    url = f"http://127.0.0.1:{upstream.port}/v1/chat/completions"
    asking = (sys.executable, "-c", ASK, url)
    khazad(tmp_path, "record", "fixtures", "--", *asking, "one")
    upstream.close()
    faults = (
        "--fault",
        "status: 529, times: 1",
        "--fault",
        "status: 429, retry_after: 1, times: 2",
    )

    done = khazad(tmp_path, "replay", "fixtures", *faults, "--", *asking, "one", "one", "one")

    assert ["529", "429", "200"] == [line.split()[0] for line in done.stdout.splitlines()]
    assert 0 == done.returncode
    wrong = khazad(tmp_path, "replay", "fixtures", "--fault", "stats: 1", "--", *asking, "one")
    assert 2 == wrong.returncode
    assert "--fault: 'stats: 1': 'stats' is none of where, status" in wrong.stderr


def test_prune_removes_what_a_command_does_not_ask_for(tmp_path: Path, upstream: Upstream) -> None:
    url = f"http://127.0.0.1:{upstream.port}/v1/chat/completions"
    asking = (sys.executable, "-c", ASK, url)
    khazad(tmp_path, "record", "fixtures", "--", *asking, "one", "two")
    upstream.close()
    two = next((tmp_path / "fixtures").glob("*two*"))
    prune = ("cassette", "prune")

    failed = khazad(tmp_path, *prune, "fixtures", "--", *asking, "one", "three")
    dry = khazad(tmp_path, *prune, "--dry-run", "fixtures", "--", *asking, "one")
    assert (1, 0) == (failed.returncode, dry.returncode)
    assert f"fixtures/{two.name}" in dry.stdout
    assert two.exists()

    assert 0 == khazad(tmp_path, *prune, "fixtures", "--", *asking, "one").returncode
    assert not two.exists()
    assert 1 == len(list((tmp_path / "fixtures").iterdir()))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("replay", "nowhere", "--", "true"), "there is no recording in nowhere"),
        (("record", "fixtures"), "record fixtures: no command given"),
        (("record", "--record", "twice", "x", "--", "true"), "'twice' is not one of none"),
        (("record", "x", "--record", "twice", "--", "true"), "'twice' is not one of none"),
        (("replay", "x", "--mode", "exact"), "replay x: no command given"),
    ],
)
def test_what_cannot_be_is_said_before_anything_starts(
    tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    done = khazad(tmp_path, *arguments)

    assert 2 == done.returncode
    assert message in done.stderr
    assert "hint:" in done.stderr or "not one of" in done.stderr
