"""What was heard becomes a file: decoded, scrubbed, cut into frames, looked through, written."""

from __future__ import annotations

import logging
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import partial
from itertools import accumulate
from pathlib import Path

from khazad_mitm import __version__
from khazad_mitm.errors import ConfigError
from khazad_mitm.exchange import ParsedRequest
from khazad_mitm.messages import Headers, Request
from khazad_mitm.record import files, naming
from khazad_mitm.record.bodies import Shelf
from khazad_mitm.record.cassette import Cassette
from khazad_mitm.record.interaction import Answered, Frame, Interaction, Label
from khazad_mitm.record.report import Tally
from khazad_mitm.record.scrub import suspects
from khazad_mitm.record.take import MAX_BYTES, Heard
from khazad_mitm.record.yamls import load
from khazad_mitm.wire import coding, eventstream, frames, ndjson, sse

_STREAMS = {
    "text/event-stream": sse.split,
    "application/x-ndjson": ndjson.split,
    "application/stream+json": ndjson.split,
    eventstream.MEDIA_TYPE: eventstream.split,
}

logger = logging.getLogger("khazad")


@dataclass(frozen=True, slots=True)
class Ticket:
    """A request whose answer is to be recorded."""

    request: Request
    """Scrubbed."""
    parsed: ParsedRequest | None
    digest: str
    secrets: tuple[str, ...]
    """Credentials of the call, which may stand in its answer too."""
    path: Path
    made_at: float | None = None
    """Unix seconds; None: now."""


class Writer:
    """Writes the recordings of one cassette."""

    def __init__(self, cassette: Cassette, tally: Tally) -> None:
        self._cassette = cassette
        self._tally = tally

    def place(
        self, request: Request, parsed: ParsedRequest | None, digest: str, *, anew: bool
    ) -> Path:
        return self._cassette.place(naming.stem(request, parsed, digest), anew=anew)

    def write(self, ticket: Ticket, heard: Heard) -> None:
        """Never raises: what cannot be recorded is counted and said."""
        try:
            self._write(ticket, self.interaction(ticket, heard))
        except ConfigError as error:
            self.give_up(ticket, str(error).partition("\n")[0])
        except (ValueError, OSError) as error:
            self.give_up(ticket, str(error))

    def give_up(self, ticket: Ticket, reason: str) -> None:
        told = f"{ticket.path.name}: {reason}"
        self._tally.count_lost(told)
        logger.warning("[Khazad] NOT RECORDED - %s", told)

    def interaction(self, ticket: Ticket, heard: Heard) -> Interaction:
        """Everything that was heard, as it may be written."""
        scrubber = self._cassette.rules.scrubber
        headers = scrubber.answer_headers(heard.headers, ticket.secrets)
        codings = heard.headers.joined("content-encoding")
        body = coding.decode(heard.body, codings, MAX_BYTES)
        if body is None:
            body = heard.body
            headers = headers.plus(("content-encoding", codings))
        pieces = _frames(body, heard.headers, ticket.parsed, heard.status)
        clean = partial(scrubber.body, secrets=ticket.secrets)
        media = _media(heard.headers)
        times = _times(heard, [len(piece) for piece in pieces], len(body))
        answer = Answered(
            heard.status,
            headers,
            tuple(
                Frame(at, _scrubbed(piece, media, clean))
                for at, piece in zip(times, pieces, strict=True)
            ),
            is_stream=_is_stream(heard, ticket.parsed),
        )
        label = Label(
            "http" if ticket.parsed is None else ticket.parsed.provider.name,
            "" if ticket.parsed is None else ticket.parsed.model,
            f"khazad-mitm {__version__}",
            _day(ticket.made_at),
        )
        return Interaction(ticket.request, answer, label)

    def _write(self, ticket: Ticket, interaction: Interaction) -> None:
        path = ticket.path
        if path.exists() and _is_on_file(path, interaction):
            self._tally.count_unchanged()
            logger.info("[Khazad] ON FILE - %s", path.name)
            return
        shelf = Shelf(path.stem)
        text = files.text_of(interaction, shelf)
        found = next(suspects_of(text, shelf), None)
        if found is not None:
            raise ValueError(f"{found}; nothing was written. Scrub it with a rule in cassette.yaml")
        files.replace(path, text, shelf.files)
        self._tally.count_recorded(path)
        logger.info("[Khazad] RECORDED - %s", path.name)


def _day(made_at: float | None) -> str:
    utc = timezone.utc
    when = datetime.now(utc) if made_at is None else datetime.fromtimestamp(made_at, utc)
    return when.strftime("%Y-%m-%d")


def suspects_of(text: str, shelf: Shelf) -> Iterator[str]:
    """What in a file, and in the files beside, looks like a secret; with its place."""
    yield from suspects(load(text))
    for name, data in shelf.files.items():
        yield from suspects(data.decode("latin-1"), name)


def _is_on_file(path: Path, interaction: Interaction) -> bool:
    known = files.read(path)
    return known.request == interaction.request and known.answer.says_the_same_as(
        interaction.answer
    )


def _is_stream(heard: Heard, parsed: ParsedRequest | None) -> bool:
    if _media(heard.headers) in _STREAMS:
        return True
    return parsed is not None and parsed.framing.is_stream and heard.status == 200


def _frames(
    body: bytes, headers: Headers, parsed: ParsedRequest | None, status: int
) -> tuple[bytes, ...]:
    if not body:
        return ()
    split = _STREAMS.get(_media(headers))
    if split is not None:
        whole, rest = split(body)
        return (*whole, rest) if rest else tuple(whole)
    if parsed is not None and status == 200:
        return frames.split(body, parsed)
    return (body,)


def _scrubbed(frame: bytes, media: str, clean: Callable[[bytes], bytes]) -> bytes:
    """An AWS frame counts its bytes: what is replaced in it is replaced in its payload."""
    if media != eventstream.MEDIA_TYPE:
        return clean(frame)
    try:
        headers, payload = eventstream.read(frame)
    except ValueError:
        return frame
    if clean(payload) == payload:
        return frame
    return eventstream.write(eventstream.Event(headers.get(":event-type", ""), clean(payload)))


def _times(heard: Heard, lengths: list[int], size: int) -> list[int]:
    """When each frame was whole. Of an answer that was compressed, in proportion."""
    if not heard.chunks:
        return [0] * len(lengths)
    ends = list(accumulate(len(chunk) for chunk in heard.chunks))
    scale = ends[-1] / size if size else 1.0
    found = []
    for end in accumulate(lengths):
        at = bisect_left(ends, min(ends[-1], round(end * scale)))
        found.append(heard.times_ms[min(at, len(ends) - 1)])
    return found


def _media(headers: Headers) -> str:
    return (headers.get("content-type") or "").partition(";")[0].strip().lower()
