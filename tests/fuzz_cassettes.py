"""Broken cassettes: recordings and rules as nobody would write them; part of `make fuzz`.

What must hold whatever is in a file: it is read, or refused by a ConfigError that names it; what is
read is found by its own request and by no other, can be recognised, and, written again, is the
same.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from khazad_mitm.errors import ConfigError
from khazad_mitm.record import cassette, files, rules
from khazad_mitm.record.bodies import Shelf
from khazad_mitm.record.interaction import Answered, Frame, Interaction, Label
from khazad_mitm.wire import PROVIDERS, frames, recognise
from tests import wires

LIMIT_S = 10.0

RULES = """
ignore: [messages[*].id, tools[*].description, date_in_system_prompt]
replace:
- {pattern: 'session-\\\\d+', with: SESSION}
scrub:
- {pattern: 'cust_[0-9]+', with: CUSTOMER}
- {header: x-customer}
- {field: email}
keep_headers: [x-scenario]
faults:
- {where: chat, status: 429, retry_after: 1, times: 2}
"""
# Where a value stands, or a line.
SCALARS = (
    *("", "~", "true", "-0", "1e999", "9" * 5_000, "0x1f", ".nan", "2024-01-31", "*a", "&a b"),
    *("!!python/object:os.system x", "!beside {text: x}", "!beside {base64: ../../etc/passwd}"),
    *(
        "!!binary YQ==",
        "<<: {a: b}",
        "'",
        '"',
        '"\\ud83e"',
        '"\\0"',
        "{",
        "[",
        "[" * 2_000,
        "- - -",
    ),
    *(
        "|",
        ">-",
        "|9",
        "- - -",
        "#",
        "%",
        "---",
        "...",
        "\t",
        "\x00",
        "\ufeff",
        "\u2028",
        "\x85",
        "🦊",
    ),
    *("{json: {}}", "{text: x}", "{base64: x}", "{file: /etc/passwd}", "{file: ''}", "{file: .}"),
    *("https://", "http://a:99999999/", "http://[::1", "http://a:b/", "a: a: a"),
)


@lru_cache(maxsize=1)
def _texts() -> tuple[str, ...]:
    """A recording of every wire, as it is written; those that need files beside are left out."""
    texts = []
    for provider in PROVIDERS:
        for wire in wires.of(provider.name):
            parsed = recognise(wire.request)
            assert parsed is not None
            is_stream = parsed.framing.is_stream
            pieces = frames.split(wire.body, parsed) if is_stream else (wire.body,)
            said = Answered(
                200, wire.request.headers, tuple(Frame(7, one) for one in pieces), is_stream
            )
            shelf = Shelf("x")
            label = Label(provider.name, parsed.model, "fuzz", "2026-11-25")
            text = files.text_of(Interaction(wire.request, said, label), shelf)
            if not shelf.files:
                texts.append(text)
    return tuple(texts)


def broken(text: str, rng: random.Random) -> bytes:
    """A file with one to three things wrong."""
    for _ in range(rng.choice((1, 1, 1, 1, 2, 3))):
        lines = text.split("\n")
        one, two = rng.randrange(len(lines)), rng.randrange(len(lines))
        match rng.randrange(8):
            case 0:
                del lines[one]
            case 1:
                lines.insert(two, lines[one])
            case 2:
                lines[one], lines[two] = lines[two], lines[one]
            case 3:
                lines[one] = " " * rng.randrange(9) + lines[one].lstrip()
            case 4:
                lines = lines[:one]
            case 5:
                lines[one] = rng.choice(SCALARS)
            case _:
                name, colon, _ = lines[one].partition(": ")
                lines[one] = f"{name}{colon or ': '}{rng.choice(SCALARS)}"
        text = "\n".join(lines)
    data = bytearray(text.encode("utf-8", "surrogatepass"))
    for _ in range(rng.choice((0, 0, 0, 0, 0, 0, 0, 1, 3))):
        place = rng.randrange(len(data) + 1)
        data[place : place + rng.randrange(2)] = rng.randbytes(rng.randrange(3))
    return bytes(data)


def run(rng: random.Random, is_over: Callable[[int], bool]) -> Counter[str]:
    """Cases until it is over; how many files could be read all the same."""
    told: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="khazad-") as name:
        folder = Path(name)
        while not is_over(told["cases"]):
            is_rules = rng.randrange(8) == 0
            path = folder / (rules.NAME if is_rules else "1.yaml")
            data = broken(RULES if is_rules else rng.choice(_texts()), rng)
            path.write_bytes(data)
            before = time.thread_time()
            try:
                told["rules" if is_rules else "recordings"] += _is_read(path)
            except Exception as error:
                raise AssertionError(f"{type(error).__name__}: {error}\n{data!r}") from error
            took = time.thread_time() - before
            assert took < LIMIT_S, f"took {took:.1f} s\n{data!r}"
            path.unlink()
            told["cases"] += 1
    return told


def _is_read(path: Path) -> bool:
    try:
        opened = cassette.Cassette.open(path.parent)
    except ConfigError as refused:
        if str(path) not in str(refused):
            raise AssertionError("a refusal that names no file") from refused
        return False
    if path.name == rules.NAME:
        return True
    (recording,) = opened.recordings
    found = recording.interaction
    own = opened.essence(found.request, recognise(found.request))
    assert opened.ahead(own.digest) is recording, "not found by its own request"
    other = opened.essence(OTHER.request, recognise(OTHER.request))
    assert other.digest == own.digest or opened.ahead(other.digest) is None
    try:
        shelf = Shelf("1")
        text = files.text_of(found, shelf)
    except ValueError:  # nothing that would be written, such as a header that is no text
        return True
    (again,) = _again(text, shelf)
    assert again == found.request
    return True


def _again(text: str, shelf: Shelf) -> list[object]:
    with tempfile.TemporaryDirectory(prefix="khazad-") as name:
        path = Path(name) / "1.yaml"
        files.replace(path, text, shelf.files)
        return [files.read(path).request]


OTHER = wires.of("openai-chat")[0]
