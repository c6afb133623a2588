"""A namespace as one process knows it: its buckets, its bounds, what it has lately seen.

The bounds are those of the whole namespace. On a single server that is its one bucket. In a cluster
each bucket is bounded by itself, since a script sees no other; how much of the whole is each one's
follows from what all of them hold, which is asked for now and then: what is free is free for
whoever writes, and where there is too much of all, each gives its share.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from khazad_mitm.store import scripts
from khazad_mitm.store.keys import Keys
from khazad_mitm.store.namespace import kept_secret
from khazad_mitm.store.seal import Seal
from khazad_mitm.store.trips import Program, RedisCommand, call_each, checked

# Entries removed per write, expired or over the cap: each write adds one, so any backlog shrinks.
REMOVALS_PER_PUT = 16
# Where bytes are to be freed. Taking a vector out of a set of 4,000 holds the server for 0.15 ms,
# all else of an entry for 0.01 ms.
EVICTIONS_PER_PUT = 64
# A touch is a write, and with AOF every write costs the reader behind it 50 us: one per entry and
# process in this time keeps the order of last use true to ten seconds.
TOUCH_EVERY_MS = 10_000
MOST_TOUCHED = 10_000
# In a cluster: how old what is known of all buckets may be when something is written.
SURVEY_EVERY_MS = 5_000
# And how much of the whole, one in so many, is kept free for buckets that are new.
ROOM = 20


@dataclass(slots=True)
class Space:
    buckets: tuple[Keys, ...]
    max_entries: int
    max_bytes: int
    secret: bytes | None = None
    """Once known, every write puts it back where it was lost."""
    seal: Seal | None = None
    """What entries are sealed with; None: they lie in the clear."""
    large: set[str] = field(default_factory=set)
    """Scopes last seen as large (`vectorset`)."""
    touched: dict[str, int] = field(default_factory=dict)
    """When this process last touched an entry, Unix milliseconds."""
    held: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Entries and bytes of each bucket, by its prefix, when they were last asked for."""
    surveyed_at_ms: int = 0

    @property
    def keys(self) -> Keys:
        """Of the first bucket; on a single server there is no other."""
        return self.buckets[0]

    def at(self, digest: str) -> Keys:
        """The bucket of an id or a digest."""
        if len(self.buckets) == 1:
            return self.buckets[0]
        try:
            number = int(digest[:4], 16)
        except ValueError:
            # No digest of ours: it is to be found again, no more.
            number = 0
        return self.buckets[number % len(self.buckets)]

    def bounds(self, keys: Keys) -> tuple[int, int, int, int]:
        """Most entries, most bytes, removals and evictions per write: what scripts sweep by."""
        entries, size = self.held.get(keys.prefix, (0, 0))
        most_entries = self._share(
            self.max_entries, entries, [one for one, _ in self.held.values()]
        )
        most_bytes = self._share(self.max_bytes, size, [one for _, one in self.held.values()])
        return (most_entries, most_bytes, REMOVALS_PER_PUT, EVICTIONS_PER_PUT)

    def _share(self, most: int, own: int, all_: Sequence[int]) -> int:
        """How much of `most` is for a bucket that holds `own`."""
        held = sum(all_)
        if not held:
            return most
        share = own + most - held if held <= most else own * most // held
        # One that holds nothing yet shall not be kept out by those that hold all.
        return max(share, most // (4 * len(self.buckets)), 1)

    def survey(self, now_ms: int) -> Program[None]:
        """Ask how much each bucket holds, where there are several and it is time to, and sweep
        them: those that nobody writes to would keep what has expired, and keep others out."""
        if len(self.buckets) == 1 or now_ms - self.surveyed_at_ms < SURVEY_EVERY_MS:
            return
        self.surveyed_at_ms = now_ms
        counts = yield [("ZCARD", keys.use) for keys in self.buckets]
        sizes = yield [("HGET", keys.facts, "total") for keys in self.buckets]
        used = yield [("ZRANGE", keys.use, 0, 0, "WITHSCORES") for keys in self.buckets]
        self.held = {
            keys.prefix: (int(checked(count)), int(checked(size) or 0))
            for keys, count, size in zip(self.buckets, counts, sizes, strict=True)
        }
        since = {
            keys: float(checked(found)[1])
            for keys, found in zip(self.buckets, used, strict=True)
            if checked(found)
        }
        bounds = {keys: self.bounds(keys) for keys in since}
        if since:
            # What nobody has used for longest makes room, wherever it lies.
            oldest = min(since, key=lambda keys: since[keys])
            bounds[oldest] = self._with_room(oldest)
        secret: list[RedisCommand] = []
        if self.secret is not None:
            secret.append(("SET", self.keys.secret, kept_secret(self.secret, self.seal), "NX"))
        sweeps = [((keys.expiry,), bound) for keys, bound in bounds.items()]
        yield from call_each(scripts.SWEEP, sweeps, secret)

    def _with_room(self, keys: Keys) -> tuple[int, int, int, int]:
        """Bounds of a bucket that leave some room in the whole."""
        entries, size = self.held[keys.prefix]
        over = [
            sum(held) - most + most // ROOM
            for held, most in zip(
                zip(*self.held.values(), strict=True),
                (self.max_entries, self.max_bytes),
                strict=True,
            )
        ]
        most_entries, most_bytes = entries - max(0, over[0]), size - max(0, over[1])
        return (max(0, most_entries), max(0, most_bytes), EVICTIONS_PER_PUT, EVICTIONS_PER_PUT)

    def touch(self, now_ms: int, *ids: str) -> list[RedisCommand]:
        """The commands that count this as a use of the entries; none where some were just sent."""
        before = now_ms - TOUCH_EVERY_MS
        due = [id_ for id_ in ids if self.touched.get(id_, before) <= before]
        if not due:
            return []
        if len(self.touched) >= MOST_TOUCHED:
            self.touched.clear()
        self.touched.update(dict.fromkeys(due, now_ms))
        used: dict[str, list[str | int]] = {}
        for id_ in due:
            used.setdefault(self.at(id_).use, []).extend((now_ms, id_))
        return [("ZADD", name, "XX", *pairs) for name, pairs in used.items()]
