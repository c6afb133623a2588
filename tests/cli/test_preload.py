"""The preload for Node, where this machine's Node is old enough to want it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator

import pytest

from khazad_mitm.cli.environment import PRELOAD
from tests.end_to_end.certificates import Authority
from tests.end_to_end.upstream import Answer, Upstream

NODE = shutil.which("node")

# Says for each URL what became of it, by fetch and by http or https.
PROGRAM = """
const clients = { "http:": require("http"), "https:": require("https") };
const byModule = (url) =>
  new Promise((resolve) => {
    const request = clients[new URL(url).protocol].get(url, (answer) => {
      answer.resume();
      answer.on("end", () => resolve(answer.statusCode));
    });
    request.on("error", (error) => resolve(error.message));
  });
const byFetch = (url) =>
  fetch(url).then(
    (answer) => answer.text().then(() => answer.status),
    (error) => error.cause.message,
  );
(async () => {
  const told = [];
  for (const url of process.argv.slice(1)) told.push([await byFetch(url), await byModule(url)]);
  console.log(JSON.stringify(told));
})();
"""


@pytest.fixture
def proxy(authority: Authority) -> Iterator[Upstream]:
    """Refuses every tunnel, and counts them."""
    upstream = Upstream(authority)
    upstream.answer = lambda call: Answer(status=403 if call.method == "CONNECT" else 200)
    yield upstream
    upstream.close()


def node(proxy: str, direct: str, *urls: str) -> list[list[object]]:
    if NODE is None:
        pytest.skip("no Node on this machine")
    flag = "process.allowedNodeEnvironmentFlags.has('--use-env-proxy')"
    if b"true" in subprocess.run([NODE, "-p", flag], capture_output=True, check=True).stdout:
        pytest.skip("this Node takes the proxy from the environment itself")
    clean = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
    done = subprocess.run(
        [NODE, "--require", str(PRELOAD), "-e", PROGRAM, *urls],
        env=clean | {"HTTPS_PROXY": proxy, "http_proxy": proxy, "NO_PROXY": direct},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert 0 == done.returncode, done.stderr
    told: list[list[object]] = json.loads(done.stdout)
    return told


def test_whatever_asks_goes_through_a_tunnel_and_a_refusal_is_told(proxy: Upstream) -> None:
    url = f"http://127.0.0.1:{proxy.port}"
    told = node(
        url, "", "https://api.openai.com/v1", "http://plain.example:8000/", "https://[::1]/"
    )
    targets = [call.target for call in proxy.calls]

    assert {"CONNECT"} == {call.method for call in proxy.calls}
    hosts = ["api.openai.com:443", "plain.example:8000", "[::1]:443"]
    assert [target for host in hosts for target in (host, host)] == targets
    for host, answers in zip(hosts, told, strict=True):
        expected = f"the proxy 127.0.0.1:{proxy.port} answers CONNECT {host} with 403"
        assert [expected, expected] == answers


@pytest.mark.parametrize("direct", ["127.0.0.1", "x, 127.0.0.1", "127.0.0.1:{port}", "*", ".0.0.1"])
def test_what_no_proxy_names_is_connected_to(proxy: Upstream, direct: str) -> None:
    there = f"http://127.0.0.1:{proxy.port}"
    told = node("http://127.0.0.1:1", direct.format(port=proxy.port), f"{there}/v1")

    assert [[200, 200]] == told
    assert ["/v1", "/v1"] == [call.target for call in proxy.calls]


@pytest.mark.parametrize("direct", ["", "127.0.0.1:1", "0.0.1.example", "7.0.0.1"])
def test_what_no_proxy_does_not_name_is_not(proxy: Upstream, direct: str) -> None:
    there = f"http://127.0.0.1:{proxy.port}"
    node(there, direct, f"{there}/v1")

    assert {"CONNECT"} == {call.method for call in proxy.calls}


def test_the_credentials_of_a_proxy_are_sent(proxy: Upstream) -> None:
    node(f"http://me:p%40ss@127.0.0.1:{proxy.port}", "", "https://api.openai.com/")

    assert {"Basic bWU6cEBzcw=="} == {call.headers["proxy-authorization"] for call in proxy.calls}
