"""Clients in process: programs that call `khazad.init()` and ask by themselves."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

from tests.end_to_end.clients import CHAT
from tests.end_to_end.proxies import START_S
from tests.end_to_end.talking import Talking
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
        arguments = ["-m", "tests.soak.lodging", json.dumps(given)]
        self._child = Talking(arguments, folder, self._hear, self._ended)
        self.log = self._child.log

    def pids(self) -> list[int]:
        return [self._child.process.pid]

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
        if self._child.process.poll() is None:
            self._child.process.terminate()
        self._child.process.wait()
        self._child.join()
        self._child.close()

    def _say(self, word: str) -> None:
        try:
            self._child.say(word)
        except BrokenPipeError:
            self.log.append("could not be told: it has ended")

    def _hear(self, line: str) -> None:
        self._enter(json.loads(line))

    def _ended(self) -> None:
        self._first.set()
        self._last.set()

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
