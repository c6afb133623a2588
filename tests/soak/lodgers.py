"""Clients in process: programs that call `khazad.init()` and ask by themselves."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from tests.end_to_end.clients import CHAT
from tests.end_to_end.proxies import CHECKOUT, START_S, environment
from tests.end_to_end.upstream import WAIT_S, Upstream
from tests.soak import questions
from tests.soak.houses import DEADLINE_MS, HUNG_S, TTL_S, WORKS_S
from tests.soak.ledger import Ledger

ASKING = 3
"""At once, in each program."""


class Lodger:
    """A program, and what it tells of its calls."""

    by_meaning = True

    def __init__(
        self, way: str, folder: Path, upstream: Upstream, redis_url: str, ledger: Ledger, seed: int
    ) -> None:
        """`way`: `blocking` or `awaiting`."""
        self.name = f"in process, {way}"
        self.log: list[str] = []
        self._ledger = ledger
        self._first, self._last = threading.Event(), threading.Event()
        self._works: dict[str, bool] = {}
        settings = {"redis_url": redis_url, "ttl": TTL_S, "store_deadline_ms": DEADLINE_MS}
        given = {
            "way": way,
            "url": f"https://127.0.0.1:{upstream.port}{CHAT}",
            "ca": str(upstream.authority.ca),
            "settings": {**settings, "embedder": "local"},
            "seed": seed,
            "asking": ASKING,
            "timeout_s": WAIT_S,
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.soak.lodging", json.dumps(given)],
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

    def pids(self) -> list[int]:
        return [self._process.pid]

    def wait(self) -> bool:
        """Until it has found out whether its cache works; it asks nothing more before `begin`."""
        assert self._first.wait(START_S + WORKS_S), "\n".join(self.log)
        return self._works.get("before", False)

    def begin(self) -> None:
        self._say("begin")

    def end(self) -> bool:
        """Does its cache still work, at the end of all its calls?"""
        self._say("end")
        self._last.wait(HUNG_S + WORKS_S)
        return self._works.get("after", False)

    def stop(self) -> None:
        if self._process.poll() is None:
            self._process.terminate()
        self._process.wait()
        for reader in self._readers:
            reader.join()
        assert self._process.stdin is not None
        self._process.stdin.close()

    def _say(self, word: str) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(f"{word}\n")
        except BrokenPipeError:
            self.log.append("could not be told: it has ended")

    def _hear(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                self._enter(json.loads(line))
        self._first.set()
        self._last.set()

    def _note(self) -> None:
        assert self._process.stderr is not None
        with self._process.stderr as lines:
            for line in lines:
                self.log.append(line.rstrip())

    def _enter(self, said: dict[str, Any]) -> None:
        match said:
            case {"works": str(when), "is": bool(works)}:
                self._works[when] = works
                (self._first if when == "before" else self._last).set()
                return
            case {"left": True}:
                self._ledger.count("clients that left")
                return
        request, is_stream = (said["key"], questions.of(said["text"])), said["stream"]
        match said:
            case {"waited": True}:
                self._ledger.waited(request, is_stream=is_stream)
            case {"cut": str(why)}:
                self._ledger.cut(request, why)
            case {"status": int(status), "body": str(body), "cache_status": str(cache_status)}:
                self._ledger.told(request, status, body.encode(), cache_status, is_stream=is_stream)
