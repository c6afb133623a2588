"""`khazad-mitm serve`: the proxy as a service, until it is interrupted."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from typing import Any

from khazad_mitm.cli import flags, proxying
from khazad_mitm.errors import ConfigError


def add_to(commands: Any) -> None:
    parser = commands.add_parser("serve", help="serve as a proxy until interrupted")
    parser.add_argument(
        "--listen",
        metavar="HOST:PORT",
        default="127.0.0.1:8080",
        help="address to listen on (default: 127.0.0.1:8080); port 0: any free one",
    )
    proxying.add_confdir(parser)
    flags.add_settings(parser)
    parser.set_defaults(command=serve)


def serve(args: argparse.Namespace) -> int:
    settings = flags.settings_of(args)
    host, port = _address(args.listen)
    with proxying.proxy_extra("khazad-mitm serve"):
        from khazad_mitm.proxy.engine import Engine

    flags.log_to_stderr()
    engine = Engine(settings, listen_host=host, listen_port=port, confdir=args.confdir)

    def ready(host: str, port: int) -> None:
        print(
            f"khazad-mitm listens on {host}:{port}\n"
            f"  export HTTPS_PROXY=http://{host}:{port} HTTP_PROXY=http://{host}:{port}\n"
            f"  and let your program trust {engine.ca_path}",
            file=sys.stderr,
            flush=True,
        )

    async def until_told() -> None:
        loop = asyncio.get_running_loop()
        for told in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(told, engine.shutdown)
        await engine.run(ready)

    try:
        asyncio.run(until_told())
    except OSError as error:
        raise ConfigError(
            f"--listen: {args.listen} cannot be had ({error.strerror or error})",
            "another program may listen there; take another port, or 0 for any free one",
        ) from error
    return 0


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise ConfigError(f"--listen: {text!r} is not HOST:PORT", "for example 127.0.0.1:8080")
    return host.strip("[]") or "127.0.0.1", int(port)
