from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import redis
from redis.crc import key_slot
from redis.exceptions import (
    AskError,
    ClusterDownError,
    MovedError,
    ReadOnlyError,
    RedisError,
    TryAgainError,
)

from khazad_mitm.store.keys import Keys
from khazad_mitm.store.sentinels import Sentinels, SentinelURL
from khazad_mitm.store.topology import Address, Topology, routed, slot_of
from khazad_mitm.store.trips import Program

A, B, C = ("a", 1), ("b", 2), ("c", 3)
HALF = 8_192
MAP = [[0, HALF - 1, [b"a", 1, b"id"], [b"c", 3, b"id"]], [HALF, 16_383, [b"b", 2, b"id"]]]
LOW, HIGH = "{6}", "{1}"
assert key_slot(LOW.encode()) < HALF <= key_slot(HIGH.encode())


def program(*commands: Any) -> Program[Any]:
    return (yield list(commands))


def play(
    topology: Topology, story: Program[Any], node: Callable[[Address, Any], Any]
) -> tuple[Any, list[list[Address]]]:
    """The result, and who was asked in each step; `node` says what one says to a command."""
    steps, went = routed(story, topology), []
    try:
        legs = next(steps)
        while True:
            went.append([address for address, _ in legs])
            came: list[Any] = []
            for address, commands in legs:
                told = [node(address, command) for command in commands]
                broken = [one for one in told if isinstance(one, redis.ConnectionError)]
                came.append(broken[0] if broken else told)
            legs = steps.send(came)
    except StopIteration as done:
        return done.value, went


def known() -> Topology:
    topology = Topology([A])
    topology.learn(MAP, A)
    return topology


def obliging(address: Address, command: Any) -> Any:
    return MAP if command[0] == "CLUSTER" else (address[0], command[1])


def test_the_map_is_read_before_anything_is_asked() -> None:
    result, went = play(Topology([C, A]), program(("GET", LOW), ("GET", HIGH)), obliging)

    assert [("a", LOW), ("b", HIGH)] == result
    assert [[C], [A, B]] == went


def test_what_goes_to_one_node_is_one_leg_and_replies_keep_their_order() -> None:
    commands = [("GET", key) for key in (HIGH, LOW, HIGH + "2", LOW + "2")]
    result, went = play(known(), program(*commands), obliging)

    assert [key for _, key in commands] == [key for _, key in result]
    assert [[B, A]] == went


def test_a_slot_that_has_moved_is_followed_and_the_map_read_anew() -> None:
    topology = known()

    def moved(address: Address, command: Any) -> Any:
        if address == A and command[0] == "GET":
            return MovedError(f"{key_slot(LOW.encode())} c:3")
        return obliging(address, command)

    assert ([("c", LOW)], [[A], [C]]) == play(topology, program(("GET", LOW)), moved)
    assert topology.is_stale
    assert [[A], [A], [C]] == play(topology, program(("GET", LOW)), moved)[1]


def test_a_slot_on_the_move_is_asked_for_where_it_goes_to() -> None:
    topology, said = known(), []

    def asking(address: Address, command: Any) -> Any:
        said.append((address, command[0]))
        return AskError("1 c:3") if address == A else obliging(address, ("GET", LOW))

    result, _ = play(topology, program(("GET", LOW)), asking)
    assert [("c", LOW)] == result
    assert [(A, "GET"), (C, "ASKING"), (C, "GET")] == said
    assert not topology.is_stale


def test_a_node_that_is_gone_is_replaced_by_who_has_taken_over() -> None:
    newer = [[0, HALF - 1, [b"c", 3]], [HALF, 16_383, [b"b", 2]]]

    def gone(address: Address, command: Any) -> Any:
        if address == A:
            return redis.ConnectionError("refused")
        return newer if command[0] == "CLUSTER" else (address[0], command[1])

    result, went = play(known(), program(("GET", LOW), ("GET", HIGH)), gone)
    assert [("c", LOW), ("b", HIGH)] == result
    assert [[A, B], [B], [C]] == went


def test_a_node_without_a_successor_is_asked_once() -> None:
    def gone(address: Address, command: Any) -> Any:
        return redis.ConnectionError("refused") if address == A else obliging(address, command)

    topology = known()
    with pytest.raises(redis.ConnectionError, match="refused"):
        play(topology, program(("GET", LOW)), gone)
    assert [("b", HIGH)] == play(topology, program(("GET", HIGH)), gone)[0]


def test_nobody_waits_twice() -> None:
    steps = routed(program(("GET", LOW)), known())
    next(steps)
    with pytest.raises(redis.TimeoutError):
        steps.send([redis.TimeoutError("late")])


def test_a_cluster_of_which_nobody_answers_gives_up_soon() -> None:
    asked: list[Address] = []

    def deaf(address: Address, command: Any) -> Any:
        asked.append(address)
        return redis.ConnectionError("refused")

    with pytest.raises(RedisError):
        play(Topology([A, B, C]), program(("GET", LOW)), deaf)
    assert [A, B] == asked


@pytest.mark.parametrize("error", [ClusterDownError("down"), TryAgainError("later")])
def test_a_slot_that_nobody_serves_is_an_error(error: Exception) -> None:
    def down(address: Address, command: Any) -> Any:
        return MAP if command[0] == "CLUSTER" else error

    with pytest.raises(type(error)):
        play(known(), program(("GET", LOW)), down)


def test_a_cluster_that_sends_us_round_in_circles_is_left() -> None:
    def circle(address: Address, command: Any) -> Any:
        return MovedError("1 b:2" if address == A else "1 a:1")

    with pytest.raises(redis.ConnectionError, match="from node to node"):
        play(known(), program(("GET", LOW)), circle)


def test_a_map_without_hosts_means_where_it_was_asked() -> None:
    topology = Topology([A])
    topology.learn([[0, 16_383, [b"", 9], [None, 8]]], A)

    assert ("a", 9) == topology.node(5)


def test_an_error_of_one_command_is_the_programs_business() -> None:
    error = redis.ResponseError("WRONGTYPE")
    result, _ = play(known(), program(("GET", LOW)), lambda *_: error)

    assert [error] == result


@pytest.mark.parametrize("namespace", ["kh", "k*[h]?", "a\\b", "{x}", "ein Raum"])
def test_every_command_of_a_bucket_has_its_slot(namespace: str) -> None:
    keys = Keys.of(namespace, 7)
    slot = key_slot(keys.expiry.encode())

    assert {slot} == {
        slot_of(("MGET", keys.entry("x"), keys.alias("y"))),
        slot_of(("EVALSHA", "d" * 40, 2, keys.expiry, keys.vectors("s"), b"v")),
        slot_of(("EVAL", "return 1", 1, keys.expiry)),
        slot_of(("SCAN", 0, "MATCH", keys.pattern, "COUNT", 10)),
        slot_of(("SCAN", b"17", "MATCH", keys.pattern, "COUNT", 10)),
        slot_of(("UNLINK", keys.expiry.encode(), keys.use.encode())),
    }


def test_a_master_that_is_read_only_is_one_no_longer_and_sentinels_say_who_is() -> None:
    topology = Sentinels(SentinelURL.read("redis+sentinel://s/answers"))
    sentinel = ("s", 26379)
    topology.learn([b"a", b"1"], sentinel)
    topology.is_stale = False

    def demoted(address: Address, command: Any) -> Any:
        if command[0] == "SENTINEL":
            return [b"b", b"2"]
        return ReadOnlyError("a replica") if address == A else address[0]

    assert (["b"], [[A], [sentinel], [B]]) == play(topology, program(("SET", LOW)), demoted)
    # Where it is still said to be the master, it takes nothing.
    topology.learn([b"a", b"1"], sentinel)
    with pytest.raises(ReadOnlyError):
        play(
            topology,
            program(("SET", LOW)),
            lambda address, command: (
                [b"a", b"1"] if command[0] == "SENTINEL" else ReadOnlyError("a replica")
            ),
        )
