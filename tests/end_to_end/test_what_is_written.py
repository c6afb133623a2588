"""Everything a real run writes, searched for what must not be in it: lines, pages and files."""

from __future__ import annotations

import base64
import contextlib
import http.client
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end import proxies
from tests.end_to_end.clients import CHAT
from tests.end_to_end.proxies import SETTINGS, Proxy
from tests.end_to_end.upstream import Answer, Upstream, chat_answer, question, stream_answer

KEY, PROMPT, SAID, TAG = "sk-live-5d1f0c", "our merger with Initech", "sell all shares", "tag-7c2b"
PROXY_USER = "Basic " + base64.b64encode(b"me:pass-9e8d").decode()
SECRETS = (KEY, PROMPT, SAID, PROXY_USER.split()[1])


whatever_comes = contextlib.suppress(OSError, http.client.HTTPException)


def exercise(proxy: Proxy, upstream: Upstream) -> None:
    """Hits, misses, bypasses, refusals, broken answers and broken requests, all with secrets."""
    credential = {"Authorization": f"Bearer {KEY}", "X_Api_Key": KEY, "Cookie": f"session={KEY}"}
    asked = question(PROMPT)
    with proxy.client() as client:
        upstream.answer = lambda call: chat_answer(SAID)
        client.ask(asked, **credential)
        proxy.wait_until(stored=1)
        assert client.ask(asked, **credential).cache_status.startswith("khazad; hit")
        client.ask(asked, **credential, Cache_Control="no-store", X_Khazad_Tag=TAG)
        client.ask(asked, **credential, X_Khazad_Threshold=PROMPT.encode().hex())
        client.ask(asked[:-1], **credential)
        upstream.answer = lambda call: chat_answer(f"{SAID}, {KEY}", status=401)
        client.ask(question(PROMPT + "?"), **credential)
        upstream.answer = lambda call: Answer(frames=(SAID.encode(),))
        client.ask(question(PROMPT + "!"), **credential)
        upstream.answer = lambda call: stream_answer([SAID], ending="cut")
        with client.open(question(PROMPT, stream=True), **credential) as response, whatever_comes:
            response.read()
    with proxy.client("127.0.0.1", upstream.port) as client:
        upstream.answer = lambda call: chat_answer(SAID)
        client.send_plain("POST", CHAT, asked, {"Proxy-Authorization": PROXY_USER})
    proxy.wait_until(cache_misses=4)


@pytest.mark.parametrize("kind", ["mitmdump", "engine"])
@pytest.mark.parametrize("level", ["INFO", "WARNING"])
def test_no_prompt_answer_or_credential_is_written_anywhere(
    start: Any, upstream: Upstream, tmp_path: Path, kind: str, level: str
) -> None:
    settings = {**SETTINGS, "log_level": level}
    proxy: Proxy = start(getattr(proxies, kind), settings=settings).wait()
    exercise(proxy, upstream)
    if kind == "engine":  # mitmdump shows such a line, as it shows every URL: that is its business
        with proxy.client().raw_tunnel() as broken:
            broken.sendall(f"GARBAGE {PROMPT} {KEY}\r\n\r\n".encode())
    pages = [str(proxy.page(page)[1]) for page in ("/stats", "/health", "/nothing")]
    proxy.stop()

    files = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    written = "\n".join([*proxy.log, *pages]).encode() + b"\n".join(files)
    leaks = [line for line in written.splitlines() if any(s.encode() in line for s in SECRETS)]
    assert [] == leaks
    # It was not silent for another reason.
    assert (b"[Khazad] CACHE HIT" in written) == (level == "INFO")


def test_a_key_of_the_query_is_not_written_by_the_engine(start: Any, upstream: Upstream) -> None:
    proxy: Proxy = start(proxies.engine).wait()
    path = f"{CHAT}?key={KEY}"
    with proxy.client() as client:
        client.ask(question(PROMPT), path)
        proxy.wait_until(stored=1)
        client.ask(question(PROMPT), path)
        client.ask(question(PROMPT), path, Cache_Control="no-store")
    proxy.stop()

    assert [] == [line for line in proxy.log if KEY in line or PROMPT in line]
    assert any("CACHE HIT" in line for line in proxy.log)
