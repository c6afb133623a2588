"""What every store promises, whatever it is made of; `memory` is held to it too."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from khazad_mitm.cache.commands import (
    Accept,
    Alias,
    Forget,
    Get,
    GetMany,
    IsAccepted,
    Nearest,
    Occupied,
    Put,
    PutMany,
    Refuse,
    Resolve,
)
from khazad_mitm.store.connect import Store
from tests.servers import until
from tests.store.conftest import MakeStore
from tests.store.entries import QUESTION, at_cosine, digest, entry

SHORTLY_S = 0.05


def test_an_entry_is_found_by_its_fingerprint_as_it_was_kept(store: Store) -> None:
    kept = entry(1)
    store.perform(Put(kept))

    assert kept == store.perform(Get(kept.id))


def test_an_unknown_fingerprint_finds_nothing(store: Store) -> None:
    assert store.perform(Get(digest(1))) is None
    assert store.perform(Get(digest(1), digest(2))) is None


def test_an_entry_of_a_megabyte_is_kept_whole(store: Store) -> None:
    kept = entry(1, answer=b"x" * 2**20, original=b"y" * 2**20)
    store.perform(Put(kept))

    assert kept == store.perform(Get(kept.id))


def test_an_entry_is_not_found_after_it_has_expired(store: Store) -> None:
    store.perform(Put(entry(1, ttl_s=SHORTLY_S), "s", QUESTION))

    until(lambda: store.perform(Get(digest(1))) is None)
    assert [] == store.perform(Nearest("s", QUESTION, 0.0))
    until(lambda: store.count() == 0)


def test_an_entry_that_comes_too_late_is_not_kept(store: Store) -> None:
    store.perform(Put(entry(1, ttl_s=-1), "s", QUESTION))

    assert store.perform(Get(digest(1))) is None
    assert [] == store.perform(Nearest("s", QUESTION, 0.0))


def test_an_entry_without_expiry_stays(store: Store) -> None:
    kept = entry(1, ttl_s=None)
    store.perform(Put(kept, "s", QUESTION))
    store.perform(Put(entry(2), "s", QUESTION))

    assert kept == store.perform(Get(kept.id))
    assert 2 == store.count()


def test_putting_again_replaces(store: Store) -> None:
    store.perform(Put(entry(1), "s", QUESTION))
    newer = entry(1, answer=b"newer")
    store.perform(Put(newer, "s", QUESTION))

    assert newer == store.perform(Get(newer.id))
    assert [newer] == [found.entry for found in store.perform(Nearest("s", QUESTION, 0.9))]
    assert 1 == store.count()


def test_putting_again_elsewhere_leaves_no_vector_behind(store: Store) -> None:
    store.perform(Put(entry(1), "old", QUESTION))
    store.perform(Put(entry(1), "new", QUESTION))

    assert [] == store.perform(Nearest("old", QUESTION, 0.0))
    assert 1 == len(store.perform(Nearest("new", QUESTION, 0.0)))


def test_putting_again_without_a_vector_leaves_none_behind(store: Store) -> None:
    store.perform(Put(entry(1), "s", QUESTION))
    store.perform(Put(entry(1)))

    assert [] == store.perform(Nearest("s", QUESTION, 0.0))


def test_many_entries_are_kept_and_found_in_the_order_asked(store: Store) -> None:
    kept = tuple(entry(number) for number in range(150))
    store.perform(PutMany(kept))
    wanted = (digest(149), digest(900), digest(0), digest(149))

    assert (kept[149], None, kept[0], kept[149]) == store.perform(GetMany(wanted))
    assert kept == store.perform(GetMany(tuple(one.id for one in kept)))
    assert 150 == store.count()


def test_of_many_entries_those_that_come_too_late_are_not_kept(store: Store) -> None:
    store.perform(PutMany((entry(1, ttl_s=-1), entry(2), entry(3, ttl_s=SHORTLY_S))))

    assert store.perform(GetMany((digest(1), digest(2))))[0] is None
    until(lambda: store.perform(GetMany((digest(3), digest(4)))) == (None, None))
    assert store.perform(Get(digest(2))) is not None


def test_many_megabytes_are_kept_in_one_command(store: Store) -> None:
    kept = tuple(entry(number, answer=b"x" * 700_000) for number in range(5))
    store.perform(PutMany(kept))

    assert kept == store.perform(GetMany(tuple(one.id for one in kept)))


def test_finding_many_counts_as_a_use_of_each(make_store: MakeStore) -> None:
    store = make_store(max_entries=3)
    store.perform(PutMany((entry(1), entry(2), entry(3))))
    until(clock_moves())
    store.perform(GetMany((digest(1), digest(3))))
    store.perform(Put(entry(4)))

    found = store.perform(GetMany(tuple(map(digest, (1, 2, 3, 4)))))
    assert [True, False, True, True] == [one is not None for one in found]


def test_an_alias_finds_its_entry(store: Store) -> None:
    kept = entry(1)
    store.perform(Put(kept))
    store.perform(Alias(digest(2), digest(3), kept))

    assert kept == store.perform(Get(digest(9), digest(2)))
    assert store.perform(Get(digest(2))) is None


def test_an_entry_comes_before_an_alias(store: Store) -> None:
    own, other = entry(1), entry(2)
    store.perform(Put(own))
    store.perform(Put(other))
    store.perform(Alias(digest(3), digest(4), other))

    assert own == store.perform(Get(own.id, digest(3)))


def test_an_alias_goes_with_its_entry(make_store: MakeStore) -> None:
    store = make_store(max_entries=1)
    first = entry(1)
    store.perform(Put(first))
    store.perform(Alias(digest(2), digest(3), first))
    store.perform(Put(entry(4)))
    store.perform(Put(first))

    assert store.perform(Get(digest(9), digest(2))) is None
    assert (None,) == store.perform(Resolve((digest(3),)))


def test_an_alias_expires_with_its_entry(store: Store) -> None:
    kept = entry(1, ttl_s=SHORTLY_S)
    store.perform(Put(kept))
    store.perform(Alias(digest(2), digest(3), kept))

    until(lambda: store.perform(Get(digest(9), digest(2))) is None)
    until(lambda: store.perform(Resolve((digest(3),))) == (None,))


def test_an_alias_of_an_entry_that_has_gone_is_not_kept(store: Store) -> None:
    store.perform(Alias(digest(2), digest(3), entry(1)))
    store.perform(Put(entry(1)))

    assert store.perform(Get(digest(9), digest(2))) is None


def test_an_alias_taken_over_outlives_its_first_entry(make_store: MakeStore) -> None:
    store = make_store(max_entries=2)
    first, second = entry(1), entry(2)
    for kept in (first, second):
        store.perform(Put(kept))
        store.perform(Alias(digest(3), digest(4), kept))
    store.perform(Put(entry(5)))

    assert store.perform(Get(first.id)) is None
    assert second == store.perform(Get(digest(9), digest(3)))
    assert (second.conversation,) == store.perform(Resolve((digest(4),)))


def test_conversations_resolve_to_those_they_are_aliases_of(store: Store) -> None:
    kept = entry(1)
    store.perform(Put(kept))
    store.perform(Alias(digest(2), digest(3), kept))

    asked = (digest(3), digest(4), kept.conversation)
    assert (kept.conversation, None, None) == store.perform(Resolve(asked))
    assert () == store.perform(Resolve(()))


def test_a_similarity_is_a_cosine(store: Store) -> None:
    for number, cosine in enumerate((0.85, 0.0, -0.5)):
        store.perform(Put(entry(number), "s", at_cosine(cosine)))

    found = [neighbour.similarity for neighbour in store.perform(Nearest("s", QUESTION, 0.9))]
    assert [0.85, 0.0, -0.5] == pytest.approx(found, abs=0.003)


def test_only_neighbours_that_are_near_enough_carry_their_entry(store: Store) -> None:
    near, far = entry(1), entry(2)
    store.perform(Put(near, "s", at_cosine(0.95)))
    store.perform(Put(far, "s", at_cosine(0.85)))

    found = store.perform(Nearest("s", QUESTION, 0.9))
    assert [(near.id, near), (far.id, None)] == [(one.id, one.entry) for one in found]


def test_a_threshold_of_minus_one_takes_everything(store: Store) -> None:
    store.perform(Put(entry(1), "s", at_cosine(-0.999)))

    (found,) = store.perform(Nearest("s", QUESTION, -1.0))
    assert found.entry is not None


def test_ten_neighbours_come_best_first(store: Store) -> None:
    for number in range(15):
        store.perform(Put(entry(number), "s", at_cosine(number / 20)))

    found = store.perform(Nearest("s", QUESTION, 0.9, count=10))
    assert [digest(number) for number in range(14, 4, -1)] == [one.id for one in found]


def test_scopes_do_not_see_each_other(store: Store) -> None:
    store.perform(Put(entry(1), "one", QUESTION))

    assert [] == store.perform(Nearest("other", QUESTION, 0.0))


def test_a_scope_is_occupied_while_there_is_something_in_it(store: Store) -> None:
    assert not store.perform(Occupied("one"))

    store.perform(Put(entry(1), "one", QUESTION))
    assert store.perform(Occupied("one"))
    assert not store.perform(Occupied("other"))

    store.perform(Forget(digest(1)))
    assert not store.perform(Occupied("one"))


@pytest.mark.parametrize("expired", [1, 10, 25])
def test_expired_neighbours_do_not_hide_a_live_one(store: Store, expired: int) -> None:
    end = time.time() + 0.2
    live = entry(99)
    store.perform(Put(live, "s", at_cosine(0.95)))
    for number in range(expired):
        store.perform(Put(replace(entry(number), expires_at=end), "s", QUESTION))
    # Every one of them: Redis counts from when a write arrives.
    until(lambda: not any(store.perform(Get(digest(number))) for number in range(expired)))

    assert [live] == [found.entry for found in store.perform(Nearest("s", QUESTION, 0.9))]


def test_beyond_the_cap_the_least_recently_used_goes(make_store: MakeStore) -> None:
    store = make_store(max_entries=3)
    for number in range(4):
        store.perform(Put(entry(number), "s", at_cosine(number / 10)))
        until(clock_moves())

    assert store.perform(Get(digest(0))) is None
    assert [3, 2, 1] == [int(one.id, 16) for one in store.perform(Nearest("s", QUESTION, 0.0))]
    assert 3 == store.count()


def test_being_found_counts_as_use(make_store: MakeStore) -> None:
    store = make_store(max_entries=3)
    for number in range(3):
        store.perform(Put(entry(number)))
        until(clock_moves())
    store.perform(Alias(digest(7), digest(8), entry(1)))
    until(clock_moves())
    store.perform(Get(digest(0)))
    store.perform(Put(entry(3)))
    until(clock_moves())
    store.perform(Get(digest(9), digest(7)))
    until(clock_moves())
    store.perform(Put(entry(4)))

    kept = [number for number in range(5) if store.perform(Get(digest(number)))]
    assert [1, 3, 4] == kept


def test_flushing_removes_all_but_the_secret(store: Store) -> None:
    secret = store.secret()
    for number in range(3):
        store.perform(Put(entry(number), "s", QUESTION))
    store.perform(Alias(digest(7), digest(8), entry(1)))

    assert 3 == store.flush()
    assert 0 == store.count()
    assert store.perform(Get(digest(1), digest(7))) is None
    assert [] == store.perform(Nearest("s", QUESTION, 0.0))
    assert secret == store.secret()
    assert 32 == len(secret)


def test_a_credential_counts_once_accepted_until_refused(store: Store) -> None:
    assert not store.perform(IsAccepted(digest(1)))
    store.perform(Accept(digest(1), ttl_s=100))
    assert store.perform(IsAccepted(digest(1)))
    assert not store.perform(IsAccepted(digest(2)))
    store.perform(Refuse(digest(1)))
    assert not store.perform(IsAccepted(digest(1)))


def test_an_acceptance_lapses(store: Store) -> None:
    store.perform(Accept(digest(1), ttl_s=1))

    assert store.perform(IsAccepted(digest(1)))
    until(lambda: not store.perform(IsAccepted(digest(1))))


def clock_moves() -> Callable[[], bool]:
    """Uses are told apart by the millisecond."""
    now = time.time_ns() // 1_000_000
    return lambda: time.time_ns() // 1_000_000 > now
