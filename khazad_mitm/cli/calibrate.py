"""`khazad-mitm calibrate`: which threshold suits your questions and your embedding model.

Embeds labelled pairs with the configured embedder, lets the guards have their say, and prints what
each threshold would have served. The table goes to stdout, talk to stderr. Exit status 1 where no
threshold can be promised.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from khazad_mitm import calibration_file
from khazad_mitm.cache import calibration, moment, verify
from khazad_mitm.cache.calibration import Row, Scored
from khazad_mitm.cli import flags, pairs_file
from khazad_mitm.cli.pairs_file import LabelledPair
from khazad_mitm.errors import CacheUnavailable, ConfigError

if TYPE_CHECKING:
    from khazad_mitm.embed.choose import Chosen
    from khazad_mitm.exchange import Vector


def add_to(commands: Any) -> None:
    parser = commands.add_parser(
        "calibrate", help="find a threshold by labelled pairs of questions"
    )
    parser.add_argument("pairs", metavar="PAIRS.jsonl", help=pairs_file.HINT)
    parser.add_argument(
        "--max-wrong",
        type=_share,
        default=0.01,
        metavar="SHARE",
        help="tolerated share of false hits among pairs that differ (default: 0.01)",
    )
    parser.add_argument("--json", action="store_true", help="as JSON, for scripts")
    parser.add_argument(
        "--save",
        action="store_true",
        help="keep the threshold, for the profile, the model and the guards of the settings",
    )
    flags.add_settings(parser)
    parser.set_defaults(command=calibrate)


def calibrate(args: argparse.Namespace) -> int:
    from khazad_mitm.embed.choose import choose
    from khazad_mitm.embed.local import LocalEmbedder

    settings = flags.settings_of(args)
    pairs = pairs_file.read(args.pairs)
    flags.log_to_stderr()
    embedder = choose(settings.embedder, settings.embedding_model)
    leniency = settings.profile, settings.floor(calibrated=embedder.model == LocalEmbedder.model)
    scored = _scored(pairs, _vectors(pairs, embedder), settings.guards_off, leniency)
    rows = calibration.table(scored)
    found = calibration.proposed(rows, args.max_wrong)
    if args.json:
        print(json.dumps(_as_json(embedder.model, scored, rows, found)))
    else:
        _print_table(rows)
    _tell(scored, rows, found, args.max_wrong, embedder.model)
    if found is not None and args.save:
        facts = {"max_wrong": args.max_wrong, **asdict(found)}
        file = calibration_file.save(
            embedder.model, settings.profile, found.threshold, settings.guards_off, facts
        )
        _say(f"kept in {file} for profile {settings.profile}; a `threshold` of its own goes before")
    return 0 if found is not None else 1


def _vectors(pairs: list[LabelledPair], embedder: Chosen) -> dict[str, Vector | None]:
    texts = sorted({question.text for pair in pairs for question in (pair.a, pair.b)})
    _say(f"embedding {len(texts)} questions with {embedder.model}")
    try:
        embedder.load()
        with ThreadPoolExecutor(embedder.threads) as pool:
            return dict(zip(texts, pool.map(embedder.embed_if_fits, texts), strict=True))
    except CacheUnavailable as error:
        raise ConfigError(f"embedder: {error}", "nothing was measured; try again") from error


def _scored(
    pairs: list[LabelledPair],
    vectors: dict[str, Vector | None],
    off: frozenset[str],
    leniency: tuple[str, float],
) -> list[Scored]:
    return [
        _seen(pair, vectors[pair.a.text], vectors[pair.b.text], off, leniency) for pair in pairs
    ]


def _seen(
    pair: LabelledPair,
    one: Vector | None,
    other: Vector | None,
    off: frozenset[str],
    leniency: tuple[str, float],
) -> Scored:
    a, b = pair.a.text, pair.b.text
    if pair.a.before != pair.b.before:
        return Scored(pair.is_same, None, "context")
    passing = moment.reason(a, off) or moment.reason(b, off)
    if passing:
        return Scored(pair.is_same, None, passing)
    if one is None or other is None:
        return Scored(pair.is_same, None, "window")
    similarity = float(one @ other)
    profile, floor = leniency
    near = verify.closeness(similarity, floor)
    return Scored(pair.is_same, similarity, verify.veto(a, b, off, profile=profile, near=near))


def _as_json(model: str, scored: list[Scored], rows: tuple[Row, ...], found: Row | None) -> Any:
    return {
        "embedding_model": model,
        "confidence": calibration.CONFIDENCE,
        "refused": _refusals(scored),
        "proposed": None if found is None else asdict(found),
        "thresholds": [asdict(row) for row in rows],
    }


def _print_table(rows: tuple[Row, ...]) -> None:
    print("threshold  recall              false hits           at most (95 %)")
    for row in rows:
        hits, wrong = f"{row.hits}/{row.same}", f"{row.false_hits}/{row.different}"
        print(
            f"{row.threshold:9.2f}  {row.recall:.3f} {hits:>12}  {row.false_hit_share:.4f}"
            f" {wrong:>12}   {row.false_hits_at_most:.4f}"
        )


def _tell(
    scored: list[Scored], rows: tuple[Row, ...], found: Row | None, tolerated: float, model: str
) -> None:
    refusals = ", ".join(f"{name} {count}" for name, count in _refusals(scored).items())
    _say(f"{len(scored)} pairs; refused at any threshold: {refusals or 'none'}")
    if found is not None:
        _say(
            f"threshold {found.threshold:.2f} for {model}: recall {found.recall:.3f}; of pairs that"
            f" differ, with 95 % confidence at most {found.false_hits_at_most:.2%} are served"
            f" ({found.false_hits} of {found.different} were)\n"
            f"set it with --threshold {found.threshold:.2f}"
            f" (KHAZAD_THRESHOLD={found.threshold:.2f}), or keep it with --save"
        )
        return
    first, needed = rows[0], calibration.pairs_needed(tolerated)
    why = (
        f"it takes {needed} pairs that differ, and {first.different} were given"
        if first.different < needed
        else f"at {first.threshold:.2f} {first.false_hits} of {first.different} would be served"
    )
    _say(
        f"no threshold can be promised to serve at most {tolerated:.2%} of pairs that differ: {why}"
    )


def _refusals(scored: list[Scored]) -> dict[str, int]:
    return dict(Counter(pair.refused for pair in scored if pair.refused).most_common())


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 < share < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a share (expected between 0 and 1)")
    return share


def _say(text: str) -> None:
    print(text, file=sys.stderr)
