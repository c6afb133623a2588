"""Install as a user with nothing but pip does, and check what came of it.

Uses the Python that runs it, in fresh virtual environments with the pip that Python brings: one of
`.` and httpx, in which `khazad.init()` has to work without mitmproxy, and one of `.[all]`. Old pips
try versions one by one: without the bounds in pyproject.toml they search for more than ten minutes,
or end at mitmproxy 7. Exit status 1 says what went wrong.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent

# Promised to users. 20 to 30 seconds on two cores with a warm cache.
LIMIT_S = 120

# From Python 3.12 on mitmproxy no longer holds h11 back, and with it openai.
EXPECTED = (
    {"mitmproxy": "11.0.2", "h11": "0.14.0", "openai": "2."}
    if sys.version_info < (3, 12)
    else {"mitmproxy": "12.", "h11": "0.16.0", "openai": "3."}
)

ASK = """
import importlib.metadata, importlib.resources, sys
import khazad, khazad_mitm
for data in "khazad/py.typed", "khazad_mitm/py.typed", "khazad_mitm/embed/minilm/vocab.txt", \
        "khazad_mitm/cli/preload.cjs":
    package, _, file = data.partition("/")
    assert importlib.resources.files(package).joinpath(file).is_file(), f"{data} is missing"
for name in sys.argv[1:]:
    print(name, importlib.metadata.version(name))
"""


# `import khazad` stands in the first lines of other people's programs.
IMPORT_LIMIT_S = 0.15

USE = """
import sys, time
started = time.perf_counter()
import khazad
took_s = time.perf_counter() - started
heavy = {"mitmproxy", "onnxruntime", "numpy", "torch", "redis", "httpx"} & set(sys.modules)
assert not heavy, heavy
from importlib.util import find_spec
assert find_spec("mitmproxy") is None

import httpx, json, threading
from http.server import BaseHTTPRequestHandler, HTTPServer
calls = []
class Provider(BaseHTTPRequestHandler):
    def log_message(self, *_): ...
    def do_POST(self):
        calls.append(self.rfile.read(int(self.headers["content-length"])))
        message = {"role": "assistant", "content": "Rome"}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        body = json.dumps({"object": "chat.completion", "choices": [choice]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(body)
provider = HTTPServer(("127.0.0.1", 0), Provider)
threading.Thread(target=provider.serve_forever, daemon=True).start()

khazad.init(redis_url="memory", log_level="WARNING", embed_deadline_ms=20000)
url = f"http://127.0.0.1:{provider.server_port}/v1/chat/completions"
asked = {"model": "m", "messages": [{"role": "user", "content": "What is the capital of Italy?"}]}
for _ in range(2):
    print(httpx.post(url, json=asked).headers["cache-status"], file=sys.stderr)
assert len(calls) == 1, calls
khazad.stop()
print(took_s)
"""


def main() -> int:
    status = 0
    for check in (check_alone, check_all):
        with tempfile.TemporaryDirectory() as folder:
            status = check(Path(folder)) or status
    return status


def check_alone(folder: Path) -> int:
    """Without any extra: in process, and light."""
    python = installed(folder, ".", "httpx")
    if python is None:
        return 1
    run = [python, "-c", USE]
    times = [
        float(subprocess.run(run, cwd=folder, check=True, stdout=subprocess.PIPE).stdout)
        for _ in range(3)
    ]
    took_s = min(times)
    print(f"in process without mitmproxy: works; `import khazad` took {took_s * 1000:.0f} ms")
    return 0 if took_s < IMPORT_LIMIT_S else 1


def installed(folder: Path, *wanted: str) -> Path | None:
    """The Python of a fresh environment with what was wanted; None where that failed."""
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    python = folder / "bin" / "python"
    pip = [python, "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
    try:
        subprocess.run([*pip, *wanted], cwd=CHECKOUT, timeout=LIMIT_S, check=True)
    except subprocess.TimeoutExpired:
        print(f"pip did not end within {LIMIT_S} s: see the bounds in pyproject.toml")
        return None
    except subprocess.CalledProcessError:
        return None
    return python


def check_all(folder: Path) -> int:
    """With every extra: the versions that were meant."""
    begun = time.monotonic()
    python = installed(folder, ".[all]")
    if python is None:
        return 1
    took_s = time.monotonic() - begun

    # Run elsewhere: what is imported must be what was installed, not the checkout.
    asked = subprocess.run(
        [python, "-c", ASK, *EXPECTED], cwd=folder, check=True, capture_output=True, text=True
    )
    found = dict(line.split() for line in asked.stdout.splitlines())
    wrong = [name for name, version in EXPECTED.items() if not found[name].startswith(version)]
    for name in wrong:
        print(f"{name} {found[name]} was installed, expected {EXPECTED[name]}")
    print(f"plain pip on {sys.version.split()[0]}: {found} in {took_s:.0f} s")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
