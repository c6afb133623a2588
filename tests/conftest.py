"""What holds for every test: no network beyond loopback, and the same examples everywhere.

`fast` is derandomised, so that a red run is red for everybody; look for new examples with
`--hypothesis-profile=deep`.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests import loopback

CHECKOUT = Path(__file__).resolve().parent.parent

# Time limits of Hypothesis' own would fail on a busy machine for no fault of ours.
UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("fast", UNHURRIED, max_examples=50, derandomize=True)
settings.register_profile("deep", UNHURRIED, max_examples=2_000)
settings.load_profile("fast")

loopback.install()


@pytest.fixture(scope="session", autouse=True)
def nothing_is_calibrated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What whoever runs the tests has calibrated for himself."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config")))
        yield


@pytest.fixture(autouse=True)
def nobody_has_logged_yet() -> Iterator[None]:
    """Whoever builds a cache sets the level of our lines, for all of the process."""
    logger = logging.getLogger("khazad")
    before = logger.handlers[:], logger.level, logger.propagate
    # pytest 9.2 puts handlers of its own on loggers that do not propagate.
    logger.handlers[:], logger.propagate = [], True
    logger.setLevel(logging.NOTSET)
    yield
    logger.handlers[:], level, logger.propagate = before
    logger.setLevel(level)


@pytest.fixture(autouse=True)
def nothing_left_the_machine() -> Iterator[None]:
    loopback.refused.clear()
    yield
    assert [] == loopback.refused


@pytest.fixture(scope="session")
def clients_python() -> Path:
    """A Python with today's SDKs and without mitmproxy, for programs that tests start."""
    named = os.environ.get("KHAZAD_CLIENTS_PYTHON")
    python = Path(named) if named else CHECKOUT / ".venv-clients" / "bin" / "python"
    if python.exists():
        return python
    if named:
        pytest.fail(f"KHAZAD_CLIENTS_PYTHON: there is no {named}\n\nhint: run `make test`")
    pytest.skip("no .venv-clients: `make test` makes it")
