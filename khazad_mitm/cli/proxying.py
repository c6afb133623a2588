"""What the commands that start a proxy share."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from khazad_mitm.errors import MissingExtra


def add_confdir(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--confdir",
        metavar="DIR",
        default="~/.mitmproxy",
        help="where the certificate authority lies (default: ~/.mitmproxy, as mitmproxy's)",
    )


def ca_path(confdir: str | Path) -> Path:
    """The certificate of the authority in that folder; mitmproxy's name for it."""
    return Path(confdir).expanduser() / "mitmproxy-ca-cert.pem"


@contextmanager
def proxy_extra(command: str) -> Iterator[None]:
    """Around an import of the engine: MissingExtra where mitmproxy is not installed."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("mitmproxy", "cryptography"):
            raise
        raise MissingExtra(command, "proxy") from None
