"""Signals and streams of a command, through `khazad-mitm run` itself."""

from __future__ import annotations

import hashlib
import os
import pty
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.programs import WAIT_S, command, environ, khazad

RUN = ("run", "--redis-url", "memory", "--mode", "exact", "--")
UP = "import time; print('up', flush=True); time.sleep(60)"


def started(folder: Path, program: str) -> subprocess.Popen[bytes]:
    """`run` with a program that has said `up`; in a session of its own, without a terminal."""
    process = subprocess.Popen(
        command(*RUN, sys.executable, "-c", program),
        env=environ(folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=_hears_signals,
    )
    assert process.stdout is not None
    assert b"up\n" == process.stdout.readline()
    return process


def _hears_signals() -> None:
    # Behind `nohup`, or in the background of a script, tests begin with these ignored, and what is
    # ignored stays so in every child.
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def ended(process: subprocess.Popen[bytes]) -> tuple[int, bytes]:
    assert process.stdout is not None
    with process.stdout:
        rest = process.stdout.read()
    return process.wait(WAIT_S), rest


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1])
def test_a_signal_is_handed_on_and_its_status_is_the_shells(tmp_path: Path, number: int) -> None:
    process = started(tmp_path, UP)
    process.send_signal(number)

    assert 128 + number == ended(process)[0]


def test_a_command_may_take_a_signal_and_end_as_it_likes(tmp_path: Path) -> None:
    program = "import signal, sys; signal.signal(15, lambda *_: sys.exit(5))\n" + UP
    process = started(tmp_path, program)
    process.send_signal(signal.SIGTERM)

    assert 5 == ended(process)[0]


def test_sigint_that_no_terminal_sent_is_handed_on(tmp_path: Path) -> None:
    process = started(tmp_path, f"try:\n {UP}\nexcept KeyboardInterrupt: print('interrupted')")
    process.send_signal(signal.SIGINT)

    assert (0, b"interrupted\n") == ended(process)


def test_a_command_that_died_of_sigint_takes_us_along(tmp_path: Path) -> None:
    process = started(tmp_path, "import signal; signal.signal(2, signal.SIG_DFL)\n" + UP)
    process.send_signal(signal.SIGINT)

    assert -signal.SIGINT == ended(process)[0]


def test_a_command_that_was_killed_has_the_shells_status(tmp_path: Path) -> None:
    program = "import os; os.kill(os.getpid(), 9)"

    assert 128 + signal.SIGKILL == khazad(tmp_path, *RUN, sys.executable, "-c", program).returncode


def test_ctrl_c_reaches_the_command_once(tmp_path: Path) -> None:
    """By a real terminal, whose foreground is the proxy and the command."""
    program = """
import signal, sys
heard = []
signal.signal(signal.SIGINT, lambda *_: heard.append(1))
print("up", flush=True)
# A second one would have come before the terminal hands on this line.
sys.stdin.readline()
print("heard", len(heard), flush=True)
"""
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(tmp_path)
        run = command(*RUN, sys.executable, "-c", program)
        os.execve(sys.executable, run, environ(tmp_path))
    said = read_until(b"up", terminal)
    os.write(terminal, b"\x03")
    said += read_until(b"^C", terminal)
    os.write(terminal, b"go on\n")
    said += read_until(b"LLM call", terminal)
    _, status = os.waitpid(child, 0)
    os.close(terminal)

    assert b"heard 1" in said
    assert 0 == os.waitstatus_to_exitcode(status)


def read_until(awaited: bytes, terminal: int) -> bytes:
    said = b""
    while awaited not in said:
        assert select.select([terminal], [], [], WAIT_S)[0], said
        said += os.read(terminal, 1024)
    return said


def test_megabytes_go_in_and_out_unchanged(tmp_path: Path) -> None:
    data = os.urandom(1 << 20) * 24
    done = subprocess.run(
        command(*RUN, "cat"),
        env=environ(tmp_path),
        input=data,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        timeout=WAIT_S,
        check=False,
    )

    assert 0 == done.returncode
    assert hashlib.sha256(data).digest() == hashlib.sha256(done.stdout).digest()


def test_a_closed_output_is_the_commands_business(tmp_path: Path) -> None:
    program = "import sys\nwhile True: print('y')"
    process = subprocess.Popen(
        command(*RUN, sys.executable, "-c", program),
        env=environ(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()

    assert 1 == process.wait(WAIT_S)  # Python's own for a broken pipe
