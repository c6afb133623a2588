"""What can go wrong, and whose business it is.

    KhazadError
    ├── ConfigError (ValueError)       an option is wrong: fails at start-up, with a hint
    ├── MissingExtra (ImportError)     an optional dependency is not installed
    ├── UnknownEntry (LookupError)     somebody asked about an entry that is not there
    └── CacheUnavailable               the store or the embedder did not answer in time
        ├── WriteDenied                the store answers, and takes nothing
        └── NotAsked                   there was no time left to ask it

Configuration fails at once and helps. Traffic never fails because of us: `CacheUnavailable`
never leaves `cache.drive`, where it becomes a `Bypass`.
"""

from __future__ import annotations

import logging
import os
import sys
import traceback

MOST_PLACES = 6


class KhazadError(Exception):
    """The root of every error of ours."""


class ConfigError(KhazadError, ValueError):
    """An option has a value that cannot work; the message names option, value and bound."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(f"{message}\n\nhint: {hint}" if hint else message)


class MissingExtra(KhazadError, ImportError):
    """A part was asked for whose optional dependency is not installed."""

    def __init__(self, part: str, extra: str) -> None:
        super().__init__(f'{part} needs an extra: pip install "khazad-mitm[{extra}]"')


class UnknownEntry(KhazadError, LookupError):
    """An id names no stored entry, or several."""


class CacheUnavailable(KhazadError):
    """The store or the embedder failed, or did not answer before its deadline."""


class WriteDenied(CacheUnavailable):
    """The store is full, read-only or cannot save: it still finds what it has."""


class NotAsked(CacheUnavailable):
    """Time was up before the part was asked: that tells nothing of the part."""


def tell(logger: logging.Logger, words: str, level: int = logging.WARNING) -> None:
    """Log the error that is being handled, at an edge where it ends: its kind, and where it arose.

    Its message, and the traceback that ends with it, only at DEBUG: it may quote what somebody
    stumbled over, and that may be a prompt.
    """
    error = sys.exc_info()[1]
    logger.log(level, "%s: %s", words, "nothing" if error is None else outline(error))
    logger.debug("[Khazad] the whole of it:", exc_info=True)


def outline(error: BaseException) -> str:
    """`KeyError at body.py:43 in read, by lookup.py:12 in look`, the innermost places first."""
    frames = traceback.extract_tb(error.__traceback__)[: -MOST_PLACES - 1 : -1]
    places = (f"{os.path.basename(at.filename)}:{at.lineno} in {at.name}" for at in frames)
    return " at ".join((type(error).__name__, ", by ".join(places))).removesuffix(" at ")
