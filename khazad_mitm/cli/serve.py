"""`khazad-mitm serve`: the proxy as a service, until it is told to end."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from khazad_mitm.cli import flags, proxying, trust, workers
from khazad_mitm.cli.lines import Line
from khazad_mitm.errors import ConfigError
from khazad_mitm.settings import MODES

DEFAULT_GRACE_S = 30


def add_to(commands: Any) -> None:
    parser = commands.add_parser("serve", help="serve as a proxy until told to end")
    parser.add_argument(
        "--listen",
        metavar="HOST:PORT",
        default="127.0.0.1:8080",
        help="address to listen on (default: 127.0.0.1:8080); port 0: any free one",
    )
    parser.add_argument(
        "--mode",
        metavar="MODE",
        action="append",
        default=[],
        help="how to be reached: regular (default), socks5, upstream:http://HOST:PORT (through"
        " another proxy), reverse (a base URL for every provider) or reverse:https://HOST, each"
        f" with an optional @[HOST:]PORT; or the cache's setting, one of {', '.join(MODES)}; may be"
        " given several times",
    )
    parser.add_argument(
        "--provider",
        metavar="NAME=URL",
        action="append",
        help="another provider to be asked as http://HOST:PORT/NAME/, or another URL for one:"
        " ollama=http://gpu:11434; may be given several times",
    )
    parser.add_argument(
        "--workers",
        metavar="N",
        type=int,
        default=1,
        help="processes that share the port, and the store (default: 1; Linux)",
    )
    parser.add_argument(
        "--grace",
        metavar="SECONDS",
        type=int,
        default=DEFAULT_GRACE_S,
        help=f"at the end, wait so long for what goes on (default: {DEFAULT_GRACE_S}); told again,"
        " it ends at once",
    )
    parser.add_argument(
        "--upstream-ca",
        metavar="FILE",
        action="append",
        default=[],
        help="trust the authorities of this PEM file upstream too, beside those of the system and"
        " of SSL_CERT_FILE; may be given several times",
    )
    parser.add_argument(
        "--set",
        metavar="NAME=VALUE",
        action="append",
        help="an option of mitmproxy's: http2=false; may be given several times",
    )
    proxying.add_admission(parser)
    proxying.add_confdir(parser)
    flags.add_settings(parser, but=("mode",))
    parser.add_argument("--worker", type=int, help=argparse.SUPPRESS)
    parser.set_defaults(command=serve)


def serve(args: argparse.Namespace) -> int:
    # Two things are called a mode; no value is of both.
    args.khazad_mode = next((mode for mode in args.mode[::-1] if mode in MODES), None)
    modes = [mode for mode in args.mode if mode not in MODES] or ["regular"]
    settings = flags.settings_of(args)
    host, port = _address(args.listen)
    if args.grace < 0:
        raise ConfigError(f"--grace: {args.grace} is not a number of seconds", "0: end at once")
    authorities = trust.authorities("--upstream-ca", args.upstream_ca)
    if args.worker is None and args.workers != 1:
        workers.check(args.workers, port, settings)
        flags.log_to_stderr()
        ca = Path(args.confdir).expanduser() / "mitmproxy-ca-cert.pem"
        return asyncio.run(workers.supervise(args.argv, args.workers, ca, _tell))
    with proxying.proxy_extra("khazad-mitm serve"):
        from khazad_mitm.proxy.engine import Engine

    flags.log_to_stderr()
    line = None if args.worker is None else Line(args.worker)
    with tempfile.TemporaryDirectory(prefix="khazad-") as folder:
        # mitmproxy trusts certifi's roots only, which lack those of a company.
        roots = Path(folder) / "roots.pem"
        trust.write_bundle(os.environ, roots, *authorities)
        options = proxying.authentication(args)
        options["ssl_verify_upstream_trusted_ca"] = str(roots)
        engine = Engine(
            settings,
            listen_host=host,
            listen_port=port,
            modes=modes,
            providers=_pairs("--provider", args.provider, "ollama=http://gpu:11434"),
            shares_port=line is not None,
            team=line,
            is_alone=True,
            confdir=args.confdir,
            extra_options=options,
            given_options=args.set or (),
            is_open=args.open,
            reaches_private=args.allow_private,
        )
        try:
            asyncio.run(_until_told(engine, args.grace, line))
        except OSError as error:
            raise ConfigError(
                f"--listen: {args.listen} cannot be had ({error.strerror or error})",
                "another program may listen there; take another port, or 0 for any free one",
            ) from error
    return 0


async def _until_told(engine: Any, grace_s: int, line: Line | None) -> None:
    loop = asyncio.get_running_loop()
    endings = []

    def end() -> None:
        endings.append(loop.create_task(engine.end(grace_s)))

    for told in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(told, end)

    def ready(_host: str, _port: int) -> None:
        if line is None:
            _tell(engine.listens, str(engine.ca_path))
        else:
            line.open(engine.listens, engine.say, end)

    await engine.run(ready)


def _tell(listens: Sequence[tuple[str, str, int]], ca: str) -> None:
    """Where to point programs."""
    lines = []
    for mode, host, port in listens:
        address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        lines.append(f"khazad-mitm listens on {address}" + (f" ({mode})" if mode else ""))
        match mode.partition(":")[0]:
            case "regular" | "upstream":
                url = f"http://{address}"
                lines.append(f"  export HTTPS_PROXY={url} HTTP_PROXY={url}")
                lines.append(f"  and let your program trust {ca}")
                lines.append(f"  or, without a certificate: OPENAI_BASE_URL={url}/openai/v1")
            case "socks5":
                lines.append(f"  export ALL_PROXY=socks5h://{address}")
                lines.append(f"  and let your program trust {ca}")
            case "reverse" if mode == "reverse":
                lines.append(f"  export OPENAI_BASE_URL=http://{address}/openai/v1")
    print("\n".join(lines), file=sys.stderr, flush=True)


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise ConfigError(f"--listen: {text!r} is not HOST:PORT", "for example 127.0.0.1:8080")
    return host.strip("[]") or "127.0.0.1", int(port)


def _pairs(flag: str, given: Sequence[str] | None, example: str) -> dict[str, str]:
    pairs = {}
    for text in given or ():
        name, _, url = text.partition("=")
        if not name.isidentifier() or not url.startswith(("http://", "https://")):
            raise ConfigError(f"{flag}: {text!r} is not NAME=URL", f"for example {example}")
        pairs[name] = url
    return pairs
