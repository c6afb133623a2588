"""Recordings of which only the system prompt or the tools have changed since.

A program that is run on its recordings finds none for such a request. `Kin` then plays the one that
differs in nothing else, so that the program goes on as it did, later turns of its conversations
too, and notes which it was. Nothing is asked of any upstream.
"""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from khazad_mitm import wire
from khazad_mitm.cache.pace import BYTES_PER_TOKEN
from khazad_mitm.exchange import Answer, Reply
from khazad_mitm.messages import Request
from khazad_mitm.record.cassette import Cassette, Recording
from khazad_mitm.record.matching import Essence, without_setting
from khazad_mitm.record.report import Report
from khazad_mitm.record.why import Difference, differences, nearest


@dataclass(frozen=True, slots=True)
class Affected:
    """A recording, and the request that would have it now."""

    recording: Recording
    request: Request
    essence: Essence

    @property
    def changes(self) -> list[Difference]:
        return differences(self.recording.essence, self.essence)


class Kin:
    """A `recorder.StandIn`. Each recording stands in once, and only if nobody asks for it as it
    is."""

    def __init__(self, cassette: Cassette) -> None:
        self._cassette = cassette
        self._lock = threading.Lock()
        self._by_digest: dict[str, list[Recording]] = defaultdict(list)
        for recording in cassette.recordings:
            self._by_digest[_bare(recording)].append(recording)
        self.affected: list[Affected] = []

    def __call__(self, request: Request) -> Reply | None:
        asked = self._cassette.essence(request, None)
        unused = set(self._cassette.unused())
        with self._lock:
            known = self._by_digest.get(without_setting(asked).digest, [])
            found = nearest(asked, [one for one in known if one.path in unused])
            if found is None:
                return None
            known.remove(found)
            self.affected.append(Affected(found, request, asked))
        return found.reply("rebase")

    def close(self) -> None: ...


def _bare(recording: Recording) -> str:
    return without_setting(recording.essence).digest


def tokens(affected: Affected) -> tuple[str, int, int]:
    """Model, and the tokens read and written if it is asked again: those of the recording, where
    it tells them, and what the request has grown by; else by length."""
    old = affected.recording.interaction
    parsed = wire.recognise(old.request)
    if parsed is None or old.answer.status != 200:
        return old.label.model, 0, 0
    answer = parsed.provider.assemble(old.answer.body, parsed)
    if isinstance(answer, Answer) and answer.tokens:
        written = answer.output_tokens
        grown = (len(affected.request.body) - len(old.request.body)) // BYTES_PER_TOKEN
        return parsed.model, max(0, answer.tokens - written + grown), written
    said = answer.body if isinstance(answer, Answer) else old.answer.body
    read, written = len(affected.request.body), len(said)
    return parsed.model, read // BYTES_PER_TOKEN, written // BYTES_PER_TOKEN


def replaced(
    affected: Sequence[Affected], live: Report, cassette: Cassette, *, is_whole: bool
) -> list[Path]:
    """Which of the affected recordings have had their day after a `live` run, which did not ask for
    them.

    Each for which one was written that differs from it in system prompt and tools only. Where the
    run `is_whole`, did all it does, also the others: later turns of a conversation that has gone
    another way. `cassette`: as it is now on file.
    """
    new, unused = set(live.written), set(live.unused)
    twins = Counter(_bare(one) for one in cassette.recordings if one.path in new)
    gone = []
    for one in affected:
        bare, path = _bare(one.recording), one.recording.path
        if path in unused and (twins[bare] > 0 or is_whole):
            twins[bare] -= 1
            gone.append(path)
    return gone
