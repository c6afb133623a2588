"""Equal questions at one moment: one caller looks, and asks the upstream; the others wait for him.

From the first command on, so that a hundred callers are one trip to the store and one embedding.
Whoever asked for a stream wants its first word, not its last: he joins one that asked for the same
stream, and reads along (`live`). Nobody is made to wait who wants the upstream asked for his own
sake (`no-cache`, a token that is still to be accepted). Those who show the very same new key do
wait: the upstream's yes or no to one of them is theirs too.

Of those who lead in their processes one leads for all of them, by a lease in the store (`leases`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from khazad_mitm.cache import blocks
from khazad_mitm.cache.commands import Get, Join, Pause, Steps
from khazad_mitm.cache.flights import WAIT_S, Flights, Told, Turn
from khazad_mitm.cache.leases import LEASE_S
from khazad_mitm.cache.live import Followed, Found, Live
from khazad_mitm.cache.publications import FRESH_S
from khazad_mitm.cache.subscriptions import WISH_S
from khazad_mitm.cache.worker_commands import Lease, Place, Read, Renew
from khazad_mitm.errors import CacheUnavailable
from khazad_mitm.exchange import Entry, Hit, Miss, Outcome, ParsedRequest

# How often other workers look whether the one that asks is through, or has begun a stream.
FIRST_POLL_S = 0.02
LONGEST_POLL_S = 0.25
LONGEST_POLL_OF_STREAM_S = 0.05
# One that cannot be begun any more has been cut, and somebody is handed over to in a moment; or it
# is too large, and nobody waits for its end.
MOST_LOST = 10


def coalesced(
    look: Callable[[], Steps[Outcome]],
    flights: Flights,
    now: float,
    parsed: ParsedRequest,
    *,
    follows: bool,
    crosses: bool = True,
) -> Steps[Found]:
    """The story of a lookup that began at `now`, after waiting for whoever has begun the same.

    `look()` begins it. `follows`: can the caller be given a stream while it comes? `crosses`: may
    one lie in the store, while it comes, for other workers?
    """
    story, leads, handed = look(), "", None
    stream = stream_of(parsed)
    try:
        command = next(story)
        while True:
            try:
                if isinstance(command, Get) and command.joins and (follows or not stream):
                    turn: Told = yield Join(command.flight, stream)
                    if isinstance(turn, Live):
                        story.close()
                        return Followed(parsed, turn)
                    leads = command.flight if turn is Turn.LEAD else ""
                    handed = turn if isinstance(turn, Entry) else None
                    result = (yield command) if handed is None else handed
                else:
                    result = yield command
            except CacheUnavailable as error:
                command = story.throw(error)
            else:
                command = story.send(result)
    except StopIteration as end:
        outcome: Outcome = end.value
        if leads and isinstance(outcome, Miss) and (crosses or not stream):
            waited = yield from _leased(leads, flights, stream)
            if isinstance(waited, Live):
                leads = ""
                return Followed(parsed, waited)
            # Another worker has been answered, or has failed: his answer is looked for anew.
            outcome = (yield from look()) if waited else outcome
            if waited and isinstance(outcome, Hit):
                handed = outcome.entry
                yield from released(leads, flights)
        match outcome:
            case Miss() if leads:
                outcome, leads = replace(outcome, flight=leads), ""
            case Hit(entry=entry) if leads:
                flights.land(leads, entry)
                leads = ""
                if entry is handed and entry.stored_at >= now:
                    outcome = replace(outcome, is_collapsed=True)
            case Hit(entry=entry) if entry is handed:
                # One that was there before would have been found in any case.
                outcome = replace(outcome, is_collapsed=entry.stored_at >= now)
        return outcome
    finally:
        # No answer, or none for others: the next one looks.
        if leads:
            flights.hand_over(leads)


def _leased(flight: str, flights: Flights, stream: str) -> Steps[bool | Live]:
    """Be the one worker that asks; had another been asking meanwhile? Or the stream that he is
    given, where it is to be one."""
    name = blocks.new_name(stream) if stream else ""
    longest_s = LONGEST_POLL_OF_STREAM_S if stream else LONGEST_POLL_S
    waited, pause, lost = 0.0, FIRST_POLL_S, 0
    while (theirs := (yield Lease(flight, flights.holder, LEASE_S, name))) is not None:
        if waited >= WAIT_S:
            return True
        if stream:
            if not theirs.startswith(blocks.kind_of(stream)):
                # As within a process: nobody waits for the last word of another kind of answer.
                return False
            place = Place(flight, theirs)
            told = yield Read((place,), WISH_S, FRESH_S)
            heard = None if told is None else told[0]
            live = None if heard is None else flights.subscriptions.begin(place, heard)
            if live is not None:
                flights.go_live(flight, live)
                return live
            lost += heard is not None
            if lost >= MOST_LOST:
                return True
        yield Pause(pause)
        waited, pause = waited + pause, min(2 * pause, longest_s)
    flights.leases.hold(flight, name)
    return waited > 0


def renewed(due: tuple[str, ...], flights: Flights) -> Steps[None]:
    """Other workers wait for these for a while longer."""
    are_ours = yield Renew(due, flights.holder, LEASE_S)
    for flight, is_ours in zip(due, are_ours, strict=True):
        if not is_ours:
            flights.leases.drop(flight)


def released(flight: str, flights: Flights) -> Steps[None]:
    """No answer will come, or it is nobody else's: other workers need not wait for it."""
    yield Renew((flight,), flights.holder, 0.0)


def stream_of(parsed: ParsedRequest) -> str:
    """What two callers must have in common to read one stream: framing and codings; "" for an
    answer that is no stream."""
    if not parsed.framing.is_stream:
        return ""
    return f"{parsed.framing} {parsed.request.headers.joined('accept-encoding')}"
