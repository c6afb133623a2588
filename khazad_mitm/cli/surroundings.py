"""What the doctor looks at around us: the port, the clock, a proxy that opens TLS before we do.

Each gives what it found, and raises ConfigError where something is wrong.
"""

from __future__ import annotations

import http.client
import os
import socket
import ssl
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

from khazad_mitm.cli import magic, proxying, trust, upstream
from khazad_mitm.errors import ConfigError

# What is asked through a proxy that was there before us. Nothing is sent but a handshake.
HOST = "api.openai.com"
WAIT_S = 5.0

# No clock was right before this was written.
WRITTEN = 1_790_000_000


def port() -> str:
    """Is the port of `serve` free, or does a proxy of ours listen there?"""
    url = os.environ.get("KHAZAD_PROXY") or magic.DEFAULT_PROXY
    parts = urlsplit(url if "//" in url else f"//{url}")
    host, number = parts.hostname or "127.0.0.1", parts.port or 8080
    try:
        connection = http.client.HTTPConnection(host, number, timeout=WAIT_S)
        connection.request("GET", "http://khazad.internal/health")
        answer = connection.getresponse()
        told = answer.read()
        connection.close()
    except ConnectionRefusedError:
        return f"{host}:{number} is free for `khazad-mitm serve`"
    except (OSError, http.client.HTTPException):
        told = b""
    if b'"version"' in told:
        return f"a proxy of ours listens on {host}:{number}"
    raise ConfigError(
        f"another program listens on {host}:{number}",
        "serve --listen 127.0.0.1:0 takes any free port; `run` always does",
    )


def clock(confdir: Path) -> str:
    """Would a client take our certificates for expired, or for not yet valid?"""
    now = time.time()
    if now < WRITTEN:
        raise ConfigError(f"the clock says {time.ctime(now)}", "set it; TLS fails by it")
    ca = proxying.ca_path(confdir)
    if not ca.is_file():
        return f"{time.ctime(now)}; there is no authority yet"
    try:
        from cryptography import x509
    except ModuleNotFoundError:  # without the proxy extra there is no proxy to trust either
        return f"{time.ctime(now)}"
    certificate = x509.load_pem_x509_certificate(ca.read_bytes())
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if not begins.timestamp() <= now <= ends.timestamp():
        raise ConfigError(
            f"the authority in {ca} is valid from {begins:%Y-%m-%d} to {ends:%Y-%m-%d},"
            f" and the clock says {time.ctime(now)}",
            f"set the clock, or remove {ca.parent}: a new authority is made at the next start",
        )
    return f"{time.ctime(now)}; the authority is valid until {ends:%Y-%m-%d}"


def before_us() -> str:
    """Is there a proxy that was there before ours, and does it open TLS itself?"""
    url = upstream.of(os.environ)
    if not url:
        return "none: the provider is connected to directly"
    parts = urlsplit(url)
    # Not as it was given: that may hold a password.
    place = f"{parts.scheme}://{parts.hostname}:{parts.port or 80}"
    if not upstream.options(url):
        raise ConfigError(f"{place} cannot be gone through", "an http:// or https:// proxy can")
    import certifi

    try:
        if _shakes_hands(url, Path(certifi.where())):
            return f"{place} is gone through, and leaves TLS alone"
        with tempfile.TemporaryDirectory(prefix="khazad-") as name:
            roots = Path(name) / "roots.pem"
            trust.write_bundle(os.environ, roots)
            if _shakes_hands(url, roots):
                return f"{place} opens TLS, and its authority is trusted here"
    except OSError as error:
        raise ConfigError(
            f"{place} leads nowhere ({error})", "HTTPS_PROXY names it; unset it, or mend it"
        ) from error
    raise ConfigError(
        f"{place} opens TLS, and its authority is not trusted here",
        "put its certificate into a bundle and set SSL_CERT_FILE to that: `run` goes by it",
    )


def _shakes_hands(url: str, roots: Path) -> bool:
    """Does what answers as HOST behind the proxy satisfy these roots? Raises OSError otherwise."""
    parts = urlsplit(url)
    plain = socket.create_connection((parts.hostname or "", parts.port or 80), WAIT_S)
    context = ssl.create_default_context(cafile=str(roots))
    with plain if parts.scheme == "http" else _secured(plain, parts.hostname) as connection:
        connection.sendall(f"CONNECT {HOST}:443 HTTP/1.1\r\nHost: {HOST}:443\r\n\r\n".encode())
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            piece = connection.recv(1)
            if not piece:
                raise ConnectionError("it hangs up")
            head += piece
        if b" 200" not in head.split(b"\r\n")[0]:
            raise ConnectionError(head.split(b"\r\n")[0].decode("latin-1"))
        try:
            with context.wrap_socket(connection, server_hostname=HOST):
                return True
        except ssl.SSLCertVerificationError:
            return False


def _secured(plain: socket.socket, host: str | None) -> ssl.SSLSocket:
    return ssl.create_default_context().wrap_socket(plain, server_hostname=host)
