from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest

from khazad_mitm.cache.budget import Earned
from khazad_mitm.cache.commands import Settle, Weigh
from khazad_mitm.cache.routes import Route
from khazad_mitm.cache.shadow import Terms
from khazad_mitm.errors import UnknownEntry
from khazad_mitm.exchange import Hit, Miss

from .desk import Desk
from .script import asked
from .test_compare import chat

TERMS = Terms(most_wrong=0.1, lowest=0.75, share=0.0)


@pytest.fixture
def desk() -> Iterator[Desk]:
    made = Desk()
    yield made
    made.cache.close()


def served(desk: Desk, stored: str = "tea or coffee", question: str = "coffee or tea") -> Hit:
    """A hit by meaning, with all that is noted of it."""
    miss = desk.ask(asked(stored))
    if not isinstance(miss, Hit):
        desk.answer(miss, chat("Tea."))
    hit = desk.ask(asked(question))
    assert isinstance(hit, Hit)
    assert desk.cache.drain(5)
    return hit


def test_an_entry_tells_what_it_was_asked_and_what_it_has_answered(desk: Desk) -> None:
    hit = served(desk)
    told = desk.cache.explain(hit.entry.id)

    assert "tea or coffee" == told["question"]
    assert "tea or coffee" == told["request"]["messages"][0]["content"]
    assert 32 == len(told["tenant"])
    (answered,) = told["answered"]
    assert ("coffee or tea", "messages[0].content") == (answered["question"], answered["path"])
    assert 0.99 < answered["similarity"] <= 1.0001
    assert [
        {"field": "messages[0].content", "stored": "tea or coffee", "asked": "coffee or tea"}
    ] == answered["differs"]
    assert {"figures", "negation"} <= {verdict["guard"] for verdict in answered["guards"]}
    assert not any(verdict["differs"] for verdict in answered["guards"])


def test_an_entry_is_exported_as_the_call_it_was(desk: Desk) -> None:
    where = "https://api.example.com/v1/chat?key=secret&api-version=1"
    headers = {"Content-Type": "application/json", "x-customer": "joe", "openai-beta": "x"}
    parsed = asked("tea or coffee", url=where, headers=headers)
    desk.answer(desk.ask(parsed), chat("Tea."))
    hit = desk.ask(parsed)

    told = desk.cache.export(hit.entry.id[:12])

    assert "https://api.example.com/v1/chat?api-version=1" == told["url"]
    assert [["Content-Type", "application/json"], ["openai-beta", "x"]] == told["request_headers"]
    assert parsed.request.body == base64.b64decode(told["request"])
    assert hit.entry.original == base64.b64decode(told["body"])
    assert hit.entry.id == told["id"]


def test_the_beginning_of_an_id_will_do(desk: Desk) -> None:
    hit = served(desk)

    assert hit.entry.id == desk.cache.explain(hit.entry.id[:12])["id"]


@pytest.mark.parametrize("id_", ["", "xyz", "ab", "*" * 32, "0" * 32, "0" * 33])
def test_an_id_that_names_nothing_is_told(desk: Desk, id_: str) -> None:
    with pytest.raises(UnknownEntry):
        desk.cache.explain(id_)
    with pytest.raises(UnknownEntry):
        desk.cache.wrong(id_)


def test_a_question_can_be_held_against_an_entry(desk: Desk) -> None:
    hit = served(desk)
    told = desk.cache.explain(hit.entry.id, ask="tea or coffee 2")["compared"]

    assert 0.99 < told["similarity"]
    assert ["figures"] == [v["guard"] for v in told["guards"] if v["differs"]]


def test_the_route_of_the_call_decides_what_is_said_of_the_guards() -> None:
    routed = Desk([(Route(path="/v1/*"), {"guards_off": frozenset({"figures"})})], threshold=0.75)
    hit = served(routed)
    told = routed.cache.explain(hit.entry.id, ask="tea or coffee 2")["compared"]
    routed.cache.close()

    assert not next(one for one in told["guards"] if one["guard"] == "figures")["is_on"]


def test_two_entries_differ_field_by_field(desk: Desk) -> None:
    desk.answer(desk.ask(asked("tea or coffee")), chat("Tea."))
    desk.answer(desk.ask(asked("tea or coffee", temperature=0.5)), chat("Tea."))
    one = desk.ask(asked("tea or coffee"))
    other = desk.ask(asked("tea or coffee", temperature=0.5))
    assert isinstance(one, Hit)
    assert isinstance(other, Hit)
    told = desk.cache.explain(one.entry.id, other=other.entry.id)["other"]

    assert [{"field": "request.temperature", "stored": None, "asked": 0.5}] == told["differs"]


def test_where_prompts_are_not_kept_there_are_digests() -> None:
    desk = Desk(store_prompts="questions")
    told = desk.cache.explain(served(desk).entry.id)
    desk.cache.close()

    assert told["request"] is None
    assert told["question"].startswith("digest ")
    assert told["answered"][0]["question"].startswith("digest ")
    assert "tea" not in str(told)


def test_where_nothing_of_a_prompt_is_kept_nothing_is_shown_and_repeats_are_answered() -> None:
    desk = Desk(store_prompts="off")
    desk.answer(desk.ask(asked("tea or coffee")), chat("Both."))
    hit = desk.ask(asked("tea or coffee"))
    assert isinstance(hit, Hit)
    assert isinstance(desk.ask(asked("coffee or tea")), Miss)
    told = desk.cache.explain(hit.entry.id, ask="tea or coffee")
    desk.cache.close()

    assert (None, None, []) == (told["request"], told["question"], told["answered"])
    assert "tea" not in str(told)


def test_a_wrong_answer_is_gone_and_the_pair_stays_apart(desk: Desk) -> None:
    hit = served(desk)
    told = desk.cache.wrong(hit.entry.id)
    assert {"id": hit.entry.id, "forgotten": True, "blocked": 1} == told
    desk.answer(desk.ask(asked("tea or coffee")), chat("Tea."))
    assert isinstance(desk.ask(asked("coffee or tea")), Miss)
    # Others may still be answered with it.
    assert isinstance(desk.ask(asked("coffee, or tea")), Hit)


def test_a_blocked_pair_stays_apart_the_other_way_round(desk: Desk) -> None:
    hit = served(desk)
    desk.cache.wrong(hit.entry.id)
    desk.answer(desk.ask(asked("coffee or tea")), chat("Coffee."))

    assert isinstance(desk.ask(asked("tea or coffee")), Miss)


def test_one_question_of_several_can_be_named(desk: Desk) -> None:
    hit = served(desk)
    served(desk, question="coffee, or tea")
    assert 1 == desk.cache.wrong(hit.entry.id, ask="coffee or tea")["blocked"]
    desk.answer(desk.ask(asked("tea or coffee")), chat("Tea."))

    assert isinstance(desk.ask(asked("coffee, or tea")), Hit)
    assert isinstance(desk.ask(asked("coffee or tea")), Miss)


def test_a_question_it_never_answered_cannot(desk: Desk) -> None:
    hit = served(desk)
    with pytest.raises(UnknownEntry, match="has not answered that"):
        desk.cache.wrong(hit.entry.id, ask="something else")

    assert isinstance(desk.ask(asked("tea or coffee")), Hit)


def test_a_complaint_is_evidence_and_the_pool_shows_it() -> None:
    desk = Desk(terms=TERMS, threshold=0.75)
    first = desk.ask(asked("zzz"))
    assert isinstance(first, Miss)
    desk.store.perform(Weigh(first.pool, 19, 200, 200, 0))
    desk.store.perform(Settle(first.pool, Earned(0.75)))
    hit = served(desk)
    before = desk.cache.explain(hit.entry.id)["pool"]
    desk.cache.wrong(hit.entry.id)
    again = served(desk, question="coffee, or tea")
    after = desk.cache.explain(again.entry.id)["pool"]
    desk.cache.close()

    assert (201, 200, 0) == (before["candidates"], before["checked"], before["wrong"])
    assert (201, 1) == (after["checked"], after["wrong"])
    assert before["at_most_wrong"] < after["at_most_wrong"] < 0.1


def test_without_a_budget_nothing_is_known_of_pools(desk: Desk) -> None:
    assert desk.cache.explain(served(desk).entry.id)["pool"] is None


def test_what_is_for_exact_repeats_only_is_compared_with_nothing(desk: Desk) -> None:
    desk.answer(desk.ask(asked("tea", exact_only="tools")), chat("Tea."))
    hit: Any = desk.ask(asked("tea", exact_only="tools"))
    told = desk.cache.explain(hit.entry.id, ask="tea")

    assert told["compared"]["similarity"] is None
    assert told["question"] is None
