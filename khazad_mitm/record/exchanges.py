"""Calls that were made elsewhere, and how they become recordings.

They go the way of every recording: scrubbed, looked through, named by their request.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from khazad_mitm import wire
from khazad_mitm.errors import ConfigError
from khazad_mitm.messages import Request, Response
from khazad_mitm.record.cassette import Cassette
from khazad_mitm.record.report import Report, Tally
from khazad_mitm.record.scrub import secrets_of
from khazad_mitm.record.take import Heard
from khazad_mitm.record.writer import Ticket, Writer


@dataclass(frozen=True, slots=True)
class Exchange:
    """One call. Bodies are coded as their headers say; `response.marks` tell how it came."""

    request: Request
    response: Response
    made_at: float | None = field(default=None, compare=False)
    """Unix seconds; None where nobody knows."""


def take_over(exchanges: Iterable[Exchange], folder: Path) -> Report:
    """Write each into the cassette, behind what is there. Raises ConfigError for a broken one."""
    taking = _Taking(folder)
    for one in exchanges:
        ticket = taking.ticket(one, anew=False)
        taking.writer.write(ticket, heard(one.response))
    return taking.tally.report(())


def put(exchange: Exchange, folder: Path, *, replaces: bool) -> Report:
    """Write one into the cassette, unless it is on file as it is.

    Raises ConfigError where its request has another answer there, which is kept unless it
    `replaces` the first of them.
    """
    taking = _Taking(folder)
    ticket, said = taking.ticket(exchange, anew=True), heard(exchange.response)
    known = taking.cassette.of(ticket.digest)
    new = taking.writer.interaction(ticket, said)
    if any(one.interaction.answer.says_the_same_as(new.answer) for one in known):
        taking.tally.count_unchanged()
    elif known and not replaces:
        raise ConfigError(
            f"{known[0].path} has another answer to this request",
            "--replace puts this one in its place",
        )
    else:
        taking.writer.write(ticket, said)
    return taking.tally.report(())


def heard(response: Response) -> Heard:
    """An answer in the chunks that its marks tell."""
    marks = response.marks or ((len(response.body), 0),)
    ends = [min(end, len(response.body)) for end, _ in marks]
    ends[-1] = len(response.body)
    chunks = tuple(response.body[start:end] for start, end in zip([0, *ends], ends, strict=False))
    return Heard(response.status, response.headers, chunks, tuple(at for _, at in marks))


class _Taking:
    def __init__(self, folder: Path) -> None:
        self.cassette = Cassette.open(folder)
        self.tally = Tally()
        self.writer = Writer(self.cassette, self.tally)

    def ticket(self, one: Exchange, *, anew: bool) -> Ticket:
        secrets = secrets_of(one.request)
        clean = self.cassette.rules.scrubber.request(one.request, secrets)
        parsed = wire.recognise(clean)
        digest = self.cassette.essence(clean, parsed).digest
        path = self.writer.place(clean, parsed, digest, anew=anew)
        return Ticket(clean, parsed, digest, secrets, path, one.made_at)
