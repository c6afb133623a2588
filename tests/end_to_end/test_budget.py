"""A budget, and what can be asked about an answer, through both kinds of proxy."""

from __future__ import annotations

import json
from collections.abc import Callable
from urllib.parse import quote

import pytest

from khazad_mitm.cli import main
from tests.end_to_end.conftest import Standing
from tests.end_to_end.proxies import Proxy
from tests.end_to_end.upstream import Answer, Call, Upstream, chat_answer

SETTINGS = {
    "redis_url": "memory",
    "embedder": "local",
    "threshold": "0.7",
    "embed_deadline_ms": "20000",
    "store_deadline_ms": "2000",
}
CHECKING = {**SETTINGS, "max_wrong_hits": "0.5", "shadow_share": "1"}

STORED = "How do I change my password?"
ASKED = "How can I change my password?"


def chat(question: str) -> bytes:
    return json.dumps(
        {"model": "gpt-4o", "messages": [{"role": "user", "content": question}]}
    ).encode()


def served_by_meaning(proxy: Proxy) -> str:
    """The id of an entry that has answered ASKED."""
    with proxy.client() as client:
        client.ask(chat(STORED))
        proxy.wait_until(stored=1)
        served = client.ask(chat(ASKED))
    assert "semantic" in served.cache_status
    return served.headers["x-khazad-entry"]


def numbered(upstream: Upstream) -> Callable[[Call], Answer]:
    return lambda call: chat_answer(f"Answer {len(upstream.calls)}.")


def test_an_answer_is_explained_and_taken_back(
    kind: str, standing: Standing, upstream: Upstream, capsys: pytest.CaptureFixture[str]
) -> None:
    proxy = standing(kind, SETTINGS)
    id_ = served_by_meaning(proxy)
    at = f"--proxy=http://127.0.0.1:{proxy.port}"

    assert 0 == main(["explain", id_[:10], at, "--json"])
    told = json.loads(capsys.readouterr().out)
    assert (id_, STORED) == (told["id"], told["question"])
    assert [ASKED] == [asked["question"] for asked in told["answered"]]

    assert 0 == main(["explain", id_, at, "--ask", "Where is order 4711?"])
    shown = capsys.readouterr().out
    assert f'"{STORED}" → "{ASKED}"' in shown
    assert "figures    differs" in shown

    assert 0 == main(["wrong", id_, at])
    assert "1 questions are kept apart" in capsys.readouterr().err
    with proxy.client() as client:
        assert "fwd=miss" in client.ask(chat(ASKED)).cache_status
        proxy.wait_until(stored=2)
        assert "fwd=miss" in client.ask(chat(STORED)).cache_status

    assert 2 == main(["explain", "f" * 32, at])
    assert "is not stored" in capsys.readouterr().err


def test_a_web_page_can_neither_look_nor_take_back(
    kind: str, standing: Standing, upstream: Upstream
) -> None:
    proxy = standing(kind, SETTINGS)
    id_ = served_by_meaning(proxy)
    evil = {"Origin": "http://evil.example"}
    with proxy.client("khazad.internal", 80) as client:
        refused = [
            client.send_plain("GET", f"/explain?id={id_}", headers=evil).status,
            client.send_plain("POST", f"/wrong?id={id_}", headers=evil).status,
        ]

    assert [403, 403] == refused
    assert 200 == proxy.page(f"/explain?id={id_}&ask={quote(ASKED)}")[0]
    assert 404 == proxy.page("/explain?id=xyz")[0]


def test_what_is_served_is_asked_again_in_the_background(
    kind: str, standing: Standing, upstream: Upstream
) -> None:
    """Opened by four hundred questions would take long: a budget of a half is soon proven."""
    proxy = standing(kind, CHECKING)
    upstream.answer = lambda call: chat_answer("The same.")
    with proxy.client() as client:
        client.ask(chat(STORED))
        proxy.wait_until(stored=1)
        for number in range(40):
            # Case and punctuation only: as alike as can be, and no repeat.
            asked = client.ask(chat(STORED.upper() + "?" * number))
            if "semantic" in asked.cache_status:
                break
            proxy.wait_until(stored=number + 2)
        else:
            pytest.fail(f"it never opened: {asked.cache_status}")
        proxy.wait_until(checked_hits=1)
        before = len(upstream.calls)
        upstream.answer = numbered(upstream)
        wrong = client.ask(chat(STORED.lower()))
        proxy.wait_until(checked_hits=2, wrong_hits=1)
        repeat = client.ask(chat(STORED.lower()))

    assert b"The same." in wrong.body
    assert before + 1 == len(upstream.calls)
    assert "Bearer sk-test" == upstream.calls[-1].headers["authorization"]
    assert chat(STORED.lower()) == upstream.calls[-1].body
    assert f"Answer {before + 1}.".encode() in repeat.body


def test_a_tag_is_not_sent_on_and_what_it_labels_is_listed_and_forgotten(
    kind: str, standing: Standing, upstream: Upstream, capsys: pytest.CaptureFixture[str]
) -> None:
    proxy = standing(kind, {**SETTINGS, "mode": "exact"})
    at = f"--proxy=http://127.0.0.1:{proxy.port}"
    with proxy.client() as client:
        client.ask(chat(STORED), **{"X-Khazad-Tag": "customer-42"})
        client.ask(chat(ASKED))
        proxy.wait_until(stored=2)
        assert all("x-khazad-tag" not in call.headers for call in upstream.calls)

        assert 0 == main(["list", at, "--tag", "customer-42", "--json"])
        assert 1 == json.loads(capsys.readouterr().out)["count"]
        assert 0 == main(["forget", at, "--tag", "customer-42", "--yes"])
        assert "1 answers forgotten" in capsys.readouterr().err
        assert "fwd=miss" in client.ask(chat(STORED)).cache_status
        assert "hit" in client.ask(chat(ASKED)).cache_status
