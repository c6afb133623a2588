"""What `store_faults` says, of a program that has called `khazad.init()`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.askers import Asker
from tests.end_to_end.store_faults import (
    test_a_store_that_does_not_answer_costs_one_deadline_and_no_call,
    test_a_store_that_is_slower_than_the_default_deadline_costs_no_call,
    test_a_store_that_takes_nothing_still_serves_what_it_has,
    test_a_store_that_was_restarted_empty_is_filled_again,
    test_equal_questions_share_one_call_while_it_is_away,
)
from tests.end_to_end.store_ground import ground, hasty, hasty_ground, make_ground, patient_ground
from tests.end_to_end.upstream import Upstream

__all__ = [
    "ground",
    "hasty",
    "hasty_ground",
    "make_ground",
    "patient_ground",
    "test_a_store_that_does_not_answer_costs_one_deadline_and_no_call",
    "test_a_store_that_is_slower_than_the_default_deadline_costs_no_call",
    "test_a_store_that_takes_nothing_still_serves_what_it_has",
    "test_a_store_that_was_restarted_empty_is_filled_again",
    "test_equal_questions_share_one_call_while_it_is_away",
]

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits of other processes")


@pytest.fixture(scope="module", params=["blocking", "awaiting"])
def front(request: pytest.FixtureRequest) -> Callable[..., Any]:
    def start(folder: Path, upstream: Upstream, settings: dict[str, str]) -> Asker:
        return Asker(request.param, folder, upstream, {**settings, "embed_deadline_ms": "60000"})

    return start
