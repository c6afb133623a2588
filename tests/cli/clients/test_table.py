from __future__ import annotations

from pathlib import Path

import pytest

from khazad_mitm.cli.clients import judged, table, told
from khazad_mitm.cli.clients.table import Client

CLIENT = Client("node fetch", ("node",), ("HTTPS_PROXY", "NODE_EXTRA_CA_CERTS"))
MISS, HIT = 'khazad; fwd=miss; detail="exact-only mode"\n', "khazad; hit; ttl=1\n"


def test_a_hit_among_the_answers_is_what_we_want() -> None:
    found, hint = told(judged(CLIENT, MISS + HIT, ""), {"HTTPS_PROXY": "p"})

    assert "reached, trusted, cached; without `run` it wants NODE_EXTRA_CA_CERTS" == found
    assert hint == ""


def test_what_the_client_needs_in_its_code_is_told() -> None:
    client = Client("python aiohttp", (), (), "trust_env=True")

    assert told(judged(client, HIT, ""), {})[0].endswith("cached; in its code: trust_env=True")


def test_answers_without_a_hit_are_not_right() -> None:
    tried = judged(CLIENT, MISS * 3, "")

    assert (True, False) == (tried.is_trusted, tried.is_right)
    assert "not served the second time" in told(tried, {})[0]


@pytest.mark.parametrize(
    "complaint",
    [
        "TypeError: fetch failed Error: unable to verify the first certificate\n",
        "javax.net.ssl.SSLHandshakeException: PKIX path building failed\n\tat x.y(Z.java:1)\n",
        "Post https://x: x509: certificate signed by unknown authority\n",
        "ssl.SSLCertVerificationError: [SSL: CERTIFICATE_VERIFY_FAILED] self-signed certificate\n",
    ],
)
def test_who_does_not_trust_us_is_told_which_variables_it_goes_by(complaint: str) -> None:
    tried = judged(CLIENT, "", complaint)
    found, hint = told(tried, {})

    assert (True, False) == (tried.is_reached, tried.is_trusted)
    assert found.startswith("reached, not trusted: ")
    assert "HTTPS_PROXY and NODE_EXTRA_CA_CERTS" in hint


def test_who_does_not_come_is_told_too() -> None:
    tried = judged(CLIENT, "", "Traceback\nsocket.gaierror: Name or service not known\n")

    assert not tried.is_reached
    assert "not reached: socket.gaierror: Name or service not known" == told(tried, {})[0]


def test_where_there_is_nothing_only_python_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    names = [client.name for client in table.found(tmp_path)]

    assert "python urllib.request" in names
    assert all(name.startswith("python ") for name in names)
