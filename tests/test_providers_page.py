"""docs/providers.md is what scripts/providers_page.py prints, and that is true of the wires."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest

from khazad_mitm.cache import moment
from khazad_mitm.exchange import Answer
from khazad_mitm.wire import PROVIDERS, recognise
from khazad_mitm.wire.hosts import KNOWN, matches
from tests import wires
from tests.wires import Wire

CHECKOUT = Path(__file__).resolve().parent.parent
WIRES = [wire for provider in PROVIDERS for wire in wires.of(provider.name)]


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(CHECKOUT / "scripts"))
    monkeypatch.delitem(sys.modules, "providers_page", raising=False)
    import providers_page

    return providers_page


def test_the_page_is_the_one_that_is_printed(source: ModuleType) -> None:
    assert source.page() == (CHECKOUT / "docs" / "providers.md").read_text(), "run `make docs`"


def test_every_format_is_described_and_no_other(source: ModuleType) -> None:
    assert {provider.name for provider in PROVIDERS} == source.FORMATS.keys()


def test_every_host_speaks_formats_there_are() -> None:
    names = {provider.name for provider in PROVIDERS}

    assert [] == [host.pattern for host in KNOWN if not {*host.speaks.split()} <= names]


def test_every_word_used_is_explained_and_every_word_explained_is_used(source: ModuleType) -> None:
    used = {word for said in source.FORMATS.values() for word in said.exact_only}
    of_the_core = {"window", "mode", *moment.REASONS}

    assert source.WHY.keys() == used | of_the_core
    assert source.WHY_NOT.keys() == {w for said in source.FORMATS.values() for w in said.bypass}


@pytest.mark.parametrize("wire", WIRES, ids=lambda wire: wire.name)
def test_the_page_knows_why_a_wire_is_exact_only(wire: Wire, source: ModuleType) -> None:
    parsed = recognise(wire.request)
    assert parsed is not None
    answer = parsed.provider.assemble(wire.body, parsed)
    of_the_answer = answer.exact_only if isinstance(answer, Answer) else ""
    said = source.FORMATS[parsed.provider.name]

    assert {parsed.exact_only, of_the_answer} <= {"", *said.exact_only}
    assert parsed.bypass in {"", *said.bypass}


@pytest.mark.parametrize("wire", WIRES, ids=lambda wire: wire.name)
def test_the_table_names_the_format_of_a_wire_at_its_host(wire: Wire) -> None:
    parsed = recognise(wire.request)
    assert parsed is not None
    speaks = [host.speaks.split() for host in KNOWN if matches(wire.request.host, [host.pattern])]

    assert not speaks or parsed.provider.name in {name for names in speaks for name in names}
