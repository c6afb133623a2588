"""A namespace as a whole: its secret, how many entries it has, and emptying it.

Programs like those of `vectorset`; run rarely, at start-up or by hand.
"""

from __future__ import annotations

from collections.abc import Sequence

from khazad_mitm.errors import ConfigError
from khazad_mitm.store import scripts
from khazad_mitm.store.keys import Keys
from khazad_mitm.store.seal import Seal
from khazad_mitm.store.trips import Program, RedisCommand, call, checked

SECRET_BYTES = 32
# What the secret is sealed under; everything else lies under the names of `keys`.
SECRET = "key"  # noqa: S105

# Keys looked at per trip. The server looks at this many before it serves anyone else: 0.3 ms.
SCANNED = 1_000


def kept_secret(secret: bytes, seal: Seal | None) -> bytes:
    """The secret as it lies in the store."""
    return secret if seal is None else seal.close(SECRET, secret)


def secret_of(keys: Keys, fresh: bytes, seal: Seal | None = None) -> Program[bytes]:
    """The secret in the store, which is `fresh` where there was none.

    Raises ConfigError where it is sealed, and not with a key of ours.
    """
    kept = kept_secret(fresh, seal)
    made, found = yield [("SET", keys.secret, kept, "NX"), ("GET", keys.secret)]
    if found is None:
        # Not even made: the server is full, and says so.
        checked(made)
    found = checked(found)
    if seal is None:
        if len(found) != SECRET_BYTES:
            raise ConfigError(
                "khazad_encryption_key_file: the namespace is encrypted, and no key is given",
                "give the key, as the other users of the namespace do, or take another namespace",
            )
        return bytes(found)
    secret = seal.open(SECRET, found)
    if secret is not None and seal.is_of_first_key(found):
        return secret
    if secret is None and len(found) != SECRET_BYTES:
        raise ConfigError(
            "khazad_encryption_key_file: no key given opens what lies in the namespace",
            "add the key that was used before as the last one; where it is lost, take another"
            " namespace",
        )
    # Of an older key: it is sealed anew, before that one is dropped. In the clear: whoever has read
    # the store knows it, and what was kept under it is in the clear too.
    kept = kept_secret(fresh if secret is None else secret, seal)
    found = yield from call(scripts.SWAP, (keys.secret,), (found, kept))
    # Another process may have been first, with keys of its own.
    secret = seal.open(SECRET, found)
    if secret is None:
        raise ConfigError(
            "khazad_encryption_key_file: another process has just sealed the namespace with"
            " another key",
            "give the same keys to all processes of a namespace",
        )
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
