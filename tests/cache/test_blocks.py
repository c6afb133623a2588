from __future__ import annotations

import pytest

from khazad_mitm.cache import blocks
from khazad_mitm.cache.live import Live
from khazad_mitm.messages import Headers


def live(*headers: tuple[str, str]) -> Live:
    return Live(200, Headers(headers))


def test_a_head_says_what_may_be_passed_on_and_how_the_stream_is_coded() -> None:
    kept = ("Content-Type", "text/event-stream"), ("X-Request-Id", "\xe9")
    coding = ("Content-Encoding", "gzip")
    begun = blocks.live_of(blocks.of_head(live(*kept, ("Set-Cookie", "secret"), coding)))

    assert begun is not None
    assert (200, Headers((*kept, coding))) == (begun.status, begun.headers)


@pytest.mark.parametrize(
    "block", [b"", b"d", b"h", b"h[", b"h[200]", b'h[200,[["a"]]]', b'h["200",[]]', b"h\xff"]
)
def test_what_is_no_head_begins_nothing(block: bytes) -> None:
    assert blocks.live_of(block) is None


@pytest.mark.parametrize(
    ("last", "is_whole"), [(blocks.WHOLE, True), (blocks.CUT, False), (b"", False), (b"w!", False)]
)
def test_data_is_fed_until_a_block_ends_it(last: bytes, is_whole: bool) -> None:
    some = live()
    blocks.feed(some, [blocks.of_data([b"a", b"b"]), blocks.of_data([b"c"]), blocks.of_data([])])
    assert not some.is_over
    blocks.feed(some, [last, blocks.of_data([b"more"])])

    assert ([b"ab", b"c"], True, is_whole) == (some.after(0), some.is_over, some.is_whole)


def test_streams_of_one_kind_are_named_alike_and_no_two_the_same() -> None:
    one, two, other = (blocks.new_name(kind) for kind in ("sse gzip", "sse gzip", "sse "))

    assert one != two
    assert one[:16] == two[:16] == blocks.kind_of("sse gzip") != other[:16]
    assert {32} == {len(name) for name in (one, two, other)}
