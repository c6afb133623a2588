"""Entries and aliases as they lie under their keys: in the clear, or under a seal.

With a seal whatever is not sealed under that very key is none of ours: it was moved, forged, or
kept before there was a key.
"""

from __future__ import annotations

from khazad_mitm.exchange import Entry
from khazad_mitm.store.codec import decode, encode
from khazad_mitm.store.seal import Seal


def blob_of(entry: Entry, seal: Seal | None) -> bytes:
    blob = encode(entry)
    return blob if seal is None else seal.close(f"e:{entry.id}", blob)


def entry_of(id_: str, body: bytes | None, seal: Seal | None) -> Entry | None:
    """The entry that lies under the key of this id, or None.

    One with another id was copied there by another program: it answers another question, or
    another caller's.
    """
    if body and seal is not None:
        body = seal.open(f"e:{id_}", body)
    entry = decode(body) if body else None
    return entry if entry is not None and entry.id == id_ else None


def target(name: str, id_: str, what: str, seal: Seal | None) -> str:
    """What an alias of this name says after the id of its entry."""
    return what if seal is None else f"{what}:{seal.mark(name, f'{id_}:{what}')}"


def target_of(name: str, value: bytes | None, seal: Seal | None) -> tuple[str, str] | None:
    """The id of the entry and what an alias says of it, or None.

    An alias that another program has turned to another entry would be a wrong answer.
    """
    if value is None:
        return None
    id_, _, what = value.decode("ascii", "replace").partition(":")
    if seal is not None:
        what, _, mark = what.partition(":")
        if not seal.bears(name, f"{id_}:{what}", mark):
            return None
    return id_, what
