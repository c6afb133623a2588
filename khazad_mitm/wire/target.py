"""What a request's target asks for, once everything that asks for nothing is taken out."""

from __future__ import annotations

import logging
from collections.abc import Collection
from urllib.parse import unquote_plus

from khazad_mitm.messages import CREDENTIAL_PARAMETERS

logger = logging.getLogger("khazad")


def resource(path: str, query: str, framing: Collection[str] = ()) -> str:
    """`path` with what counts of `query`: not the credentials, nor the parameters of `framing`.

    Names of `framing` are lower case; the order of the others stays as sent.
    """
    kept = "&".join(
        pair
        for pair in query.split("&")
        if (name := unquote_plus(pair.partition("=")[0]).lower()) not in CREDENTIAL_PARAMETERS
        and name not in framing
    )
    return f"{path}?{kept}" if kept else path


def with_placeholder(path: str, span: tuple[int, int]) -> str:
    """`path` with the model that stands at `span` taken out."""
    start, end = span
    return path[:start] + "{model}" + path[end:]


def passed_by(provider: str, reason: str) -> None:
    """The one line that says why a call to a known endpoint is never found in the cache."""
    logger.debug("[Khazad] PASSED BY - %s - %s", reason, provider)
