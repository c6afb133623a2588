"""What we say of ourselves on an answer: `Cache-Status` (RFC 9211), `Age`, `X-Khazad-Entry`."""

from __future__ import annotations

from khazad_mitm.cache import policy
from khazad_mitm.cache.live import Followed
from khazad_mitm.exchange import Bypass, Hit, Miss, Reply, Unsatisfied
from khazad_mitm.messages import Headers

CACHE = "khazad"
ENTRY_HEADER = "X-Khazad-Entry"


def of_hit(hit: Hit, now: float) -> Headers:
    """The headers of a served answer. RFC 9111 §4: Age must be present on reuse."""
    entry = hit.entry
    # RFC 9211 §2.4: collapsed with a request that was forwarded, and served by its answer.
    parts = [CACHE, "fwd=miss", "collapsed"] if hit.is_collapsed else [CACHE, "hit"]
    if entry.expires_at is not None:
        parts.append(f"ttl={int(entry.expires_at - now)}")
    detail = hit.tier if hit.tier == "exact" else f"{hit.tier} {hit.similarity:.3f}"
    parts.append(f'detail="{detail}"')
    return Headers(
        [
            ("Age", str(entry.age_s(now))),
            ("Cache-Status", "; ".join(parts)),
            (ENTRY_HEADER, entry.id),
        ]
    )


def of_followed(followed: Followed) -> Reply:
    """The head of an answer that is read along, coded as it comes."""
    live = followed.live
    headers = policy.kept_headers(live.headers)
    coding = live.headers.joined("content-encoding")
    if coding:
        headers = headers.plus(("Content-Encoding", coding))
    said = f'{CACHE}; fwd=miss; collapsed; detail="exact"'
    return Reply(live.status, headers.plus(("Cache-Status", said)), ())


def of_forwarded(outcome: Miss | Bypass | Unsatisfied) -> str:
    """The value of Cache-Status for an answer that the upstream gave, or would have had to give."""
    match outcome:
        case Bypass(reason=reason):
            return f'{CACHE}; fwd=bypass; detail="{reason}"'
        case Unsatisfied(reason=reason):
            return f'{CACHE}; fwd=miss; fwd-status=504; detail="{reason}"'
        case Miss():
            # RFC 9211 §2.2: `request` is for requests whose own directives forbid the reuse.
            forwarded = "request" if outcome.reason == "no-cache" else "miss"
            forwarded = forwarded if outcome.partial is None else "partial"
            detail = describe_miss(outcome)
            return f"{CACHE}; fwd={forwarded}" + (f'; detail="{detail}"' if detail else "")


def of_error(code: int, message: str, outcome: Miss | Unsatisfied) -> Reply:
    """An error of ours, in the shape that most SDKs can read."""
    headers = Headers(
        [("Content-Type", "application/json"), ("Cache-Status", of_forwarded(outcome))]
    )
    return Reply(code, headers, (b'{"error": {"message": "%s"}}' % message.encode(),))


def of_incomplete(miss: Miss) -> Reply:
    """What to send where a batch could not be put together and nobody can be asked again.

    SDKs ask again themselves after a 502, and then the batch goes as a whole.
    """
    return of_error(502, "the batch could not be put together, please ask again", miss)


def describe_miss(miss: Miss) -> str:
    """`nearest 0.871`, `refused numbers, nearest 0.953`, `exact-only tool-result`,
    `3 of 5 known`, or ""."""
    if miss.partial is not None:
        return f"{len(miss.partial.known)} of {len(miss.items)} known"
    parts = [miss.reason] if miss.reason else []
    if miss.nearest is not None:
        parts.append(f"nearest {miss.nearest:.3f}")
    return ", ".join(parts)
