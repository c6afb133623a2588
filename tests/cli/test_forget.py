"""`list` and `forget`, on a store of their own and through a proxy."""

from __future__ import annotations

import argparse
import json

import pytest

from khazad_mitm.cache.commands import Put
from khazad_mitm.cli import entries, main
from khazad_mitm.store.redis_store import RedisStore
from tests.servers import RedisServer
from tests.store.entries import digest, entry

NO_PROXY = "http://127.0.0.1:9"


@pytest.fixture
def store(redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> RedisStore:
    store = RedisStore(redis_server.url, "cli", deadline_s=5.0, max_entries=100)
    store.flush()
    store.perform(Put(entry(1, model="gpt-4o", tags=("faq",))))
    store.perform(Put(entry(2, model="gpt-4o-mini", tags=("faq", "de"))))
    store.perform(Put(entry(3, model="claude", tags=(), stored_at=1.0)))
    for name, value in (
        ("REDIS_URL", redis_server.url),
        ("NAMESPACE", "cli"),
        ("EMBEDDER", "local"),
        ("STORE_DEADLINE_MS", "5000"),
        ("PROXY", NO_PROXY),
    ):
        monkeypatch.setenv(f"KHAZAD_{name}", value)
    return store


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    status = main(arguments)
    out, err = capsys.readouterr()
    return status, out, err


def test_stored_answers_are_listed_without_prompts(
    store: RedisStore, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, err = told(capsys, "list")

    assert 0 == status
    assert "gpt-4o-mini  [faq, de]" in out
    assert "why?" not in out
    assert "3 answers, 0.0 MB" == err.strip().splitlines()[-1]


def test_a_list_is_narrowed_and_cut(store: RedisStore, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = told(capsys, "list", "--model", "GPT*", "--most", "1", "--json")
    listed = json.loads(out)

    assert (2, 1) == (listed["count"], len(listed["entries"]))
    assert 1 == json.loads(told(capsys, "list", "--older", "1d", "--json")[1])["count"]


def test_what_a_tag_means_is_counted_before_it_is_forgotten(
    store: RedisStore, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    status, _, err = told(capsys, "forget", "--tag", "faq")
    assert (2, 3) == (status, store.count())
    assert "2 answers" in err
    assert "say --yes" in err

    status, _, err = told(capsys, "forget", "--tag", "faq", "--yes")
    assert (0, 1) == (status, store.count())
    assert "2 answers forgotten" in err


@pytest.mark.parametrize(("said", "left", "status"), [("y\n", 1, 0), ("n\n", 3, 1), ("", 3, 1)])
def test_whoever_sits_there_is_asked(
    store: RedisStore,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    said: str,
    left: int,
    status: int,
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(said))

    assert status == told(capsys, "forget", "--tag", "faq")[0]
    assert left == store.count()


def test_an_id_is_forgotten_at_once(store: RedisStore, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = told(capsys, "forget", digest(1), digest(3), "--json")

    assert {"forgotten": 2} == json.loads(out)
    assert 1 == store.count()
    assert 2 == told(capsys, "forget", digest(9))[0]


def test_nothing_fitting_is_no_question(
    store: RedisStore, capsys: pytest.CaptureFixture[str]
) -> None:
    status, _, err = told(capsys, "forget", "--tag", "nobody")

    assert 0 == status
    assert "0 answers, 0.0 MB" == err.strip().splitlines()[-1]


def test_forgetting_all_is_for_flush(store: RedisStore, capsys: pytest.CaptureFixture[str]) -> None:
    status, _, err = told(capsys, "forget", "--yes")

    assert 2 == status
    assert "`khazad-mitm flush` forgets all" in err


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("1.5m", 90), ("2h", 7200), ("7d", 604800)]
)
def test_an_age_is_a_number_with_a_unit(text: str, seconds: float) -> None:
    assert seconds == entries.age(text)


@pytest.mark.parametrize("text", ["", "yesterday", "-1h", "1w", "nan"])
def test_anything_else_is_no_age(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="is no age"):
        entries.age(text)


class Terminal:
    def __init__(self, said: str) -> None:
        self._said = said

    def isatty(self) -> bool:
        return True

    def readline(self) -> str:
        return self._said
