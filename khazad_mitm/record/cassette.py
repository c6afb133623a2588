"""A cassette: a directory of recordings, which of them answers next, and where new ones go."""

from __future__ import annotations

import gc
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from khazad_mitm.exchange import ParsedRequest, Reply
from khazad_mitm.messages import Request
from khazad_mitm.record import files, naming
from khazad_mitm.record.interaction import Interaction
from khazad_mitm.record.matching import Essence, essence
from khazad_mitm.record.rules import NAME, CassetteRules, read_rules
from khazad_mitm.wire import target


@dataclass(frozen=True, slots=True)
class Recording:
    """An interaction of the cassette, and what is compared with a request."""

    interaction: Interaction
    essence: Essence
    digest: str

    @property
    def path(self) -> Path:
        assert self.interaction.path is not None
        return self.interaction.path

    def reply(self, detail: str = "recorded") -> Reply:
        """What is played."""
        answer = self.interaction.answer
        said = ("Cache-Status", f'khazad; hit; detail="{detail}"')
        headers = answer.headers.plus(said, ("X-Khazad-Entry", self.path.stem))
        return Reply(answer.status, headers, tuple(one.data for one in answer.frames))


class Cassette:
    """Thread-safe. What is recorded while it is open is played when it is opened again."""

    def __init__(self, folder: Path, rules: CassetteRules, recordings: list[Recording]) -> None:
        """`recordings` in their order."""
        self.folder = folder
        self.rules = rules
        self.recordings = recordings
        self.hosts = frozenset(found.interaction.request.host for found in recordings)
        self._by_digest: dict[str, list[Recording]] = defaultdict(list)
        for recording in recordings:
            self._by_digest[recording.digest].append(recording)
        self._lock = threading.Lock()
        self._played: Counter[str] = Counter()
        self._taken: Counter[str] = Counter()

    @classmethod
    def open(cls, folder: Path) -> Cassette:
        """Load every recording; none where the directory is not there. Raises ConfigError."""
        rules = read_rules(folder)
        recordings = []
        with _uncollected():
            for path in recordings_in(folder):
                interaction = files.read(path)
                counts = essence(interaction.request, rules.tolerances)
                recordings.append(Recording(interaction, counts, counts.digest))
        return cls(folder, rules, recordings)

    def essence(self, request: Request, parsed: ParsedRequest | None) -> Essence:
        return essence(request, self.rules.tolerances, parsed)

    def ahead(self, digest: str) -> Recording | None:
        """The recording that is next for a request; None where there is none, or no more."""
        with self._lock:
            return self._ahead(digest)

    def next(self, digest: str) -> Recording | None:
        """The same, and the one after it will be the next."""
        with self._lock:
            found = self._ahead(digest)
            if found is not None:
                self._played[digest] += 1
            return found

    def _ahead(self, digest: str) -> Recording | None:
        known, at = self._by_digest.get(digest, ()), self._played[digest]
        return known[at] if at < len(known) else None

    def of(self, digest: str) -> list[Recording]:
        return list(self._by_digest.get(digest, ()))

    def place(self, name: str, *, anew: bool) -> Path:
        """A path for the next recording of this name. `anew`: what is there is replaced, from the
        first on; otherwise it is kept."""
        with self._lock:
            while True:
                self._taken[name] += 1
                path = self.folder / f"{naming.numbered(name, self._taken[name])}{files.SUFFIX}"
                if anew or not path.exists():
                    return path

    def unused(self) -> list[Path]:
        """The recordings that nobody has asked for since it was opened."""
        with self._lock:
            return [
                recording.path
                for known in self._by_digest.values()
                for recording in known[self._played[known[0].digest] :]
            ]

    def rewind(self) -> None:
        """Play from the start."""
        with self._lock:
            self._played.clear()


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without the search for cycles, of which values read from files have none: it takes a sixth of
    the time of reading a thousand."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def recordings_in(folder: Path) -> list[Path]:
    """The files of a cassette, in order; not those of cassettes below."""
    if not folder.is_dir():
        return []
    paths = [path for path in folder.glob(f"*{files.SUFFIX}") if is_recording(path)]
    return sorted(paths, key=lambda path: naming.order(path.stem))


def is_recording(path: Path) -> bool:
    return path.name != NAME and not path.name.startswith(".")


def endpoint(request: Request) -> str:
    """As messages name it: `POST api.openai.com/v1/chat/completions`."""
    return f"{request.method} {request.host}{target.resource(request.path, '')}"
