"""Keeps the process that runs the tests on its own machine.

`socket.socket` is wrapped, and the look-up of names, which is traffic too. What an extension
module or a child process does is out of reach.
"""

from __future__ import annotations

import socket
from ipaddress import ip_address
from typing import Any


class NetworkRefused(Exception):
    """A test tried to leave the machine."""


# Kept as well as raised: code under test may well survive a failed connection.
refused: list[object] = []


def install() -> None:
    socket.socket.connect = _guarded(socket.socket.connect)  # type: ignore[method-assign]
    socket.socket.connect_ex = _guarded(socket.socket.connect_ex)  # type: ignore[method-assign]
    socket.getaddrinfo = _guarded_lookup(socket.getaddrinfo)


def is_loopback(host: str | bytes | None) -> bool:
    """None and "" stand for the machine itself; of names, only `localhost` is known to."""
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    if host in (None, "", "localhost"):
        return True
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return False
    # A listener is bound to the unspecified address, which goes nowhere.
    return address.is_loopback or address.is_unspecified


def _guarded(connect: Any) -> Any:
    def guarded(self: socket.socket, address: Any) -> Any:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not is_loopback(address[0]):
            _refuse(address)
        return connect(self, address)

    return guarded


def _guarded_lookup(getaddrinfo: Any) -> Any:
    def guarded(host: str | bytes | None, *args: Any, **kwargs: Any) -> Any:
        if not is_loopback(host):
            _refuse(host)
        return getaddrinfo(host, *args, **kwargs)

    return guarded


def _refuse(address: object) -> None:
    refused.append(address)
    raise NetworkRefused(f"{address}: tests reach loopback only")
