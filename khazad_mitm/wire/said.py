"""Is anything said by a value? What every format asks of an answer before it is kept."""

from __future__ import annotations

from khazad_mitm.exchange import Json


def is_filled(value: Json) -> bool:
    """Some servers send every field, as objects and lists of empty text: they say nothing."""
    match value:
        case str():
            return bool(value.strip())
        case dict():
            return any(map(is_filled, value.values()))
        case list():
            return any(map(is_filled, value))
        case _:
            return bool(value)
