"""The pytest plugin: a cassette for each test, and no test passes on half of one.

    @pytest.mark.khazad                 plays tests/cassettes/test_faq/test_refunds/
    def test_refunds(): ...

    pytest --khazad-record=once         records what is not there yet
    pytest --khazad-block-network       lets nothing but loopback be reached

Loaded by every run of pytest where this package is installed: it imports nothing of ours until a
test wants a cassette.
"""

from __future__ import annotations

import os
import re
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from khazad_mitm.record.recorder import Recorder
    from khazad_mitm.testing.children import Children

MARKER = "khazad"
MODES = ("none", "once", "new_episodes", "all")

_RECORDER: pytest.StashKey[Recorder] = pytest.StashKey()
_NETWORK: pytest.StashKey[pytest.MonkeyPatch] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("khazad", "recorded LLM calls")
    group.addoption(
        "--khazad-record",
        choices=MODES,
        default=None,
        help="none (play only), once (record where there is nothing yet), new_episodes, all"
        " (default: KHAZAD_RECORD, else none)",
    )
    group.addoption(
        "--khazad-block-network",
        action="store_true",
        help="refuse every connection but to loopback, in this process",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        f"{MARKER}(cassette=None, record=None, on_miss='fail', hosts=(), faults=(),"
        " allow_unused=False):"
        " play this test's LLM calls from a cassette; by default cassettes/MODULE/TEST beside it",
    )
    if config.getoption("--khazad-block-network"):
        from khazad_mitm.testing.network import block

        patch = pytest.MonkeyPatch()
        block(patch)
        config.stash[_NETWORK] = patch


def pytest_unconfigure(config: pytest.Config) -> None:
    patch = config.stash.get(_NETWORK, None)
    if patch is not None:
        patch.undo()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        names = getattr(item, "fixturenames", None)
        if names is not None and "khazad_cassette" not in names and _marker(item) is not None:
            # First: what other fixtures call is of this test, too.
            names.insert(0, "khazad_cassette")


@pytest.fixture
def khazad_cassette(request: pytest.FixtureRequest) -> Iterator[Recorder]:
    """The cassette of this test, played and recorded in this process; `report()` says what has
    been so far."""
    from khazad_mitm.inprocess import patch
    from khazad_mitm.record.cassette import Cassette
    from khazad_mitm.record.faults import fault_in
    from khazad_mitm.record.recorder import Recorder, RecordMode

    asked = _asked(request.node)
    mode = asked.get("record") or request.config.getoption("--khazad-record")
    mode = mode or os.environ.get("KHAZAD_RECORD") or "none"
    recorder = Recorder(
        Cassette.open(_folder(request.node, asked)),
        RecordMode(mode),
        asked.get("on_miss", "fail"),
        tuple(asked.get("hosts", ())),
        faults=[fault_in(rule, "faults") for rule in asked.get("faults", ())],
    )
    request.node.stash[_RECORDER] = recorder
    source = _Here(recorder)
    patch.install(source)
    try:
        yield recorder
    finally:
        patch.uninstall(source)
        recorder.close()


@pytest.fixture(scope="session")
def khazad_children(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Children]:
    """A proxy of this session (with xdist: of this worker), for `khazad_environ`."""
    from khazad_mitm.testing.children import children

    with children(tmp_path_factory.mktemp("khazad")) as made:
        yield made


@pytest.fixture
def khazad_environ(
    khazad_cassette: Recorder, khazad_children: Children
) -> Iterator[Mapping[str, str]]:
    """The environment for a child process, in any language, whose calls the cassette answers.

    By a proxy that lives as long as the session; needs the extra `proxy`. A child that outlives its
    test is refused, or answered from the cassette of the test that runs then.
    """
    with khazad_children.of(khazad_cassette) as environ:
        yield environ


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """A test that has passed has not, where its cassette was not enough or too much."""
    result = yield
    recorder = item.stash.get(_RECORDER, None)
    if recorder is not None:
        recorder.drain(DRAIN_S)
        complaint = _complaint(recorder, bool(_asked(item).get("allow_unused")))
        if complaint:
            pytest.fail(complaint, pytrace=False)
    return result


DRAIN_S = 60.0


class _Here:
    """A source that `patch` is given."""

    ahead = None

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def here(self) -> Recorder:
        return self._recorder


def _complaint(recorder: Recorder, allows_unused: bool) -> str:
    report = recorder.report()
    told = [f"khazad: {why}" for why in report.unrecorded]
    told += [f"khazad: not recorded: {why}" for why in report.lost]
    if report.unused and not allows_unused:
        names = "\n  ".join(str(path) for path in report.unused)
        told.append(
            f"khazad: {len(report.unused)} recordings were not asked for:\n  {names}\n\n"
            "hint: delete them, or say @pytest.mark.khazad(allow_unused=True)"
        )
    return "\n\n".join(told)


def _marker(item: pytest.Item) -> pytest.Mark | None:
    return item.get_closest_marker(MARKER)


def _asked(item: pytest.Item) -> Mapping[str, Any]:
    marker = _marker(item)
    if marker is None:
        return {}
    known = {"cassette", "record", "on_miss", "hosts", "faults", "allow_unused"}
    if marker.args or marker.kwargs.keys() - known:
        raise pytest.UsageError(f"@pytest.mark.{MARKER} takes {', '.join(sorted(known))}, by name")
    return marker.kwargs


def _folder(item: pytest.Item, asked: Mapping[str, Any]) -> Path:
    here = item.path.parent
    if asked.get("cassette"):
        return here / str(asked["cassette"])
    # Of a class and of parameters too; what no file system minds.
    place = item.nodeid.partition("::")[2] or item.name
    return here / "cassettes" / item.path.stem / re.sub(r"[^\w.-]+", "-", place).strip("-")
