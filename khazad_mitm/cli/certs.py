"""`khazad-mitm certs`: what programs have to trust, as files; and the system's store, if asked to.

The files lie beside the authority, in its folder `khazad`. The system's store is touched by
`--install` and `--remove` only, and on Linux only: elsewhere a person should see what is asked.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from khazad_mitm.cli import proxying, trust
from khazad_mitm.cli.environment import JAVA_STORE_NAME, PRELOAD, Files
from khazad_mitm.errors import ConfigError

INSTALLED_NAME = "khazad-mitm.crt"


@dataclass(frozen=True, slots=True)
class Anchor:
    """Where a system keeps authorities that were added, and what makes it notice."""

    folder: Path
    refresh: tuple[str, ...]


ANCHORS = (
    Anchor(Path("/usr/local/share/ca-certificates"), ("update-ca-certificates",)),  # Debian, Alpine
    Anchor(Path("/etc/pki/ca-trust/source/anchors"), ("update-ca-trust", "extract")),  # Fedora
    Anchor(Path("/etc/ca-certificates/trust-source/anchors"), ("trust", "extract-compat")),  # Arch
    Anchor(Path("/usr/share/pki/trust/anchors"), ("update-ca-certificates",)),  # SUSE
)


def add_to(commands: Any) -> None:
    parser = commands.add_parser(
        "certs", help="write what programs have to trust, and say where it is"
    )
    proxying.add_confdir(parser)
    parser.add_argument("--out", metavar="DIR", help="write there (default: CONFDIR/khazad)")
    system = parser.add_mutually_exclusive_group()
    system.add_argument(
        "--install", action="store_true", help="let the whole system trust the authority"
    )
    system.add_argument("--remove", action="store_true", help="undo --install")
    parser.set_defaults(command=certs)


def certs(args: argparse.Namespace) -> int:
    with proxying.proxy_extra("khazad-mitm certs"):
        from khazad_mitm.proxy import authority

    confdir = Path(args.confdir).expanduser()
    if args.remove:
        return remove(anchor())
    ca = authority.ensure(confdir)
    for secret in authority.secrets(confdir):
        if secret.exists():
            secret.chmod(0o600)
    if args.install:
        return install(anchor(), ca)
    files = write(ca, Path(args.out) if args.out else confdir / "khazad")
    print(f"authority         {ca}")
    print(f"bundle            {files.bundle}")
    print(f"java trust store  {files.java_store} (password {trust.STORE_PASSWORD})")
    print(f"node preload      {files.preload}")
    return 0


def write(ca: Path, folder: Path) -> Files:
    """The files that variables point to, all in one folder, so that a container can mount it."""
    folder.mkdir(parents=True, exist_ok=True)
    bundle, java_store = folder / "ca-bundle.pem", folder / JAVA_STORE_NAME
    trust.write_bundle(_without(os.environ, folder), bundle, ca)
    trust.write_java_store(bundle, java_store)
    return Files(bundle, java_store, Path(shutil.copy(PRELOAD, folder)))


def write_for_one(ca: Path, folder: Path, environ: Mapping[str, str]) -> Files:
    """The same for one command, in a folder that is its own."""
    bundle, java_store, settings = (
        folder / name for name in ("ca-bundle.pem", JAVA_STORE_NAME, "wgetrc")
    )
    trust.write_bundle(environ, bundle, ca)
    trust.write_java_store(bundle, java_store)
    trust.write_wget_settings(environ, bundle, settings)
    return Files(bundle, java_store, wget_settings=settings)


def _without(environ: Any, folder: Path) -> dict[str, str]:
    """A bundle of ours is not among the roots that were there before us."""
    return {name: value for name, value in environ.items() if Path(value).parent != folder}


def anchor() -> Anchor:
    """This system's. Raises ConfigError where we know of none."""
    for known in ANCHORS:
        if known.folder.is_dir() and shutil.which(known.refresh[0]):
            return known
    raise ConfigError(
        "certs: no way is known to add an authority to this system's store",
        "certs/README.md says what to do by hand; a variable is enough for most programs",
    )


def install(where: Anchor, ca: Path) -> int:
    target = where.folder / INSTALLED_NAME
    try:
        shutil.copyfile(ca, target)
        target.chmod(0o644)
    except OSError as error:
        raise ConfigError(f"certs: {target}: {error.strerror}", "it takes root: sudo") from error
    print(f"every program of this system now trusts {target}", file=sys.stderr)
    return _refreshed(where)


def remove(where: Anchor) -> int:
    target = where.folder / INSTALLED_NAME
    try:
        target.unlink()
    except FileNotFoundError:
        print(f"there is no {target}", file=sys.stderr)
        return 0
    except OSError as error:
        raise ConfigError(f"certs: {target}: {error.strerror}", "it takes root: sudo") from error
    print(f"{target} is gone", file=sys.stderr)
    return _refreshed(where)


def _refreshed(where: Anchor) -> int:
    done = subprocess.run(where.refresh, stdout=subprocess.DEVNULL, check=False)  # noqa: S603
    return done.returncode
