"""Streams that one worker leads and others read, as programs over Redis (see `trips`).

A hash of numbered blocks, with the field `o` for the oldest that there is: written again it is the
same, so nobody need know what has arrived. With a seal each block is bound to its stream and
number: none can be moved, left out or told twice. And a key by which who reads lets the leader
know.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from khazad_mitm.cache.worker_commands import (
    MOST_READ,
    Heard,
    Issue,
    Place,
    Publish,
    Read,
    Wanted,
)
from khazad_mitm.store.keys import Keys
from khazad_mitm.store.scripts import Script
from khazad_mitm.store.seal import Seal
from khazad_mitm.store.trips import Program, RedisCommand, call_each, checked

# KEYS: stream. ARGV: milliseconds to live, first and last block to be dropped (none where the last
# is before the first), then fields and values. Gives how many fields there are. In one piece, so
# that a worker who is killed leaves none that stays for ever.
PUBLISH = Script(
    """
for number = tonumber(ARGV[2]), tonumber(ARGV[3]) do
  redis.call('HDEL', KEYS[1], string.format('%.0f', number))
end
redis.call('HSET', KEYS[1], unpack(ARGV, 4))
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return redis.call('HLEN', KEYS[1])
"""
)


def wanted(command: Wanted, at: Callable[[str], Keys]) -> Program[tuple[bool, ...]]:
    by_bucket: dict[Keys, list[Place]] = {}
    for place in command.streams:
        by_bucket.setdefault(at(place.flight), []).append(place)
    replies = yield [
        ("MGET", *(keys.need(place.flight) for place in places))
        for keys, places in by_bucket.items()
    ]
    needed: set[str] = set()
    for places, reply in zip(by_bucket.values(), replies, strict=True):
        for place, need in zip(places, checked(reply), strict=True):
            if need == place.stream.encode():
                needed.add(place.stream)
    return tuple(place.stream in needed for place in command.streams)


def publish(
    command: Publish, at: Callable[[str], Keys], seal: Seal | None
) -> Program[tuple[bool, ...]]:
    ttl = int(command.seconds * 1000)
    calls = []
    for issue in command.issues:
        keys = at(issue.place.flight)
        arguments = (ttl, issue.dropped, issue.oldest - 1, *_fields(issue, seal))
        calls.append(((keys.stream(issue.place.stream),), arguments))
    lengths = yield from call_each(PUBLISH, calls)
    return tuple(
        length == 1 + issue.place.number + len(issue.blocks) - issue.oldest
        for issue, length in zip(command.issues, lengths, strict=True)
    )


def _fields(issue: Issue, seal: Seal | None) -> RedisCommand:
    fields: list[bytes | str | int | float] = ["o", issue.oldest]
    for number, block in enumerate(issue.blocks, issue.place.number):
        name = _name(issue.place, number)
        fields += [number, block if seal is None else seal.close(name, block)]
    return tuple(fields)


def _name(place: Place, number: int) -> str:
    return f"s:{place.flight}:{place.stream}:{number}"


def read(
    command: Read, at: Callable[[str], Keys], seal: Seal | None
) -> Program[tuple[Heard | None, ...]]:
    asked: list[RedisCommand] = []
    told: list[RedisCommand] = []
    for place in command.places:
        keys = at(place.flight)
        numbers = range(place.number, place.number + MOST_READ)
        asked.append(("HMGET", keys.stream(place.stream), "o", *numbers))
        if place.number == 0:
            ttl = int(command.seconds * 1000)
            told.append(("SET", keys.need(place.flight), place.stream, "PX", ttl))
            told.append(("PTTL", keys.stream(place.stream)))
    replies = yield [*asked, *told]
    rests = [checked(reply) for reply in replies[len(asked) :]][1::2]
    heard = []
    for place, reply in zip(command.places, replies, strict=False):
        rest_ms = rests.pop(0) if place.number == 0 else None
        is_old = rest_ms is not None and rest_ms < command.rest_s * 1000
        heard.append(None if is_old else _heard(place, checked(reply), seal))
    return tuple(heard)


def _heard(place: Place, found: Any, seal: Seal | None) -> Heard | None:
    oldest, *bodies = found
    if oldest is None:
        return None
    if not _is_there(place, oldest):
        return Heard((), is_lost=True)
    told: list[bytes] = []
    for number, body in enumerate(bodies, place.number):
        if body is None:
            break
        block = body if seal is None else seal.open(_name(place, number), body)
        if block is None:
            return Heard(tuple(told), is_lost=True)
        told.append(block)
    # What is missing will be told again.
    return Heard(tuple(told))


def _is_there(place: Place, oldest: bytes) -> bool:
    return oldest.isdigit() and len(oldest) < 19 and int(oldest) <= place.number
