"""What is known of entries without their bodies: for those who look after the store.

One hash holds a line of facts for each entry, and its tags in a second one. It is written and
removed with the entry, by the same scripts, and holds no prompt and no answer. Looking for a tag or
a model reads all of it: some 200 bytes an entry.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence

from redis.exceptions import OutOfMemoryError

from khazad_mitm.cache.commands import ForgetMany, Label
from khazad_mitm.cache.facts import Facts
from khazad_mitm.exchange import Entry
from khazad_mitm.store import scripts
from khazad_mitm.store.keys import Keys
from khazad_mitm.store.trips import Program, call, call_each, checked

# Facts read, and entries removed, per trip: a trip holds the server for a millisecond or two.
SCANNED = 1_000
MOST_AT_ONCE = 64
# Of one entry. A request brings sixteen at most (`cache.policy`), other requests more.
MOST_TAGS = 64


def written(entry: Entry, size_bytes: int) -> str:
    """The facts as they are kept: the size first, for the scripts; the tags last."""
    said = (entry.provider, entry.model, entry.stored_at, entry.expires_at, entry.tenant)
    return f"{size_bytes} {json.dumps(said)}\n{','.join(entry.tags)}"


def read(id_: bytes, line: bytes) -> Facts | None:
    """The facts in a line; None where they are none of ours."""
    said, _, tags = line.decode("utf-8", "replace").partition("\n")
    size, _, values = said.partition(" ")
    try:
        match json.loads(values):
            case [
                str() as provider,
                str() as model,
                int() | float() as stored_at,
                int() | float() | None as expires_at,
                str() as tenant,
            ]:
                named = tuple(tag for tag in tags.split(",") if tag)
                whole = id_.decode("ascii", "replace")
                return Facts(
                    whole, provider, model, stored_at, expires_at, tenant, named, int(size)
                )
            case _:
                return None
    except (ValueError, RecursionError):
        return None


def inventory(buckets: Sequence[Keys], now_ms: int) -> Program[tuple[Facts, ...]]:
    # A hash that changes meanwhile may show an entry twice.
    found: dict[str, Facts] = {}
    for keys in buckets:
        found.update((yield from _of_bucket(keys, now_ms)))
    return tuple(found.values())


def _of_bucket(keys: Keys, now_ms: int) -> Program[dict[str, Facts]]:
    found: dict[str, Facts] = {}
    cursor: bytes | int = 0
    while True:
        (reply,) = yield [("HSCAN", keys.facts, cursor, "COUNT", SCANNED)]
        cursor, flat = checked(reply)
        for facts in _all(flat):
            if facts.expires_at is None or facts.expires_at * 1000 > now_ms:
                found[facts.id] = facts
        if int(cursor) == 0:
            return found


def _all(flat: list[bytes]) -> Iterator[Facts]:
    for id_, line in zip(flat[::2], flat[1::2], strict=True):
        facts = read(id_, line)
        if facts is not None:
            yield facts


def forget_many(command: ForgetMany, at: Callable[[str], Keys]) -> Program[int]:
    removed = 0
    for start in range(0, len(command.ids), MOST_AT_ONCE):
        ids = command.ids[start : start + MOST_AT_ONCE]
        calls = [((at(id_).expiry,), (id_,)) for id_ in ids]
        removed += sum((yield from call_each(scripts.FORGET, calls)))
    return removed


def label(command: Label, keys: Keys) -> Program[None]:
    try:
        yield from call(scripts.LABEL, (keys.expiry,), (command.id, MOST_TAGS, *command.tags))
    except OutOfMemoryError:
        return
