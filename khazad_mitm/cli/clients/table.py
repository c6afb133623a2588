"""The clients that the doctor looks for: how each is started, and which variables it goes by."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from khazad_mitm.cli.clients import programs


@dataclass(frozen=True, slots=True)
class Client:
    """One client of this machine."""

    name: str
    command: tuple[str, ...]
    """What it is started with, before URL and body."""
    variables: tuple[str, ...]
    """Those that lead it to the proxy and make it trust it."""
    note: str = ""
    """What its user has to write, beside that."""


PYTHON_LIBRARIES = (
    ("urllib.request", programs.URLLIB, "SSL_CERT_FILE", ""),
    ("requests", programs.REQUESTS, "REQUESTS_CA_BUNDLE", ""),
    ("httpx", programs.HTTPX.replace("LIBRARY", "httpx"), "SSL_CERT_FILE", ""),
    ("httpx2", programs.HTTPX.replace("LIBRARY", "httpx2"), "SSL_CERT_FILE", ""),
    ("aiohttp", programs.AIOHTTP, "SSL_CERT_FILE", "trust_env=True"),
    ("boto3", programs.BOTO3, "AWS_CA_BUNDLE", ""),
)


def found(folder: Path) -> Iterator[Client]:
    """Those on this machine; programs that must be files are written to `folder`."""
    python = shutil.which("python3") or sys.executable
    for library, program, trust, note in PYTHON_LIBRARIES:
        if library in _installed(python):
            command = (python, "-c", program)
            yield Client(f"python {library}", command, ("HTTPS_PROXY", trust), note)
    yield from _scripts(folder)
    for name, program, variable in (
        ("curl", programs.CURL, "CURL_CA_BUNDLE"),
        ("wget", programs.WGET, "WGETRC"),
    ):
        if shutil.which(name):
            yield Client(name, ("sh", "-c", program, "sh"), ("https_proxy", variable))
    if java := shutil.which("java"):
        source = _file(folder / "Ask.java", programs.JAVA)
        yield Client("java", (java, source), ("JAVA_TOOL_OPTIONS",))
    if go := shutil.which("go"):
        source = _file(folder / "ask.go", programs.GO)
        yield Client("go", (go, "run", source), ("HTTPS_PROXY", "SSL_CERT_FILE"))


def _scripts(folder: Path) -> Iterator[Client]:
    if node := shutil.which("node"):
        flag = "process.allowedNodeEnvironmentFlags.has('--use-env-proxy')"
        knows = b"true" in _output(node, "-p", flag)
        proxy = ("HTTPS_PROXY", "NODE_USE_ENV_PROXY" if knows else "NODE_OPTIONS")
        for name, program in (("fetch", programs.FETCH), ("https", programs.HTTPS)):
            command = (node, "-e", program)
            yield Client(f"node {name}", command, (*proxy, "NODE_EXTRA_CA_CERTS"))
    source = _file(folder / "ask.mjs", programs.FETCH)
    if deno := shutil.which("deno"):
        yield Client("deno", (deno, "run", "-A", source), ("HTTPS_PROXY", "DENO_CERT"))
    if bun := shutil.which("bun"):
        yield Client("bun", (bun, source), ("HTTPS_PROXY", "NODE_EXTRA_CA_CERTS"))


@lru_cache
def _installed(python: str) -> tuple[str, ...]:
    names = tuple(library for library, *_ in PYTHON_LIBRARIES)
    ask = (
        "import sys; from importlib.util import find_spec;"
        "print(*[name for name in sys.argv[1:] if find_spec(name)])"
    )
    return tuple(_output(python, "-c", ask, *names).decode().split())


def _output(*command: str) -> bytes:
    done = subprocess.run(command, capture_output=True, timeout=30, check=False)  # noqa: S603
    return done.stdout


def _file(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)
