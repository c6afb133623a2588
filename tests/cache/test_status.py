from __future__ import annotations

import json

from khazad_mitm.cache.status import of_forwarded, of_hit, of_incomplete
from khazad_mitm.exchange import Bypass, Digests, Hit, Miss, Partial, Unsatisfied

from .script import NOW, asked, entry

REQUEST = asked("hello")
DIGESTS = Digests("f" * 32, "c" * 32)


def test_a_semantic_hit_tells_its_age_its_ttl_and_its_similarity() -> None:
    headers = of_hit(Hit(REQUEST, entry(), "semantic", 0.9531), NOW)

    assert 'khazad; hit; ttl=100; detail="semantic 0.953"' == headers.get("cache-status")
    assert "10" == headers.get("age")
    assert "0" * 32 == headers.get("x-khazad-entry")


def test_an_entry_that_does_not_expire_has_no_ttl() -> None:
    headers = of_hit(Hit(REQUEST, entry(expires_at=None), "exact"), NOW)

    assert 'khazad; hit; detail="exact"' == headers.get("cache-status")


def test_a_miss_tells_how_near_the_nearest_was_and_why_it_was_refused() -> None:
    miss = Miss(REQUEST, DIGESTS, nearest=0.9534, reason="refused figures")

    assert 'khazad; fwd=miss; detail="refused figures, nearest 0.953"' == of_forwarded(miss)


def test_a_miss_with_nothing_to_tell_is_bare() -> None:
    assert "khazad; fwd=miss" == of_forwarded(Miss(REQUEST, DIGESTS))


def test_what_the_request_forbade_is_forwarded_by_request() -> None:
    forwarded = of_forwarded(Miss(REQUEST, DIGESTS, reason="no-cache"))

    assert 'khazad; fwd=request; detail="no-cache"' == forwarded


def test_a_bypass_says_why() -> None:
    assert 'khazad; fwd=bypass; detail="no-store"' == of_forwarded(Bypass(REQUEST, "no-store"))


def test_an_unsatisfied_request_is_a_504() -> None:
    assert "fwd-status=504" in of_forwarded(Unsatisfied(REQUEST, "only-if-cached"))


def test_a_batch_that_is_partly_known_is_a_partial_answer() -> None:
    partial = Partial({0: entry(), 2: entry()}, (1,), REQUEST)
    miss = Miss(
        REQUEST, DIGESTS, reason="exact-only embedding", items=("a", "b", "c"), partial=partial
    )

    assert 'khazad; fwd=partial; detail="2 of 3 known"' == of_forwarded(miss)
    reply = of_incomplete(miss)
    assert (502, "application/json") == (reply.status, reply.headers.get("content-type"))
    assert "message" in json.loads(reply.body)["error"]
