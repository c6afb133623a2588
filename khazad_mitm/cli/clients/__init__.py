"""Real calls with every client of this machine, through a proxy of its own, to a provider on
loopback under an LLM host's name: is the proxy reached, trusted, and does it answer the repeat?
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from khazad_mitm.cli import certs
from khazad_mitm.cli.clients import provider, table
from khazad_mitm.cli.clients.table import Client
from khazad_mitm.cli.demo import Redirect
from khazad_mitm.cli.demo.provider import Provider
from khazad_mitm.cli.environment import variables
from khazad_mitm.settings import from_mapping

WAIT_S = 60.0
AT_ONCE = 4
# Go and Java come with a compiler to start first; nobody should wait for their caches too.
_OWN_CACHES = {"GOCACHE": "go", "GOPATH": "gopath"}

_DISTRUST = re.compile(r"certificate|\bcert\b|PKIX|x509|self.signed|unable to verify", re.I)


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of one client."""

    client: Client
    is_reached: bool
    is_trusted: bool
    is_cached: bool
    said: str = ""
    """Its last words where it failed."""

    @property
    def is_right(self) -> bool:
        return self.is_cached


def try_all(confdir: Path, environ: Mapping[str, str] = os.environ) -> list[Tried]:
    """Try every client that is found, with the variables that `run` sets.

    Needs the proxy extra. Nothing leaves this machine, and nothing is kept.
    """
    from khazad_mitm.proxy.engine import Engine, EngineThread

    hosts = (provider.OPENAI, provider.BEDROCK)
    with (
        tempfile.TemporaryDirectory(prefix="khazad-") as name,
        Provider(provider.Handler, hosts) as upstream,
    ):
        folder = Path(name)
        trusted = folder / "provider.pem"
        trusted.write_bytes(upstream.certificate)
        engine = Engine(
            from_mapping({"redis_url": "memory", "mode": "exact"}, environ={}),
            listen_port=0,
            confdir=confdir,
            extra_options={"ssl_verify_upstream_trusted_ca": str(trusted)},
            extra_addons=[Redirect(upstream.port)],
        )
        thread = EngineThread(engine)
        thread.start()
        try:
            clean = _untouched(environ)
            files = certs.write_for_one(engine.ca_path, folder, clean)
            told = variables(clean, f"http://127.0.0.1:{thread.port}", files)
            told |= {name: str(folder / place) for name, place in _OWN_CACHES.items()}
            with ThreadPoolExecutor(AT_ONCE) as pool:
                return list(pool.map(lambda client: _tried(client, told), table.found(folder)))
        finally:
            thread.stop()


def told(tried: Tried, environ: Mapping[str, str]) -> tuple[str, str]:
    """What was found, and what to do."""
    client = tried.client
    if tried.is_cached:
        lacking = [name for name in client.variables if not environ.get(name)]
        beside = f"; in its code: {client.note}" if client.note else ""
        here = f"; without `run` it wants {', '.join(lacking)}" if lacking else ""
        return f"reached, trusted, cached{beside}{here}", ""
    if tried.is_trusted:
        return "reached, trusted, but not served the second time", ""
    wanted = " and ".join(client.variables)
    if tried.is_reached:
        return (
            f"reached, not trusted: {tried.said}",
            f"it should go by {wanted}; `khazad-mitm certs --install` lets the system trust us",
        )
    return f"not reached: {tried.said}", f"it should go by {wanted}"


def _untouched(environ: Mapping[str, str]) -> dict[str, str]:
    """Without what could lead a client past the doctor's proxy, or sends it to another place."""
    return {
        name: value
        for name, value in environ.items()
        if name.upper() != "NO_PROXY" and not name.startswith(("AWS_", "OPENAI_"))
    }


def _tried(client: Client, environ: Mapping[str, str]) -> Tried:
    url = f"https://{provider.OPENAI}/v1/chat/completions"
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": client.name}]}
    try:
        done = subprocess.run(  # noqa: S603  (a program of ours)
            [*client.command, url, json.dumps(body)],
            env=dict(environ),
            capture_output=True,
            text=True,
            errors="replace",
            timeout=WAIT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return Tried(client, False, False, False, f"{type(error).__name__}")
    return judged(client, done.stdout, done.stderr)


def judged(client: Client, told: str, complaint: str) -> Tried:
    """What a program's output means."""
    if "khazad;" in told:
        return Tried(client, True, True, "khazad; hit" in told)
    lines = [line for line in complaint.splitlines() if line.strip()]
    said = next((line for line in reversed(lines) if _DISTRUST.search(line)), "")
    return Tried(client, bool(said), False, False, (said or "".join(lines[-1:])).strip()[:200])
