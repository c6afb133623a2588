"""`khazad-mitm explain ID`: why an answer was served."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from typing import Any

from khazad_mitm.cli import entries


def add_to(commands: Any) -> None:
    parser = commands.add_parser("explain", help="show why an answer was served")
    entries.add_arguments(parser)
    held = parser.add_mutually_exclusive_group()
    held.add_argument("other", nargs="?", metavar="OTHER", help="an entry to compare it with")
    held.add_argument("--ask", metavar="TEXT", help="a question to compare it with")
    parser.set_defaults(command=explain)


def explain(args: argparse.Namespace) -> int:
    told = entries.ask(
        args,
        "GET",
        "/explain",
        {"id": args.id, "ask": args.ask, "other": args.other},
        lambda cache: cache.explain(args.id, args.ask, args.other),
    )
    print(json.dumps(told) if args.json else "\n".join(_lines(told)))
    return 0


def _lines(told: dict[str, Any]) -> Iterator[str]:
    yield f"entry     {told['id']}  {told['provider']} {told['model']}".rstrip()
    yield f"tenant    {told['tenant'] or 'unknown'}"
    expires = (
        "never expires" if told["expires_at"] is None else f"until {_time(told['expires_at'])}"
    )
    yield f"stored    {_time(told['stored_at'])}, {expires}"
    if told["question"] is None:
        yield f"question  for exact repeats only {told['exact_only']}".rstrip()
    else:
        yield f"question  {told['question']}"
    yield f"request   {'not kept' if told['request'] is None else json.dumps(told['request'])}"
    yield from _pool(told["pool"])
    for asked in told["answered"]:
        yield ""
        yield f"answered  {asked['question']}"
        yield f"          {_time(asked['at'])}, tenant {asked['tenant']}"
        yield f"          similarity {asked['similarity']:.3f} at {asked['path']}"
        yield from _differences(asked.get("differs", []))
        yield from _guards(asked.get("guards", []))
    if not told["answered"]:
        yield "answered  nothing by meaning lately"
    for name in ("compared", "other"):
        if name in told:
            yield ""
            yield from _compared(told[name])


def _pool(pool: dict[str, Any] | None) -> Iterator[str]:
    if pool is None:
        yield "pool      wrong hits are not counted (max_wrong_hits is not set)"
        return
    at = "closed" if pool["threshold"] is None else f"open from {pool['threshold']:.2f}"
    yield (
        f"pool      {at}: {pool['wrong']} of {pool['checked']} checked were wrong,"
        f" at most {pool['at_most_wrong']:.2%} of {pool['candidates']} are"
        f" ({pool['confidence']:.0%} confidence; tolerated {pool['max_wrong_hits']:.2%})"
    )


def _compared(told: dict[str, Any]) -> Iterator[str]:
    yield f"compared  {told.get('question') or told.get('id', '')}"
    if told["similarity"] is not None:
        yield f"          similarity {told['similarity']:.3f}"
    if told["why"]:
        yield f"          {told['why']}"
    yield from _differences(told.get("differs", []))
    yield from _guards(told["guards"])


def _differences(differs: list[dict[str, Any]]) -> Iterator[str]:
    for difference in differs:
        stored, asked = json.dumps(difference["stored"]), json.dumps(difference["asked"])
        yield f"          {difference['field']}  {stored} → {asked}"


def _guards(verdicts: list[dict[str, Any]]) -> Iterator[str]:
    for verdict in verdicts:
        says = "differs" if verdict["differs"] else "same"
        off = "" if verdict["is_on"] else " (off)"
        if verdict["is_on"] and verdict["differs"] and verdict["is_outweighed"]:
            off = " (outweighed by similarity)"
        yield f"          {verdict['guard']:<10} {says}{off}"


def _time(unix: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(unix))
