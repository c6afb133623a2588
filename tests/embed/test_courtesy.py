from __future__ import annotations

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from khazad_mitm.assembly import build
from khazad_mitm.embed.courtesy import NICENESS, step_back
from khazad_mitm.settings import from_mapping

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="threads have no priority here")


def own_niceness() -> int:
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


def test_a_thread_that_steps_back_leaves_the_others_where_they_are() -> None:
    before = own_niceness()
    with ThreadPoolExecutor(1, initializer=step_back) as pool:
        stepped_back = pool.submit(own_niceness).result()
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(own_niceness).result()

    assert min(before + NICENESS, 19) == stepped_back
    assert before == other == own_niceness()


def test_a_system_that_forbids_it_is_no_obstacle(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbid(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "setpriority", forbid)
    step_back()


def test_the_threads_that_embed_have_stepped_back() -> None:
    cache = build(from_mapping({"redis_url": "memory", "mode": "exact"}, environ={}))
    try:
        embedding = cache._parts.embed_executor.submit(own_niceness).result()
    finally:
        cache.close()

    assert embedding > own_niceness()
