"""What a store keeps, as other programs see it that speak to its server, or to its cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import redis

from khazad_mitm.store.redis_store import RedisStore
from tests.clusters import Cluster
from tests.servers import RedisServer


class Behind:
    """Plain clients."""

    def __init__(self, nodes: list[redis.Redis], at: Callable[[str], redis.Redis]) -> None:
        self.nodes = nodes
        """Of all that holds something: one server, or the masters."""
        self.at = at
        """at(key): the one that has this key."""

    def copy(self, name: str, to: str) -> None:
        """Also from slot to slot."""
        content = self.at(name).dump(name)
        assert content is not None
        self.at(to).restore(to, 0, content, replace=True)

    def raw(self, store: RedisStore) -> bytes:
        """All that a reader sees of a namespace, names and values."""
        found = [store.space.keys.secret]
        for keys in store.space.buckets:
            found += [name.decode() for name in self.at(keys.expiry).scan_iter(keys.pattern)]
        dumped = (self.at(name).dump(name) or b"" for name in found)
        return "\n".join(found).encode() + b"\n".join(dumped)


@contextmanager
def behind(server: RedisServer | Cluster) -> Iterator[Behind]:
    with ExitStack() as stack:
        if isinstance(server, RedisServer):
            client = stack.enter_context(server.client())
            yield Behind([client], lambda key: client)
        else:
            masters = server.masters()
            clients = {node.port: stack.enter_context(node.client()) for node in masters}
            ports: dict[str, int] = {}

            def at(key: str) -> redis.Redis:
                # What lies in one slot is asked for once.
                tag = key[: key.find("}")] if key.startswith("{") else key
                return clients[ports.setdefault(tag, server.serving(key).port)]

            yield Behind(list(clients.values()), at)
