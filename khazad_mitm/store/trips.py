"""Round trips as data: what a program yields and is sent, and how it runs a script.

A program yields the commands of one trip and is sent the replies, an error reply as the exception
it is; it does no I/O and reads no clock. `redis_store` runs it, blocking or awaiting.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any, TypeAlias, TypeVar

from redis.exceptions import NoScriptError, ResponseError

from khazad_mitm.store import scripts

T = TypeVar("T")
RedisCommand: TypeAlias = tuple[bytes | str | int | float, ...]
Program: TypeAlias = Generator[list[RedisCommand], list[Any], T]


def call(script: scripts.Script, keys: tuple[str, ...], arguments: RedisCommand) -> Program[Any]:
    (reply,) = yield from call_each(script, [(keys, arguments)])
    return reply


def call_each(
    script: scripts.Script,
    calls: Sequence[tuple[tuple[str, ...], RedisCommand]],
    beside: Sequence[RedisCommand] = (),
) -> Program[list[Any]]:
    """Run a script once for each pair of keys and arguments, in one trip: by its digest, or by its
    text where the server has not met it yet."""
    rests = [(len(keys), *keys, *arguments) for keys, arguments in calls]
    replies = list((yield [*(("EVALSHA", script.digest, *rest) for rest in rests), *beside]))
    # In a cluster some nodes know it, and what they have done is not to be done again.
    unmet = [at for at, reply in enumerate(replies) if isinstance(reply, NoScriptError)]
    if unmet:
        told = yield [("EVAL", script.source, *rests[at]) for at in unmet]
        for at, reply in zip(unmet, told, strict=True):
            replies[at] = reply
    for reply in replies:
        checked(reply)
    return replies[: len(rests)]


def checked(reply: Any) -> Any:
    """The reply; raises it where it is an error."""
    if isinstance(reply, ResponseError):
        raise reply
    return reply
