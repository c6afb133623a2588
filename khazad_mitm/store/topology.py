"""Which node of a cluster is asked for what: programs of `trips`, split by node. No I/O.

A trip becomes legs, one for each node that serves some of its keys, to be made at once. A node that
has given a slot away says so (MOVED, ASK); one that is gone is found out by asking another one for
the map, once, and what was for it is asked again only if somebody else has taken its place. So a
master that dies costs its callers a refused connection, not a wait: until a replica has taken over
they go on without the cache.
Source: Redis cluster specification, "Redirection and resharding".
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable
from threading import Lock
from typing import Any, TypeAlias, TypeVar

from redis.crc import key_slot
from redis.exceptions import (
    AskError,
    ClusterDownError,
    ConnectionError,
    MasterDownError,
    MovedError,
    ReadOnlyError,
    RedisError,
    ResponseError,
    TryAgainError,
)

from khazad_mitm.errors import NotAsked
from khazad_mitm.store.trips import Program, RedisCommand

T = TypeVar("T")
Address: TypeAlias = tuple[str, int]
Leg: TypeAlias = tuple[Address, list[RedisCommand]]
Replies: TypeAlias = "list[Any] | Exception"
"""Of one leg: an error reply as the exception it is; the exception alone where none came."""
Legs: TypeAlias = Generator[list[Leg], list[Replies], T]

# A slot that has moved, or is about to, is found with the second try; each one more is for a map
# that was older still.
TRIES = 3
# How many nodes are asked for the map before a caller gives up.
MOST_ASKED = 2


class Topology:
    """Thread-safe."""

    def __init__(self, seeds: Iterable[Address]) -> None:
        self._lock = Lock()
        self._seeds = tuple(seeds)
        self._serving: dict[int, Address] = {}
        self._nodes: tuple[Address, ...] = self._seeds
        self.is_stale = True
        """Something was not as the map says: it is read anew before the next trip."""
        self.question: RedisCommand = ("CLUSTER", "SLOTS")
        """What nodes are asked for the map."""
        self.most_asked = MOST_ASKED

    def node(self, slot: int) -> Address:
        """Who serves a slot as far as is known; any node at all where that is not known."""
        return self._serving.get(slot) or self._nodes[0]

    @property
    def is_known(self) -> bool:
        return bool(self._serving)

    def to_ask(self) -> tuple[Address, ...]:
        """Nodes to ask for the map, likely ones first."""
        return tuple(dict.fromkeys((*self._nodes, *self._seeds)))

    def learn(self, told: Any, by: Address) -> Exception | None:
        """Take over what a node says to the question; or why that is of no use."""
        serving: dict[int, Address] = {}
        nodes: dict[Address, None] = {}
        replicas: dict[Address, None] = {}
        for first, last, *holders in told:
            addresses = [_address(holder, by) for holder in holders]
            nodes[addresses[0]] = None
            replicas.update(dict.fromkeys(addresses[1:]))
            serving.update(dict.fromkeys(range(int(first), int(last) + 1), addresses[0]))
        if serving:
            with self._lock:
                self._serving, self._nodes = serving, tuple({**nodes, **replicas})
                self.is_stale = False
        return None

    def moved(self, slot: int, to: Address) -> None:
        with self._lock:
            self._serving[slot] = to
            self.is_stale = True

    def failed(self, node: Address) -> None:
        """It does not answer: others are asked first from now on, and soon."""
        with self._lock:
            self._nodes = (*(one for one in self._nodes if one != node), node)
            self.is_stale = True


def routed(program: Program[T], topology: Topology) -> Legs[T]:
    """The same program as legs."""
    try:
        commands = next(program)
        while True:
            replies = yield from _trip(commands, topology)
            commands = program.send(replies)
    except StopIteration as done:
        result: T = done.value
        return result


def _trip(commands: list[RedisCommand], topology: Topology) -> Legs[list[Any]]:
    if topology.is_stale:
        failure = yield from _read_map(topology)
        if failure is not None and not topology.is_known:
            raise failure
    replies: list[Any] = [None] * len(commands)
    slots = [slot_of(command) for command in commands]
    to_do = dict.fromkeys(range(len(commands)))
    asking: dict[int, Address] = {}
    for left in range(TRIES - 1, -1, -1):
        legs: dict[tuple[Address, bool], list[int]] = {}
        for place in to_do:
            is_asking = place in asking
            node = asking.pop(place) if is_asking else topology.node(slots[place])
            legs.setdefault((node, is_asking), []).append(place)
        came = yield [
            (node, [part for place in places for part in _sent(commands[place], is_asking)])
            for (node, is_asking), places in legs.items()
        ]
        to_do = {}
        why: RedisError | None = None
        for ((node, is_asking), places), told in zip(legs.items(), came, strict=True):
            if isinstance(told, NotAsked):
                raise told
            if isinstance(told, Exception):
                topology.failed(node)
                # Nobody waits twice: only what was refused at once is tried again.
                if not isinstance(told, ConnectionError):
                    raise told
                why = told
                to_do.update(dict.fromkeys(places))
                continue
            for place, reply in zip(places, told[1::2] if is_asking else told, strict=True):
                match reply:
                    case MovedError():
                        topology.moved(slots[place], (reply.host or node[0], reply.port))
                    case AskError():
                        asking[place] = (reply.host or node[0], reply.port)
                    # Read-only: it was the master once, and sentinels know who is now.
                    case TryAgainError() | ClusterDownError() | MasterDownError() | ReadOnlyError():
                        topology.is_stale = True
                        why = reply
                    case _:
                        replies[place] = reply
                        continue
                to_do[place] = None
        if not to_do:
            return replies
        before = {place: topology.node(slots[place]) for place in to_do}
        if why is not None:
            yield from _read_map(topology)
            if not left or all(topology.node(slots[p]) == node for p, node in before.items()):
                raise why
    raise ConnectionError("the cluster sends us from node to node")


def _read_map(topology: Topology) -> Legs[Exception | None]:
    """Why it could not be read, or None."""
    failure: Exception | None = None
    for node in topology.to_ask()[: topology.most_asked]:
        (told,) = yield [(node, [topology.question])]
        said = told if isinstance(told, Exception) else told[0]
        failure = said if isinstance(said, Exception) else topology.learn(said, node)
        if failure is None:
            return None
        topology.failed(node)
    return failure


def _sent(command: RedisCommand, is_asking: bool) -> list[RedisCommand]:
    return [("ASKING",), command] if is_asking else [command]


def slot_of(command: RedisCommand) -> int:
    """The slot of a command's keys, which are of one bucket."""
    match command:
        case ("EVALSHA" | "EVAL", _, _, str() as key, *_):
            return int(key_slot(key.encode()))
        case ("SCAN", _, "MATCH", str() as pattern, *_):
            # Of what the pattern means: its prefix is literal but for the escapes.
            return int(key_slot(re.sub(r"\\(.)", r"\1", pattern).encode()))
        case (_, bytes() as raw, *_):
            return int(key_slot(raw))
        case (_, str() as key, *_):
            return int(key_slot(key.encode()))
        case _:
            raise ResponseError(f"{command[0]!r} has no key")


def _address(holder: Any, by: Address) -> Address:
    """Of a node as CLUSTER SLOTS names it; without a host it is where it was asked."""
    host = holder[0].decode() if isinstance(holder[0], bytes) else str(holder[0] or "")
    return (by[0] if host in ("", "?") else host, int(holder[1]))
