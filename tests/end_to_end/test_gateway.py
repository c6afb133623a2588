"""Clients with a base URL, and the other ways to reach a proxy: real `khazad-mitm serve`."""

from __future__ import annotations

import json
import re
import socket
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.programs import WAIT_S, environ, khazad
from tests.end_to_end.raw import listening, read_head
from tests.end_to_end.services import PLAIN, Service, ask, serving
from tests.end_to_end.upstream import Upstream, chat_answer, chat_body, question

ASKED = question("What is the capital of France?")
PATH = "/openai/v1/chat/completions"
CHAT = "/v1/chat/completions"


@pytest.fixture(scope="module")
def standing_service(
    tmp_path_factory: pytest.TempPathFactory, standing_upstream: Upstream
) -> Iterator[Service]:
    """A gateway beside a proxy; all of `SDKS` are led to the one upstream."""
    arguments = ["--mode", "regular", "--mode", "reverse@localhost:0", "--grace", "0"]
    for name in SDKS:
        arguments += ["--provider", f"{name}=https://127.0.0.1:{standing_upstream.port}"]
    folder = tmp_path_factory.mktemp("gateway")
    with serving(folder, standing_upstream, *PLAIN, *arguments) as service:
        yield service


@pytest.fixture
def service(standing_service: Service, upstream: Upstream) -> Service:
    """One that remembers nothing."""
    answer = ask(standing_service.port, "POST", "/flush", host="khazad.internal")
    assert 200 == answer.status
    return standing_service


@pytest.mark.parametrize("mode", ["regular", "reverse"])
@pytest.mark.parametrize(
    ("target", "host"), [(PATH, ""), (CHAT, "openai.localhost"), (f"{PATH}?api-version=1", "")]
)
def test_a_base_url_leads_to_its_provider(
    mode: str, target: str, host: str, service: Service, upstream: Upstream
) -> None:
    port = service.ports[mode]
    host = host and f"{host}:{port}"
    answers = [ask(port, "POST", target, ASKED, host)]
    while not service.page("/stats")["stored"]:
        pass
    answers.append(ask(port, "POST", target, ASKED, host))

    assert [chat_body("Hello.")] * 2 == [answer.body for answer in answers]
    assert answers[1].cache_status.startswith("khazad; hit")
    (call,) = upstream.calls
    assert CHAT == call.target.partition("?")[0]
    assert f"127.0.0.1:{upstream.port}" == call.headers["host"]


@pytest.mark.parametrize("mode", ["regular", "reverse"])
def test_a_provider_that_nobody_knows_is_said_with_those_that_are(
    mode: str, service: Service
) -> None:
    answer = ask(service.ports[mode], "POST", "/nobody/v1/chat/completions", ASKED)

    assert 404 == answer.status
    assert "/openai/" in json.loads(answer.body)["providers"]


def test_a_gateway_is_a_proxy_to_nowhere_else(service: Service, upstream: Upstream) -> None:
    port = service.ports["reverse"]
    elsewhere = f"http://127.0.0.1:{upstream.port}/"
    with socket.create_connection(("127.0.0.1", port), timeout=WAIT_S) as client:
        client.sendall(b"CONNECT 127.0.0.1:%d HTTP/1.1\r\n\r\n" % upstream.port)
        refused = read_head(client)

    assert " 403 " in refused
    assert 404 == ask(port, "GET", elsewhere).status
    assert [] == upstream.calls


# Each asks once, by its own client, at the base URL it finds in its environment.
SDKS = {
    "openai": "import openai; openai.OpenAI(max_retries=0).chat.completions.create("
    "model='m', messages=[{'role': 'user', 'content': 'Hi?'}])",
    "anthropic": "import anthropic; anthropic.Anthropic(max_retries=0).messages.create("
    "model='m', max_tokens=9, messages=[{'role': 'user', 'content': 'Hi?'}])",
    "gemini": "from google import genai; c = genai.Client(api_key='k'); c.models.generate_content("
    "model='m', contents='Hi?')",
    "cohere": "import cohere; cohere.ClientV2(api_key='k').chat("
    "model='m', messages=[{'role': 'user', 'content': 'Hi?'}])",
    "ollama": "import ollama; ollama.chat('m', [{'role': 'user', 'content': 'Hi?'}])",
}
REACHED = {
    "openai": CHAT,
    "anthropic": "/v1/messages",
    "gemini": "/models/m:generateContent",  # below a version
    "cohere": "/v2/chat",
    "ollama": "/api/chat",
}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory, standing_service: Service) -> dict[str, str]:
    """What `env --reverse` tells a shell."""
    where = f"127.0.0.1:{standing_service.port}"
    arguments = ("env", "--reverse", "--shell", "bash", "--proxy", where)
    printed = khazad(tmp_path_factory.mktemp("env"), *arguments)
    return dict(re.findall(r"^export (\w+)=(.*)$", printed.stdout, re.MULTILINE))


@pytest.mark.parametrize("name", SDKS)
def test_an_sdk_takes_the_base_url_that_env_prints(
    name: str,
    told: dict[str, str],
    tmp_path: Path,
    upstream: Upstream,
    clients_python: Path,
) -> None:
    # What it is told does not matter: that it asked is what is to be seen.
    upstream.answer = lambda call: chat_answer("No.", status=404)
    done = subprocess.run(
        [str(clients_python), "-c", SDKS[name]],
        env=environ(tmp_path, **told, OPENAI_API_KEY="k", ANTHROPIC_API_KEY="k"),
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
    )

    if "ModuleNotFoundError" in done.stderr:
        pytest.skip(f"no SDK for {name} on this Python")
    (call,) = upstream.calls or pytest.fail(done.stderr)
    assert call.target.endswith(REACHED[name])


def test_one_providers_reverse_mode_needs_it_for_misses_only(
    tmp_path: Path, upstream: Upstream
) -> None:
    mode = f"reverse:https://127.0.0.1:{upstream.port}"
    magic = ("--mode", "regular@localhost:0")
    with serving(tmp_path, upstream, *PLAIN, "--mode", mode, *magic, "--grace", "0") as service:
        port = service.ports[mode]
        ask(port, "POST", CHAT, ASKED)
        upstream.close()
        again = ask(port, "POST", CHAT, ASKED)

    assert again.cache_status.startswith("khazad; hit")
    assert chat_body("Hello.") == again.body


def test_socks_clients_are_served_and_let_through(tmp_path: Path, upstream: Upstream) -> None:
    def echo(connection: socket.socket) -> None:
        connection.sendall(b"SSH-2.0-test\r\n")
        connection.sendall(connection.recv(100).upper())

    with (
        serving(tmp_path, upstream, *PLAIN, "--mode", "socks5", "--grace", "0") as service,
        listening(echo) as port,
    ):
        with through_socks(service.port, port) as stranger:
            assert b"SSH-2.0-test\r\n" == stranger.recv(100)
            stranger.sendall(b"hello")
            assert b"HELLO" == stranger.recv(100)
        with through_socks(service.port, upstream.port) as ours:
            head = f"POST {CHAT} HTTP/1.1\r\nHost: h\r\nContent-Length: {len(ASKED)}\r\n\r\n"
            ours.sendall(head.encode() + ASKED)
            assert "cache-status: khazad; fwd=miss" in read_head(ours).lower()


def through_socks(proxy: int, port: int) -> socket.socket:
    """RFC 1928, to a port of 127.0.0.1."""
    client = socket.create_connection(("127.0.0.1", proxy), timeout=WAIT_S)
    client.sendall(b"\x05\x01\x00")
    assert b"\x05\x00" == client.recv(2)
    client.sendall(b"\x05\x01\x00\x01" + socket.inet_aton("127.0.0.1") + struct.pack(">H", port))
    assert b"\x05\x00" == client.recv(10)[:2]
    return client


def test_another_proxy_may_stand_before_the_world(tmp_path: Path, upstream: Upstream) -> None:
    with serving(
        tmp_path,
        upstream,
        "--redis-url",
        "memory",
        "--mode",
        "off",
        "--mode",
        "regular",
        "--grace",
        "0",
    ) as theirs:
        mode = f"upstream:http://127.0.0.1:{theirs.port}"
        with serving(tmp_path, upstream, *PLAIN, "--mode", mode, "--grace", "0") as ours:
            first = ask(ours.port, "POST", PATH, ASKED)
            while not ours.page("/stats")["stored"]:
                pass
            theirs.stop()
            second = ask(ours.port, "POST", PATH, ASKED)

    assert chat_body("Hello.") == first.body == second.body
    assert second.cache_status.startswith("khazad; hit")
