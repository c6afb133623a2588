"""A batch answered item by item: which are known, what is still to be asked, the whole from both.

The format says how a batch is taken apart and put together (`exchange.Batch`); here it is decided
whether. A wrong or short answer must never come out: where parts do not fit, the whole is asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from khazad_mitm.cache import policy
from khazad_mitm.cache.commands import GetMany, Steps
from khazad_mitm.exchange import Answer, Entry, Hit, Miss, Partial, Unkept

# Items asked for at once. A batch may be many megabytes: each piece has the store's deadline, so
# that one that does not answer costs one, and one that does may take as long as it takes.
PIECE = 64


def by_item(ticket: Miss, controls: policy.Controls, now: float) -> Steps[Hit | Miss]:
    """A hit where every item is known; else the ticket, with a `Partial` where some are."""
    parsed, batch = ticket.parsed, ticket.parsed.batch
    found: list[Entry | None] = []
    for start in range(0, len(ticket.items), PIECE):
        found += yield GetMany(ticket.items[start : start + PIECE])
    known = {
        place: entry
        for place, entry in enumerate(found)
        if entry is not None and policy.may_serve(entry, controls, now)
    }
    if batch is None or not known:
        return ticket
    # Also where some are missing: parts that do not fit each other will not fit the rest.
    answer = batch.together([entry.answer for entry in known.values()], None)
    if answer is None:
        return ticket
    if len(known) == len(found):
        return Hit(parsed, _composed(ticket, tuple(known.values()), answer), "exact")
    if not policy.may_be_rewritten(parsed.request):
        return ticket
    wanted = tuple(place for place in range(len(found)) if place not in known)
    return replace(ticket, partial=Partial(known, wanted, batch.rest(parsed, wanted)))


@dataclass(frozen=True, slots=True)
class Joined:
    """A batch that has become whole."""

    whole: bytes
    answer: Answer
    """The upstream's, to the rest."""
    parts: tuple[bytes, ...]
    """The same, item by item."""


def joined(miss: Miss, body: bytes) -> Joined | None:
    """The whole batch from what is known and the upstream's answer to the rest (`body`, decoded);
    None where that is no answer to the rest, or does not fit what is known."""
    batch, partial = miss.parsed.batch, miss.partial
    if batch is None or partial is None:
        return None
    answer = partial.rest.provider.assemble(body, partial.rest)
    if isinstance(answer, Unkept):
        return None
    parts = batch.apart(answer.body)
    if len(parts) != len(partial.wanted):
        return None
    answers = {place: entry.answer for place, entry in partial.known.items()}
    answers.update(zip(partial.wanted, parts, strict=True))
    whole = batch.together([answers[place] for place in range(len(answers))], answer.body)
    return None if whole is None else Joined(whole, answer, parts)


def items_of(
    entry: Entry, fingerprints: Sequence[str], parts: Sequence[bytes]
) -> tuple[Entry, ...]:
    """An entry for each part of the answer that `entry` holds."""
    # Nobody says what one item cost: an even share keeps the sum of what hits save.
    share = entry.tokens // max(1, len(parts))
    # It would not have come sooner alone.
    return tuple(
        replace(entry, id=id_, answer=part, original=part, tokens=share, conversation="")
        for id_, part in zip(fingerprints, parts, strict=True)
    )


def _composed(ticket: Miss, entries: Sequence[Entry], answer: bytes) -> Entry:
    """One entry from those of all items: as old as the oldest, as short-lived as the shortest."""
    ends = [entry.expires_at for entry in entries if entry.expires_at is not None]
    return replace(
        entries[0],
        id=ticket.digests.fingerprint,
        answer=answer,
        original=answer,
        stored_at=min(entry.stored_at for entry in entries),
        expires_at=min(ends, default=None),
        tokens=sum(entry.tokens for entry in entries),
        took_s=max(entry.took_s for entry in entries),
    )
