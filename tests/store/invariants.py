"""What must hold of a namespace in Redis at any moment, whoever was killed in the middle."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import redis

from khazad_mitm.store import inventory
from khazad_mitm.store.keys import Keys


@dataclass(frozen=True)
class Namespace:
    """All that lies under a namespace, as a plain client sees it."""

    client: redis.Redis
    keys: Keys

    def names(self) -> set[str]:
        """Of every key but the secret, without what they all begin with."""
        found = self.client.scan_iter(self.keys.pattern, count=10_000)
        return {key.decode().removeprefix(self.keys.prefix) for key in found}

    def of(self, kind: str) -> set[str]:
        """What follows `kind:` in the names of keys."""
        return {name[2:] for name in self.names() if name.startswith(f"{kind}:")}

    def indexed(self, index: str) -> set[str]:
        return {id_.decode() for id_ in self.client.zrange(self.keys.prefix + index, 0, -1)}

    def lines(self) -> dict[str, bytes]:
        every = self.client.hgetall(self.keys.facts)
        return {id_.decode(): line for id_, line in every.items() if id_ != b"total"}

    def total(self) -> int:
        return int(self.client.hget(self.keys.facts, "total") or 0)

    def check(self, *, max_entries: int, max_bytes: int) -> None:
        """Nothing is half there, nothing is left over, the account is right."""
        kept = self.indexed("u")
        assert kept == self.indexed("x") == set(self.lines())
        # A body goes by itself when its time is over; all else goes at the next sweep.
        assert self.of("e") <= kept
        assert len(kept) <= max_entries
        facts = [inventory.read(id_.encode(), line) for id_, line in self.lines().items()]
        assert self.total() == sum(one.size_bytes for one in facts if one is not None)
        assert self.total() <= max_bytes

        links = {id_: self._members(f"l:{id_}") for id_ in self.of("l")}
        assert set(links) <= kept
        assert self.of("h") <= kept
        for kind in ("a", "p"):
            for digest in self.of(kind):
                target = (self.client.get(f"{self.keys.prefix}{kind}:{digest}") or b"").decode()
                # One that has just expired is no alias any more.
                if target:
                    assert f"{kind}:{digest}" in links[target.partition(":")[0]]
        placed: Counter[str] = Counter()
        for scope in self.of("v"):
            name = self.keys.vectors(scope)
            size = self.client.execute_command("VCARD", name)
            for id_ in self.client.execute_command("VRANDMEMBER", name, size) if size else ():
                placed[id_.decode()] += 1
                assert f"v:{scope}" in links[id_.decode()]
        assert all(count == 1 for count in placed.values())

    def _members(self, name: str) -> set[str]:
        return {link.decode() for link in self.client.smembers(self.keys.prefix + name)}
