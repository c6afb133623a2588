"""What a program behind the proxy has to trust: a bundle of roots, and the same as a Java store.

Most clients can only *replace* what they trust, so a bundle holds what was trusted before and our
authority. Nothing secret is in either.
"""

from __future__ import annotations

import hashlib
import os
import re
import ssl
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from struct import pack

from khazad_mitm.errors import ConfigError

# Each of these *replaces* the trust store of the clients that read it.
BUNDLE_VARIABLES = (
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "AWS_CA_BUNDLE",
    "GIT_SSL_CAINFO",
    "DENO_CERT",
    "PIP_CERT",
    "CARGO_HTTP_CAINFO",
    "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",
    # Node adds this one to its own roots; a bundle does no harm there.
    "NODE_EXTRA_CA_CERTS",
)

STORE_PASSWORD = "changeit"  # noqa: S105  (Java's own default; it keeps nothing secret)

_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


def write_bundle(environ: Mapping[str, str], target: Path, *ours: Path) -> None:
    """Write the roots a program with these variables trusts, and `ours`, to `target`."""
    found: dict[str, None] = {}
    for file in [*_named_roots(environ), *_default_roots(), *ours]:
        if file.is_file():
            found.update(dict.fromkeys(_PEM.findall(file.read_text("utf-8", "replace"))))
    target.write_text("".join(f"{pem}\n" for pem in found), encoding="utf-8")


def authorities(flag: str, given: Iterable[str]) -> list[Path]:
    """The PEM files that a flag names. Raises ConfigError for one that holds no certificate."""
    files = [Path(name).expanduser() for name in given]
    for file in files:
        try:
            is_one = bool(_PEM.search(file.read_text("utf-8", "replace")))
        except OSError as error:
            raise ConfigError(f"{flag}: {file} cannot be read ({error.strerror})") from error
        if not is_one:
            raise ConfigError(
                f"{flag}: there is no certificate in {file}",
                "PEM is wanted: openssl x509 -inform der -in CA.crt -out CA.pem",
            )
    return files


def write_java_store(bundle: Path, target: Path) -> None:
    """Write the certificates of a bundle as a Java key store; the password is `STORE_PASSWORD`.

    In the format JKS, which every Java reads and which needs neither keytool nor a cipher: magic
    number, version, entries (tag, alias, time, type, certificate), and a digest keyed with the
    password. Source: OpenJDK, `sun.security.provider.JavaKeyStore.engineStore`.
    """
    certificates = _readable(_PEM.findall(bundle.read_text(encoding="utf-8")))
    body = pack(">III", 0xFEEDFEED, 2, len(certificates))
    now = pack(">q", int(time.time() * 1000))
    for number, der in enumerate(certificates):
        body += pack(">I", 2) + _text(f"khazad-{number}") + now
        body += _text("X.509") + pack(">I", len(der)) + der
    key = STORE_PASSWORD.encode("utf-16-be") + b"Mighty Aphrodite"
    target.write_bytes(body + hashlib.sha1(key + body).digest())  # noqa: S324  (the format's)


def write_wget_settings(environ: Mapping[str, str], bundle: Path, target: Path) -> None:
    """Write the settings that wget reads today, and the bundle: it goes by no other variable."""
    theirs = environ.get("WGETRC") or Path(environ.get("HOME", "/")) / ".wgetrc"
    try:
        kept = Path(theirs).read_text("utf-8", "replace").rstrip("\n") + "\n"
    except OSError:
        kept = ""
    # They may hold a password.
    target.touch(mode=0o600)
    target.write_text(f"{kept}ca_certificate = {bundle}\n", encoding="utf-8")


def _text(text: str) -> bytes:
    return pack(">H", len(text)) + text.encode("ascii")


def _readable(certificates: Iterable[str]) -> list[bytes]:
    found = []
    for pem in certificates:
        try:
            found.append(ssl.PEM_cert_to_DER_cert(pem))
        except ValueError:
            continue
    return found


def _named_roots(environ: Mapping[str, str]) -> list[Path]:
    """Files that variables name; requests also takes a directory of them."""
    named = [Path(environ[name]).resolve() for name in BUNDLE_VARIABLES if environ.get(name)]
    return [
        file for path in named for file in (sorted(path.glob("*")) if path.is_dir() else [path])
    ]


def _default_roots() -> list[Path]:
    """The system's roots, else certifi's (slim containers have none)."""
    paths = ssl.get_default_verify_paths()
    for file in (paths.cafile, paths.openssl_cafile, "/etc/ssl/certs/ca-certificates.crt"):
        if file and os.path.exists(file):
            return [Path(file).resolve()]
    import certifi

    return [Path(certifi.where())]
