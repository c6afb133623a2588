"""The variables by which a program finds the proxy and trusts it. Pure but for reading roots.

Existing values are respected: proxies for other schemes stay, `NO_PROXY` is extended, and the
certificates a variable names already go into the bundle that replaces them.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from pathlib import Path

# Each of these *replaces* the trust store of the clients that read it, so it has to name the
# system's roots beside ours.
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

# Programs talk to servers of their own on loopback; those are none of our business.
LOOPBACK = ("localhost", "127.0.0.1", "::1")


def variables(environ: Mapping[str, str], proxy: str, bundle: Path) -> dict[str, str]:
    """The environment of a program that is to go through `proxy` and to trust `bundle`."""
    # `khazad.init()` in the program then leaves to the proxy what goes through it, and
    # `khazad-mitm stats` asks this one.
    result = {**environ, "KHAZAD_PROXY": proxy}
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        # curl and others read http_proxy only in lower case.
        result[name] = result[name.lower()] = proxy
    kept = environ.get("NO_PROXY") or environ.get("no_proxy") or ""
    names = [name.strip() for name in kept.split(",") if name.strip()]
    names += [name for name in LOOPBACK if name not in names]
    result["NO_PROXY"] = result["no_proxy"] = ",".join(names)
    for name in BUNDLE_VARIABLES:
        result[name] = str(bundle)
    # Node 24 and later take the proxy from the environment only when told to.
    result["NODE_USE_ENV_PROXY"] = "1"
    return result


def write_bundle(environ: Mapping[str, str], ca: Path, target: Path) -> None:
    """Write the roots a program trusts today, and our authority, to `target`."""
    parts = []
    seen = set()
    for file in [*_named_roots(environ), _default_roots(), ca]:
        if file is not None and file not in seen and file.is_file():
            seen.add(file)
            parts.append(file.read_text(encoding="utf-8").rstrip("\n"))
    target.write_text("\n".join(parts) + "\n", encoding="utf-8")


def _named_roots(environ: Mapping[str, str]) -> list[Path]:
    return [Path(environ[name]).resolve() for name in BUNDLE_VARIABLES if environ.get(name)]


def _default_roots() -> Path | None:
    """The system's roots, else certifi's (slim containers have none)."""
    paths = ssl.get_default_verify_paths()
    for file in (paths.cafile, paths.openssl_cafile, "/etc/ssl/certs/ca-certificates.crt"):
        if file and os.path.exists(file):
            return Path(file).resolve()
    import certifi

    return Path(certifi.where())
