"""What the commands that start a proxy share."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from khazad_mitm.errors import ConfigError, MissingExtra

AUTH_VARIABLE = "KHAZAD_PROXY_AUTH"


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


def add_admission(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--proxy-auth",
        metavar="USER:PASSWORD",
        help="demand this of whoever uses the proxy, or @FILE: a name and a password of an htpasswd"
        f" file; {AUTH_VARIABLE} in the environment keeps it out of the list of processes",
    )
    parser.add_argument(
        "--open",
        action="store_true",
        help="let anybody use the proxy who reaches it, on an address other than loopback",
    )
    parser.add_argument(
        "--allow-private",
        action="store_true",
        help="let callers from elsewhere into private networks too, not only to `hosts` and to what"
        " --provider names",
    )


def authentication(args: argparse.Namespace) -> dict[str, str]:
    """mitmproxy's option for it, or none. Raises ConfigError for what cannot be one."""
    wanted = args.proxy_auth or os.environ.get(AUTH_VARIABLE)
    if not wanted:
        return {}
    user, colon, password = wanted.partition(":")
    if not wanted.startswith("@") and not (user and colon and password and ":" not in password):
        # Nothing of it is repeated: it may be a password.
        raise ConfigError(
            "--proxy-auth: is neither USER:PASSWORD nor @FILE",
            "neither of the two may be empty or have a colon in it",
        )
    return {"proxyauth": wanted}


@contextmanager
def proxy_extra(command: str) -> Iterator[None]:
    """Around an import of the engine: MissingExtra where mitmproxy is not installed."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("mitmproxy", "cryptography"):
            raise
        raise MissingExtra(command, "proxy") from None
