"""Ask a running proxy about itself, at its magic host."""

from __future__ import annotations

import argparse
import base64
import http.client
import json
import os
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from khazad_mitm.errors import ConfigError

DEFAULT_PROXY = "http://127.0.0.1:8080"
TIMEOUT_S = 10.0


class Refused(ConfigError):
    """A proxy of ours answers, and says no."""


def add_proxy(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--proxy",
        metavar="URL",
        help=f"the running proxy (default: KHAZAD_PROXY, else {DEFAULT_PROXY})",
    )


def ask(args: argparse.Namespace, method: str, page: str) -> Any:
    """The JSON of `http://khazad.internal{page}`; ConfigError where no proxy of ours answers."""
    url = args.proxy or os.environ.get("KHAZAD_PROXY") or DEFAULT_PROXY
    parts = urlsplit(url if "//" in url else f"//{url}")
    shown = url.rpartition("@")[2]  # without the password
    hint = "start one with `khazad-mitm serve`, or name it with --proxy"
    try:
        connection = http.client.HTTPConnection(
            parts.hostname or "127.0.0.1", parts.port or 8080, timeout=TIMEOUT_S
        )
        connection.request(method, f"http://khazad.internal{page}", headers=_authorization(parts))
        response = connection.getresponse()
        body = response.read()
        connection.close()
        told = json.loads(body) if response.status in (200, 403, 404) else None
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise ConfigError(f"no proxy of ours answers at {shown} ({error})", hint) from error
    if response.status == 200:
        return told
    if isinstance(told, dict) and "error" in told:
        raise Refused(str(told["error"]))
    raise ConfigError(f"no proxy of ours answers at {shown} (status {response.status})", hint)


def _authorization(proxy: SplitResult) -> dict[str, str]:
    """For a proxy that demands it: `http://user:password@host:port`."""
    if not proxy.username:
        return {}
    said = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}".encode()
    return {"Proxy-Authorization": f"Basic {base64.b64encode(said).decode()}"}
