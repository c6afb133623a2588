"""A command as if it had been started without us: its streams, its signals, its exit status."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from types import FrameType
from typing import NoReturn

# The shell's: not found, not executable.
NOT_FOUND, NOT_EXECUTABLE = 127, 126

_FORWARDED = (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
# A terminal sends these to everyone who is in its foreground, the command too.
_BY_THE_TERMINAL = (signal.SIGINT, signal.SIGQUIT)


def spawn(command: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run the command to its end; its status as a shell gives it (128 and the signal).

    Signals that come meanwhile are the command's, and it decides what becomes of them.
    """
    child: subprocess.Popen[bytes] | None = None
    early: list[int] = []

    def forward(number: int, _frame: FrameType | None) -> None:
        if number in _BY_THE_TERMINAL and _is_in_the_foreground():
            return
        if child is None:
            early.append(number)
        else:
            child.send_signal(number)

    # What is ignored, as by nohup, stays so: a command inherits that, and no handler of ours.
    heard = [
        number
        for number in (*_FORWARDED, *_BY_THE_TERMINAL)
        if signal.getsignal(number) is not signal.SIG_IGN
    ]
    previous = {number: signal.signal(number, forward) for number in heard}
    try:
        child = subprocess.Popen(list(command), env=dict(environ))  # noqa: S603  (what the user typed)
        for number in early:
            child.send_signal(number)
        status = child.wait()
    except FileNotFoundError:
        print(f"khazad-mitm: {command[0]}: command not found", file=sys.stderr)
        return NOT_FOUND
    except OSError as error:
        print(f"khazad-mitm: {command[0]}: {error.strerror}", file=sys.stderr)
        return NOT_EXECUTABLE
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
    return status if status >= 0 else 128 - status


def leave(status: int) -> NoReturn:
    """End with the command's status, at once: a thread of ours may still be reading the model.

    Where the command died of SIGINT so do we: a shell ends its script only if it sees that.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    if status == 128 + signal.SIGINT:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    os._exit(status)


def _is_in_the_foreground() -> bool:
    try:
        terminal = os.open(os.ctermid(), os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)
