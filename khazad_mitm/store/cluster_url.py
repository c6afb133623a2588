"""The URL of a cluster: `redis+cluster://USER:PASSWORD@HOST:PORT,HOST:PORT?OPTIONS`.

Any of its nodes will do; several are named so that one may be away at the start. User, password and
options are those of every node.
"""

from __future__ import annotations

from dataclasses import dataclass

from khazad_mitm.errors import ConfigError

DEFAULT_PORT = 6379
FORM = "redis+cluster://USER:PASSWORD@HOST:PORT,HOST:PORT, or rediss+cluster:// for TLS"


@dataclass(frozen=True, slots=True)
class ClusterURL:
    scheme: str
    """Of each node's own URL: `redis` or `rediss`."""
    credentials: str
    """With the @ behind them, or nothing."""
    seeds: tuple[tuple[str, int], ...]
    query: str
    """With the ? before it, or nothing."""

    @classmethod
    def read(cls, url: str) -> ClusterURL:
        """Raises ConfigError, which never shows a password."""
        scheme, _, rest = url.partition("+cluster://")
        rest, mark, query = rest.partition("?")
        # The last @ first: an unescaped password may hold any other sign.
        credentials, at, places = rest.rpartition("@")
        try:
            seeds = tuple(place(text, DEFAULT_PORT) for text in places.strip("/").split(","))
        except ValueError:
            raise ConfigError(
                f"khazad_redis_url: {places!r} names no nodes of a cluster", FORM
            ) from None
        return cls(scheme, credentials + at, seeds, mark + query)

    def of(self, node: tuple[str, int]) -> str:
        """The URL of one node."""
        return self.at(self.credentials, node, "")

    def at(self, credentials: str, node: tuple[str, int], path: str) -> str:
        host = f"[{node[0]}]" if ":" in node[0] else node[0]
        return f"{self.scheme}://{credentials}{host}:{node[1]}{path}{self.query}"


def place(text: str, default_port: int) -> tuple[str, int]:
    """Host and port. Raises ValueError."""
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        port = rest.lstrip(":")
    else:
        host, _, port = text.partition(":")
    if not host:
        raise ValueError
    return host, int(port or default_port)
