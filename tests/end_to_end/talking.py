"""A child process that is told things line by line, and tells us some."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.end_to_end.proxies import CHECKOUT, environment


class Talking:
    """What it says on stderr is its log."""

    def __init__(
        self, arguments: list[str], folder: Path, hear: Callable[[str], None], ended: Any = None
    ) -> None:
        """`arguments` of Python; `hear` is given each line of its output, and then `ended` is
        called. Its home is `folder`."""
        self.log: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            bufsize=1,
            env={**environment(folder), "PYTHONPATH": str(CHECKOUT)},
        )
        readers = (lambda: self._hear(hear, ended), self._note)
        self._readers = [threading.Thread(target=read) for read in readers]
        for reader in self._readers:
            reader.start()

    def say(self, line: str) -> None:
        """Raises BrokenPipeError where it has ended."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n")

    def close(self) -> None:
        """There is nothing more to say: mostly it ends then."""
        assert self.process.stdin is not None
        self.process.stdin.close()

    def join(self, limit_s: float | None = None) -> None:
        """Until all is read that it has said; it has ended."""
        for reader in self._readers:
            reader.join(limit_s)

    def _hear(self, hear: Callable[[str], None], ended: Any) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                hear(line)
        if ended is not None:
            ended()

    def _note(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as lines:
            for line in lines:
                self.log.append(line.rstrip())
