"""`khazad-mitm cassette rebase DIR -- CMD`: the system prompt or the tools have changed.

The command is run on the recordings: which would no longer be found because of that, and what would
it cost to ask again? Then, if that is wanted, it is run once more, live, and the old files go.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from khazad_mitm.cli import flags, record
from khazad_mitm.cli.account import money
from khazad_mitm.cli.run import behind_its_own, quiet
from khazad_mitm.cli.spawn import leave

if TYPE_CHECKING:
    from collections.abc import Sequence

    from khazad_mitm.record.cassette import Cassette
    from khazad_mitm.record.rebase import Affected
    from khazad_mitm.record.recorder import RecordMode, StandIn
    from khazad_mitm.record.report import Report

UNDONE = 1
"""Exit status where something is to be recorded anew, and was not."""


def add_to(verbs: Any) -> None:
    parser = verbs.add_parser(
        "rebase",
        help="run a command on the recordings; record those anew whose system prompt or tools"
        " have changed",
    )
    parser.add_argument("--yes", action="store_true", help="ask nobody")
    parser.add_argument("--dry-run", action="store_true", help="say what would be, and do nothing")
    record.add_arguments(parser, but=("cassette", "record", "on_miss"))
    parser.set_defaults(command=rebase, name="cassette rebase")


def rebase(args: argparse.Namespace) -> int:
    from khazad_mitm.record.cassette import Cassette
    from khazad_mitm.record.files import remove
    from khazad_mitm.record.rebase import Kin, replaced
    from khazad_mitm.record.recorder import RecordMode

    args, command = record.command_line(args)
    folder = Path(args.folder).expanduser()
    cassette = Cassette.open(folder)
    kin = Kin(cassette)
    status, told = _run(args, command, cassette, RecordMode.NONE, kin)
    _plan(kin.affected, len(cassette.recordings))
    if told.unrecorded:
        _say(f"{len(told.unrecorded)} calls have no recording at all, and would be recorded too")
    if status:
        _say(f"the command ended with {status}: what it would ask after that is not counted")
    if args.dry_run or not kin.affected:
        leave(status or (record.INCOMPLETE if told.unrecorded else 0))
    if not args.yes and not _is_wanted():
        _say("nothing was recorded; --yes does it")
        leave(UNDONE)

    status, live = _run(args, command, Cassette.open(folder), RecordMode.NEW_EPISODES)
    is_whole = not (status or live.lost)
    gone = replaced(kin.affected, live, Cassette.open(folder), is_whole=is_whole)
    for path in gone:
        print(f"removed {path}")
        remove(path)
    for path in live.written:
        print(f"written {path}")
    _say(str(live))
    kept = len(kin.affected) - len(gone)
    if kept:
        _say(f"{kept} old recordings are kept, for nothing took their place: `cassette prune`")
    leave(status or (record.INCOMPLETE if live.lost else 0))


def _run(
    args: argparse.Namespace,
    command: Sequence[str],
    cassette: Cassette,
    mode: RecordMode,
    stand_in: StandIn | None = None,
) -> tuple[int, Report]:
    from khazad_mitm.record.recorder import Recorder

    args.khazad_cassette, args.khazad_record, args.khazad_on_miss = args.folder, mode.value, "fail"
    settings = flags.settings_of(args, **quiet())
    front = Recorder(cassette, mode, hosts=settings.hosts, stand_in=stand_in)
    _say(f"running {command[0]} {'live' if stand_in is None else 'on the recordings'}")
    status, _ = behind_its_own(args, command, settings, front)
    return status, front.report()


def _plan(affected: Sequence[Affected], of: int) -> None:
    """What has changed, recording by recording, and what it costs to ask again."""
    from khazad_mitm.record.rebase import tokens
    from khazad_mitm.record.why import table

    by_model: dict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
    for one in affected:
        model, read, written = tokens(one)
        before = by_model[model]
        by_model[model] = (before[0] + read, before[1] + written)
        print(f"{one.recording.path}\n{table(one.changes)}")
    if not affected:
        _say(f"none of {of} recordings is affected")
        return
    total = sum(map(sum, by_model.values()))
    price = money(by_model)
    _say(
        f"{len(affected)} of {of} recordings are affected; to ask again takes about"
        f" {total:,} tokens{f', {price}' if price else ''}"
    )


def _is_wanted() -> bool:
    if not sys.stdin.isatty():
        return False
    print("khazad: run the command again and record these anew? [y/N] ", end="", file=sys.stderr)
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _say(line: str) -> None:
    print(f"khazad: {line}", file=sys.stderr)
