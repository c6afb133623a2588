"""A cassette in the place of a cache: plays what is recorded, records what is not.

In a mode and for a miss that allow no call upstream, nothing in here lets one through, mistakes of
ours included: whoever replays relies on it. In every other mode a mistake of ours costs a recording
and never a call.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import NoReturn, Protocol

from khazad_mitm import wire
from khazad_mitm.cache.keeper import Keeper
from khazad_mitm.cache.pace import Pace
from khazad_mitm.cache.stats import Stats
from khazad_mitm.errors import UnknownEntry, tell
from khazad_mitm.exchange import Miss, Outcome, ParsedRequest, Reply
from khazad_mitm.fronts import Listener, Played, Unrecorded
from khazad_mitm.messages import Headers, Request, Response
from khazad_mitm.record.cassette import Cassette, endpoint
from khazad_mitm.record.faults import Fault, Faults, error_of
from khazad_mitm.record.matching import Essence
from khazad_mitm.record.playing import played
from khazad_mitm.record.report import Report, Tally
from khazad_mitm.record.scrub import secrets_of
from khazad_mitm.record.take import Heard, Take
from khazad_mitm.record.why import differences, nearest, table
from khazad_mitm.record.writer import Ticket, Writer
from khazad_mitm.wire import coding, hosts, refusals
from khazad_mitm.wire.body import MAX_REQUEST_BYTES

logger = logging.getLogger("khazad")


class RecordMode(str, Enum):
    """vcrpy's modes, by its names."""

    NONE = "none"
    """Play only."""
    ONCE = "once"
    """Record where there is nothing yet, else play only."""
    NEW_EPISODES = "new_episodes"
    """Play what there is, record the rest."""
    ALL = "all"
    """Record everything anew."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request of ours, as it is compared and written."""

    request: Request
    """Scrubbed, content codings undone."""
    parsed: ParsedRequest | None
    essence: Essence
    digest: str
    secrets: tuple[str, ...]


class StandIn(Protocol):
    """Finds another recording that may answer where none matches."""

    def __call__(self, request: Request) -> Reply | None: ...
    def close(self) -> None: ...


NO_ENTRIES = "a cassette is in the place of the cache: its recordings are files, to read and edit"


class Recorder:
    """A `fronts.Front`. Thread-safe."""

    mode = "cassette"
    threshold = 1.0
    awaits = False
    wants_all = True

    def __init__(
        self,
        cassette: Cassette,
        mode: RecordMode,
        on_miss: str = "fail",
        hosts: tuple[str, ...] = (),
        stand_in: StandIn | None = None,
        pace: Pace = "off",
        faults: Sequence[Fault] = (),
    ) -> None:
        """`hosts`: as the option; without, known LLM hosts, those of the cassette, and whoever is
        spoken to in a provider's format. `stand_in`: asked on a miss, before it is refused. `pace`:
        as `replay_pace`. `faults`: beside those of the cassette."""
        self.cassette = cassette
        self.record_mode = mode
        self._on_miss = on_miss
        self.hosts = hosts
        self._stand_in = stand_in
        self._plays = mode is not RecordMode.ALL
        self._records = mode in (RecordMode.ALL, RecordMode.NEW_EPISODES) or (
            mode is RecordMode.ONCE and not cassette.recordings
        )
        self._tally = Tally()
        # Nothing that was heard may be lost: it waits, however long the disk takes.
        self._keeper = Keeper(limit=0)
        self._writer = Writer(cassette, self._tally)
        self._pace = pace
        self._faults = Faults((*faults, *cassette.rules.faults))

    @property
    def is_closed(self) -> bool:
        return self.record_mode is RecordMode.NONE and self._refuses

    @property
    def _refuses(self) -> bool:
        """Is whatever has no recording refused?"""
        return not self._records and self._on_miss != "upstream"

    def decrypts(self, host: str) -> bool:
        if host in self.cassette.hosts:
            return True
        return hosts.matches(host, self.hosts) if self.hosts else hosts.is_known(host)

    # -- asking

    def look_up(self, request: Request, *, follows: bool = False) -> Played | Unrecorded | None:
        outcome = self._looked_up(request)
        if isinstance(outcome, Played) and outcome.delay_s:
            time.sleep(outcome.delay_s)
        return outcome

    async def look_up_async(
        self, request: Request, *, follows: bool = False
    ) -> Played | Unrecorded | None:
        outcome = self._looked_up(request)
        if isinstance(outcome, Played) and outcome.delay_s:
            await asyncio.sleep(outcome.delay_s)
        return outcome

    def _looked_up(self, request: Request) -> Played | Unrecorded | None:
        try:
            asked = self._read(request)
            return None if asked is None else self._decided(asked)
        except Exception:  # an edge: a mistake of ours must not reach the caller
            tell(logger, "[Khazad] a cassette could not be asked", logging.ERROR)
            return (
                self._refused(request, "a mistake of ours, see the log") if self._refuses else None
            )

    def shadow(self, outcome: object) -> None:
        """A recording is played as it is; no upstream is asked about it."""

    def explain(self, id_: str, ask: str | None = None, other: str | None = None) -> NoReturn:
        raise UnknownEntry(NO_ENTRIES)

    def export(self, id_: str) -> NoReturn:
        raise UnknownEntry(NO_ENTRIES)

    def wrong(self, id_: str, ask: str | None = None) -> NoReturn:
        raise UnknownEntry(NO_ENTRIES)

    def entries(self, wanted: object, most: int | None = None) -> NoReturn:
        raise UnknownEntry(NO_ENTRIES)

    def forget(self, wanted: object) -> NoReturn:
        raise UnknownEntry(NO_ENTRIES)

    def unreadable(self) -> Played | None:
        if not self._refuses:
            return None
        request = Request("POST", "https", "", 443, "/")
        return self._refused(
            request, "a body that is generated while it is sent cannot be compared"
        )

    def _read(self, request: Request) -> Asked | None:
        codings = request.headers.joined("content-encoding")
        body = coding.decode(request.body, codings, MAX_REQUEST_BYTES)
        plain = request if body is None else _with_body(request, body)
        secrets = secrets_of(request)
        clean = self.cassette.rules.scrubber.request(plain, secrets)
        parsed = wire.recognise(clean)
        if parsed is None and not self.decrypts(request.host):
            return None
        if self.hosts and not hosts.matches(request.host, self.hosts):
            return None
        counts = self.cassette.essence(clean, parsed)
        return Asked(clean, parsed, counts, counts.digest, secrets)

    def _decided(self, asked: Asked) -> Played | Unrecorded | None:
        if self._plays:
            outcome = self._played(asked)
            if outcome is not None:
                return outcome
        if self._records:
            return self._to_be_recorded(asked)
        return self._missed(asked)

    def _played(self, asked: Asked) -> Played | None:
        ahead = self.cassette.ahead(asked.digest)
        if ahead is None:
            return None
        faults = self._faults.striking(ahead.path.stem)
        for fault in faults:
            if fault.status is not None:
                logger.info("[Khazad] FAULT - %s - %s", fault.status, ahead.path.stem)
                delay_s = sum(fault.delay_ms for fault in faults) / 1000
                return Played(error_of(fault, asked.request, asked.parsed), delay_s=delay_s)
        outcome = played(ahead, faults, self._pace)
        if outcome.reply.resets_after == 0:
            logger.info("[Khazad] FAULT - reset - %s", ahead.path.stem)
            return outcome
        recording = self.cassette.next(asked.digest)
        if recording is None:  # another thread was faster
            return None
        self._tally.count_played()
        name = recording.path.stem
        logger.info("[Khazad] REPLAY - %s - %s", name, endpoint(asked.request))
        return played(recording, faults, self._pace)

    def _to_be_recorded(self, asked: Asked) -> Unrecorded:
        path = self._writer.place(
            asked.request, asked.parsed, asked.digest, anew=self.record_mode is RecordMode.ALL
        )
        ticket = Ticket(asked.request, asked.parsed, asked.digest, asked.secrets, path)

        def keep(heard: Heard) -> None:
            self._keeper.hand(partial(self._writer.write, ticket, heard))

        def dropped(reason: str) -> None:
            self._writer.give_up(ticket, reason)

        return Unrecorded(Take(keep, dropped))

    def _missed(self, asked: Asked) -> Played | None:
        # One that was played as often as it was recorded is no paraphrase of itself.
        if self._stand_in is not None and not self.cassette.of(asked.digest):
            reply = self._stand_in(asked.request)
            if reply is not None:
                self._tally.count_played()
                return Played(reply, asked.parsed is not None and asked.parsed.framing.is_stream)
        reason = self._why(asked)
        if self._on_miss == "upstream":
            logger.warning("[Khazad] NO RECORDING, forwarding - %s", reason)
            self._tally.count_forwarded()
            return None
        return self._refused(asked.request, reason, asked.parsed)

    def _refused(
        self, request: Request, reason: str, parsed: ParsedRequest | None = None
    ) -> Played:
        self._tally.count_unrecorded(reason)
        logger.warning("[Khazad] NO RECORDING - %s", reason)
        body, fields = refusals.refusal(request, parsed, reason, "no_recording")
        said = ("Cache-Status", 'khazad; fwd=miss; fwd-status=400; detail="no recording"')
        return Played(Reply(refusals.STATUS, Headers(fields).plus(said), (body,)))

    def _why(self, asked: Asked) -> str:
        whose = (
            f" ({asked.parsed.model})" if asked.parsed is not None and asked.parsed.model else ""
        )
        told = f"{endpoint(asked.request)}{whose}"
        hint = f"hint: record it with `khazad_record={RecordMode.NEW_EPISODES.value}`"
        same = self.cassette.of(asked.digest)
        if same:
            names = ", ".join(str(recording.path) for recording in same)
            return (
                f"no recording is left for {told}\nit is on file {len(same)} times, all played:"
                f" {names}\n\n{hint}"
            )
        found = nearest(asked.essence, self.cassette.recordings)
        if found is None:
            return f"no recording matches {told}\nthere is none in {self.cassette.folder}\n\n{hint}"
        changes = table(differences(found.essence, asked.essence))
        return (
            f"no recording matches {told}\nnearest: {found.path}, differs in\n{changes}\n\n{hint}"
        )

    # -- as the edges ask

    def reply(self, outcome: Played) -> Reply:
        return outcome.reply

    def capture(self, outcome: Unrecorded) -> Listener:
        return outcome.listener

    def cache_status(self, outcome: Unrecorded) -> str:
        return 'khazad; fwd=miss; detail="recording"'

    def complete(self, miss: Miss, response: Response) -> Reply | None:
        """Batches are recorded as a whole."""
        return None

    async def complete_async(self, miss: Miss, response: Response) -> Reply | None:
        return None

    def abandon(self, outcome: Outcome | Played | Unrecorded | None) -> None:
        """The upstream could not be asked."""
        if isinstance(outcome, Unrecorded):
            outcome.listener.abort()

    # -- caring

    def warm_up(self, then: Callable[[], None] = lambda: None) -> None:
        """All is loaded."""
        then()

    def parts(self) -> dict[str, str]:
        return {"cassette": "ready"}

    def stats(self) -> Stats:
        return self._tally.stats()

    def report(self) -> Report:
        """What has been played and recorded so far, and what has not."""
        return self._tally.report(tuple(self.cassette.unused()) if self._plays else ())

    def flush(self) -> int:
        """Play from the start again. The files stay."""
        self.cassette.rewind()
        self._tally.reset()
        return 0

    def drain(self, timeout_s: float) -> bool:
        return self._keeper.drain(timeout_s)

    def close(self) -> None:
        self._keeper.close(timeout_s=60.0)
        if self._stand_in is not None:
            self._stand_in.close()


def _with_body(request: Request, body: bytes) -> Request:
    return Request(
        request.method,
        request.scheme,
        request.host,
        request.port,
        request.target,
        request.headers.without("content-encoding"),
        body,
    )
