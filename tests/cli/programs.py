"""`khazad-mitm` as a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[2]
WAIT_S = 60


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "khazad_mitm.cli", *arguments]


def environ(folder: Path, **more: str) -> dict[str, str]:
    """Ours, without settings and proxies of whoever runs the tests."""
    ours = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("KHAZAD_") and not name.lower().endswith("_proxy")
    }
    folders = {name: str(folder) for name in ("XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR")}
    return {**ours, **folders, "PYTHONPATH": str(CHECKOUT), "HOME": str(folder), **more}


def khazad(
    folder: Path, *arguments: str, more: dict[str, str] | None = None, **options: Any
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments),
        env=environ(folder, **(more or {})),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
        **options,
    )


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """`khazad-mitm serve` on a free port; its address."""
    process = subprocess.Popen(
        command("serve", "--listen", "127.0.0.1:0", "--redis-url", "memory", "--mode", "exact"),
        env=environ(folder, KHAZAD_LOG_LEVEL="ERROR"),
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        with process.stderr:
            found = None
            while found is None:
                line = process.stderr.readline()
                assert line, "serve has ended"
                found = re.search(r"listens on (127\.0\.0\.1:\d+)", line)
            yield found[1]
    finally:
        process.kill()
        process.wait(WAIT_S)
