"""In interpreters of their own: what a process has imported it cannot forget."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("flask", "ldap3", "passlib", "mitmproxy.addons.onboarding")


def python(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert 0 == done.returncode, done.stderr
    return done.stdout.strip()


def test_the_engine_loads_only_the_addons_it_uses() -> None:
    program = "import sys, khazad_mitm.proxy.engine; print([m for m in {} if m in sys.modules])"

    assert "[]" == python(program.format(HEAVY))


@pytest.mark.parametrize(
    "asked",
    [
        "from mitmproxy.addons import default_addons; print(len(default_addons()) > 20)",
        "import mitmproxy.addons; print(mitmproxy.addons.view.View.__name__ == 'View')",
        "from mitmproxy import addons; print(hasattr(addons, 'onboarding'))",
        "from mitmproxy.addons.dumper import Dumper; print(True)",
        "from mitmproxy.tools.dump import DumpMaster; print(True)",
        "from mitmproxy import addons; print(not hasattr(addons, 'no_such_thing'))",
    ],
)
def test_who_asks_the_package_for_the_rest_is_given_it(asked: str) -> None:
    assert "True" == python(f"import khazad_mitm.proxy.engine\n{asked}")


def test_a_package_that_was_loaded_before_stays_as_it_is() -> None:
    program = """
import mitmproxy.addons
before = mitmproxy.addons
import khazad_mitm.proxy.engine
print(before is mitmproxy.addons and "__getattr__" not in vars(before))
"""

    assert "True" == python(program)
