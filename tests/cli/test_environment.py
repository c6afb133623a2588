from __future__ import annotations

from pathlib import Path

from khazad_mitm.cli.environment import BUNDLE_VARIABLES, variables, write_bundle

PROXY = "http://127.0.0.1:1234"


def test_every_client_is_told_of_the_proxy_and_the_bundle() -> None:
    told = variables({}, PROXY, Path("/b.pem"))

    assert {PROXY} == {told[name] for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY")}
    assert {"/b.pem"} == {told[name] for name in BUNDLE_VARIABLES}
    assert "1" == told["NODE_USE_ENV_PROXY"]


def test_what_else_is_in_the_environment_stays() -> None:
    assert "kept" == variables({"OTHER": "kept"}, PROXY, Path("/b.pem"))["OTHER"]


def test_no_proxy_is_extended_and_not_replaced() -> None:
    told = variables({"no_proxy": "db.internal, localhost"}, PROXY, Path("/b.pem"))

    assert "db.internal,localhost,127.0.0.1,::1" == told["NO_PROXY"] == told["no_proxy"]


def test_the_bundle_holds_what_was_trusted_before_and_our_authority(tmp_path: Path) -> None:
    theirs, ours, bundle = (tmp_path / name for name in ("theirs.pem", "ours.pem", "bundle.pem"))
    theirs.write_text("THEIRS")
    ours.write_text("OURS\n")
    environ = {"SSL_CERT_FILE": str(theirs), "CURL_CA_BUNDLE": str(theirs), "PIP_CERT": "/none"}
    write_bundle(environ, ours, bundle)
    written = bundle.read_text()

    assert written.startswith("THEIRS\n-----BEGIN CERTIFICATE-----")
    assert written.endswith("OURS\n")
    assert 1 == written.count("THEIRS")
