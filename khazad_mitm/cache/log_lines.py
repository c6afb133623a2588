"""One line per decision. The first words are the original library's, which people grep for."""

from __future__ import annotations

import logging

from khazad_mitm.cache import status
from khazad_mitm.cache.live import Followed, Found
from khazad_mitm.cache.without_store import STORE_AWAY
from khazad_mitm.exchange import Bypass, Hit, Miss, ParsedRequest, Unsatisfied

logger = logging.getLogger("khazad")


def tell(outcome: Found, seconds: float) -> None:
    """Log the outcome of a lookup that took so long."""
    whose = what(outcome.parsed)
    match outcome:
        case Hit():
            logger.info(
                "[Khazad] CACHE HIT - Similarity: %.2f - Latency: %.0fms - %s %s",
                outcome.similarity,
                seconds * 1000,
                "collapsed" if outcome.is_collapsed else outcome.tier,
                whose,
            )
        case Followed():
            logger.info(
                "[Khazad] CACHE HIT - Similarity: 1.00 - Latency: %.0fms - collapsed %s",
                seconds * 1000,
                whose,
            )
        case Miss(reason=reason) if reason == STORE_AWAY:
            # The breaker has said so once; a line for each call would bury it.
            logger.debug("[Khazad] CACHE MISS - %s - %s", reason, whose)
        case Miss():
            detail = status.describe_miss(outcome)
            logger.info("[Khazad] CACHE MISS - Forwarding to API - %s", f"{detail} {whose}".strip())
        case Bypass(reason=reason) | Unsatisfied(reason=reason):
            logger.info("[Khazad] BYPASS - %s %s", reason, whose)


def what(parsed: ParsedRequest) -> str:
    """A call as log lines name it."""
    return f"{parsed.provider.name} {parsed.model}".strip()
