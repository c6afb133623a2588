"""The scripts of `addons/`, and the cache itself, in the mitmproxy programs they are made for."""

from __future__ import annotations

import contextlib
import fcntl
import http.client
import json
import os
import pty
import re
import socket
import struct
import subprocess
import termios
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest
from mitmproxy import exceptions, flowfilter
from mitmproxy.http import HTTPFlow
from mitmproxy.io import FlowReader
from mitmproxy.test import taddons, tflow, tutils

from tests.end_to_end import certificates, proxies
from tests.end_to_end.clients import Client
from tests.end_to_end.proxies import Proxy
from tests.end_to_end.upstream import Upstream, chat_body, question, stream_answer
from tests.servers import until

CHECKOUT = Path(__file__).resolve().parents[2]
ADDONS = CHECKOUT / "addons"
SCRIPTS = sorted(path.name for path in ADDONS.glob("*.py"))
ASKED = question("What is the capital of France?")

Start = Callable[..., Proxy]


def script(name: str) -> Any:
    spec = spec_from_file_location(name, ADDONS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.addons[0]


def asked(host: str, body: bytes = b"{}") -> Any:
    return tflow.tflow(req=tutils.treq(host=host, method=b"POST", content=body))


@pytest.fixture
def upstream(tmp_path: Path) -> Iterator[Upstream]:
    upstream = Upstream(certificates.make(tmp_path))
    yield upstream
    upstream.close()


@pytest.fixture
def start(tmp_path: Path, upstream: Upstream) -> Iterator[Start]:
    """mitmdump with the cache and more."""
    started: list[Proxy] = []

    def start(*arguments: str, **options: Any) -> Proxy:
        started.append(proxies.mitmdump(tmp_path, upstream, *arguments, **options))
        return started[-1].wait()

    yield start
    for proxy in started:
        proxy.stop()


def test_every_script_is_documented_in_one_line():
    told = dict(re.findall(r"^\| `(.*\.py)` \| (.*) \|$", (ADDONS / "README.md").read_text(), re.M))

    assert SCRIPTS == sorted(told)


def test_all_of_them_load_together_with_the_cache(start: Start, upstream: Upstream):
    loaded = [argument for name in SCRIPTS for argument in ("-s", str(ADDONS / name))]
    proxy = start(*loaded)
    with proxy.client() as client:
        answer = client.ask(ASKED)

    # block_uncached comes first in the alphabet, and is loaded.
    assert 504 == answer.status
    assert [] == upstream.calls


async def test_only_llm_hosts_are_shown():
    addon = script("only_llm_hosts")
    with taddons.context(addon) as context:
        context.options.add_option("view_filter", str, "", "")
        addon.running()
        shows = flowfilter.parse(context.options.view_filter)

    assert shows(asked("api.openai.com"))
    assert shows(asked("x.openai.azure.com"))
    assert not shows(asked("example.com"))
    assert not shows(asked("api.openai.com.example.com"))


async def test_pace_replay_is_recorded_unless_told():
    addon = script("pace_replay")
    with taddons.context(addon) as context:
        context.options.add_option("khazad_replay_pace", str, "off", "")
        addon.running()
        assert "recorded" == context.options.khazad_replay_pace
        context.options.update(khazad_replay_pace="40")
        addon.running()
        assert "40" == context.options.khazad_replay_pace


def test_stats_are_logged_now_and_then(start: Start):
    proxy = start("-s", str(ADDONS / "stats_log.py"), "--set", "stats_log_s=1")
    with proxy.client() as client:
        client.ask(ASKED)

    until(lambda: any('"cache_misses": 1' in line for line in proxy.log))


def test_llm_calls_are_blocked_and_others_are_not(start: Start, upstream: Upstream):
    proxy = start("-s", str(ADDONS / "block_uncached.py"))
    with proxy.client() as client, proxy.client("example.com") as other:
        blocked = client.ask(ASKED)
        stranger = other.ask(ASKED)

    assert 504 == blocked.status
    assert "block_uncached" in json.loads(blocked.body)["error"]["message"]
    assert 200 == stranger.status


@pytest.mark.parametrize(
    ("host", "body", "model"),
    [
        ("api.openai.com", b'{"model": "gpt-5", "n": 1}', "tiny"),
        ("example.com", b'{"model": "gpt-5"}', "gpt-5"),
    ],
)
async def test_another_model_is_asked(host: str, body: bytes, model: str):
    addon = script("force_model")
    with taddons.context(addon) as context:
        context.options.update(force_model="tiny")
        flow = asked(host, body)
        addon.request(flow)

    assert model == json.loads(flow.request.content)["model"]


@pytest.mark.parametrize("body", [b"", b"not json", b"[1]", b'{"contents": []}'])
async def test_what_names_no_model_is_left_alone(body: bytes):
    addon = script("force_model")
    with taddons.context(addon) as context:
        context.options.update(force_model="tiny")
        flow = asked("api.openai.com", body)
        addon.request(flow)

    assert body == flow.request.content


async def test_every_second_call_is_one_too_many():
    addon = script("fault_injection")
    statuses = []
    with taddons.context(addon) as context:
        context.options.update(fault="429", fault_every=2)
        for _ in range(4):
            flow = asked("api.openai.com")
            await addon.request(flow)
            statuses.append(flow.response and flow.response.status_code)

    assert [None, 429, None, 429] == statuses


async def test_a_fault_that_nobody_knows_is_refused():
    addon = script("fault_injection")
    with (
        taddons.context(addon) as context,
        pytest.raises(exceptions.OptionsError, match="is not one of 429, cut, stall"),
    ):
        context.options.update(fault="fire")


async def test_a_stall_is_a_wait():
    addon = script("fault_injection")
    with taddons.context(addon) as context:
        context.options.update(fault="stall", fault_stall_s=0)
        flow = asked("api.openai.com")
        await addon.request(flow)

    assert flow.response is None


def test_a_stream_that_is_cut_is_not_kept(start: Start, upstream: Upstream):
    upstream.answer = lambda call: stream_answer(("Par", "is"))
    proxy = start("-s", str(ADDONS / "fault_injection.py"), "--set", "fault=cut")
    with proxy.client() as client, pytest.raises(http.client.HTTPException):
        client.ask(question("What is the capital of France?", stream=True))

    assert 0 == proxy.page("/stats")[1]["stored"]


# -- the cache in the programs with a screen


def test_mitmweb_shows_what_the_cache_did(start: Start, upstream: Upstream):
    program = proxies.MITMDUMP.with_name("mitmweb")
    password = ("--set", "web_password=test") if has_web_password() else ()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ("--no-web-open-browser", "--web-port", str(port))
    proxy = start(*password, *options, program=program)
    with proxy.client() as client:
        client.ask(ASKED)
        proxy.wait_until(stored=1)
        assert chat_body("Hello.") == client.ask(ASKED).body
    web = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    web.request("GET", "/flows", headers={"Authorization": "Bearer test"})
    flows = json.loads(web.getresponse().read())
    web.close()

    shown = [(f["comment"], f["marked"]) for f in flows if f["request"]["path"] != "/health"]
    shown = [(comment, marked) for comment, marked in shown if comment]
    assert 2 == len(shown)
    assert "fwd=miss" in shown[0][0]
    assert "khazad; hit" in shown[1][0]
    assert ["", "⚡"] == [marked for _, marked in shown]


@contextmanager
def on_a_terminal(command: list[str], environ: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A program that wants a screen, with one that nobody looks at."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))

    def look_away() -> None:
        with contextlib.suppress(OSError):  # nobody has the other end any more
            while os.read(ours, 65536):
                pass

    process = subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env=environ, start_new_session=True
    )
    os.close(theirs)
    reader = threading.Thread(target=look_away)
    reader.start()
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        reader.join()
        os.close(ours)


def test_mitmproxy_on_a_terminal_serves_and_marks(tmp_path: Path, upstream: Upstream):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    saved, program = tmp_path / "flows", proxies.MITMDUMP.with_name("mitmproxy")
    given = ("--listen-port", str(port), "-w", str(saved))
    command = proxies.command_of(program, tmp_path, upstream, *given)
    environ = {**proxies.environment(tmp_path), "TERM": "xterm", "PYTHONPATH": ""}
    trusted = (tmp_path / "confdir" / "mitmproxy-ca-cert.pem", upstream.authority.ca)

    def page(path: str) -> bytes:
        with contextlib.suppress(OSError), Client(port, "khazad.internal", 80) as client:
            answer = client.send_plain("GET", path)
            return answer.body if answer.status == 200 else b""
        return b""

    with on_a_terminal(command, environ) as process:
        until(lambda: page("/health"), proxies.START_S)
        with Client(port, "api.openai.com", 443, trusted=trusted) as client:
            client.ask(ASKED)
            until(lambda: b'"stored": 1' in page("/stats"))
            served = client.ask(ASKED)
        process.terminate()
        process.wait(proxies.START_S)
    with saved.open("rb") as file:
        flows = [flow for flow in FlowReader(file).stream() if isinstance(flow, HTTPFlow)]

    assert chat_body("Hello.") == served.body
    shown = [(flow.comment, flow.marked) for flow in flows if flow.comment]
    assert ["", ":zap:"] == [marked for _, marked in shown]
    assert "khazad; hit" in shown[1][0]


def has_web_password() -> bool:
    """From mitmproxy 11.1 on."""
    from mitmproxy.tools.web import master

    return (
        hasattr(master, "webaddons")
        and "web_password" in Path(master.webaddons.__file__ or "").read_text()
    )
