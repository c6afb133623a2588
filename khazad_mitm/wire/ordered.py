"""One order for the keys of an object put together from a stream, whatever order they came in."""

from __future__ import annotations

from khazad_mitm.exchange import Json


def ordered(fields: dict[str, Json], known: tuple[str, ...]) -> dict[str, Json]:
    """The known keys first, as `known` has them, then the others by name.

    Merging what was split then gives the same bytes.
    """
    names = [name for name in known if name in fields]
    return {name: fields[name] for name in (*names, *sorted(fields.keys() - set(known)))}
