"""Who leads a flight, in a store that several workers share?"""

from __future__ import annotations

import pytest

from khazad_mitm.cache.commands import Put
from khazad_mitm.cache.worker_commands import Lease, Renew
from khazad_mitm.store.connect import Store
from tests.servers import until
from tests.store.entries import digest, entry

# In a cluster they lie in different slots.
FLIGHT, ANOTHER = digest(1), "0005" + digest(2)[4:]
SHARED = ("redis", "redis-awaited", "cluster", "cluster-awaited", "sealed")

pytestmark = pytest.mark.parametrize("make_store", SHARED, indirect=True)


def lease(store: Store, holder: str, seconds: float = 60.0, flight: str = FLIGHT) -> bool:
    return store.perform(Lease(flight, holder, seconds)) is None


def test_a_flight_is_one_workers_until_it_is_through(store: Store) -> None:
    assert [True, True, False] == [lease(store, who) for who in ("one", "one", "other")]
    store.perform(Put(entry(2), releases=FLIGHT))

    assert [True, False] == [lease(store, who) for who in ("other", "one")]


def test_a_flight_is_free_when_its_worker_says_nothing_more(store: Store) -> None:
    assert lease(store, "killed", 0.05)
    until(lambda: lease(store, "other"))


def test_who_says_so_again_keeps_it_for_as_long_from_then_on(store: Store) -> None:
    for flight in (FLIGHT, ANOTHER):
        assert lease(store, "one", 0.25, flight)
    assert lease(store, "killed", 0.25, digest(3))
    assert (True, True) == store.perform(Renew((FLIGHT, ANOTHER), "one", 60.0))
    until(lambda: lease(store, "other", 60.0, digest(3)))  # so long has gone by

    assert [False, False] == [lease(store, "other", 60.0, one) for one in (FLIGHT, ANOTHER)]


def test_nobody_prolongs_or_ends_what_is_anothers(store: Store) -> None:
    assert lease(store, "one", 0.05)
    assert (False, False) == store.perform(Renew((FLIGHT, ANOTHER), "other", 60.0))
    until(lambda: lease(store, "other"))
    # The first one is late: it has been taken for dead.
    assert (False,) == store.perform(Renew((FLIGHT,), "one", 60.0))
    assert (False,) == store.perform(Renew((FLIGHT,), "one", 0.0))

    assert not lease(store, "third")


def test_who_is_through_frees_it_for_the_next(store: Store) -> None:
    assert lease(store, "one")
    assert (True,) == store.perform(Renew((FLIGHT,), "one", 0.0))

    assert lease(store, "other")


def test_what_nobody_holds_is_not_taken_by_saying_so_again(store: Store) -> None:
    assert (False,) == store.perform(Renew((FLIGHT,), "one", 60.0))

    assert lease(store, "other")


STREAM, NEXT = "0" * 32, "1" * 32


def test_who_comes_too_late_is_told_which_stream_he_may_read_along(store: Store) -> None:
    assert store.perform(Lease(FLIGHT, "one", 60.0, STREAM)) is None
    assert STREAM == store.perform(Lease(FLIGHT, "other", 60.0, NEXT))
    # Handed over to another caller of the same worker, who is given another one; or none.
    assert store.perform(Lease(FLIGHT, "one", 60.0, NEXT)) is None
    assert NEXT == store.perform(Lease(FLIGHT, "other", 60.0))
    assert lease(store, "one")
    assert "" == store.perform(Lease(FLIGHT, "other", 60.0, STREAM))


def test_a_lease_on_a_stream_is_prolonged_and_ended_by_its_worker_alone(store: Store) -> None:
    assert store.perform(Lease(FLIGHT, "one", 60.0, STREAM)) is None
    assert (False,) == store.perform(Renew((FLIGHT,), "on", 0.0))
    assert (True,) == store.perform(Renew((FLIGHT,), "one", 60.0))
    assert (True,) == store.perform(Renew((FLIGHT,), "one", 0.0))

    assert lease(store, "other")


def test_asking_again_prolongs_nothing(store: Store) -> None:
    assert store.perform(Lease(FLIGHT, "one", 0.2, STREAM)) is None
    assert store.perform(Lease(FLIGHT, "one", 60.0, NEXT)) is None

    until(lambda: lease(store, "other"))
