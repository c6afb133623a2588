from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.cli.programs import khazad
from tests.servers import RedisServer
from tests.test_installed import install

QUICK = ("doctor", "--quick", "--redis-url", "memory", "--mode", "exact")
# Whoever listens on 8080 where tests run is no business of theirs.
NOBODY = {"KHAZAD_PROXY": "http://127.0.0.1:1"}


def findings(tmp_path: Path, *arguments: str, **more: str) -> tuple[int, dict[str, dict[str, Any]]]:
    done = khazad(tmp_path, *arguments, "--json", more={**NOBODY, **more})
    return done.returncode, {finding["check"]: finding for finding in json.loads(done.stdout)}


def test_where_all_is_well_it_says_what_there_is(
    tmp_path: Path,
    redis_server: RedisServer,
) -> None:
    done = khazad(tmp_path, "doctor", "--quick", "--redis-url", redis_server.url, more=NOBODY)

    assert (0, "") == (done.returncode, done.stderr)
    lines = done.stdout.splitlines()
    assert ["ok"] * 7 == [line.split()[0] for line in lines]
    assert f"{redis_server.url}, 0 answers in namespace khazad" in lines[1]
    assert "all-MiniLM-L6-v2-int8@8199be6f, 384 dimensions" in lines[2]


def test_a_redis_that_is_away_is_found_with_a_hint(tmp_path: Path) -> None:
    status, found = findings(
        tmp_path,
        "doctor",
        "--quick",
        "--redis-url",
        "redis://:secret@127.0.0.1:9",
        "--mode",
        "exact",
    )

    assert 1 == status
    assert [False, True] == [found["store"]["ok"], found["folders"]["ok"]]
    assert "no Redis answers at redis://127.0.0.1:9" in found["store"]["found"]
    assert "secret" not in str(found)
    assert "start one" in found["store"]["hint"]


def test_a_model_that_is_not_there_is_found(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    model = ("--embedder", "huggingface", "--embedding-model", str(tmp_path / "empty"))
    status, found = findings(tmp_path, "doctor", "--quick", "--redis-url", "memory", *model)

    assert 1 == status
    assert not found["model"]["ok"]
    assert found["model"]["hint"]


def test_a_folder_that_cannot_be_made_is_found(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    status, found = findings(tmp_path, *QUICK, "--confdir", str(tmp_path / "file" / "confdir"))

    assert 1 == status
    assert "cannot be written to" in found["folders"]["found"]


@pytest.mark.skipif(os.getuid() == 0, reason="root may write everywhere")
def test_a_folder_that_is_not_ours_to_write_is_found(tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    status, found = findings(tmp_path, *QUICK, "--confdir", str(locked))

    assert 1 == status
    assert "cannot be written to: Permission denied" in found["folders"]["found"]


def test_a_rival_for_the_import_name_is_found(tmp_path: Path) -> None:
    install(tmp_path / "site", "khazad", "0.1.3", "khazad/__init__.py")
    checkout = str(Path(__file__).resolve().parents[2])
    path = {"PYTHONPATH": os.pathsep.join([checkout, str(tmp_path / "site")])}
    status, found = findings(tmp_path, *QUICK, **path)

    assert 1 == status
    assert "khazad 0.1.3" in found["import name"]["found"]
    assert "pip uninstall -y khazad" in found["import name"]["hint"]


def test_an_overlaid_import_is_found(tmp_path: Path) -> None:
    (tmp_path / "site" / "khazad").mkdir(parents=True)
    (tmp_path / "site" / "khazad" / "__init__.py").write_text("def init(): ...")
    checkout = str(Path(__file__).resolve().parents[2])
    path = {"PYTHONPATH": os.pathsep.join([str(tmp_path / "site"), checkout])}
    status, found = findings(tmp_path, *QUICK, **path)

    assert 1 == status
    assert str(tmp_path / "site" / "khazad") in found["import name"]["found"]


def test_every_client_of_this_machine_is_reached_trusts_us_and_is_served(tmp_path: Path) -> None:
    status, found = findings(tmp_path, *(argument for argument in QUICK if argument != "--quick"))
    calls = {name: what for name, what in found.items() if "cached" in what["found"]}

    assert 0 == status, found
    # Whatever else there is, Python is.
    assert "python urllib.request" in calls
    assert "reached, trusted, cached" in calls["python urllib.request"]["found"]
    assert "HTTPS_PROXY" in calls["python urllib.request"]["found"]
