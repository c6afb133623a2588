from __future__ import annotations

import datetime
import socket
from pathlib import Path

import pytest

from khazad_mitm.cli import surroundings
from khazad_mitm.errors import ConfigError
from tests.cli.programs import khazad, serving
from tests.end_to_end.certificates import Authority
from tests.end_to_end.upstream import Answer, Upstream

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


@pytest.fixture(autouse=True)
def no_proxy_of_whoever_runs_this(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*PROXIES, *map(str.lower, PROXIES), "KHAZAD_PROXY", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)


def test_a_port_is_free_ours_or_somebody_elses(
    tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        free = taken.getsockname()[1]
    monkeypatch.setenv("KHAZAD_PROXY", f"http://127.0.0.1:{free}")
    assert f"127.0.0.1:{free} is free" in surroundings.port()

    with serving(tmp_path) as address:
        monkeypatch.setenv("KHAZAD_PROXY", address)
        assert f"a proxy of ours listens on {address}" == surroundings.port()

    other = Upstream(authority)
    other.answer = lambda call: Answer(frames=(b"hello",))
    monkeypatch.setenv("KHAZAD_PROXY", f"127.0.0.1:{other.port}")
    with pytest.raises(ConfigError, match=f"another program listens on 127.0.0.1:{other.port}"):
        surroundings.port()
    other.close()


def test_a_clock_before_our_time_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surroundings.time, "time", lambda: 0.0)

    with pytest.raises(ConfigError, match="the clock says Thu Jan  1"):
        surroundings.clock(tmp_path)


def test_an_authority_that_has_ended_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "there is no authority yet" in surroundings.clock(tmp_path)
    khazad(tmp_path, "certs")
    confdir = tmp_path / ".mitmproxy"
    assert "the authority is valid until" in surroundings.clock(confdir)

    later = datetime.datetime(2100, 1, 1).timestamp()
    monkeypatch.setattr(surroundings.time, "time", lambda: later)
    with pytest.raises(ConfigError, match="hint: set the clock, or remove"):
        surroundings.clock(confdir)


def test_without_another_proxy_there_is_nothing_to_look_at() -> None:
    assert surroundings.before_us().startswith("none")


def test_a_proxy_that_opens_tls_must_be_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of ours stands for a company's: it opens TLS by an authority of its own."""
    with serving(tmp_path) as address:
        monkeypatch.setenv("HTTPS_PROXY", f"http://me:secret@{address}")
        with pytest.raises(ConfigError, match="its authority is not trusted here") as raised:
            surroundings.before_us()
        monkeypatch.setenv("SSL_CERT_FILE", f"{tmp_path}/.mitmproxy/mitmproxy-ca-cert.pem")
        found = surroundings.before_us()

    assert f"http://{address} opens TLS, and its authority is trusted here" == found
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("http://127.0.0.1:1", "leads nowhere"),
        ("socks5://127.0.0.1:1", "cannot be gone through"),
    ],
)
def test_a_proxy_that_leads_nowhere_is_said(
    url: str, complaint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", url)

    with pytest.raises(ConfigError, match=complaint):
        surroundings.before_us()


def test_a_proxy_that_refuses_is_said(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusing = Upstream(authority)
    refusing.answer = lambda call: Answer(status=407)
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{refusing.port}")
    with pytest.raises(ConfigError, match="407"):
        surroundings.before_us()
    refusing.close()
