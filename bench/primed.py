"""A cache of ours on the embedded server, and how it learns an answer without an upstream.

The request it is taught is the one that clients send through the proxies: same host, same
credential, same body, so that what is learned here is a hit there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bench import conversation
from khazad_mitm import settings
from khazad_mitm.assembly import build
from khazad_mitm.cache.front import Cache
from khazad_mitm.exchange import Miss
from khazad_mitm.messages import Headers, Request

# What a user has, but for the deadlines: on a busy machine a call that goes on without us would
# look like a fast one.
SETTINGS = {
    "redis_url": "embedded",
    "namespace": "bench",
    "store_deadline_ms": "5000",
    "embed_deadline_ms": "5000",
}
PATIENCE_S = 60.0

_URL = f"https://{conversation.HOST}{conversation.PATH}"


@contextmanager
def cache() -> Iterator[Cache]:
    """An empty one, which lets go of the server at the end."""
    built = build(settings.from_mapping(SETTINGS, environ={}))
    try:
        built.flush()
        yield built
    finally:
        built.close()


def request(body: bytes, *more: tuple[str, str]) -> Request:
    return Request.to(_URL, body, Headers([*conversation.HEADERS, *more]))


def teach(cache: Cache, body: bytes) -> None:
    """Have it keep the answer to a request. Returns before that is stored; see `Cache.drain`."""
    # However like it another question may be: it goes upstream and is stored.
    miss = cache.look_up(request(body, ("Cache-Control", "no-cache")))
    if not isinstance(miss, Miss):
        raise RuntimeError(f"expected a miss, not a {type(miss).__name__}")
    capture = cache.capture(miss)
    capture.feed(conversation.ANSWER)
    capture.finish(200, Headers(conversation.ANSWER_HEADERS))


def settled(cache: Cache) -> None:
    """Wait until everything it was taught is stored."""
    if not cache.drain(PATIENCE_S):
        raise RuntimeError("the store is too slow")
