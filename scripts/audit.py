"""Compare what is installed here with the known vulnerabilities of its packages: `make audit`.

python -m scripts.audit

pip-audit runs in an environment of its own: it brings packages, which would be audited with ours.
What it knows comes over the network. A package that it could not ask about is not called safe: then
the audit fails, and says so.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

OURS = "khazad-mitm"
HERE = Path(__file__).resolve().parent


def installed() -> list[str]:
    """As `name==version`."""
    found = {(d.metadata["Name"], d.version) for d in distributions()}
    return sorted(f"{name}=={version}" for name, version in found if name != OURS)


def verdict(report: dict[str, Any], names: list[str]) -> tuple[list[str], bool]:
    """What to say of pip-audit's report on these packages, and whether all is well."""
    told, asked = [], 0
    for package in report.get("dependencies", []):
        if "skip_reason" in package:
            continue
        asked += 1
        for hole in package["vulns"]:
            fixed = ", ".join(hole["fix_versions"]) or "nothing yet"
            told.append(f"{package['name']} {package['version']}: {hole['id']}, mended by {fixed}")
    is_well = not told and asked == len(names)
    told.append(f"{asked} of {len(names)} packages compared, {len(told)} known vulnerabilities")
    if asked < len(names):
        told.append("not audited: the others are unknown to the package index, or it is not there")
    return told, is_well


def main() -> int:
    names = installed()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        (work / "installed.txt").write_text("\n".join(names) + "\n")
        made = subprocess.run(
            ["sh", str(HERE / "environment"), str(work / "venv"), "pip-audit>=2.9,<3"],
            capture_output=True,
            text=True,
        )
        if made.returncode:
            print(f"{made.stderr}\nnot audited: pip-audit cannot be installed", file=sys.stderr)
            return 1
        command = [str(work / "venv/bin/pip-audit"), "--requirement", str(work / "installed.txt")]
        command += ["--no-deps", "--disable-pip", "--progress-spinner", "off", "--format", "json"]
        done = subprocess.run(command, capture_output=True, text=True)
    try:
        report = json.loads(done.stdout)
    except ValueError:
        print(f"{done.stderr}\nnot audited: no report from pip-audit", file=sys.stderr)
        return 1
    told, is_well = verdict(report, names)
    print("\n".join(told))
    return 0 if is_well else 1


if __name__ == "__main__":
    sys.exit(main())
