"""All that the programs leave behind where encryption is on: lines, pages, counters, files."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

from tests.cli.programs import environ, khazad
from tests.end_to_end import proxies
from tests.end_to_end.clients import CHAT
from tests.end_to_end.proxies import SETTINGS, Proxy
from tests.end_to_end.test_what_is_written import KEY, PROMPT, SAID, SECRETS, TAG
from tests.end_to_end.upstream import Upstream, chat_answer, question
from tests.servers import until

# Two calls, the second when the first is kept: by itself, or through the proxy of `run`.
PROGRAM = textwrap.dedent("""
    import http.client, json, os, sys, urllib.parse
    url, key, body, settings = sys.argv[1:]
    headers = {"Content-Type": "application/json", "Authorization": "Bearer " + key}
    if settings:
        try:
            import httpx
        except ImportError:
            import httpx2 as httpx
        import khazad
        khazad.init(**json.loads(settings))
        for _ in range(2):
            httpx.post(url, content=body, headers=headers, trust_env=False, timeout=60)
            while not (khazad.get_stats()["stored"] or khazad.get_stats()["cache_hits"]):
                pass
        print(json.dumps(khazad.get_stats()))
        khazad.stop()
    else:
        proxy = urllib.parse.urlsplit(os.environ["HTTP_PROXY"])
        client = http.client.HTTPConnection(proxy.hostname, proxy.port)
        for _ in range(2):
            client.request("POST", url, body, headers)
            client.getresponse().read()
            said = {"stored": 0, "cache_hits": 0}
            while not (said["stored"] or said["cache_hits"]):
                client.request("GET", "http://khazad.internal/stats")
                said = json.loads(client.getresponse().read())
        print(said)
""")


def test_no_prompt_answer_or_credential_is_left_behind_by_any_program(
    start: Any, upstream: Upstream, tmp_path: Path
) -> None:
    keys = tmp_path / "khazad.key"
    keys.write_bytes(base64.b64encode(os.urandom(32)))
    keys.chmod(0o600)
    sealed = {"redis_url": "embedded", "encryption_key_file": str(keys)}
    # With the questions compared, their words and vectors would lie there too.
    patient = {"mode": "cache", "embed_deadline_ms": "60000", "store_deadline_ms": "10000"}
    proxy: Proxy = start(proxies.engine, settings={**SETTINGS, **sealed, **patient}).wait()
    upstream.answer = lambda call: chat_answer(SAID)
    credential = {"Authorization": f"Bearer {KEY}", "X_Khazad_Tag": TAG}
    until(lambda: proxy.page("/ready")[1]["embedder"] == "ready", 120)
    with proxy.client() as client:
        client.ask(question(PROMPT), **credential)
        proxy.wait_until(stored=1)
        # A repeat, and one that is found by meaning: what was asked is noted with the entry.
        for asked in (PROMPT, PROMPT + "?"):
            assert client.ask(question(asked), **credential).cache_status.startswith("khazad; hit")
    pages = [str(proxy.page(page)[1]) for page in ("/stats", "/health", "/ready")]

    url = f"http://127.0.0.1:{upstream.port}{CHAT}"
    flags = ["--redis-url", "embedded", "--encryption-key-file", str(keys)]
    body = question(PROMPT, temperature=0.5).decode()
    program = [sys.executable, "-c", PROGRAM, url, KEY, body]
    inside = f'{{"redis_url": "embedded", "encryption_key_file": "{keys}"}}'
    told = [
        khazad(tmp_path, "stats", "--proxy", f"127.0.0.1:{proxy.port}"),
        khazad(tmp_path, "doctor", "--quick", *flags),
        khazad(tmp_path, "run", *flags, "--", *program, ""),
        subprocess.run(
            [*program, inside],
            env=environ(tmp_path, KHAZAD_LOG_LEVEL="INFO"),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        ),
    ]
    proxy.stop()

    said = "\n".join([*proxy.log, *pages, *(one.stdout + one.stderr for one in told)])
    files = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    # The doctor finds fault with this machine, whatever it is.
    assert [0, 0, 0] == [told[place].returncode for place in (0, 2, 3)], said
    leaks = [line for line in said.splitlines() if any(secret in line for secret in SECRETS)]
    leaks += [str(path) for path, held in files.items() if any(s.encode() in held for s in SECRETS)]
    assert [] == leaks
    # Entries lie there, were found again, and their names can be read.
    assert any(b"{khazad:0}:e:" in held for held in files.values())
    assert 3 <= said.count("CACHE HIT")
