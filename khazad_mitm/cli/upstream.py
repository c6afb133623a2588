"""A proxy that was there before ours, such as a company's: ours goes on through it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from khazad_mitm.cli.environment import OUR_PROXY

BEHIND = "KHAZAD_RUN_UPSTREAM"
"""What a `run` found, for a `run` inside of it: that one's own variables name ours by then."""


def of(environ: Mapping[str, str]) -> str:
    """The URL of the proxy to go through, or ""."""
    names = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "HTTP_PROXY", "http_proxy")
    found = next((environ[name] for name in names if environ.get(name)), "")
    if found and found == environ.get(OUR_PROXY):
        return environ.get(BEHIND, "")
    return found if "://" in found or not found else f"http://{found}"


def options(url: str) -> dict[str, Any]:
    """mitmproxy's options by which it goes through that proxy; none where it cannot (SOCKS)."""
    parts = urlsplit(url)
    if not parts.hostname or parts.scheme not in ("http", "https"):
        return {}
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    port = parts.port or (443 if parts.scheme == "https" else 80)
    found: dict[str, Any] = {"mode": [f"upstream:{parts.scheme}://{host}:{port}"]}
    if parts.username:
        found["upstream_auth"] = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return found
