"""`khazad-mitm` as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
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
