"""`khazad-mitm record DIR -- CMD` and `replay DIR -- CMD`: `run`, with a cassette for a cache.

Their exit status is the command's. Where that is 0 and something was missing (a request without a
recording, an answer that could not be recorded) it is 1: a fixture that is not whole must not pass.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from khazad_mitm.cli import flags, proxying
from khazad_mitm.cli.run import behind_its_own, command_of, quiet
from khazad_mitm.cli.spawn import leave

if TYPE_CHECKING:
    from khazad_mitm.record.report import Report

INCOMPLETE = 1


def add_to(commands: Any) -> None:
    for name, help_, mode in (
        ("record", "run a command and record its LLM calls: khazad-mitm record DIR -- npm test",
         "new_episodes"),
        ("replay", "run a command on recordings, without a network: khazad-mitm replay DIR -- ...",
         "none"),
    ):  # fmt: skip
        parser = commands.add_parser(name, help=help_)
        add_arguments(parser)
        if name == "replay":
            parser.add_argument(
                "--fault",
                action="append",
                default=[],
                metavar="RULE",
                help="let a call fail, as `faults` in cassette.yaml: 'status: 429, times: 1',"
                " 'delay_ms: 800', 'timing: 2', 'cut_after: 3', 'reset: true'; may be repeated",
            )
        parser.set_defaults(command=run, name=name, default_mode=mode)


def add_arguments(parser: argparse.ArgumentParser, *, but: Collection[str] = ()) -> None:
    """Of a command that runs another on a cassette; settings named in `but` are its own to say."""
    parser.add_argument("folder", metavar="DIR", help="the cassette: a directory of recordings")
    proxying.add_confdir(parser)
    flags.add_settings(parser, but=but)
    parser.add_argument("cmd", nargs=argparse.REMAINDER, metavar="-- CMD ...")
    parser.set_defaults(parser=parser)


def command_line(args: argparse.Namespace) -> tuple[argparse.Namespace, list[str]]:
    """The options, those behind the directory too, and the command. Raises ConfigError."""
    if args.cmd and args.cmd[0].startswith("-"):
        # argparse took all that comes after the directory for the command.
        end = args.cmd.index("--") if "--" in args.cmd else len(args.cmd)
        ours, theirs = args.cmd[:end], args.cmd[end:]
        args = args.parser.parse_args([*ours, args.folder, *theirs], args)
    return args, command_of(args, f"{args.name} {args.folder}")


def add_prune(verbs: Any) -> None:
    """A verb of `cassette`: what a command does not ask for is found by running it."""
    parser = verbs.add_parser(
        "prune", help="run a command on the recordings and remove those it does not ask for"
    )
    parser.add_argument("--dry-run", action="store_true", help="name them, and remove nothing")
    add_arguments(parser)
    parser.set_defaults(command=prune, name="cassette prune", default_mode="none")


def prune(args: argparse.Namespace) -> int:
    status, report = _played(args)
    if status or report.unrecorded:
        print("khazad: nothing is removed, for the command did not succeed", file=sys.stderr)
        leave(status or INCOMPLETE)
    from khazad_mitm.record.files import remove

    for path in report.unused:
        print(path)
        if not args.dry_run:
            remove(path)
    leave(0)


def run(args: argparse.Namespace) -> int:
    status, report = _played(args)
    print(f"khazad: {report}", file=sys.stderr)
    if report.unrecorded or report.lost:
        status = status or INCOMPLETE
    leave(status)


def _played(args: argparse.Namespace) -> tuple[int, Report]:
    """Run the command; its exit status, and what became of its calls."""
    from khazad_mitm.assembly import build
    from khazad_mitm.record.faults import fault_in
    from khazad_mitm.record.recorder import Recorder

    args, command = command_line(args)
    args.khazad_cassette = args.folder
    args.khazad_record = args.khazad_record or args.default_mode
    settings = flags.settings_of(args, **quiet())
    faults = [fault_in(text) for text in getattr(args, "fault", ())]
    front = build(settings, faults=faults, warms_up=False)
    assert isinstance(front, Recorder)  # there is a cassette in the settings
    status, _ = behind_its_own(args, command, settings, front)
    return status, front.report()
