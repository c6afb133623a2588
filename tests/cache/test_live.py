from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from hypothesis import given
from hypothesis import strategies as st

from khazad_mitm.cache.live import Live
from khazad_mitm.messages import Headers


def live() -> Live:
    return Live(200, Headers())


def read(some: Live) -> list[bytes]:
    seen: list[bytes] = []
    while True:
        some.wait(len(seen))
        chunks = some.after(len(seen))
        if not chunks:
            return seen
        seen += chunks


async def read_async(some: Live) -> list[bytes]:
    seen: list[bytes] = []
    while True:
        await some.wait_async(len(seen))
        chunks = some.after(len(seen))
        if not chunks:
            return seen
        seen += chunks


@given(st.lists(st.binary(min_size=1), max_size=20), st.integers(0, 20))
def test_all_read_all_of_it_whenever_they_come(chunks: list[bytes], early: int) -> None:
    some = live()
    with ThreadPoolExecutor(3) as pool:
        for chunk in chunks[:early]:
            some.feed(chunk)
        readers = [pool.submit(read, some), pool.submit(asyncio.run, read_async(some))]
        for chunk in chunks[early:]:
            some.feed(chunk)
        some.end(is_whole=True)
        readers.append(pool.submit(read, some))

        assert [chunks] * 3 == [reader.result(10) for reader in readers]


def test_the_first_word_on_its_end_counts() -> None:
    some = live()
    some.end(is_whole=False)
    some.end(is_whole=True)

    assert (True, False) == (some.is_over, some.is_whole)


def test_it_is_told_once_that_somebody_follows() -> None:
    told: list[str] = []
    some = live()
    some.when_followed = lambda: told.append("followed")

    assert [True, True] == [some.follow(), some.follow()]
    assert ["followed"] == told


def test_whoever_leaves_ends_it_for_nobody_who_follows() -> None:
    some = live()
    some.follow()

    assert not some.leave()


def test_nobody_follows_what_is_left_or_cut() -> None:
    left, cut, whole = live(), live(), live()
    assert left.leave()
    cut.end(is_whole=False)
    whole.end(is_whole=True)

    assert [False, False, True] == [some.follow() for some in (left, cut, whole)]
