"""`khazad-mitm run -- CMD`: a proxy for one command, and an account of what it saved."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from khazad_mitm.cache.stats import Stats
from khazad_mitm.cli import environment, flags, proxying
from khazad_mitm.errors import ConfigError
from khazad_mitm.fronts import Front
from khazad_mitm.settings import Settings

# The shell's: not found, not executable.
NOT_FOUND, NOT_EXECUTABLE = 127, 126

FORWARDED = (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
"""Sent on to the command. SIGINT comes to both from the terminal; we let the command decide."""


def add_to(commands: Any) -> None:
    parser = commands.add_parser(
        "run", help="run a command behind a proxy of its own: khazad-mitm run -- npm test"
    )
    proxying.add_confdir(parser)
    flags.add_settings(parser)
    parser.add_argument("cmd", nargs=argparse.REMAINDER, metavar="-- CMD ...")
    parser.set_defaults(command=run)


def run(args: argparse.Namespace) -> int:
    command = command_of(args, "run")
    # The terminal is the command's: of ours, only what goes wrong.
    settings = flags.settings_of(args, **quiet())
    status, cache = behind_its_own(args, command, settings)
    if cache is not None:
        print(f"khazad: {_account(cache.stats())}", file=sys.stderr)
    leave(status)


def command_of(args: argparse.Namespace, name: str) -> list[str]:
    """What stands behind the `--`. Raises ConfigError where nothing does."""
    command: list[str] = args.cmd[1:] if args.cmd[:1] == ["--"] else args.cmd
    if not command:
        raise ConfigError(f"{name}: no command given", f"khazad-mitm {name} -- python app.py")
    return command


def behind_its_own(
    args: argparse.Namespace, command: Sequence[str], settings: Settings
) -> tuple[int, Front | None]:
    """Run a command behind a proxy of its own: its exit status, and what the proxy has asked."""
    with proxying.proxy_extra("khazad-mitm run"):
        from khazad_mitm.proxy.engine import Engine, EngineThread

    flags.log_to_stderr()
    engine = Engine(settings, listen_port=0, confdir=args.confdir)
    thread = EngineThread(engine)
    thread.start()
    try:
        with tempfile.TemporaryDirectory(prefix="khazad-") as folder:
            bundle = Path(folder) / "ca-bundle.pem"
            environment.write_bundle(os.environ, engine.ca_path, bundle)
            url = f"http://127.0.0.1:{thread.port}"
            status = _spawn(command, environment.variables(os.environ, url, bundle))
    finally:
        thread.stop()
    return status, engine.cache


def leave(status: int) -> NoReturn:
    """End at once: all is stored and said, and a thread may still be reading the model."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def quiet() -> dict[str, str]:
    return {} if "KHAZAD_LOG_LEVEL" in os.environ else {"log_level": "WARNING"}


def _spawn(command: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run the command with our terminal and our signals; its exit status, as a shell gives it."""
    try:
        child = subprocess.Popen(list(command), env=dict(environ))  # noqa: S603  (what the user typed)
    except FileNotFoundError:
        print(f"khazad-mitm: {command[0]}: command not found", file=sys.stderr)
        return NOT_FOUND
    except OSError as error:
        print(f"khazad-mitm: {command[0]}: {error.strerror}", file=sys.stderr)
        return NOT_EXECUTABLE

    def forward(number: int, _frame: FrameType | None) -> None:
        child.send_signal(number)

    previous = {number: signal.signal(number, forward) for number in FORWARDED}
    previous[signal.SIGINT] = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        status = child.wait()
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
    return status if status >= 0 else 128 - status


def _account(stats: Stats) -> str:
    """What was asked, served and saved, in one line."""
    if not stats.total_requests:
        return "no LLM call seen"
    share = round(100 * stats.hit_rate)
    told = f"{stats.total_requests} LLM calls, {stats.cache_hits} served from the cache ({share} %)"
    if stats.semantic_hits:
        told += f", {stats.semantic_hits} of them by meaning"
    if stats.saved_tokens:
        told += f"; {stats.saved_tokens:,} tokens saved"
    return told
