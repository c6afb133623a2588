"""Ask a running proxy about itself, at its magic host."""

from __future__ import annotations

import argparse
import http.client
import json
import os
from typing import Any
from urllib.parse import urlsplit

from khazad_mitm.errors import ConfigError

DEFAULT_PROXY = "http://127.0.0.1:8080"
TIMEOUT_S = 10.0


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
    hint = "start one with `khazad-mitm serve`, or name it with --proxy"
    try:
        connection = http.client.HTTPConnection(
            parts.hostname or "127.0.0.1", parts.port or 8080, timeout=TIMEOUT_S
        )
        connection.request(method, f"http://khazad.internal{page}")
        response = connection.getresponse()
        body = response.read()
        connection.close()
        if response.status == 200:
            return json.loads(body)
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise ConfigError(f"no proxy of ours answers at {url} ({error})", hint) from error
    raise ConfigError(f"no proxy of ours answers at {url} (status {response.status})", hint)
