"""A batch of texts to embed, in process: the upstream is asked for what is not known."""

from __future__ import annotations

import json
from typing import Any

from khazad_mitm.cache.front import Cache
from tests.inprocess.conftest import Post
from tests.inprocess.upstream import EMBEDDINGS, PATIENCE_S, Upstream, vectors


def batch(*texts: str) -> dict[str, Any]:
    return {"model": "m", "input": texts}


def texts_asked_for(upstream: Upstream) -> list[Any]:
    return [json.loads(body)["input"] for body in upstream.bodies]


def test_of_a_batch_only_what_is_not_known_is_asked_for(
    library: Any, post: Post, upstream: Upstream, splitting: Cache
) -> None:
    post(library, upstream.url + EMBEDDINGS, json=batch("one", "three"))
    assert splitting.drain(PATIENCE_S)
    upstream.gzips = True
    second = post(library, upstream.url + EMBEDDINGS, json=batch("four", "one"))

    assert [["one", "three"], ["four"]] == texts_asked_for(upstream)
    assert "khazad; fwd=partial" in second.headers["cache-status"]
    assert [[4, ord("f")], [3, ord("o")]] == [row["embedding"] for row in second.json()["data"]]


def test_a_rest_that_does_not_fit_is_asked_for_again_as_a_whole(
    library: Any, post: Post, upstream: Upstream, splitting: Cache
) -> None:
    post(library, upstream.url + EMBEDDINGS, json=batch("one"))
    assert splitting.drain(PATIENCE_S)
    upstream.embeds = False
    second = post(library, upstream.url + EMBEDDINGS, json=batch("one", "two"))

    assert [["one"], ["two"], ["one", "two"]] == texts_asked_for(upstream)
    assert vectors([]) == second.content


def test_an_error_of_the_rest_is_the_callers_to_see(
    library: Any, post: Post, upstream: Upstream, splitting: Cache
) -> None:
    post(library, upstream.url + EMBEDDINGS, json=batch("one"))
    assert splitting.drain(PATIENCE_S)
    upstream.status = 429

    assert 429 == post(library, upstream.url + EMBEDDINGS, json=batch("one", "two")).status_code
    assert 2 == len(upstream.calls)
