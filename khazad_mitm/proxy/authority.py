"""The certificate authority of the proxy, made where there is none yet, as at any first start."""

from __future__ import annotations

from pathlib import Path

from mitmproxy.certs import CertStore
from mitmproxy.options import CONF_BASENAME, KEY_SIZE


def ensure(confdir: Path) -> Path:
    """The authority's certificate in that folder. Its key lies beside it, for its owner's eyes."""
    certificate = confdir / f"{CONF_BASENAME}-ca-cert.pem"
    if not certificate.is_file():
        confdir.mkdir(parents=True, exist_ok=True)
        CertStore.from_store(confdir, CONF_BASENAME, KEY_SIZE)
    return certificate


def secrets(confdir: Path) -> list[Path]:
    """The files that hold the key."""
    return [confdir / f"{CONF_BASENAME}-ca.{ending}" for ending in ("pem", "p12")]
