from __future__ import annotations

import json
from typing import Any

import pytest
from mitmproxy.test import tutils

from khazad_mitm.cache.inventory import Selection
from khazad_mitm.errors import CacheUnavailable, UnknownEntry
from khazad_mitm.proxy import magic


class Known:
    """A cache that knows one entry."""

    def explain(self, id_: str, ask: str | None = None, other: str | None = None) -> Any:
        if id_ == "away":
            raise CacheUnavailable("no answer")
        if id_ != "abcd":
            raise UnknownEntry(f"{id_} is not stored")
        return {"id": id_, "ask": ask, "other": other}

    def wrong(self, id_: str, ask: str | None = None) -> Any:
        return {"id": id_, "ask": ask, "forgotten": True}

    def entries(self, wanted: Selection, most: int | None = None) -> Any:
        return {"wanted": repr(wanted), "most": most}

    def forget(self, wanted: Selection) -> int:
        if wanted.is_all:
            raise UnknownEntry("nothing is said")
        return 7


async def page(method: str, path: str, *, is_local: bool = True) -> tuple[int, Any]:
    request = tutils.treq(method=method.encode(), path=path.encode())
    made: Any = await magic.page(request, Known(), is_local=is_local)  # type: ignore[arg-type]  # the same face
    return made.status_code, json.loads(made.content)


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/explain"), ("POST", "/wrong"), ("GET", "/entries"), ("POST", "/forget")],
)
async def test_what_is_stored_is_shown_on_this_machine_only(method: str, path: str):
    assert 403 == (await page(method, f"{path}?id=abcd", is_local=False))[0]
    assert 200 == (await page(method, f"{path}?id=abcd"))[0]


async def test_what_was_asked_is_handed_on():
    _, told = await page("GET", "/explain?id=abcd&ask=why%3F+so&other=")

    assert {"id": "abcd", "ask": "why? so", "other": None} == told


async def test_an_unknown_entry_is_not_found():
    assert (404, {"error": "ffff is not stored"}) == await page("GET", "/explain?id=ffff")


async def test_a_store_that_is_away_is_no_missing_entry():
    assert 503 == (await page("GET", "/explain?id=away"))[0]


async def test_looking_changes_nothing():
    assert 404 == (await page("GET", "/wrong?id=abcd"))[0]
    assert 404 == (await page("GET", "/forget?tag=a"))[0]


async def test_a_selection_is_handed_on():
    wanted = Selection(("ab12", "cd34"), "x y", "gpt-*", 90.0)
    _, told = await page("GET", "/entries?id=ab12&id=cd34&tag=x+y&model=gpt-%2A&older=90&most=5")

    assert {"wanted": repr(wanted), "most": 5} == told
    assert (200, {"forgotten": 7}) == await page("POST", "/forget?tag=a")
    assert (404, {"error": "nothing is said"}) == await page("POST", "/forget")
    assert 404 == (await page("GET", "/entries?older=yesterday"))[0]
