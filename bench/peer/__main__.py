"""`python -m bench.peer --peer PYTHON`: ours beside the original `khazad` 0.1.3, in turns.

PYTHON is of an environment with `bench/peer/requirements.txt`, as `make bench-peer` makes it.
Exit status 0 whatever the figures are: a benchmark is not a test.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TypeAlias

from bench import lag, machine, report
from bench.ground import ground
from bench.measure import Result
from bench.peer import comparing, questions, server, sides, stub
from bench.peer.comparing import Wordings
from bench.peer.sides import PATIENT, Kind, Make, Side, peer_model

BOTH: tuple[Kind, Kind] = ("ours", "original")

Groups: TypeAlias = Iterator[tuple[str, Iterable[Result]]]


def main() -> int:
    args = _arguments()
    embedder = {"embedder": args.embedder} if args.embedder else {}
    if args.embedder == "huggingface":
        embedder["embedding_model"] = peer_model(args.peer)
    make = Make(args.peer, args.ours, embedder)
    results: list[Result] = []
    started = time.monotonic()
    for name, rows in _groups(make, args.quick):
        print(f"\n{report.header(name)}", flush=True)
        for result in rows:
            results.append(result)
            print(report.row(result), flush=True)
    print(f"\n{report.summary(results)}")
    print(f"\nload average after: {machine.load()}; took {time.monotonic() - started:.0f} s")
    return 0


def _groups(make: Make, quick: bool) -> Groups:
    """Prints the setting, then gives each group of rows; they are measured while they are read."""
    rounds, few, seconds = (3, 3, 1.0) if quick else (11, 5, 1.5)
    with ExitStack() as stack:
        folder = stack.enter_context(ground()).folder
        redis = stack.enter_context(server.running(folder))
        upstream = stack.enter_context(stub.running())
        with sides.running(
            ("uncached", *BOTH), make, upstream, redis.url, folder, **PATIENT
        ) as three:
            both = {kind: three[kind] for kind in BOTH}
            print(_setting(both))
            for side in both.values():
                sides.learn(side, upstream, questions.known())
            wordings = Wordings()
            for kind, side in both.items():
                side.do("ask", bodies=wordings.take(kind, 20))
            calls = 50 if quick else 100
            yield "hits", comparing.latencies(both, upstream, wordings, rounds, calls)
            yield "hits a second", comparing.throughput(both, upstream, wordings, few, seconds)
            yield "misses a second", comparing.misses(both, upstream, few, seconds)
            left = iter(wordings.take("ours", 6_000))
            yield "loop lag", lag.of(three, upstream, left, few, 2 * seconds)
        # From here on as it comes: a deadline that is missed is part of the answer.
        with sides.running(BOTH, make, upstream, redis.url, folder) as both:
            yield "a stampede", comparing.stampede(both, upstream, 1 if quick else 3)
            yield "a stopped Redis", comparing.outage(both, upstream, redis)


def _setting(both: Mapping[Kind, Side]) -> str:
    used = {k: ", ".join(" ".join(fact) for fact in side.facts.items()) for k, side in both.items()}
    same = {"Redis": f"{machine.redis_version()}, TCP on loopback", **machine.facts()}
    return "\n".join(f"{name}: {fact}" for name, fact in {**used, **same}.items())


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.peer", description=__doc__)
    parser.add_argument("--peer", type=Path, required=True, metavar="PYTHON")
    parser.add_argument("--quick", action="store_true", help="fewer rounds, wider spreads")
    parser.add_argument(
        "--embedder", metavar="NAME", help="of ours; huggingface: the original's very model"
    )
    parser.add_argument(
        "--ours",
        type=Path,
        default=Path(sys.executable),
        metavar="PYTHON",
        help="what ours runs in, where not in this",
    )
    args = parser.parse_args()
    # They run elsewhere; a link to a Python must stay one, or it is not its environment's.
    args.peer, args.ours = args.peer.absolute(), args.ours.absolute()
    return args


if __name__ == "__main__":
    sys.exit(main())
