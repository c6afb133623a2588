"""Every program of `examples/`, unchanged, with the real SDKs, against a provider on loopback."""

from __future__ import annotations

import json
import os
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests import wires

CHECKOUT = Path(__file__).resolve().parents[1]
EXAMPLES = sorted(path.name for path in (CHECKOUT / "examples").glob("*.py"))
TOKEN = "entra-token-of-one-hour"


class Provider(ThreadingHTTPServer):
    """All providers in one, and Azure's endpoint of managed identities. Counts what it is asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.calls: list[tuple[str, bool]] = []
        """Path and whether a stream was asked for, of each call for an answer."""
        self.credentials: set[str] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Provider

    def log_message(self, *_: object) -> None: ...

    def do_GET(self) -> None:
        """App Service's token endpoint (Microsoft Learn, "App Service managed identity")."""
        assert self.path.startswith("/identity?")
        hour = str(int(time.time()) + 3600)
        token = {"access_token": TOKEN, "expires_on": hour, "token_type": "Bearer", "resource": "r"}
        self.send("application/json", json.dumps(token).encode())

    def do_POST(self) -> None:
        body: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["content-length"])))
        is_stream = bool(body.get("stream")) or "streamGenerate" in self.path
        self.server.calls.append((self.path, is_stream))
        named = ("authorization", "x-api-key", "x-goog-api-key")
        self.server.credentials |= {self.headers[n] for n in named if n in self.headers}
        kind = "text-stream" if is_stream else "text-json"
        self.send(
            "text/event-stream" if is_stream else "application/json",
            wires.one(f"{_speaks(self.path)}/{kind}").body,
        )

    def send(self, content_type: str, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _speaks(path: str) -> str:
    if path.endswith("/v1/messages"):
        return "anthropic_messages"
    return "gemini" if "enerateContent" in path else "openai_chat"


@pytest.fixture
def provider() -> Iterator[Provider]:
    server = Provider()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def environ(url: str, folder: Path) -> dict[str, str]:
    """What a user of these programs has set: where the providers are, and the keys to them."""
    clean = {
        name: value
        for name, value in os.environ.items()
        if not re.match("(?i)khazad_|openai_|azure_|.*_proxy$", name)
    }
    return {
        **clean,
        "HOME": str(folder),
        "PYTHONPATH": str(CHECKOUT),
        "KHAZAD_REDIS_URL": "memory",
        # An answer that comes before the model is read is kept once it is: on a busy machine that
        # may take longer than the program's next call waits for it.
        "KHAZAD_MODE": "exact",
        "OPENAI_API_KEY": "sk-test",
        "OPENAI_BASE_URL": f"{url}/v1",
        "AZURE_OPENAI_ENDPOINT": url,
        "IDENTITY_ENDPOINT": f"{url}/identity",
        "IDENTITY_HEADER": "secret-of-the-app",
        "ANTHROPIC_API_KEY": "sk-ant-test",
        "ANTHROPIC_BASE_URL": url,
        "GEMINI_API_KEY": "test",
        "GOOGLE_GEMINI_BASE_URL": url,
    }


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_asks_its_provider_once_for_each_question(
    clients_python: Path, provider: Provider, tmp_path: Path, name: str
) -> None:
    environment = environ(provider.url, tmp_path)
    if "azure" in name:
        environment.pop("OPENAI_BASE_URL")  # the SDK takes one address, not two
    done = subprocess.run(
        [clients_python, CHECKOUT / "examples" / name],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert 0 == done.returncode, done.stderr
    said = re.findall(r"^\[(plain|stream) [12]\] [\d.]+ ms: (.+)$", done.stdout, re.MULTILINE)
    assert ["plain", "plain", "stream", "stream"] == [way for way, _ in said]
    assert said[0] == said[1]
    assert said[2] == said[3]
    assert [False, True] == [is_stream for _, is_stream in provider.calls]
    assert 2 == done.stderr.count("[Khazad] CACHE HIT")
    assert "'cache_hits': 2, 'cache_misses': 2, 'hit_rate': 0.5" in done.stdout


def test_azure_is_asked_with_the_token_of_entra(
    clients_python: Path, provider: Provider, tmp_path: Path
) -> None:
    environment = environ(provider.url, tmp_path)
    environment.pop("OPENAI_BASE_URL")
    command = [clients_python, CHECKOUT / "examples" / "with_azure.py"]
    subprocess.run(command, env=environment, capture_output=True, timeout=120, check=True)

    assert {f"Bearer {TOKEN}"} == provider.credentials


def test_every_example_is_listed() -> None:
    listed = re.findall(r"^\| \[(.+?)\]", (CHECKOUT / "examples" / "README.md").read_text(), re.M)

    assert EXAMPLES == sorted(listed)
