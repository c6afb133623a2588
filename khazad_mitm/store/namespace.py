"""A namespace as a whole: its secret, how many entries it has, and emptying it.

Programs like those of `vectorset`; run rarely, at start-up or by hand.
"""

from __future__ import annotations

from collections.abc import Sequence

from khazad_mitm.store.keys import Keys
from khazad_mitm.store.trips import Program, RedisCommand, checked

# Keys looked at per trip. The server looks at this many before it serves anyone else: 0.3 ms.
SCANNED = 1_000


def secret_of(keys: Keys, fresh: bytes) -> Program[bytes]:
    """The secret in the store, which is `fresh` where there was none."""
    made, found = yield [("SET", keys.secret, fresh, "NX"), ("GET", keys.secret)]
    if found is None:
        # Not even made: the server is full, and says so.
        checked(made)
    secret: bytes = checked(found)
    return secret


def count_live(buckets: Sequence[Keys], now_ms: int) -> Program[int]:
    counts = yield [("ZCOUNT", keys.expiry, f"({now_ms}", "+inf") for keys in buckets]
    return sum(map(int, map(checked, counts)))


def clear(buckets: Sequence[Keys]) -> Program[int]:
    """Remove every key but the secret; returns how many were entries."""
    removed = 0
    for keys in buckets:
        removed += yield from _clear(keys)
    return removed


def _clear(keys: Keys) -> Program[int]:
    entry = keys.entry("").encode()
    removed = 0
    cursor: bytes | int = 0
    while True:
        (reply,) = yield [("SCAN", cursor, "MATCH", keys.pattern, "COUNT", SCANNED)]
        cursor, found = checked(reply)
        if found:
            removed += sum(key.startswith(entry) for key in found)
            unlink: RedisCommand = ("UNLINK", *found)
            (reply,) = yield [unlink]
            checked(reply)
        if int(cursor) == 0:
            return removed
