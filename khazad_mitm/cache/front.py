"""What an edge holds: ask it for an answer, hand it what passed by.

Knows the rooms only by the functions and parts it was given (`assembly` gives them). Nothing
here raises on traffic: what fails is logged, counted, and the call goes on without us.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol, TypeVar

from khazad_mitm.cache import drive, log_lines, pace, policy, status
from khazad_mitm.cache.archive import Archive
from khazad_mitm.cache.batches import joined
from khazad_mitm.cache.capture import Capture
from khazad_mitm.cache.collapsing import coalesced
from khazad_mitm.cache.commands import Steps
from khazad_mitm.cache.inquiries import Inquiries
from khazad_mitm.cache.live import Followed, Found
from khazad_mitm.cache.lookup import lookup
from khazad_mitm.cache.others import Others
from khazad_mitm.cache.parts import Parts
from khazad_mitm.cache.prepared import Prepared, prepare
from khazad_mitm.cache.recent import Recent
from khazad_mitm.cache.routes import MODES, Rulebook
from khazad_mitm.cache.stats import Counters, Stats
from khazad_mitm.cache.without_store import as_if_empty
from khazad_mitm.errors import tell
from khazad_mitm.exchange import (
    Bypass,
    Hit,
    Miss,
    ParsedRequest,
    Reply,
    Unsatisfied,
)
from khazad_mitm.messages import Request, Response

# What takes long holds the interpreter: more would only wait for each other.
JOB_THREADS = 2

# What is not kept must still be put together: far above the 80 MB of 2,048 long vectors.
MAX_REST_BYTES = 256 * 1024 * 1024

T = TypeVar("T")

logger = logging.getLogger("khazad")


class Management(Protocol):
    """What a store can do beside obeying commands."""

    def flush(self) -> int: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Wire:
    """The functions of `wire` that the front needs."""

    recognise: Callable[[Request], ParsedRequest | None]
    decode: Callable[[bytes, str, int], bytes | None]
    """(body, Content-Encoding, most bytes) -> decoded body, or None where it cannot be."""
    split: Callable[[bytes, ParsedRequest], tuple[bytes, ...]]
    """Cut a stored stream into the frames it came in."""


class Cache(Inquiries):
    """A `fronts.Front`. Thread-safe; one for a process, or for an event loop and its threads."""

    awaits = True
    wants_all = False
    is_closed = False

    def __init__(
        self,
        wire: Wire,
        parts: Parts,
        rulebook: Rulebook,
        management: Management,
        allows: Callable[[str], bool],
        decrypts: Callable[[str], bool],
        hosts: tuple[str, ...] = (),
        kept_in: str = "",
        replay_pace: pace.Pace = "off",
        shadow_per_hour: int = 0,
        counters: Counters | None = None,
    ) -> None:
        """`allows(host)`: may requests to this host be looked at? `decrypts(host)`: may a proxy
        open its TLS to do so? Both follow from the allow-list `hosts`, which is kept to be told.
        `kept_in`: the store, for people. `shadow_per_hour`: so many background calls at most.
        """
        counters = counters or Counters()
        archive = Archive(wire.decode, parts, rulebook, counters, shadow_per_hour)
        super().__init__(parts, rulebook, archive)
        self._wire = wire
        self._is_off = not rulebook.is_ever(*MODES[:-1])
        self._management = management
        self._allows = allows
        self.decrypts = decrypts
        self.hosts = hosts
        self._replay_pace = replay_pace
        self.mode = rulebook.default.mode
        self.kept_in = kept_in
        self._counters = counters
        # Not those that embed, which let everyone else go first: somebody waits for these.
        self._jobs = ThreadPoolExecutor(JOB_THREADS, thread_name_prefix="khazad-jobs")
        self._recent = Recent(self._read)
        self._others = Others(parts)
        self._unsplit: set[str] = set()
        """Hosts that have answered a part of a batch with something that did not fit."""

    @property
    def threshold(self) -> float:
        """Cosine below which nothing is served where no route fits."""
        return self._rulebook.default.threshold

    # -- asking

    def look_up(self, request: Request, *, follows: bool = False) -> Found | None:
        """The outcome for a request; None where it is none of our business."""
        started = time.perf_counter()
        try:
            prepared = self._prepared(request)
            if prepared is None:
                return None
            outcome = self._waited_for(self._story(prepared, follows))
        except Exception:  # an edge: a mistake of ours must not reach the caller
            self._failed()
            return None
        return self._told(outcome, started)

    async def look_up_async(self, request: Request, *, follows: bool = False) -> Found | None:
        """The same, awaiting."""
        started = time.perf_counter()
        away = self._on_a_thread if policy.may_take_long(request) else None
        try:
            prepare = partial(self._prepared, request)
            prepared = prepare() if away is None else await away(prepare)
            if prepared is None:
                return None
            story = self._story(prepared, follows)
            if prepared.parsed.batch is None:
                obey = partial(drive.obey_async, self._parts, drive.somebody(self._parts))
                outcome = await drive.run_async(story, obey, away)
            else:
                # Some thousands of keys, and megabytes to put together: not on the loop.
                outcome = await self._on_a_thread(partial(self._waited_for, story))
        except Exception:  # an edge: a mistake of ours must not reach the caller
            self._failed()
            return None
        return self._told(outcome, started)

    def unreadable(self) -> None:
        """A request that cannot be read goes through."""

    def _prepared(self, request: Request) -> Prepared | Bypass | None:
        if self._is_off or request.method != "POST":
            return None
        if not self._allows(request.host):
            return None
        if len(request.body) > policy.MAX_REQUEST_BYTES:
            logger.debug("[Khazad] PASSED BY - too-big - %s", request.host)
            return None
        prepared = self._recent(request)
        if prepared is None or prepared.parsed.batch is None or request.host not in self._unsplit:
            return prepared
        return self._prepare(replace(prepared.parsed, batch=None))

    def _read(self, request: Request) -> Prepared | Bypass | None:
        parsed = self._wire.recognise(request)
        return None if parsed is None else self._prepare(parsed)

    def _prepare(self, parsed: ParsedRequest) -> Prepared | Bypass:
        return prepare(parsed, self._rulebook.of(parsed))

    async def _on_a_thread(self, job: Callable[[], T]) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._jobs, job)

    def _story(self, prepared: Prepared | Bypass, follows: bool) -> Steps[Found]:
        if isinstance(prepared, Bypass):
            return prepared
        now = time.time()
        look = partial(lookup, prepared, now)
        some, crosses = self._parts.flights, not prepared.rules.redactor
        joined = coalesced(look, some, now, prepared.parsed, follows=follows, crosses=crosses)
        return (yield from as_if_empty(joined, self._counters.count_error))

    def _waited_for(self, story: Steps[T]) -> T:
        return drive.run(story, partial(drive.obey, self._parts, drive.somebody(self._parts)))

    def _failed(self) -> None:
        tell(logger, "[Khazad] a lookup failed, the call goes through", logging.ERROR)
        self._counters.count_error()

    def _told(self, outcome: Found, started: float) -> Found:
        if isinstance(outcome, Miss):
            outcome = replace(outcome, asked_at=time.time())
        self._counters.count(outcome)
        log_lines.tell(outcome, time.perf_counter() - started)
        if isinstance(outcome, Hit):
            self._archive.label(outcome)
        if isinstance(outcome, Hit) and outcome.paraphrase is not None:
            self._archive.learn(outcome)
        elif isinstance(outcome, Miss) and outcome.unjudged:
            self._archive.judge_later(outcome)
        return outcome

    # -- answering

    def reply(self, outcome: Hit | Unsatisfied | Followed) -> Reply:
        """What to send to the caller in place of the upstream; of a `Followed` the head."""
        if isinstance(outcome, Followed):
            return status.of_followed(outcome)
        if isinstance(outcome, Unsatisfied):
            return status.of_error(504, "not cached, and only-if-cached was asked for", outcome)
        entry, parsed = outcome.entry, outcome.parsed
        headers = entry.headers
        if entry.framing == parsed.framing:
            frames = self._wire.split(entry.original, parsed)
        else:
            frames = tuple(parsed.provider.replay(entry.answer, parsed))
            headers = headers.without("content-type").plus(
                ("Content-Type", parsed.provider.content_type(parsed))
            )
        marks = tuple(zip(entry.pace_ms[::2], entry.pace_ms[1::2], strict=False))
        waits = pace.waits(self._replay_pace, frames, marks) if parsed.framing.is_stream else ()
        said = status.of_hit(outcome, time.time())
        return Reply(entry.status, headers.plus(*said), frames, waits)

    def cache_status(self, outcome: Miss | Bypass) -> str:
        """The value of Cache-Status for an answer of the upstream."""
        return status.of_forwarded(outcome)

    # -- putting together

    def complete(self, miss: Miss, response: Response) -> Reply | None:
        """The answer to a batch, from the upstream's 200 to the rest of it, which is kept.

        None where that does not fit what is known: then the caller must be given something else,
        and batches for that host are not split again.
        """
        try:
            reply = self._completed(miss, response)
        except Exception:  # an edge: the batch is asked for whole
            tell(logger, "[Khazad] a batch could not be put together", logging.ERROR)
            self._counters.count_error()
            reply = None
        host = miss.parsed.request.host
        if reply is None and host not in self._unsplit:
            self._unsplit.add(host)
            logger.warning(
                "[Khazad] batches for %s are no longer split:"
                " its answer to a part of one did not fit the rest",
                host,
            )
        return reply

    async def complete_async(self, miss: Miss, response: Response) -> Reply | None:
        """The same, awaiting."""
        try:
            return await self._on_a_thread(partial(self.complete, miss, response))
        except RuntimeError:  # closed in the meantime: there are no threads any more
            return None

    def _completed(self, miss: Miss, response: Response) -> Reply | None:
        coding = response.headers.joined("content-encoding")
        body = self._wire.decode(response.body, coding, MAX_REST_BYTES)
        batch = None if body is None else joined(miss, body)
        if body is None or batch is None:
            return None
        decoded = Response(response.status, response.headers, body)
        self._archive.keep_rest(miss, decoded, batch)
        headers = response.headers.without(*policy.REPLACED_HEADERS)
        said = ("Cache-Status", status.of_forwarded(miss))
        return Reply(response.status, headers.plus(said), (batch.whole,))

    # -- keeping

    def capture(self, miss: Miss) -> Capture:
        """A buffer for the answer to a miss."""
        return self._archive.capture(miss)

    def abandon(self, outcome: Found | None) -> None:
        """The upstream could not be asked: nobody shall wait for its answer."""
        if isinstance(outcome, Miss):
            self._archive.abandon(outcome)

    # -- checking

    def shadow(self, outcome: Found | None) -> Capture | None:
        """A buffer for a fresh answer to what was just served, where one is wanted: rarely."""
        return self._archive.shadow(outcome) if isinstance(outcome, Hit) else None

    # -- caring

    def warm_up(self, then: Callable[[], None] = lambda: None) -> None:
        """Have the embedding model read in the background, if it will be asked at all, and call
        `then` when that is over, in whatever thread."""
        if self._rulebook.compares():
            loading = self._parts.embed_executor.submit(self._parts.embedder.load)
            loading.add_done_callback(lambda _: then())
        else:
            then()

    def stats(self) -> Stats:
        return self._counters.snapshot()

    def parts(self) -> dict[str, str]:
        """How the store and the embedder are, in a word each."""
        embedder = "ready" if self._parts.embedder.is_loaded else "loading"
        return {
            "store": "unavailable" if self._parts.store_breaker.is_open else "ready",
            "embedder": "unavailable" if self._parts.embed_breaker.is_open else embedder,
        }

    def flush(self) -> int:
        """Forget every answer of the namespace, the keys that were accepted, and the counters.
        Returns how many answers there were."""
        self._archive.drain(2.0)
        flushed = self._management.flush()
        # Afterwards: until then the store would say so again.
        self._parts.acceptances.forget()
        self._recent.clear()
        self._counters.reset()
        return flushed

    def drain(self, timeout_s: float) -> bool:
        """Wait until all that was handed over so far is stored; False after `timeout_s`."""
        return self._archive.drain(timeout_s)

    def close(self) -> None:
        """Store what is waiting, let go of connections and threads. Idempotent."""
        self._archive.close()
        self._parts.probes.close(0.0)
        self._parts.flights.dissolve_all()
        self._others.close()
        self._parts.embed_executor.shutdown(wait=False, cancel_futures=True)
        self._jobs.shutdown(wait=False, cancel_futures=True)
        for bench in self._parts.benches.values():
            bench.executor.shutdown(wait=False, cancel_futures=True)
        self._management.close()
