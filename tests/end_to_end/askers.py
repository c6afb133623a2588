"""A program of a user's that calls `khazad.init()`, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from tests.end_to_end.clients import CHAT, HEADERS, Received
from tests.end_to_end.proxies import CHECKOUT, START_S, environment
from tests.end_to_end.upstream import WAIT_S, Upstream

PROGRAM = Path(__file__).parent / "programs" / "asker.py"
READY = "ready"


class Asker:
    """It, and what it has said on stderr. Itself a client, of as many calls at once as you like."""

    def __init__(self, way: str, folder: Path, upstream: Upstream, settings: Any) -> None:
        """`way`: `blocking` or `awaiting`. `settings`: of `init`."""
        self.log: list[str] = []
        self._lock = threading.Lock()
        self._answers: dict[str, Future[Received]] = {READY: Future()}
        url = f"https://127.0.0.1:{upstream.port}{CHAT}"
        given = [way, url, str(upstream.authority.ca), json.dumps(settings)]
        self._process = subprocess.Popen(
            [sys.executable, str(PROGRAM), *given],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            bufsize=1,
            env={**environment(folder), "PYTHONPATH": str(CHECKOUT)},
        )
        self._readers = [threading.Thread(target=read) for read in (self._hear, self._note)]
        for reader in self._readers:
            reader.start()

    def wait(self) -> Asker:
        """Until `init` has done its work."""
        self._wait_for(READY, START_S)
        return self

    def client(self) -> Asker:
        return self

    def __enter__(self) -> Asker:
        return self

    def __exit__(self, *_: object) -> None: ...

    def ask(self, body: bytes) -> Received:
        return self.sent(body).received()

    def sent(self, body: bytes) -> Asked:
        """The same, before there is an answer."""
        with self._lock:
            name = str(len(self._answers))
            self._answers[name] = Future()
            assert self._process.stdin is not None
            line = {"id": name, "body": body.decode(), "headers": HEADERS}
            self._process.stdin.write(json.dumps(line) + "\n")
        return Asked(self, name)

    def stop(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(WAIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for reader in self._readers:
            reader.join(WAIT_S)

    def _wait_for(self, name: str, limit_s: float = WAIT_S) -> Received:
        try:
            return self._answers[name].result(limit_s)
        except BaseException as error:
            raise AssertionError("\n".join(self.log)) from error

    def _hear(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                said = json.loads(line)
                answer = self._answers[said.pop("id")]
                whole = {"status": 0, "headers": {}, "body": ""} | said
                answer.set_result(Received(**{**whole, "body": whole["body"].encode()}))

    def _note(self) -> None:
        assert self._process.stderr is not None
        with self._process.stderr as lines:
            for line in lines:
                self.log.append(line.rstrip())


class Asked:
    """A call on its way."""

    def __init__(self, asker: Asker, name: str) -> None:
        self._asker = asker
        self._name = name

    def received(self) -> Received:
        return self._asker._wait_for(self._name)
