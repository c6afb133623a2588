from __future__ import annotations

import logging
from types import SimpleNamespace

import pytest

from khazad_mitm.proxy.privates import FEATURES, Feature, Patches, Private

PLAIN = Private(__name__, "Read.plain", "self one")


class Read:
    attribute: int

    def plain(self, one):
        """As it was read."""

    def generator(self):
        yield

    async def coroutine(self):
        """As it was read."""


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.without[:40])
def test_this_mitmproxy_is_as_it_was_read(feature: Feature):
    assert [] == feature.changed()


@pytest.mark.parametrize(
    ("private", "is_as_read"),
    [
        (PLAIN, True),
        (Private(__name__, "Read.plain", "self two"), False),
        (Private(__name__, "Read.plain", "self one", "coroutine"), False),
        (Private(__name__, "Read.generator", "self", "generator"), True),
        (Private(__name__, "Read.generator", "self"), False),
        (Private(__name__, "Read.coroutine", "self", "coroutine"), True),
        (Private(__name__, "Read.attribute", kind="attribute"), True),
        (Private(__name__, "Read.plain", kind="attribute"), False),
        (Private(__name__, "Read.none"), False),
        (Private(__name__, "Gone.plain", kind="attribute"), False),
        (Private(__name__, "Gone.plain"), False),
        (Private(f"{__name__}.gone", "plain"), False),
    ],
)
def test_what_has_changed_is_seen(private: Private, is_as_read: bool):
    assert is_as_read == private.is_as_read()


def test_what_is_gone_is_said_once_with_what_it_costs(caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.WARNING, "khazad"):
        assert not Feature("hits are slow", (PLAIN, Private(__name__, "Read.none"))).is_there()

    assert ["[Khazad] hits are slow: mitmproxy has changed Read.none"] == caplog.messages


def test_patches_are_undone_in_reverse():
    owner = SimpleNamespace(name="original")
    patches = Patches()
    patches.put(owner, "name", lambda original: f"{original}, patched")
    patches.put(owner, "name", lambda original: f"{original} twice")
    patches.put(owner, "more", lambda original: (original, 1))
    assert ("original, patched twice", (None, 1)) == (owner.name, owner.more)

    patches.undo()
    patches.undo()

    assert {"name": "original"} == vars(owner)
