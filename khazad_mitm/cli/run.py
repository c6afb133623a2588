"""`khazad-mitm run -- CMD`: a proxy for one command, and an account of what it saved."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from khazad_mitm.cache.front import Cache
from khazad_mitm.cache.stats import Stats
from khazad_mitm.cli import certs, flags, magic, proxying, trust, upstream
from khazad_mitm.cli.account import account, between
from khazad_mitm.cli.environment import variables
from khazad_mitm.cli.spawn import leave, spawn
from khazad_mitm.errors import ConfigError
from khazad_mitm.fronts import Front
from khazad_mitm.settings import Settings


def add_to(commands: Any) -> None:
    parser = commands.add_parser(
        "run", help="run a command behind a proxy of its own: khazad-mitm run -- npm test"
    )
    parser.add_argument(
        "--proxy", metavar="URL", help="use this running proxy of ours, and start none"
    )
    proxying.add_confdir(parser)
    flags.add_settings(parser)
    parser.add_argument("cmd", nargs=argparse.REMAINDER, metavar="-- CMD ...")
    parser.set_defaults(command=run)


def run(args: argparse.Namespace) -> int:
    command = command_of(args, "run")
    if args.proxy:
        leave(_behind_a_running_one(args, command))
    # The terminal is the command's: of ours, only what goes wrong.
    settings = flags.settings_of(args, **quiet())
    status, front = behind_its_own(args, command, settings)
    if front is not None:
        _tell(account(front.stats(), front.kept_in if isinstance(front, Cache) else ""))
    leave(status)


def command_of(args: argparse.Namespace, name: str) -> list[str]:
    """What stands behind the `--`. Raises ConfigError where nothing does."""
    command: list[str] = args.cmd[1:] if args.cmd[:1] == ["--"] else args.cmd
    if not command:
        raise ConfigError(f"{name}: no command given", f"khazad-mitm {name} -- python app.py")
    return command


def behind_its_own(
    args: argparse.Namespace, command: Sequence[str], settings: Settings, front: Front | None = None
) -> tuple[int, Front | None]:
    """Run a command behind a proxy of its own: its exit status, and what the proxy has asked.

    That is `front`, where given, else what the settings say.
    """
    behind = upstream.of(os.environ)
    options = upstream.options(behind)
    if behind and not options:
        _tell("your proxy is of a kind that cannot be gone through; connecting without it")
    with proxying.proxy_extra("khazad-mitm run"):
        from khazad_mitm.proxy.engine import Engine, EngineThread

    flags.log_to_stderr()
    with tempfile.TemporaryDirectory(prefix="khazad-") as name:
        # mitmproxy trusts certifi's roots only, which lack those of a company.
        roots = Path(name) / "roots.pem"
        trust.write_bundle(os.environ, roots)
        options["ssl_verify_upstream_trusted_ca"] = str(roots)
        engine = Engine(
            settings,
            listen_port=0,
            confdir=args.confdir,
            extra_options=options,
            front=front,
            is_alone=True,
        )
        thread = EngineThread(engine)
        thread.start()
        try:
            url = f"http://127.0.0.1:{thread.port}"
            status = _spawned(command, url, engine.ca_path, {upstream.BEHIND: behind})
        finally:
            thread.stop()
    return status, engine.cache


def _behind_a_running_one(args: argparse.Namespace, command: Sequence[str]) -> int:
    ca = proxying.ca_path(args.confdir)
    if not ca.is_file():
        raise ConfigError(
            f"--confdir: there is no {ca}", "name the folder that the running proxy has"
        )
    statistics: Callable[[], Any] = lambda: magic.ask(args, "GET", "/stats")  # noqa: E731
    before = statistics()
    url = args.proxy if "//" in args.proxy else f"http://{args.proxy}"
    status = _spawned(command, url, ca, {})
    try:
        during: Stats | None = between(before, statistics())
    except ConfigError:
        during = None
    _tell(
        f"{url} has ended meanwhile"
        if during is None
        else f"{url}, for whoever uses it: {account(during)}"
    )
    return status


def _spawned(command: Sequence[str], url: str, ca: Path, more: Mapping[str, str]) -> int:
    with tempfile.TemporaryDirectory(prefix="khazad-") as name:
        files = certs.write_for_one(ca, Path(name), os.environ)
        return spawn(command, {**variables(os.environ, url, files), **more})


def quiet() -> dict[str, str]:
    return {} if "KHAZAD_LOG_LEVEL" in os.environ else {"log_level": "WARNING"}


def _tell(lines: str) -> None:
    for line in lines.splitlines():
        print(f"khazad: {line}", file=sys.stderr)
