"""`import khazad` stands in the first lines of other people's programs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent

HEAVY = {
    "httpx", "httpx2", "mitmproxy", "numpy", "onnxruntime", "openai", "redis",
    "sentence_transformers", "tokenizers", "torch",
}  # fmt: skip

PROGRAM = """
import json, sys
import khazad
khazad.init, khazad.Khazad  # what is loaded on first use is loaded by naming it, too
print(json.dumps(sorted(sys.modules)))
"""


def test_importing_khazad_loads_nothing_heavy():
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=CHECKOUT, check=True, stdout=subprocess.PIPE
    )

    loaded = set(json.loads(ran.stdout))
    assert "khazad" in loaded
    assert set() == HEAVY & loaded
