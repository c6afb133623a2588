"""`khazad-mitm env`: the variables for a proxy that runs, to be evaluated by a shell."""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from khazad_mitm.cli import certs, magic, proxying, shells
from khazad_mitm.cli.environment import Files, variables
from khazad_mitm.wire import base_urls

# Where a container sees the folder of certificates, and the machine it runs on.
MOUNTED = PurePosixPath("/khazad")
MACHINE = "host.docker.internal"


def add_to(commands: Any) -> None:
    parser = commands.add_parser(
        "env", help='print the variables for a running proxy: eval "$(khazad-mitm env)"'
    )
    magic.add_proxy(parser)
    proxying.add_confdir(parser)
    words = parser.add_mutually_exclusive_group()
    words.add_argument("--shell", choices=shells.SHELLS, help="whose words (default: by SHELL)")
    words.add_argument("--docker", action="store_true", help="flags for docker run")
    words.add_argument(
        "--github-actions", action="store_true", help='lines to append to "$GITHUB_ENV"'
    )
    parser.add_argument(
        "--reverse",
        action="store_true",
        help="base URLs, by which SDKs reach the proxy as their provider, without a certificate",
    )
    parser.set_defaults(command=env)


def env(args: argparse.Namespace) -> int:
    if args.reverse:
        return _tell(_base_urls(args))
    with proxying.proxy_extra("khazad-mitm env"):
        from khazad_mitm.proxy import authority

    confdir = Path(args.confdir).expanduser()
    files = certs.write(authority.ensure(confdir), confdir / "khazad")
    url = _proxy(args)
    if args.docker:
        return _tell(_for_docker(url, files))
    told = _changed(variables(os.environ, url, files))
    if args.github_actions:
        print(
            "note: GitHub takes no NODE_OPTIONS; before Node 24.5 set it in a step", file=sys.stderr
        )
        return _tell(shells.github_actions(told))
    return _tell(shells.SHELLS[args.shell or shells.shell_of(os.environ)](told))


def _base_urls(args: argparse.Namespace) -> list[str]:
    """The address as it was given: where from it will be called, nobody knows here."""
    told = base_urls.variables(base_urls.BASE_URLS, _proxy(args))
    if args.docker:
        return shells.docker(told)
    if args.github_actions:
        return shells.github_actions(told)
    return shells.SHELLS[args.shell or shells.shell_of(os.environ)](told)


def _proxy(args: argparse.Namespace) -> str:
    url = str(args.proxy or os.environ.get("KHAZAD_PROXY") or magic.DEFAULT_PROXY)
    return url if "//" in url else f"http://{url}"


def _changed(told: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in sorted(told.items()) if os.environ.get(name) != value}


def _for_docker(url: str, files: Files) -> list[str]:
    folder = files.bundle.parent
    inside = replace(
        files,
        bundle=MOUNTED / files.bundle.name,
        java_store=files.java_store and MOUNTED / files.java_store.name,
        preload=files.preload and MOUNTED / files.preload.name,
    )
    parts = urlsplit(url)
    if parts.hostname in ("127.0.0.1", "localhost", "::1"):
        print(
            "note: a container reaches a proxy that listens on an address of the bridge"
            " (serve --listen 172.17.0.1:8080), or on 127.0.0.1 with `--network host`"
            f" and {url} in place of {MACHINE}",
            file=sys.stderr,
        )
        url = urlunsplit(parts._replace(netloc=f"{MACHINE}:{parts.port or 8080}"))
    flags = [f"--add-host {MACHINE}:host-gateway", f"-v {folder}:{MOUNTED}:ro"]
    # What this shell has is not what the container has.
    return flags + shells.docker(variables({}, url, inside))


def _tell(lines: list[str]) -> int:
    print("\n".join(lines))
    return 0
