from __future__ import annotations

import shutil
import ssl
import subprocess
from pathlib import Path

import pytest

from khazad_mitm.cli.trust import (
    STORE_PASSWORD,
    write_bundle,
    write_java_store,
    write_wget_settings,
)
from tests.end_to_end.certificates import Authority

KEYTOOL = shutil.which("keytool")


def certificates(bundle: Path) -> int:
    return bundle.read_text().count("-----BEGIN CERTIFICATE-----")


def test_the_bundle_holds_what_was_trusted_before_and_our_authority(
    tmp_path: Path, authority: Authority
) -> None:
    theirs, ours = authority.certificate.read_text().strip(), authority.ca.read_text().strip()
    environ = {
        "SSL_CERT_FILE": str(authority.certificate),
        "CURL_CA_BUNDLE": str(authority.certificate),
        "PIP_CERT": "/none",
    }
    write_bundle(environ, tmp_path / "bundle.pem", authority.ca)
    written = (tmp_path / "bundle.pem").read_text()

    assert written.startswith(theirs)
    assert written.endswith(f"{ours}\n")
    assert (1, 1) == (written.count(theirs), written.count(ours))
    assert certificates(tmp_path / "bundle.pem") > 50


def test_a_folder_of_roots_that_requests_would_take_is_read(
    tmp_path: Path, authority: Authority
) -> None:
    folder = tmp_path / "roots"
    folder.mkdir()
    shutil.copy(authority.ca, folder / "0a1b2c3d.0")
    write_bundle({"REQUESTS_CA_BUNDLE": str(folder)}, tmp_path / "bundle.pem")

    assert authority.ca.read_text().strip() in (tmp_path / "bundle.pem").read_text()


def test_the_bundle_is_one_that_openssl_reads(tmp_path: Path, authority: Authority) -> None:
    bundle = tmp_path / "bundle.pem"
    write_bundle({}, bundle, authority.ca)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(bundle)

    assert certificates(bundle) == context.cert_store_stats()["x509_ca"]


@pytest.mark.skipif(KEYTOOL is None, reason="no keytool: there is no Java on this machine")
def test_java_reads_every_certificate_of_the_store(tmp_path: Path, authority: Authority) -> None:
    bundle, store = tmp_path / "bundle.pem", tmp_path / "store.jks"
    write_bundle({}, bundle, authority.ca)
    write_java_store(bundle, store)
    told = subprocess.run(
        [str(KEYTOOL), "-list", "-keystore", str(store), "-storepass", STORE_PASSWORD],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert 0 == told.returncode, told.stdout
    assert certificates(bundle) == told.stdout.count("trustedCertEntry")


@pytest.mark.parametrize("named", [True, False])
def test_the_settings_of_wget_are_extended_and_its_owners(tmp_path: Path, named: bool) -> None:
    theirs, target = tmp_path / ".wgetrc", tmp_path / "new"
    theirs.write_text("password = secret")
    environ = {"WGETRC": str(theirs)} if named else {"HOME": str(tmp_path)}
    write_wget_settings(environ, Path("/b.pem"), target)

    assert "password = secret\nca_certificate = /b.pem\n" == target.read_text()
    assert 0o600 == target.stat().st_mode & 0o777
    write_wget_settings({"HOME": "/no/such"}, Path("/b.pem"), target)
    assert "ca_certificate = /b.pem\n" == target.read_text()
