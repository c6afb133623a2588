"""What the figures were measured on: printed above them, and repeated beside them."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path

from khazad_mitm.store.embedded_files import data_directory, redis_server


def facts() -> dict[str, str]:
    return {
        "CPU": f"{_cpu_name()}, {os.cpu_count()} of them",
        "system": platform.platform(),
        "load average before": load(),
    }


def load() -> str:
    return " ".join(f"{load:.2f}" for load in os.getloadavg())


def redis_version() -> str:
    """Of the embedded server's binary."""
    said = subprocess.run(
        [redis_server(data_directory()), "--version"], stdout=subprocess.PIPE, text=True, check=True
    ).stdout
    return next((word for word in said.split() if word.startswith("v=")), said)[2:]


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
