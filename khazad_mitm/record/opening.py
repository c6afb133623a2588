"""A recorder from settings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from khazad_mitm.errors import ConfigError
from khazad_mitm.exchange import Hit, Miss, Reply
from khazad_mitm.messages import Request
from khazad_mitm.record.cassette import Cassette
from khazad_mitm.record.faults import Fault
from khazad_mitm.record.recorder import Recorder, RecordMode

if TYPE_CHECKING:
    from khazad_mitm.cache.front import Cache
    from khazad_mitm.settings import Settings

# Every question of a cassette is embedded at the start: some milliseconds each.
LEARNING_S = 120.0


def open_recorder(
    settings: Settings, build_cache: Callable[[Settings], Cache], faults: Sequence[Fault] = ()
) -> Recorder:
    """Load the cassette of the settings. Raises ConfigError with file and line where one of its
    files cannot be read, and where nothing can be played and nothing may be recorded."""
    folder = Path(settings.cassette or "").expanduser()
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"cassette: {folder} is no directory", "a cassette is a directory")
    mode = RecordMode(settings.record)
    cassette = Cassette.open(folder)
    if mode is RecordMode.NONE and not cassette.recordings and settings.on_miss != "upstream":
        raise ConfigError(
            f"cassette: there is no recording in {folder}, and record=none makes none",
            "record first, with record=once; or is it another directory?",
        )
    stand_in = None
    if settings.on_miss == "semantic":
        stand_in = ByMeaning(build_cache(_in_memory(settings)), cassette)
    return Recorder(
        cassette, mode, settings.on_miss, settings.hosts, stand_in, settings.replay_pace, faults
    )


def _in_memory(settings: Settings) -> Settings:
    """A cache of recordings: of this process, for ever, shared, and never in a hurry. Nothing can
    be learned where no upstream is asked, so there is no budget."""
    return replace(
        settings,
        redis_url="memory",
        tenant="shared",
        mode="cache",
        ttl=None,
        max_wrong_hits=None,
        # What is in the files may be in this process' memory too.
        store_prompts="on",
        redact=(),
        redact_file=(),
        hosts=(),
        embed_deadline_ms=60_000,
        store_deadline_ms=60_000,
    )


class ByMeaning:
    """What the recordings answer to a question in other words, with all the care of the cache."""

    def __init__(self, cache: Cache, cassette: Cassette) -> None:
        self._cache = cache
        for recording in cassette.recordings:
            answer = recording.interaction.answer
            outcome = cache.look_up(recording.interaction.request)
            if isinstance(outcome, Miss):
                capture = cache.capture(outcome)
                capture.feed(answer.body)
                capture.finish(answer.status, answer.headers)
        cache.drain(LEARNING_S)

    def __call__(self, request: Request) -> Reply | None:
        outcome = self._cache.look_up(request)
        if isinstance(outcome, Hit):
            return self._cache.reply(outcome)
        self._cache.abandon(outcome)
        return None

    def close(self) -> None:
        self._cache.close()
