"""The program whose calls are cached: ours, the original's, or nobody's. Run as a file.

Imports what every environment has, and none of this checkout: whose `khazad` it finds is for the
environment to say. Lines of JSON: {"do": NAME, ...} comes in, {"value": ...} or {"error": ...}
goes out. The client is plain httpx, and each call is read to its end.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import platform
import sys
import threading
import time
import traceback
from collections.abc import Callable, Coroutine, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import httpx

HEADERS = {"Authorization": "Bearer sk-bench", "Content-Type": "application/json"}
TIMEOUT_S = 60.0
# More callers than httpx pools by default would wait for each other.
LIMITS = httpx.Limits(max_connections=256, max_keepalive_connections=256)


class Program:
    """What it can be asked to do; every public method is a command."""

    def __init__(self) -> None:
        self._url = ""
        self._clients: tuple[httpx.Client, httpx.AsyncClient]
        self._loop = asyncio.new_event_loop()

    def start(self, url: str, cache: dict[str, Any] | None) -> dict[str, str]:
        """Have the calls cached (arguments of `khazad.init`; None: not at all)."""
        if cache is not None:
            import khazad

            khazad.init(**cache)
        self._url = url
        # Made afterwards: the original reaches no client that was there before.
        options: Any = {
            "headers": HEADERS,
            "timeout": TIMEOUT_S,
            "limits": LIMITS,
            "trust_env": False,
        }
        self._clients = httpx.Client(**options), httpx.AsyncClient(**options)
        names = ("khazad", "khazad-mitm", "httpx", "redis", "hiredis", "numpy", "onnxruntime")
        names += ("sentence-transformers", "torch")
        found = {"Python": platform.python_version()}
        for name in names:
            try:
                found[name] = version(name)
            except PackageNotFoundError:
                continue
        return found

    def ask(self, bodies: list[str]) -> list[float]:
        """One after the other, blocking: milliseconds of each call."""
        took = []
        for body in bodies:
            started = time.perf_counter()
            self._call(body)
            took.append((time.perf_counter() - started) * 1e3)
        return took

    def ask_for(self, bodies: list[str], limit_s: float) -> list[float]:
        """The same, on a thread that is left alone after a while: of the calls that returned."""
        took: list[float] = []
        is_over = threading.Event()

        def loop() -> None:
            for body in bodies:
                if is_over.is_set():
                    return
                took.extend(self.ask([body]))

        thread = threading.Thread(target=loop, daemon=True)
        thread.start()
        thread.join(limit_s)
        is_over.set()
        return list(took)

    def by_threads(self, bodies: list[str], threads: int, seconds: float) -> float:
        """Calls a second of so many threads, each of which asks again once it is answered."""
        asked = _Asked(bodies)

        def loop(until: float) -> int:
            count = 0
            while time.perf_counter() < until:
                self._call(next(asked))
                count += 1
            return count

        with ThreadPoolExecutor(threads) as executor:
            started = time.perf_counter()
            counts = executor.map(loop, [started + seconds] * threads)
            return sum(counts) / (time.perf_counter() - started)

    def by_tasks(self, bodies: list[str], tasks: int, seconds: float) -> float:
        """The same of so many tasks of one event loop."""
        asked = _Asked(bodies)

        async def loop(until: float) -> int:
            count = 0
            while time.perf_counter() < until:
                await self._awaited_call(next(asked))
                count += 1
            return count

        async def together() -> float:
            started = time.perf_counter()
            counts = await asyncio.gather(*(loop(started + seconds) for _ in range(tasks)))
            return sum(counts) / (time.perf_counter() - started)

        return self._run(together())

    def at_once_by_threads(self, body: str, callers: int) -> float:
        """The same request by so many threads at the same time: milliseconds until the last."""
        together = threading.Barrier(callers)

        def call(_: int) -> None:
            together.wait(TIMEOUT_S)
            self._call(body)

        started = time.perf_counter()
        with ThreadPoolExecutor(callers) as executor:
            list(executor.map(call, range(callers)))
        return (time.perf_counter() - started) * 1e3

    def at_once_by_tasks(self, body: str, callers: int) -> float:
        async def together() -> None:
            await asyncio.gather(*(self._awaited_call(body) for _ in range(callers)))

        started = time.perf_counter()
        self._run(together())
        return (time.perf_counter() - started) * 1e3

    def lag(
        self, bodies: list[str], tasks: int, pause_s: float, tick_s: float, seconds: float
    ) -> dict[str, Any]:
        """Milliseconds by which each `asyncio.sleep(tick_s)` was late beside so many tasks, each
        of which calls, pauses, and calls again; and how many calls that were."""
        asked = _Asked(bodies)
        late: list[float] = []
        calls = 0

        async def caller(number: int, until: float) -> None:
            nonlocal calls
            # Not all of them in step.
            await asyncio.sleep(pause_s * number / tasks)
            while time.perf_counter() < until:
                await self._awaited_call(next(asked))
                calls += 1
                if pause_s:
                    await asyncio.sleep(pause_s)

        async def together() -> None:
            until = time.perf_counter() + seconds
            working = asyncio.gather(*(caller(number, until) for number in range(tasks)))
            while time.perf_counter() < until:
                due = time.perf_counter() + tick_s
                await asyncio.sleep(tick_s)
                late.append((time.perf_counter() - due) * 1e3)
            await working

        self._run(together())
        return {"late_ms": late, "calls": calls}

    def _call(self, body: str) -> None:
        self._clients[0].post(self._url, content=body).raise_for_status()

    async def _awaited_call(self, body: str) -> None:
        response = await self._clients[1].post(self._url, content=body)
        response.raise_for_status()

    def _run(self, job: Coroutine[Any, Any, Any]) -> Any:
        return self._loop.run_until_complete(job)


class _Asked(Iterator[str]):
    """Bodies in turn, again from the first one after the last; for any number of threads."""

    def __init__(self, bodies: Iterable[str]) -> None:
        self._bodies = itertools.cycle(bodies)
        self._lock = threading.Lock()

    def __next__(self) -> str:
        with self._lock:
            return next(self._bodies)


def main() -> None:
    program = Program()
    for line in sys.stdin:
        command = json.loads(line)
        do: Callable[..., Any] = getattr(program, command.pop("do"))
        try:
            said = {"value": do(**command)}
        except Exception:
            said = {"error": traceback.format_exc()}
        print(json.dumps(said), flush=True)


if __name__ == "__main__":
    main()
