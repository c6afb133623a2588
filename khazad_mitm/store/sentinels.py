"""One master, and sentinels who know which it is: `redis+sentinel://HOST:PORT,HOST:PORT/SERVICE`.

To `topology` this is a cluster of one node, whose place is told by others. As there, a master that
is gone, or is one no longer, is found out by asking anew, within the time of the call that met it.
Source: Redis documentation, "Guidelines for Redis clients with support for Redis Sentinel".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from redis.exceptions import ConnectionError

from khazad_mitm.errors import ConfigError
from khazad_mitm.store.cluster_url import ClusterURL, place
from khazad_mitm.store.topology import Address, Topology

DEFAULT_PORT = 26379
FORM = (
    "redis+sentinel://USER:PASSWORD@HOST:PORT,HOST:PORT/SERVICE/DB, or rediss+sentinel:// for TLS;"
    " the ports are those of the sentinels"
)
# What sentinels want to see where they want to see something. Their users are their own.
USER, PASSWORD = "sentinel_username=", "sentinel_password="


@dataclass(frozen=True, slots=True)
class SentinelURL(ClusterURL):
    """User, password, database and options are those of the master; options the sentinels' too."""

    service: str
    database: str
    """With the / before it, or nothing."""
    theirs: str
    """Credentials for the sentinels, with the @ behind them, or nothing."""

    @classmethod
    def read(cls, url: str) -> SentinelURL:
        """Raises ConfigError, which never shows a password."""
        scheme, _, rest = url.partition("+sentinel://")
        rest, _, query = rest.partition("?")
        # The last @ first: an unescaped password may hold any other sign.
        credentials, at, path = rest.rpartition("@")
        hosts, _, path = path.partition("/")
        service, slash, database = path.rstrip("/").partition("/")
        try:
            seeds = tuple(place(text, DEFAULT_PORT) for text in hosts.split(","))
            if not service or (slash and not database.isdecimal()):
                raise ValueError
        except ValueError:
            raise ConfigError(
                f"khazad_redis_url: {hosts + '/' + path!r} names no service of sentinels", FORM
            ) from None
        options = query.split("&") if query else []
        user, password = (
            next((one.removeprefix(name) for one in options if one.startswith(name)), "")
            for name in (USER, PASSWORD)
        )
        ours = "&".join(one for one in options if not one.startswith((USER, PASSWORD)))
        return cls(
            scheme=scheme,
            credentials=credentials + at,
            seeds=seeds,
            query="?" * bool(ours) + ours,
            service=service,
            database=slash + database,
            theirs=f"{user}:{password}@" if user or password else "",
        )

    def of(self, node: Address) -> str:
        """The URL of a sentinel, or else of a master."""
        is_sentinel = node in self.seeds
        credentials = self.theirs if is_sentinel else self.credentials
        database = "" if is_sentinel else self.database
        return self.at(credentials, node, database)

    @property
    def question(self) -> tuple[str, ...]:
        return ("SENTINEL", "GET-MASTER-ADDR-BY-NAME", self.service)


class Sentinels(Topology):
    """Thread-safe."""

    def __init__(self, url: SentinelURL) -> None:
        super().__init__(url.seeds)
        self.question = url.question
        # They are asked when something is wrong, and each of them may be what is wrong.
        self.most_asked = len(url.seeds)
        self._url = url
        self._master: Address | None = None

    def node(self, slot: int) -> Address:
        return self._nodes[0] if self._master is None else self._master

    @property
    def is_known(self) -> bool:
        return self._master is not None

    def to_ask(self) -> tuple[Address, ...]:
        return self._nodes

    def learn(self, told: Any, by: Address) -> Exception | None:
        if not told:
            return ConnectionError(f"the sentinel knows no master {self._url.service!r}")
        host, port = told
        with self._lock:
            self._master = (host.decode() if isinstance(host, bytes) else str(host), int(port))
            self.is_stale = False
        return None

    def failed(self, node: Address) -> None:
        with self._lock:
            if node in self._nodes:
                self._nodes = (*(one for one in self._nodes if one != node), node)
            self.is_stale = True
