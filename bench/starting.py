"""How long it takes to be of use: `import khazad`, and `serve` to its first answered hit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from bench import conversation, primed, proxies
from bench.ground import CHECKOUT, Ground, keep_to, stand_on, wait_for_embedded
from bench.load import Connection
from bench.measure import Result, Target, in_turns

HEAVY = ("mitmproxy", "onnxruntime", "torch")

_IMPORT = """
import json, sys, time
before = set(sys.modules)
started = time.perf_counter()
import khazad
{names}
took = time.perf_counter() - started
print(json.dumps([took, sorted(set(sys.modules) - before)]))
"""


def importing(rounds: int) -> Iterator[Result]:
    """Seconds of `import khazad`, and of naming all that is loaded on first use."""
    modules: dict[str, list[str]] = {}

    def measure(name: str, names: str) -> float:
        ran = subprocess.run(
            [sys.executable, "-c", _IMPORT.format(names=names)],
            stdout=subprocess.PIPE,
            check=True,
            cwd=CHECKOUT,
        )
        took, modules[name] = json.loads(ran.stdout)
        return float(took)

    subjects = {
        "import": lambda: measure("import", ""),
        "naming": lambda: measure("naming", "khazad.init, khazad.Khazad, khazad.Stats"),
    }
    in_turns(1, subjects)  # compiles what is imported, as the first run after an installation does
    took = in_turns(rounds, subjects)
    target = Target("at most", 0.15)
    for name, subject in (
        ("import", "import khazad"),
        ("naming", "import khazad and name all that is in it"),
    ):
        note = f"{len(modules[name])} modules"
        yield Result(subject, "", "s", took[name], compare="value", target=target, note=note)
    # What is loaded for the names includes what is loaded without.
    heavy = sorted({module.partition(".")[0] for module in modules["naming"]} & set(HEAVY))
    yield Result(
        "heavy modules loaded by that",
        "",
        "modules",
        [len(heavy)],
        compare="value",
        target=Target("at most", 0),
        note=f"of {', '.join(HEAVY)}: {', '.join(heavy) or 'none'}",
    )


def serving(ground: Ground, rounds: int) -> Iterator[Result]:
    """Seconds from starting `serve` to the end of its first hit, by a client that waits for it.

    The embedded server is started with it and holds the answer from before; the certificate
    authority is there already.
    """
    folder = ground.folder / "start"
    folder.mkdir()
    stand_on(folder)
    try:
        question = conversation.body(conversation.QUESTION)
        with primed.cache() as cache:
            primed.teach(cache, question)
            primed.settled(cache)
        request = conversation.wire(question)

        def measure() -> float:
            wait_for_embedded(folder)
            return _first_hit_s(ground, request, folder / "pycache")

        uncompiled = measure()
        took = in_turns(rounds, {"serve": measure})
        wait_for_embedded(folder)
    finally:
        stand_on(ground.folder)
    yield Result(
        "start of serve to the first answered hit",
        "",
        "s",
        took["serve"],
        compare="value",
        target=Target("at most", 2),
        note="starts the embedded server too; on all CPUs",
    )
    yield Result(
        "the first start of all",
        "",
        "s",
        [uncompiled],
        compare="value",
        note="no module compiled yet, not even the standard library's; not judged",
    )


def _first_hit_s(ground: Ground, request: bytes, pycache: Path) -> float:
    """`pycache`: where compiled modules are found, and left."""
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(pycache)}
    command = proxies.serve(0, ground.confdir)
    started = time.perf_counter()
    process = subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, bufsize=1, env=environment
    )
    keep_to(set(), process.pid)
    try:
        assert process.stderr is not None
        said = []
        for line in process.stderr:
            said.append(line)
            if "listens on" in line:
                break
        else:
            raise RuntimeError("serve does not start:\n" + "".join(said))
        # Its log must not wait for us.
        threading.Thread(target=process.stderr.read, daemon=True).start()
        # `... listens on 127.0.0.1:8080 (regular)`
        port = int(said[-1].rpartition(":")[2].split()[0])
        connection = Connection(port, conversation.HOST, 443, ground.client)
        connection.send(request)
        connection.receive(b"khazad; hit")
        took = time.perf_counter() - started
        connection.close()
        return took
    finally:
        proxies.stop(process)
