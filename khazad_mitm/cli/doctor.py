"""`khazad-mitm doctor`: what would keep the cache from working here, and how to mend it.

One function a check, which gives what it found; what it raises is what is wrong. Nothing is changed
but that folders and the embedded server come to be, as at any start.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from khazad_mitm import installed
from khazad_mitm.cli import flags, proxying, surroundings
from khazad_mitm.errors import ConfigError, KhazadError, MissingExtra
from khazad_mitm.settings import Settings

Check = Callable[[Settings, argparse.Namespace], str]


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check came to."""

    check: str
    ok: bool
    found: str
    hint: str = ""


def add_to(commands: Any) -> None:
    parser = commands.add_parser("doctor", help="say what would keep the cache from working here")
    parser.add_argument("--json", action="store_true", help="as JSON, for scripts")
    parser.add_argument(
        "--quick", action="store_true", help="make no calls with the clients of this machine"
    )
    proxying.add_confdir(parser)
    flags.add_settings(parser)
    parser.set_defaults(command=doctor)


def doctor(args: argparse.Namespace) -> int:
    settings = flags.settings_of(args, log_level="ERROR")
    findings = [_finding(name, check, settings, args) for name, check in CHECKS.items()]
    if not args.quick:
        findings += _clients(args)
    if args.json:
        print(json.dumps([asdict(finding) for finding in findings]))
    else:
        for finding in findings:
            print(f"{'ok' if finding.ok else 'WRONG':6} {finding.check:22} {finding.found}")
            if finding.hint:
                print(f"{'':29} hint: {finding.hint}")
    return 0 if all(finding.ok for finding in findings) else 1


def _finding(name: str, check: Check, settings: Settings, args: argparse.Namespace) -> Finding:
    try:
        return Finding(name, True, check(settings, args))
    except KhazadError as error:
        found, _, hint = str(error).partition("\n\nhint: ")
    except Exception as error:  # an edge: what stops one check is a finding, not the end
        found, hint = f"{type(error).__name__}: {error}", ""
    return Finding(name, False, found.replace("\n", " "), hint)


def import_name(_settings: Settings, _args: argparse.Namespace) -> str:
    """Is `import khazad` ours, and nobody else's?"""
    rivals = installed.rivals()
    if rivals:
        raise ConfigError(*installed.complaint(rivals).split("\n\nhint: "))
    stranger = installed.stranger()
    if stranger:
        raise ConfigError(
            f"`import khazad` finds {stranger}, which is not khazad-mitm's",
            "pip install --force-reinstall --no-deps khazad-mitm; and name no file of yours khazad",
        )
    return "`import khazad` is khazad-mitm's"


def store(settings: Settings, _args: argparse.Namespace) -> str:
    """Does the store answer, and has it Vector Sets?"""
    from khazad_mitm.store.connect import Bounds, connect
    from khazad_mitm.store.seal_keys import seal_of

    bounds = Bounds(settings.max_entries, settings.max_bytes)
    seal = seal_of(settings.encryption_key_file, settings.namespace)
    stores = connect(
        settings.redis_url, settings.namespace, deadline_s=5.0, bounds=bounds, seal=seal
    )
    try:
        held = stores.sync.count()
    finally:
        stores.sync.close()
    sealed = "" if seal is None else ", encrypted"
    return f"{stores.url}, {held} answers in namespace {settings.namespace}{sealed}"


def model(settings: Settings, _args: argparse.Namespace) -> str:
    """Is the embedding model there, and does it work?"""
    from khazad_mitm.embed.choose import choose

    if settings.mode in ("exact", "off"):
        return f"none needed: mode is {settings.mode}"
    if settings.store_prompts == "off":
        return "none needed: store_prompts is off"
    embedder = choose(settings.embedder, settings.embedding_model)
    if settings.embedder == "openai":
        # Whether the key is accepted would cost money to find out.
        return f"{embedder.model}, not asked"
    embedder.load()
    vector = embedder.embed_if_fits("What is the capital of Italy?")
    return f"{embedder.model}, {0 if vector is None else len(vector)} dimensions"


def folders(settings: Settings, args: argparse.Namespace) -> str:
    """Can what has to be written be written?"""
    wanted = [Path(args.confdir).expanduser()]
    if settings.redis_url in ("auto", "embedded") and sys.platform != "win32":
        from khazad_mitm.store.embedded_files import data_directory

        wanted.append(data_directory())
    for folder in wanted:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                pass
        except OSError as error:
            raise ConfigError(
                f"{folder} cannot be written to: {error.strerror}",
                "mend its owner or mode; --confdir and XDG_DATA_HOME name other folders",
            ) from error
    return ", ".join(map(str, wanted))


def port(_settings: Settings, _args: argparse.Namespace) -> str:
    """Is the port of `serve` to be had?"""
    return surroundings.port()


def clock(_settings: Settings, args: argparse.Namespace) -> str:
    """Does the clock fit our certificates?"""
    return surroundings.clock(Path(args.confdir))


def other_proxy(_settings: Settings, _args: argparse.Namespace) -> str:
    """Is there a proxy before ours, and can it be gone through?"""
    return surroundings.before_us()


def _clients(args: argparse.Namespace) -> list[Finding]:
    """A finding for every client of this machine, after real calls."""
    from khazad_mitm.cli import clients

    try:
        with proxying.proxy_extra("khazad-mitm doctor"):
            tried = clients.try_all(Path(args.confdir).expanduser())
    except MissingExtra as error:
        return [Finding("clients", True, f"not tried: {error}")]
    except Exception as error:  # an edge, as above
        return [Finding("clients", False, f"{type(error).__name__}: {error}")]
    return [Finding(one.client.name, one.is_right, *clients.told(one, os.environ)) for one in tried]


CHECKS: dict[str, Check] = {
    "import name": import_name,
    "store": store,
    "model": model,
    "folders": folders,
    "port": port,
    "clock": clock,
    "proxy before ours": other_proxy,
}
