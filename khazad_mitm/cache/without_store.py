"""A lookup goes on while the store is away, as if it were empty.

So whoever asks the same at that moment still joins, and one call is made for all of them: what the
upstream says to this process needs no store to be believed here. An empty store is one that says no
and finds nothing; that leads to misses, never to an answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from khazad_mitm.cache.commands import (
    Command,
    Embed,
    GetMany,
    IsAccepted,
    Judge,
    Nearest,
    Resolve,
    Steps,
)
from khazad_mitm.cache.live import Found
from khazad_mitm.cache.worker_commands import Lease, Read
from khazad_mitm.errors import CacheUnavailable
from khazad_mitm.exchange import Miss

STORE_AWAY = "store unavailable"
"""Why a miss is one, where the store could not be asked."""


def as_if_empty(story: Steps[Found], failed: Callable[[], None]) -> Steps[Found]:
    """The story of a lookup; where its store does not answer `failed` is called, once, and a miss
    that follows says so."""
    is_away = False
    try:
        command = next(story)
        while True:
            try:
                if is_away and isinstance(command, (Embed, Judge)):
                    raise CacheUnavailable("there is nothing to compare with")
                result = yield command
            except CacheUnavailable as error:
                if isinstance(command, (Embed, Judge)):
                    command = story.throw(error)
                    continue
                if isinstance(command, (Lease, Read)):
                    # Full, perhaps, or away: nobody else can say that he is asking.
                    command = story.send(None)
                    continue
                if not is_away:
                    failed()
                is_away, result = True, _nothing(command)
            command = story.send(result)
    except StopIteration as end:
        outcome: Found = end.value
    finally:
        story.close()
    if is_away and isinstance(outcome, Miss):
        return replace(outcome, reason=STORE_AWAY)
    return outcome


def _nothing(command: Command) -> Any:
    """What an empty store would say."""
    match command:
        case IsAccepted():
            return False
        case GetMany(fingerprints):
            return (None,) * len(fingerprints)
        case Resolve(conversations):
            return (None,) * len(conversations)
        case Nearest():
            return []
        case _:
            return None
