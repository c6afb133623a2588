"""Real clients before the proxy: which there are, and what becomes of each.

Each is a program of its own that knows nothing of us (`programs/clients`, `../node/clients`), with
the environment that `khazad-mitm run` gives. It asks twice the same: one plain question, one that
is streamed.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from khazad_mitm.cli import environment, trust
from khazad_mitm.exchange import ParsedRequest
from khazad_mitm.messages import Headers, Request
from khazad_mitm.wire import recognise
from tests import wires
from tests.end_to_end.proxies import Proxy
from tests.end_to_end.upstream import Answer, Call

HERE = Path(__file__).parent
CHECKOUT = HERE.parents[1]
PROGRAMS = HERE / "programs" / "clients"
NODE_PROGRAMS = CHECKOUT / "tests" / "node" / "clients"
WAIT_S = 60

SDKS_PYTHON = Path(
    os.environ.get("KHAZAD_CLIENTS_PYTHON") or CHECKOUT / ".venv-clients" / "bin" / "python"
)
FRAMEWORKS_PYTHON = Path(
    os.environ.get("KHAZAD_FRAMEWORKS_PYTHON") or CHECKOUT / ".venv-frameworks" / "bin" / "python"
)


@dataclass(frozen=True, slots=True)
class Client:
    name: str
    language: str
    package: str = ""
    """What has to be installed beside the language, or ""."""
    needs: str = ""
    """What its user has to write, beside the variables."""

    def command(self) -> list[str] | str:
        """How to start its program; or, as a text, why that cannot be."""
        match self.language:
            case "Python":
                return _python(self.package)
            case "Node":
                return _node(self.name, self.package)
            case "Java":
                java = shutil.which("java")
                return [java, str(PROGRAMS / "Ask.java")] if java else "there is no Java here"
            case "Go":
                go = shutil.which("go")
                return [go, "run", str(PROGRAMS / "ask.go")] if go else "there is no Go here"
            case _:
                curl = shutil.which("curl")
                version = "--http2" if self.name.endswith("2") else "--http1.1"
                return (
                    ["sh", str(PROGRAMS / "curl.sh"), version] if curl else "there is no curl here"
                )


CLIENTS = (
    *(
        Client(name, "Python", name)
        for name in ("openai", "anthropic", "google-genai", "mistralai", "cohere", "boto3")
    ),
    *(Client(name, "Python", name) for name in ("httpx", "httpx2", "requests")),
    Client("urllib3", "Python", "urllib3", "a `ProxyManager`: it reads no variable for the proxy"),
    Client("aiohttp", "Python", "aiohttp", "`trust_env=True`"),
    Client("litellm", "Python", "litellm"),
    Client("langchain", "Python", "langchain-openai"),
    Client("fetch", "Node"),
    Client("https", "Node"),
    Client("axios", "Node", "axios"),
    Client("openai", "Node", "openai"),
    Client("anthropic", "Node", "@anthropic-ai/sdk"),
    Client("genai", "Node", "@google/genai"),
    Client("HTTP/1.1", "curl"),
    Client("HTTP/2", "curl"),
    Client("java.net.http", "Java"),
    Client("net/http", "Go"),
)


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one client, step by step."""

    version: str
    tls: bool
    """Both its calls have reached the upstream by way of the proxy's TLS."""
    plain: bool
    stream: bool
    again: bool
    """The second time it was told the same, and the upstream was not asked."""
    complaint: str = ""

    @property
    def is_right(self) -> bool:
        return self.tls and self.plain and self.stream and self.again


def variables(proxy: Proxy, folder: Path) -> dict[str, str]:
    """What `khazad-mitm run` gives a program, and nothing of who runs the tests."""
    clean = {
        name: value
        for name, value in os.environ.items()
        if name not in trust.BUNDLE_VARIABLES and not name.lower().endswith("_proxy")
    }
    clean.pop("SSL_CERT_DIR", None)
    bundle, java_store = folder / "bundle.pem", folder / environment.JAVA_STORE_NAME
    trust.write_bundle({}, bundle, proxy.ca)
    trust.write_java_store(bundle, java_store)
    url = f"http://127.0.0.1:{proxy.port}"
    told = environment.variables(clean, url, environment.Files(bundle, java_store))
    return told | {
        "GOCACHE": str(folder / "go"),
        "HOME": str(folder),
        "LITELLM_LOCAL_MODEL_COST_MAP": "1",
    }


def try_out(command: list[str], environ: Mapping[str, str], proxy: Proxy) -> Result:
    """Two rounds by one client."""
    upstream = proxy.upstream
    upstream.reset()
    upstream.answer = answer
    with _started(command, environ) as (process, errors):
        assert process.stdin is not None
        assert process.stdout is not None

        def ask() -> str:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write("\n")
            process.stdin.flush()
            return process.stdout.readline().strip()

        before = proxy.page("/stats")[1]["stored"]
        version = process.stdout.readline().strip()
        first = ask()
        asked = len(upstream.calls)
        if first:
            proxy.wait_until(stored=before + 2)
        second = ask() if first else ""
        process.stdin.close()
        process.wait(WAIT_S)
        complaint = errors.read_text() if not second else ""
    plain, stream = _told(first)
    again = second == first and len(upstream.calls) == asked
    return Result(version, asked == 2, bool(plain), bool(stream), again, complaint)


def _told(line: str) -> tuple[str, str]:
    """Of a program's line, the answer to each of its questions."""
    parts = json.loads(line) if line.startswith("[") else line.split("\t")
    return parts[0], parts[1] if len(parts) > 1 else ""


@contextmanager
def _started(
    command: list[str], environ: Mapping[str, str]
) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    with tempfile.TemporaryDirectory() as folder:
        errors = Path(folder) / "stderr"
        with errors.open("w") as stderr:
            process = subprocess.Popen(
                ["timeout", str(WAIT_S), *command],
                env=dict(environ),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
            )
        try:
            yield process, errors
        finally:
            process.kill()
            process.wait(WAIT_S)
            for stream in (process.stdin, process.stdout):
                assert stream is not None
                try:
                    stream.close()
                except BrokenPipeError:
                    continue


def answer(call: Call) -> Answer:
    """As the provider would: one of its wires, in the framing asked for."""
    url = f"https://{call.headers['host']}{call.target}"
    parsed = recognise(Request.to(url, call.body, Headers(list(call.headers.items()))))
    if parsed is None:
        return Answer(status=404)
    return Answer(
        headers=(("Content-Type", parsed.provider.content_type(parsed)),),
        frames=(wires.one(_wire(parsed)).body,),
        framing="chunked" if parsed.framing.is_stream else "length",
    )


def _wire(parsed: ParsedRequest) -> str:
    name = parsed.provider.name.replace("-", "_")
    version = "v2-" if name == "cohere_chat" else ""
    return f"{name}/{version}text-{'stream' if parsed.framing.is_stream else 'json'}"


def _python(package: str) -> list[str] | str:
    for python in (SDKS_PYTHON, FRAMEWORKS_PYTHON):
        if python.exists() and _has(python, package):
            program = PROGRAMS / f"py_{package.replace('-openai', '').replace('-', '_')}.py"
            return [str(python), str(program)]
    return f"{package} is not installed: make test-clients"


def _has(python: Path, package: str) -> bool:
    ask = f"from importlib.metadata import version; version({package!r})"
    done = subprocess.run([python, "-c", ask], stderr=subprocess.DEVNULL, check=False)
    return done.returncode == 0


def _node(name: str, package: str) -> list[str] | str:
    node = shutil.which("node")
    if node is None:
        return "there is no Node here"
    if package and not (NODE_PROGRAMS.parent / "node_modules" / package).is_dir():
        return f"{package} is not installed: make test-clients"
    return [node, str(NODE_PROGRAMS / f"{name}.mjs")]
