"""The variables by which a program finds the proxy and trusts it. Pure.

What is there already is respected: `NO_PROXY`, `NODE_OPTIONS` and `JAVA_TOOL_OPTIONS` are extended,
and the certificates that a variable names go into the bundle which replaces them (`trust`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from urllib.parse import urlsplit

from khazad_mitm.cli.trust import BUNDLE_VARIABLES, STORE_PASSWORD

__all__ = ["BUNDLE_VARIABLES", "LOOPBACK", "Files", "variables"]

PROXY_VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")

# Programs talk to servers of their own on loopback; those are none of our business.
LOOPBACK = ("localhost", "127.0.0.1", "::1")

OUR_PROXY = "KHAZAD_PROXY"
"""Names the proxy: for `khazad-mitm stats`, for a `run` in a `run`, and for `khazad.init()`, which
leaves to the proxy what goes through it."""

PRELOAD = Path(__file__).with_name("preload.cjs")
"""For Node before `--use-env-proxy`; newer ones it leaves alone."""

JAVA_STORE_NAME = "khazad-truststore.jks"


@dataclass(frozen=True, slots=True)
class Files:
    """What variables point to, at the place where the program sees it."""

    bundle: PurePath
    java_store: PurePath | None = None
    preload: PurePath | None = PRELOAD
    wget_settings: PurePath | None = None


def variables(environ: Mapping[str, str], proxy: str, files: Files) -> dict[str, str]:
    """The environment of a program that is to go through `proxy` and to trust `files`."""
    result = dict(environ)
    for name in PROXY_VARIABLES:
        # curl and others read http_proxy only in lower case.
        result[name] = result[name.lower()] = proxy
    result["NO_PROXY"] = result["no_proxy"] = ",".join(_direct(environ))
    for name in BUNDLE_VARIABLES:
        result[name] = str(files.bundle)
    # Node 24 and later take the proxy from the environment only when told to.
    result["NODE_USE_ENV_PROXY"] = "1"
    if files.preload is not None:
        option = f"--require {_quoted(str(files.preload))}"
        result["NODE_OPTIONS"] = _extended(environ.get("NODE_OPTIONS", ""), option)
    if files.java_store is not None:
        theirs = environ.get("JAVA_TOOL_OPTIONS", "")
        options = _java_options(theirs, proxy, result["NO_PROXY"].split(","), files.java_store)
        result["JAVA_TOOL_OPTIONS"] = _extended(theirs, options)
    if files.wget_settings is not None:
        result["WGETRC"] = str(files.wget_settings)
    result[OUR_PROXY] = proxy
    return result


def _direct(environ: Mapping[str, str]) -> list[str]:
    kept = environ.get("NO_PROXY") or environ.get("no_proxy") or ""
    names = [name.strip() for name in kept.split(",") if name.strip()]
    return names + [name for name in LOOPBACK if name not in names]


def _java_options(theirs: str, proxy: str, direct: list[str], store: PurePath) -> str:
    """Of an option given twice Java takes the last, so ours come after theirs."""
    parts = urlsplit(proxy)
    options = [
        f"-D{scheme}.proxy{what}={value}"
        for scheme in ("http", "https")
        for what, value in (("Host", parts.hostname), ("Port", parts.port or 80))
    ]
    options.append(f"-Dhttp.nonProxyHosts={'|'.join(map(_java_pattern, direct))}")
    # A trust store of their own stays: what is in it we cannot tell.
    if "-Djavax.net.ssl.trustStore=" not in theirs or JAVA_STORE_NAME in theirs:
        options += [
            f"-Djavax.net.ssl.trustStore={store}",
            f"-Djavax.net.ssl.trustStorePassword={STORE_PASSWORD}",
            "-Djavax.net.ssl.trustStoreType=JKS",
        ]
    return " ".join(map(_quoted, options))


def _java_pattern(name: str) -> str:
    """`.example.com` and `example.com` cover every name below; Java has `*` for that."""
    if name.startswith("."):
        return f"*{name}"
    return f"[{name}]" if ":" in name and not name.startswith("[") else name


def _extended(theirs: str, ours: str) -> str:
    """Once is enough, as where a `run` runs another."""
    return theirs if ours in theirs else f"{theirs} {ours}".strip()


def _quoted(option: str) -> str:
    return f'"{option}"' if " " in option else option
