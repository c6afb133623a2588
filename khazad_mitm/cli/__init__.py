"""`khazad-mitm`: one file per command. Data goes to stdout, talk to stderr."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from khazad_mitm import __version__
from khazad_mitm.errors import ConfigError, MissingExtra

CONFIG_EXIT = 2
"""Exit status for what is wrong with the command line or the settings, as argparse has it."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    from khazad_mitm.cli import (
        calibrate,
        cassette,
        certs,
        demo,
        doctor,
        env,
        explain,
        flush,
        forget,
        listing,
        path,
        record,
        run,
        serve,
        stats,
        wrong,
    )

    parser = argparse.ArgumentParser(
        prog="khazad-mitm",
        description="A transparent semantic cache for LLM API calls.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"khazad-mitm {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in (
        *(run, record, cassette),
        *(serve, env, certs, demo, doctor, stats, listing, explain, wrong, forget, flush),
        *(calibrate, path),
    ):
        command.add_to(commands)
    args = parser.parse_args(argv)
    args.argv = list(sys.argv[1:] if argv is None else argv)
    try:
        return int(args.command(args))
    except (ConfigError, MissingExtra) as error:
        print(f"khazad-mitm: {error}", file=sys.stderr)
        return CONFIG_EXIT
    except BrokenPipeError:
        # Whoever reads has seen enough. Python would complain once more when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
