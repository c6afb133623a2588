"""Install `.[all]` as a user with nothing but pip does, and check what came of it.

Uses the Python that runs it, in a fresh virtual environment with the pip that Python brings.
Old pips try versions one by one: without the bounds in pyproject.toml they search for more than
ten minutes, or end at mitmproxy 7. Exit status 1 says what went wrong.
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
for data in "khazad/py.typed", "khazad_mitm/py.typed", "khazad_mitm/embed/minilm/vocab.txt":
    package, _, file = data.partition("/")
    assert importlib.resources.files(package).joinpath(file).is_file(), f"{data} is missing"
for name in sys.argv[1:]:
    print(name, importlib.metadata.version(name))
"""


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        return check(Path(folder))


def check(folder: Path) -> int:
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    python = folder / "bin" / "python"
    begun = time.monotonic()
    try:
        subprocess.run(
            [python, "-m", "pip", "install", "-qq", "--disable-pip-version-check", ".[all]"],
            cwd=CHECKOUT,
            timeout=LIMIT_S,
            check=True,
        )
    except subprocess.TimeoutExpired:
        print(f"pip did not end within {LIMIT_S} s: see the bounds in pyproject.toml")
        return 1
    except subprocess.CalledProcessError as error:
        return error.returncode
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
