"""A program of a user's that calls `khazad.init()`, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import threading
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from tests.end_to_end.clients import CHAT, HEADERS, Received
from tests.end_to_end.proxies import START_S
from tests.end_to_end.talking import Talking
from tests.end_to_end.upstream import WAIT_S, Upstream

PROGRAM = Path(__file__).parent / "programs" / "asker.py"
READY = "ready"


class Asker:
    """It, and what it has said on stderr. Itself a client, of as many calls at once as you like."""

    def __init__(self, way: str, folder: Path, upstream: Upstream, settings: Any) -> None:
        """`way`: `blocking` or `awaiting`. `settings`: of `init`."""
        self._lock = threading.Lock()
        self._answers: dict[str, Future[Received]] = {READY: Future()}
        url = f"https://127.0.0.1:{upstream.port}{CHAT}"
        given = [way, url, str(upstream.authority.ca), json.dumps(settings)]
        self._child = Talking([str(PROGRAM), *given], folder, self._hear)
        self.log = self._child.log

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
            line = {"id": name, "body": body.decode(), "headers": HEADERS}
            self._child.say(json.dumps(line))
        return Asked(self, name)

    def stop(self) -> None:
        self._child.close()
        try:
            self._child.process.wait(WAIT_S)
        except subprocess.TimeoutExpired:
            self._child.process.kill()
            self._child.process.wait()
        self._child.join(WAIT_S)

    def _wait_for(self, name: str, limit_s: float = WAIT_S) -> Received:
        try:
            return self._answers[name].result(limit_s)
        except BaseException as error:
            raise AssertionError("\n".join(self.log)) from error

    def _hear(self, line: str) -> None:
        said = json.loads(line)
        answer = self._answers[said.pop("id")]
        whole = {"status": 0, "headers": {}, "body": ""} | said
        answer.set_result(Received(**{**whole, "body": whole["body"].encode()}))


class Asked:
    """A call on its way."""

    def __init__(self, asker: Asker, name: str) -> None:
        self._asker = asker
        self._name = name

    def received(self) -> Received:
        return self._asker._wait_for(self._name)
