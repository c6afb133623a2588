"""The examples of docs/fixtures.md in other languages: run as they are shown, without a network."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.cli.programs import command, environ

CHECKOUT = Path(__file__).resolve().parents[2]
EXAMPLES = CHECKOUT / "examples" / "fixtures"
WAIT_S = 120


def is_new_enough(program: str, flag: str, least: int) -> bool:
    if shutil.which(program) is None:
        return False
    said = subprocess.run([program, flag], capture_output=True, text=True, check=False).stdout
    digits = "".join(c if c.isdigit() else " " for c in said).split()
    return bool(digits) and int(digits[0]) >= least


@pytest.mark.parametrize(
    ("run", "is_there", "says"),
    [
        (
            ("node", "--test", str(EXAMPLES / "node" / "refunds.test.mjs")),
            is_new_enough("node", "--version", 20),
            "# pass 1|pass 1",
        ),
        (
            ("java", str(EXAMPLES / "java" / "Refunds.java")),
            is_new_enough("java", "--version", 17),
            "the refund period is told",
        ),
    ],
    ids=["node", "java"],
)
def test_an_example_runs_on_its_recordings(
    tmp_path: Path, run: tuple[str, ...], is_there: bool, says: str
) -> None:
    if not is_there:
        pytest.skip(f"no recent {run[0]} here")

    done = subprocess.run(
        command("replay", str(EXAMPLES / "cassettes"), "--", *run),
        env=environ(tmp_path),
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
    )

    assert 0 == done.returncode, done.stdout + done.stderr
    assert any(word in done.stdout for word in says.split("|"))
    assert "khazad: 1 LLM calls replayed" in done.stderr
