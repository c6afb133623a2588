"""No connection leaves the machine: for tests that must not, whatever they call."""

from __future__ import annotations

import ipaddress
import socket
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest


class Blocked(RuntimeError):
    """A test wanted to reach something else than loopback."""


def block(patch: pytest.MonkeyPatch) -> None:
    """Refuse every connection of this process but those to loopback and to files."""
    for name in ("connect", "connect_ex"):
        original = getattr(socket.socket, name)
        patch.setattr(socket.socket, name, _refusing(original))


def _refusing(original: Any) -> Any:
    def connect(self: socket.socket, address: Any) -> Any:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_loopback(address[0]):
            raise Blocked(f"--khazad-block-network: {address[0]} may not be reached")
        return original(self, address)

    return connect


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False
