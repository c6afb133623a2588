"""Why an answer is not kept: raised wherever it is found out, told once."""

from __future__ import annotations

from collections.abc import Callable

from khazad_mitm.exchange import Answer, Unkept


class Unfit(ValueError):
    """The answer must not be kept; the message is the reason for `Unkept`."""


def outcome(read: Callable[[], Answer]) -> Answer | Unkept:
    """What `read` makes of an answer; whatever it stumbles over in the bytes becomes a reason.

    A mistake of ours (KeyError, TypeError ...) is no reason and goes through: tests must see it.
    """
    try:
        return read()
    except Unfit as unfit:
        return Unkept(str(unfit))
    except (ValueError, RecursionError):
        return Unkept("undecodable")
