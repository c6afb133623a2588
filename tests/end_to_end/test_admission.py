"""A proxy that others reach: who may use it, and where he may go. Real ones, in a network
namespace of their own, where an address that is not loopback leads nowhere else."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.proxies import CHECKOUT

PROGRAM = Path(__file__).with_name("programs") / "elsewhere.py"
ADDRESS = "10.9.9.9"
WAIT_S = 60.0
PROVEN = ["--proxy-auth", "me:secret"]
NAMED = ["--hosts", "127.0.0.1,localhost"]

Told = dict[str, Any]


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Told]:
    """What comes of asking a proxy with these flags from elsewhere; of equal ones once."""
    apart = ["unshare", "--user", "--map-root-user", "--net"]
    if not (shutil.which("unshare") and shutil.which("ip")):
        pytest.skip("no unshare and ip here, to make a network namespace")
    if subprocess.run([*apart, "true"], capture_output=True).returncode:
        pytest.skip("this system makes no network namespace for us")

    @cache
    def ask(*flags: str) -> Told:
        setup = f"ip link set lo up && ip address add {ADDRESS}/32 dev lo && exec "
        command = [*apart, "sh", "-c", setup + '"$@"', "sh", sys.executable, str(PROGRAM)]
        environ = {n: v for n, v in os.environ.items() if not n.startswith("KHAZAD_")}
        done = subprocess.run(
            [*command, ADDRESS, str(tmp_path_factory.mktemp("elsewhere")), *flags],
            capture_output=True,
            text=True,
            timeout=WAIT_S,
            env={**environ, "PYTHONPATH": str(CHECKOUT)},
        )
        assert done.stdout, done.stderr
        told: Told = json.loads(done.stdout)
        return told

    return ask


def test_a_listener_that_others_reach_does_not_start_unguarded(
    elsewhere: Callable[..., Told],
) -> None:
    told = elsewhere()

    assert 2 == told["exit"]
    assert "--proxy-auth, or say --open" in told["said"]


def test_an_open_proxy_leads_nobody_into_a_private_network(
    elsewhere: Callable[..., Told],
) -> None:
    told = elsewhere("--open")

    reached = ("inside", "by name", "authenticated", "signed")
    assert [502] * 4 == [told[name][0] for name in reached]
    assert [502, 502] == [told["connect"], told["metadata"]]
    assert 403 == told["flush"]
    assert [] == told["calls"]


def test_a_guarded_proxy_serves_whom_it_knows_where_its_operator_lets_them(
    elsewhere: Callable[..., Told],
) -> None:
    told = elsewhere(*PROVEN, *NAMED)

    assert [407, 407, 407] == [told["inside"][0], told["connect"], told["signed"][0]]
    assert 200 == told["authenticated"][0]
    assert [407, 200] == [told["flush"], told["flush, known"]]
    # What was for the proxy does not reach the upstream.
    assert {"None"} == set(told["calls"])


def test_a_signature_from_elsewhere_is_bypassed_where_nobody_vouches_for_it(
    elsewhere: Callable[..., Told],
) -> None:
    unknown, known = elsewhere("--open", *NAMED), elsewhere(*PROVEN, *NAMED)

    assert "signature without proxy authentication" in unknown["signed"][1]
    assert "fwd=miss" in known["signed, known"][1]
    assert "khazad; hit" in known["signed, known, again"][1]


def test_private_networks_can_be_allowed(elsewhere: Callable[..., Told]) -> None:
    assert 200 == elsewhere("--open", "--allow-private")["inside"][0]
