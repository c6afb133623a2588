"""What every store promises of pools, blocks and what was asked; `memory` is held to it too."""

from __future__ import annotations

import time

import pytest
import redis

from khazad_mitm.cache.budget import EMPTY, MOST_DOUBT, WINDOW, Earned, Tally
from khazad_mitm.cache.commands import (
    Accept,
    Alias,
    Asked,
    Block,
    Find,
    Forget,
    Get,
    IsAccepted,
    IsRefuted,
    Nearest,
    Put,
    Recall,
    Refuse,
    Remember,
    Resolve,
    Settle,
    Standing,
    Weigh,
)
from khazad_mitm.errors import WriteDenied
from khazad_mitm.store.connect import Store
from khazad_mitm.store.evidence import MOST_BLOCKS, MOST_REMEMBERED
from khazad_mitm.store.pools import PLACES
from khazad_mitm.store.redis_store import RedisStore
from tests.servers import RedisServer
from tests.store.conftest import MakeStore
from tests.store.entries import QUESTION, at_cosine, digest, entry

POOL = digest(77)


def asked(number: int) -> Asked:
    return Asked(digest(number), f"why {number}?", "messages[0].content", 0.912, 1e9, "t")


def test_a_pool_that_nobody_knows_is_closed(store: Store) -> None:
    assert store.perform(Standing(POOL)) is None


def test_a_pool_stands_where_it_was_settled(store: Store) -> None:
    store.perform(Settle(POOL, Earned(0.86)))
    assert Earned(0.86) == store.perform(Standing(POOL))

    store.perform(Settle(POOL, None))
    assert store.perform(Standing(POOL)) is None


def test_counts_add_up_by_band(store: Store) -> None:
    store.perform(Weigh(POOL, 3, candidates=2))
    store.perform(Weigh(POOL, 3, checked=1))
    known = store.perform(Weigh(POOL, 7, candidates=1, checked=1, wrong=1))

    expected = list(EMPTY)
    expected[3], expected[7] = Tally(2, 1, 0), Tally(1, 1, 1)
    assert tuple(expected) == known


def test_pools_know_nothing_of_each_other(store: Store) -> None:
    store.perform(Weigh(POOL, 3, candidates=2))

    assert EMPTY == store.perform(Weigh(digest(78), 3))


def test_workers_count_together(make_store: MakeStore) -> None:
    one = make_store()
    other = one if one.__class__.__name__ == "MemoryStore" else make_store()
    one.perform(Weigh(POOL, 3, candidates=1))

    assert 2 == other.perform(Weigh(POOL, 3, candidates=1))[3].candidates


def test_what_is_older_than_two_windows_is_forgotten(store: Store) -> None:
    store.perform(Weigh(POOL, 1, WINDOW, WINDOW, 5))
    once = store.perform(Weigh(POOL, 2, WINDOW, WINDOW, 0))
    twice = store.perform(Weigh(POOL, 2, WINDOW, WINDOW, 0))

    assert Tally(WINDOW, WINDOW, 0) == once[2]
    assert Tally() == once[1]
    assert Tally(WINDOW, WINDOW, 0) == twice[2]


def test_the_last_window_still_counts(store: Store) -> None:
    store.perform(Weigh(POOL, 1, WINDOW, WINDOW, 5))

    assert Tally(WINDOW + 1, WINDOW + 1, 5) == store.perform(Weigh(POOL, 1, 1, 1))[1]


def test_too_much_doubt_closes_a_pool_and_forgets_its_past(store: Store) -> None:
    store.perform(Settle(POOL, Earned(0.86)))
    store.perform(Weigh(POOL, 1, 100, 100, 0, doubted=0.9))
    assert Earned(0.86) == store.perform(Standing(POOL))

    assert EMPTY == store.perform(Weigh(POOL, 1, 1, 1, 1, doubted=MOST_DOUBT))
    assert store.perform(Standing(POOL)) is None


def test_a_pair_that_was_refuted_is_so_for_all_workers_and_in_its_pool_only(
    make_store: MakeStore,
) -> None:
    one = make_store()
    other = one if one.__class__.__name__ == "MemoryStore" else make_store()
    pair = digest(1)[-16:]
    one.perform(Weigh(POOL, 1, refuted=pair))

    assert other.perform(IsRefuted(POOL, pair)) is True
    assert other.perform(IsRefuted(digest(78), pair)) is False
    assert other.perform(IsRefuted(POOL, digest(2)[-16:])) is False


def test_a_pair_that_was_refuted_outlives_what_was_counted(store: Store) -> None:
    pair = digest(1)[-16:]
    store.perform(Weigh(POOL, 1, refuted=pair))
    store.perform(Weigh(POOL, 1, 1, 1, 1, doubted=MOST_DOUBT))

    assert store.perform(IsRefuted(POOL, pair)) is True


def test_of_very_many_refuted_pairs_the_last_in_a_place_is_known(store: Store) -> None:
    first, last = digest(1)[-16:], digest(1 + PLACES)[-16:]
    store.perform(Weigh(POOL, 1, refuted=first))
    store.perform(Weigh(POOL, 1, refuted=last))

    assert store.perform(IsRefuted(POOL, first)) is False
    assert store.perform(IsRefuted(POOL, last)) is True


def test_doubt_is_carried_on(store: Store) -> None:
    store.perform(Settle(POOL, Earned(0.86)))
    for _ in range(3):
        assert store.perform(Standing(POOL)) == Earned(0.86)
        store.perform(Weigh(POOL, 1, 1, 1, 1, doubted=MOST_DOUBT ** (1 / 3)))

    assert store.perform(Standing(POOL)) is None


def test_an_alias_counts_while_its_pool_allows_its_similarity(store: Store) -> None:
    kept = entry(1)
    store.perform(Put(kept))
    store.perform(Alias(digest(2), digest(3), kept, 0.87))

    assert kept == store.perform(Get(digest(9), digest(2)))
    assert store.perform(Get(digest(9), digest(2), POOL)) is None
    store.perform(Settle(POOL, Earned(0.86)))
    assert kept == store.perform(Get(digest(9), digest(2), POOL))
    store.perform(Settle(POOL, Earned(0.88)))
    assert store.perform(Get(digest(9), digest(2), POOL)) is None


def test_a_blocked_pair_is_not_listed_either_way_round(store: Store) -> None:
    for number in (1, 2, 3):
        store.perform(Put(entry(number), "s", at_cosine(1 - number / 100)))
    store.perform(Block(digest(1), digest(2)))

    def listed(by: str) -> list[str]:
        return [found.id for found in store.perform(Nearest("s", QUESTION, 0.9, asked=by))]

    assert [digest(1), digest(3)] == listed(digest(1))
    assert [digest(2), digest(3)] == listed(digest(2))
    assert [digest(1), digest(2), digest(3)] == listed(digest(4))


def test_a_block_outlives_the_entry(store: Store) -> None:
    store.perform(Put(entry(1), "s", QUESTION))
    store.perform(Block(digest(1), digest(2)))
    store.perform(Forget(digest(1)))
    store.perform(Put(entry(1), "s", QUESTION))

    assert [] == store.perform(Nearest("s", QUESTION, 0.9, asked=digest(2)))


def test_a_request_with_very_many_blocks_loses_some(store: Store) -> None:
    for number in range(2, MOST_BLOCKS + 12):
        store.perform(Put(entry(number), "s", QUESTION))
        store.perform(Block(digest(1), digest(number)))

    found = store.perform(Nearest("s", QUESTION, 0.9, count=200, asked=digest(1)))
    assert 10 == len(found)


def test_forgetting_takes_vector_and_aliases_along(store: Store) -> None:
    kept = entry(1)
    store.perform(Put(kept, "s", QUESTION))
    store.perform(Alias(digest(2), digest(3), kept))

    assert store.perform(Forget(kept.id)) is True
    assert store.perform(Get(kept.id, digest(2))) is None
    assert (None,) == store.perform(Resolve((digest(3),)))
    assert [] == store.perform(Nearest("s", QUESTION, 0.0))
    assert store.perform(Forget(kept.id)) is False


def test_the_last_questions_an_entry_answered_are_kept_newest_first(store: Store) -> None:
    store.perform(Put(entry(1)))
    for number in range(MOST_REMEMBERED + 2):
        store.perform(Remember(digest(1), asked(number)))

    known = store.perform(Recall(digest(1)))
    assert MOST_REMEMBERED == len(known)
    assert asked(MOST_REMEMBERED + 1) == known[0]


def test_what_was_asked_goes_with_the_entry(store: Store) -> None:
    store.perform(Put(entry(1)))
    store.perform(Remember(digest(1), asked(1)))
    store.perform(Forget(digest(1)))
    store.perform(Remember(digest(1), asked(2)))
    store.perform(Put(entry(1)))

    assert () == store.perform(Recall(digest(1)))


def test_an_entry_is_found_by_how_its_id_begins(store: Store) -> None:
    ids = ["ab" + "0" * 30, "ac" + "0" * 30, "ac1" + "0" * 29]
    for id_ in ids:
        store.perform(Put(entry(1, id=id_)))

    assert (ids[0],) == store.perform(Find("ab"))
    assert 2 == len(store.perform(Find("ac")))
    assert (ids[2],) == store.perform(Find(ids[2]))
    assert () == store.perform(Find("f"))
    assert () == store.perform(Find("f" * 32))


def test_flushing_forgets_pools_and_blocks(store: Store) -> None:
    store.perform(Settle(POOL, Earned(0.86)))
    store.perform(Block(digest(1), digest(2)))
    store.flush()
    store.perform(Put(entry(1), "s", QUESTION))

    assert store.perform(Standing(POOL)) is None
    assert 1 == len(store.perform(Nearest("s", QUESTION, 0.9, asked=digest(2))))


def test_an_answer_to_an_older_question_does_not_undo_another_workers_refusal(
    make_store: MakeStore,
) -> None:
    one = make_store()
    other = one if one.__class__.__name__ == "MemoryStore" else make_store()
    credential, asked_at = digest(5), time.time() - 1
    one.perform(Accept(credential, 3600, asked_at))
    other.perform(Refuse(credential))
    one.perform(Accept(credential, 3600, asked_at))
    assert not other.perform(IsAccepted(credential))

    one.perform(Accept(credential, 3600, time.time() + 1))
    assert other.perform(IsAccepted(credential))


def test_a_full_server_still_forgets_an_acceptance(
    redis_store: RedisStore, redis_server: RedisServer
) -> None:
    redis_store.perform(Accept(digest(5), 3600, time.time()))
    with redis_server.client() as client:
        client.config_set("maxmemory", 1)
        try:
            redis_store.perform(Refuse(digest(5)))
            with pytest.raises(WriteDenied):
                redis_store.perform(Accept(digest(6), 3600, time.time()))
        finally:
            client.config_set("maxmemory", 0)

    assert not redis_store.perform(IsAccepted(digest(5)))
    assert not redis_store.perform(IsAccepted(digest(6)))


def test_what_is_written_beside_entries_does_not_stay_for_ever(
    redis_store: RedisStore, redis_server: RedisServer
) -> None:
    redis_store.perform(Accept(digest(5), 3600, time.time()))
    redis_store.perform(Refuse(digest(6)))
    redis_store.perform(Settle(POOL, Earned(0.8)))
    redis_store.perform(Weigh(digest(78), 3, candidates=1))
    redis_store.perform(Block(digest(1), digest(2)))
    with redis_server.client() as client:
        names = list(client.scan_iter(redis_store.space.keys.pattern))
        lives = [client.ttl(name) for name in names]

    assert 6 == len(names)
    assert all(life > 0 for life in lives)


@pytest.mark.parametrize("garbage", [b"nan", b"inf", b"-1", b"9" * 400, b"\xff", b"1_0"])
def test_numbers_that_another_program_wrote_count_for_nothing(
    redis_store: RedisStore, client: redis.Redis, garbage: bytes
) -> None:
    keys, pool, kept = redis_store.space.keys, digest(7), entry(1)
    redis_store.perform(Put(kept))
    redis_store.perform(Alias(digest(2), digest(3), kept, 0.9))
    client.hset(keys.pool(pool), mapping={"at": garbage, "new:c:3": garbage, "old:k:3": garbage})

    assert redis_store.perform(Standing(pool)) is None
    assert redis_store.perform(Get(digest(9), digest(2), pool)) is None
    assert EMPTY == redis_store.perform(Weigh(pool, 4))
    redis_store.perform(Settle(pool, Earned(0.8)))
    client.set(keys.alias(digest(2)), kept.id.encode() + b":" + garbage)
    assert redis_store.perform(Get(digest(9), digest(2), pool)) is None


def test_what_was_asked_by_another_programs_word_is_nothing(
    redis_store: RedisStore, client: redis.Redis
) -> None:
    redis_store.perform(Put(entry(1)))
    for garbage in (b"", b"[" * 100_000, b"[1]", b"\xff", b'["a", 1, 2, 3, 4, 5]'):
        client.lpush(redis_store.space.keys.history(digest(1)), garbage)

    assert () == redis_store.perform(Recall(digest(1)))
