"""`python -m bench`: measures, side by side, and prints each figure beside its target.

Exit status 0 whatever the figures are: a benchmark is not a test.
"""

from __future__ import annotations

import argparse
import platform
import sys
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from typing import TypeAlias

from bench import inside, lag, machine, report, starting, through
from bench.ground import Ground, cpus, ground, keep_to
from bench.measure import Result

Benchmark: TypeAlias = Callable[[Ground, bool], Iterator[Result]]

BENCHMARKS: dict[str, Benchmark] = {
    "exact": lambda _, quick: inside.exact(60 if quick else 400),
    "semantic": lambda _, quick: inside.semantic(60 if quick else 400, 100 if quick else 1_000),
    "hits": lambda g, quick: through.hits(g, 3 if quick else 11, 1.0 if quick else 2.0),
    "first-byte": lambda g, quick: through.first_byte(g, 40 if quick else 300),
    "long": lambda g, quick: through.long_answers(g, 5 if quick else 30),
    "tunnels": lambda g, quick: through.tunnels(g, 2 if quick else 5, 0.7 if quick else 1.5),
    "lag": lambda g, quick: lag.lag(g, 3 if quick else 7, 3.0 if quick else 5.0),
    "import": lambda _, quick: starting.importing(3 if quick else 15),
    "start": lambda g, quick: starting.serving(g, 1 if quick else 5),
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds, wider spreads")
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=BENCHMARKS, default=BENCHMARKS)
    args = parser.parse_args()
    results: list[Result] = []
    started = time.monotonic()
    with ground() as here:
        keep_to(cpus()[1])
        print(_setting())
        for name in args.only:
            print(f"\n{report.header(name)}", flush=True)
            for result in BENCHMARKS[name](here, args.quick):
                results.append(result)
                print(report.row(result), flush=True)
    print(f"\n{report.summary(results)}")
    print(f"\nload average after: {machine.load()}; took {time.monotonic() - started:.0f} s")
    return 0


def _setting() -> str:
    measured, others = cpus()
    pinned = f"proxies on {sorted(measured)}, all else on {sorted(others)}" if measured else "no"
    packages = ("mitmproxy", "redis", "hiredis", "numpy", "onnxruntime")
    facts = {
        "Python": platform.python_version(),
        "packages": ", ".join(f"{name} {version(name)}" for name in packages),
        "Redis": f"{machine.redis_version()}, embedded, unix socket",
        **machine.facts(),
        "kept apart": pinned,
    }
    return "\n".join(f"{name}: {fact}" for name, fact in facts.items())


if __name__ == "__main__":
    sys.exit(main())
