from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from khazad_mitm.cache.facts import Facts
from khazad_mitm.cache.inventory import Selection
from khazad_mitm.errors import UnknownEntry
from khazad_mitm.exchange import Hit

from .desk import Desk
from .script import asked

NOW = 1_000.0


@pytest.fixture
def desk() -> Iterator[Desk]:
    made = Desk()
    yield made
    made.cache.close()


def facts(model: str = "gpt-4o-mini", tags: tuple[str, ...] = (), age_s: float = 0.0) -> Facts:
    return Facts("a" * 32, "openai-chat", model, NOW - age_s, None, "t", tags, 100)


@pytest.mark.parametrize(
    ("wanted", "one", "fits"),
    [
        (Selection(), facts(), True),
        (Selection(tag="a"), facts(tags=("b", "a")), True),
        (Selection(tag="a"), facts(tags=("ab",)), False),
        (Selection(model="gpt-4o-mini"), facts(), True),
        (Selection(model="GPT-4o*"), facts(), True),
        (Selection(model="gpt-4o"), facts(), False),
        (Selection(older_s=60), facts(age_s=60), True),
        (Selection(older_s=60), facts(age_s=59), False),
        (Selection(tag="a", model="gpt-*", older_s=60), facts(tags=("a",), age_s=90), True),
        (Selection(tag="a", model="o3", older_s=60), facts(tags=("a",), age_s=90), False),
    ],
)
def test_a_selection_means_what_fits_all_of_it(wanted: Selection, one: Facts, fits: bool) -> None:
    assert fits == wanted.fits(one, NOW)


def kept(desk: Desk, question: str, tag: str = "", **fields: str) -> str:
    headers = {"X-Khazad-Tag": tag} if tag else {}
    desk.answer(desk.ask(asked(question, headers=headers, **fields)))
    hit = desk.ask(asked(question, **fields))
    assert isinstance(hit, Hit)
    return hit.entry.id


def listed(desk: Desk, wanted: Selection = Selection()) -> list[str]:  # noqa: B008  # frozen
    return [one["id"] for one in desk.cache.entries(wanted)["entries"]]


def test_entries_are_told_newest_first_and_counted(desk: Desk) -> None:
    ids = [kept(desk, question) for question in ("aaa", "bbb", "ccc")]
    told = desk.cache.entries(Selection(), most=2)

    assert (3, [ids[2], ids[1]]) == (told["count"], [one["id"] for one in told["entries"]])
    assert told["size_bytes"] > 0
    assert "aaa" not in repr(desk.cache.entries(Selection()))


def test_a_tag_forgets_what_was_stored_under_it(desk: Desk) -> None:
    tagged, other = kept(desk, "aaa", tag="customer-42, de"), kept(desk, "bbb", tag="de")

    assert [tagged] == listed(desk, Selection(tag="customer-42"))
    assert 1 == desk.cache.forget(Selection(tag="customer-42"))
    assert [other] == listed(desk)
    assert not isinstance(desk.ask(asked("aaa")), Hit)


def test_a_tag_forgets_what_was_answered_under_it_too(desk: Desk) -> None:
    id_ = kept(desk, "tea or coffee")
    for question in ("tea or coffee", "coffee or tea"):
        assert isinstance(desk.ask(asked(question, headers={"X-Khazad-Tag": question[0]})), Hit)

    assert [id_] == listed(desk, Selection(tag="t"))
    assert [id_] == listed(desk, Selection(tag="c"))
    assert 1 == desk.cache.forget(Selection(tag="c"))
    assert not isinstance(desk.ask(asked("tea or coffee")), Hit)


def test_a_model_or_an_age_is_forgotten(desk: Desk) -> None:
    kept(desk, "aaa", model="gpt-4o")
    mini = kept(desk, "aaa", model="gpt-4o-mini")

    assert 0 == desk.cache.forget(Selection(older_s=3_600))
    assert 1 == desk.cache.forget(Selection(model="gpt-4o"))
    assert [mini] == listed(desk)
    assert 1 == desk.cache.forget(Selection(older_s=0))


def test_entries_are_forgotten_by_their_ids(desk: Desk) -> None:
    ids = [kept(desk, question) for question in ("aaa", "bbb", "ccc")]

    assert 2 == desk.cache.forget(Selection(ids=(ids[0][:12], ids[2])))
    assert [ids[1]] == listed(desk)


def test_an_id_and_a_tag_mean_what_is_both(desk: Desk) -> None:
    ids = [kept(desk, "aaa", tag="x"), kept(desk, "bbb")]

    assert [ids[0]] == listed(desk, Selection(ids=tuple(ids), tag="x"))


@pytest.mark.parametrize("ids", [("xyz",), ("f" * 32,), ("",)])
def test_an_id_that_names_nothing_forgets_nothing(desk: Desk, ids: tuple[str, ...]) -> None:
    kept(desk, "aaa")
    with pytest.raises(UnknownEntry):
        desk.cache.forget(Selection(ids=ids))

    assert 1 == len(listed(desk))


def test_all_is_not_forgotten_by_saying_nothing(desk: Desk) -> None:
    kept(desk, "aaa")
    with pytest.raises(UnknownEntry, match="nothing is said"):
        desk.cache.forget(Selection())

    assert 1 == len(listed(desk))


def test_a_tag_opens_no_other_callers_entry(desk: Desk) -> None:
    kept(desk, "aaa", tag="x")
    other = desk.ask(asked("aaa", headers={"authorization": "Bearer two", "X-Khazad-Tag": "x"}))

    assert not isinstance(other, Hit)


def test_a_label_is_said_once(desk: Desk) -> None:
    id_ = kept(desk, "aaa")
    said: list[object] = []
    perform = desk.store.perform

    def told(command: Any, *_: object) -> Any:
        said.append(command)
        return perform(command)

    # A wrapper of the real one: what it says, and how often, is what is to be seen.
    desk.store.perform = told  # type: ignore[method-assign]
    for _ in range(3):
        desk.ask(asked("aaa", headers={"X-Khazad-Tag": "x"}))
    desk.cache.drain(5)

    assert 1 == sum(type(command).__name__ == "Label" for command in said)
    assert [id_] == listed(desk, Selection(tag="x"))


def test_an_age_counts_from_when_it_was_stored(desk: Desk) -> None:
    kept(desk, "aaa")
    (one,) = desk.cache.entries(Selection())["entries"]

    assert abs(time.time() - one["stored_at"]) < 60
