from __future__ import annotations

import gc
import sys
from pathlib import Path

import pytest

from khazad_mitm.proxy.alone import SWITCH_INTERVAL_S, alone, settle
from khazad_mitm.proxy.engine import Engine
from khazad_mitm.settings import from_mapping

EXACT = from_mapping({"redis_url": "memory", "mode": "exact"}, environ={})


def how_it_is() -> tuple[float, bool]:
    """When a thread gives way, and whether anything is taken out of garbage collection."""
    return sys.getswitchinterval(), gc.get_freeze_count() > 0


BEFORE = (sys.getswitchinterval(), False)


@pytest.fixture(autouse=True)
def nothing_is_taken_out() -> None:
    # Some Pythons (3.12) take out of it what is there when they start.
    gc.unfreeze()


def test_threads_that_compute_give_way_sooner_and_what_is_loaded_is_left_alone() -> None:
    with alone():
        settle()
        meanwhile = how_it_is()

    assert (pytest.approx(SWITCH_INTERVAL_S), True) == meanwhile
    assert BEFORE == how_it_is()


def test_an_error_leaves_python_as_it_was() -> None:
    def fail() -> None:
        with alone():
            settle()
            raise OSError("taken")

    with pytest.raises(OSError, match="taken"):
        fail()

    assert BEFORE == how_it_is()


@pytest.mark.parametrize("is_alone", [True, False])
async def test_an_engine_sets_python_up_only_where_it_is_alone(
    is_alone: bool, tmp_path: Path
) -> None:
    meanwhile = []

    class Witness:
        name = "witness"

        def done(self) -> None:
            meanwhile.append(how_it_is())

    engine = Engine(
        EXACT, listen_port=0, confdir=tmp_path, is_alone=is_alone, extra_addons=[Witness()]
    )
    await engine.run(lambda host, port: engine.shutdown())

    assert [(pytest.approx(SWITCH_INTERVAL_S), True) if is_alone else BEFORE] == meanwhile
    assert BEFORE == how_it_is()
