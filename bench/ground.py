"""The ground that everything stands on: a folder that goes away, a certificate authority, CPUs.

The embedded server, the proxies' certificates and every log lie in that folder, so that a run
neither sees nor touches what you have cached.
"""

from __future__ import annotations

import fcntl
import os
import ssl
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from mitmproxy.certs import CertStore

from bench.conversation import HOST
from khazad_mitm.store import embedded_guard

EMBEDDED_END_S = 30.0

CHECKOUT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Ground:
    folder: Path
    confdir: Path
    """With mitmproxy's own authority, which the fake provider's certificate is from too."""
    ca: Path
    certificate: Path
    """And key, of the fake provider, for the LLM host and `localhost`."""
    certificate_der: bytes
    client: ssl.SSLContext
    """Trusts the authority; asks for HTTP/1.1, as the official SDKs do by default."""


@contextmanager
def ground() -> Iterator[Ground]:
    """A fresh one; this process' environment points to it from now on."""
    with tempfile.TemporaryDirectory(prefix="khazad-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        for variable in list(os.environ):
            if variable.startswith("KHAZAD_") or variable.lower().endswith("_proxy"):
                del os.environ[variable]
        stand_on(folder)
        os.environ["PYTHONPATH"] = str(CHECKOUT)
        # Compiled modules of our own: none before the first start, and no compiling after it,
        # whatever the environment says of them.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = str(folder / "pycache")
        confdir = folder / "confdir"
        certificate = folder / "provider.pem"
        store = CertStore.from_store(confdir, "mitmproxy", 2048)
        made = store.get_cert(HOST, [x509.DNSName(HOST), x509.DNSName("localhost")])
        key = made.privatekey.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
        certificate.write_bytes(key + made.cert.to_pem())
        ca = confdir / "mitmproxy-ca-cert.pem"
        client = ssl.create_default_context(cafile=str(ca))
        client.set_alpn_protocols(["http/1.1"])
        der = ssl.PEM_cert_to_DER_cert(made.cert.to_pem().decode())
        try:
            yield Ground(folder, confdir, ca, certificate, der, client)
        finally:
            wait_for_embedded(folder)


def stand_on(folder: Path) -> None:
    """Embedded servers used from now on, here and by children, have their data in `folder`."""
    for variable in ("XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR"):
        os.environ[variable] = str(folder)


def wait_for_embedded(folder: Path) -> None:
    """Until the embedded server of `folder` has ended, which follows its last user."""
    data = folder / "khazad-mitm"
    if not data.exists():
        return
    lock = embedded_guard.open_lock(data, "guard.lock")
    until = time.monotonic() + EMBEDDED_END_S
    while not embedded_guard.try_lock(lock, fcntl.LOCK_EX):
        if time.monotonic() > until:
            raise RuntimeError(f"the embedded server of {folder} has not ended")
        time.sleep(0.02)
    os.close(lock)


def cpus() -> tuple[set[int], set[int]]:
    """CPUs for what is measured in a process of its own, and for everything else.

    Both empty where there is only one, or where processes cannot be told where to run.
    """
    if not hasattr(os, "sched_getaffinity"):
        return set(), set()
    allowed = sorted(_ALLOWED)
    return (set(allowed[-1:]), set(allowed[:-1])) if len(allowed) > 1 else (set(), set())


_ALLOWED = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()


def keep_to(cpus: set[int], pid: int = 0) -> None:
    """Have a process (0: this one) run on these CPUs only; none: on all that we were given."""
    wanted = cpus or _ALLOWED
    if wanted:
        os.sched_setaffinity(pid, wanted)
