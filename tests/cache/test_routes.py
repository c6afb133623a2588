from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khazad_mitm.cache.routes import MODES, STRICTER, Route, Rulebook
from khazad_mitm.cache.rules import Rules
from khazad_mitm.exchange import Bypass, Hit, Miss, ParsedRequest

from .desk import Desk
from .script import NOW, RULES, VECTOR, asked, lookup, near, play

LAX = {"threshold": 0.8, "ttl_s": None, "guards_off": frozenset({"order"})}
STRICT = {"threshold": 0.97, "ttl_s": 60, "mode": "exact", "guards_off": frozenset()}


def of(*routes: tuple[Route, dict[str, Any]], rules: Rules = RULES, **request: Any) -> Rules:
    return Rulebook(rules, routes).of(asked("hello", **request))


def tagged(*tags: str) -> dict[str, Any]:
    return {"headers": {"X-Khazad-Tag": ", ".join(tags)}}


def test_without_a_route_the_options_hold() -> None:
    assert RULES == of()
    assert RULES == of((Route(host="api.other.com"), LAX))


@pytest.mark.parametrize(
    ("route", "fits"),
    [
        (Route(), True),
        (Route(host="api.example.com"), True),
        (Route(host="*.example.com"), True),
        (Route(host="*.example.org"), False),
        (Route(path="/v1/*"), True),
        (Route(path="/v1"), False),
        (Route(model="gpt-4o*"), True),
        (Route(model="gpt-4"), False),
        (Route(host="*", path="/v1/chat", model="gpt-4o-mini"), True),
        (Route(host="*", path="/v2/chat", model="gpt-4o-mini"), False),
    ],
)
def test_a_route_fits_by_host_path_and_model(route: Route, fits: bool) -> None:
    request = asked("hello", url="https://api.example.com/v1/chat?key=1", model="GPT-4o-mini")

    assert fits is (RULES != Rulebook(RULES, [(route, LAX)]).of(request))


def test_the_first_route_that_fits_counts() -> None:
    first, second = (Route(host="api.*"), {"threshold": 0.8}), (Route(), {"threshold": 0.99})

    assert 0.8 == of(first, second).threshold
    assert 0.99 == of(second, first).threshold


def test_what_a_route_does_not_name_stays() -> None:
    assert replace(RULES, ttl_s=60) == of((Route(), {"ttl_s": 60}))


def test_a_tag_makes_nothing_laxer() -> None:
    assert RULES == of((Route(tag="faq"), LAX), **tagged("faq"))


def test_a_tag_makes_stricter_what_the_other_routes_say() -> None:
    lax, strict = (Route(), LAX), (Route(tag="exact"), STRICT)

    assert replace(RULES, **LAX) == of(strict, lax)
    assert replace(RULES, **STRICT) == of(strict, lax, **tagged("exact"))
    assert replace(RULES, **STRICT) == of(lax, strict, **tagged("other", "EXACT"))


def test_all_tags_that_fit_make_it_stricter() -> None:
    one, other = (Route(tag="a*"), {"threshold": 0.97}), (Route(tag="ab"), {"ttl_s": 5})

    assert replace(RULES, threshold=0.97, ttl_s=5) == of(one, other, **tagged("ab"))


def test_a_tag_that_is_trusted_is_like_any_other_pattern() -> None:
    trusted = (Route(tag="faq", trusts_tag=True), LAX)

    assert replace(RULES, **LAX) == of(trusted, (Route(), STRICT), **tagged("faq"))
    assert replace(RULES, **STRICT) == of(trusted, (Route(), STRICT))


RULE_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "threshold": st.floats(0, 1),
    "mode": st.sampled_from(MODES),
    "ttl_s": st.none() | st.integers(1, 9),
    "guards_off": st.frozensets(st.sampled_from(["order", "figures", "quotes"])),
}
CHANGES = st.fixed_dictionaries({}, optional=RULE_VALUES)


def lets_through(rules: Rules) -> tuple[Any, ...]:
    ttl = float("inf") if rules.ttl_s is None else rules.ttl_s
    return (-rules.threshold, -MODES.index(rules.mode), ttl)


@given(CHANGES, st.lists(CHANGES, max_size=3))
def test_whatever_a_caller_says_in_tags_nothing_gets_laxer(
    operators: dict[str, Any], callers: list[dict[str, Any]]
) -> None:
    routes = [(Route(tag="*"), changes) for changes in callers]
    without = of((Route(), operators), *routes)
    with_tags = of((Route(), operators), *routes, **tagged("any", "thing"))

    assert all(a <= b for a, b in zip(lets_through(with_tags), lets_through(without), strict=True))
    assert with_tags.guards_off <= without.guards_off


def test_what_has_an_order_of_strictness_is_a_field_of_the_rules() -> None:
    assert STRICTER.keys() <= {field.name for field in fields(Rules)}


def test_an_alias_belongs_to_the_rules_of_its_route() -> None:
    def alias(changes: dict[str, Any]) -> Any:
        rules = of((Route(), changes))
        return play(lookup(asked("hello"), rules, NOW), None, VECTOR, [])[0][0].alias  # type: ignore[union-attr]

    assert alias({}) == alias({"ttl_s": 5})
    assert alias({}) != alias({"threshold": 0.8})
    assert alias({}) != alias({"guards_off": frozenset({"order"})})


def test_nothing_older_is_served_than_answers_may_become_here() -> None:
    rules = of((Route(), {"ttl_s": 5}))
    old = near(0.95, "hello", stored_at=NOW - 10)  # kept for longer, by other rules
    _, outcome = play(lookup(asked("hello!"), rules, NOW), None, VECTOR, [old])

    assert not isinstance(outcome, Hit)


class TestAtTheFront:
    def asked(self, path: str) -> ParsedRequest:
        return asked("hello", url=f"https://api.example.com{path}")

    def test_a_route_that_is_off_is_passed_by_and_says_so(self) -> None:
        desk = Desk(routes=[(Route(path="/off"), {"mode": "off"})])

        assert Bypass(self.asked("/off"), "off") == desk.ask(self.asked("/off"))
        assert isinstance(desk.ask(self.asked("/on")), Miss)

    def test_a_route_may_be_all_that_is_on(self) -> None:
        desk = Desk(routes=[(Route(path="/on"), {"mode": "cache"})], mode="off")

        assert isinstance(desk.ask(self.asked("/off")), Bypass)
        assert isinstance(desk.ask(self.asked("/on")), Miss)

    def test_an_answer_is_kept_as_long_as_its_route_says(self) -> None:
        desk = Desk(routes=[(Route(path="/short"), {"ttl_s": 60})])
        for path in ("/short", "/long"):
            desk.answer(desk.ask(self.asked(path)))
        hits = [desk.ask(self.asked(path)) for path in ("/short", "/long")]

        assert [60, 3600] == [
            round(hit.entry.expires_at - hit.entry.stored_at)
            for hit in hits
            if isinstance(hit, Hit) and hit.entry.expires_at is not None
        ]


def test_a_tag_may_name_a_stricter_profile_only() -> None:
    tag = Route(tag="x")

    assert "strict" == of((tag, {"profile": "strict"}), **tagged("x")).profile
    assert RULES.profile == of((tag, {"profile": "faq"}), **tagged("x")).profile


@pytest.mark.parametrize(
    ("route", "fits"),
    [
        (Route(host="api.example.com", path="/v1/*", model="gpt-4o*", tag="bot"), True),
        (Route(host="api.other.com"), False),
        (Route(path="/v2/*"), False),
        (Route(tag="shop"), False),
    ],
)
def test_an_entry_goes_by_the_route_of_its_call(route: Route, fits: bool) -> None:
    route = replace(route, trusts_tag=True)
    entry = near(0.9, "hi").entry
    assert entry is not None
    url = "https://api.example.com:8443/v1/chat?x=1"
    kept = replace(entry, model="gpt-4o-mini", url=url, tags=("bot",))

    assert (RULES != Rulebook(RULES, [(route, LAX)]).of_entry(kept)) == fits
    assert RULES == Rulebook(RULES, [(route, LAX)]).of_entry(replace(kept, url=""))
