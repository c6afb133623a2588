"""What a proxy says of itself, and what it and its colleagues say together.

Several processes may serve one port, and a page is answered by any of them: it is about all.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

from khazad_mitm.cache.stats import Stats

if TYPE_CHECKING:
    from khazad_mitm.fronts import Front

Topic: TypeAlias = Literal["stats", "ready", "flush"]
Said: TypeAlias = dict[str, Any]
Speaker: TypeAlias = Callable[[Topic], Awaitable[Said]]


class Team(Protocol):
    """The processes of one proxy."""

    async def ask(self, topic: Topic) -> Sequence[Said]:
        """What each of them says; () where they cannot be asked."""
        ...


async def said_by(cache: Front, topic: Topic, *, is_ending: bool) -> Said:
    """What this process says. Plain values, for JSON."""
    match topic:
        case "stats":
            return {"pid": os.getpid(), "stats": asdict(cache.stats())}
        case "ready":
            status = "ending" if is_ending else "ready"
            return {"pid": os.getpid(), "status": status, **cache.parts()}
        case "flush":
            # May wait for the store: not on the event loop.
            flushed = await asyncio.get_running_loop().run_in_executor(None, cache.flush)
            return {"flushed": flushed}


def stats_of(all_said: Sequence[Said]) -> dict[str, Any]:
    """The page of statistics: the sum, and where there are several each one's own beside it."""
    each = [(said["pid"], Stats.of(said["stats"])) for said in all_said]
    total = reduce(add, (stats for _, stats in each)).to_dict()
    if len(each) == 1:
        return total
    return {**total, "workers": [{"pid": pid, **stats.to_dict()} for pid, stats in each]}


def readiness_of(own: Said, all_said: Sequence[Said]) -> dict[str, Any]:
    """The page of readiness: of whoever answers it, and where there are several of each."""
    mine = {name: value for name, value in own.items() if name != "pid"}
    return mine if len(all_said) == 1 else {**mine, "workers": list(all_said)}
