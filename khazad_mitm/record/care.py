"""What may be wrong with a cassette that nobody has played for a while."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from khazad_mitm.errors import ConfigError
from khazad_mitm.record import cassette, files, rules
from khazad_mitm.record.scrub import suspects
from khazad_mitm.record.yamls import load


def complaints(folder: Path) -> Iterator[str]:
    """Each a line that begins with a file: what cannot be read, what looks like a secret, what
    its own request no longer finds, what no recording names."""
    try:
        declared = rules.read_rules(folder)
    except ConfigError as error:
        yield _first_line(error)
        return
    named: set[Path] = set()
    for path in cassette.recordings_in(folder):
        try:
            interaction = files.read(path)
            document = load(path.read_bytes().decode())
        except ConfigError as error:
            yield _first_line(error)
            continue
        beside = files.beside(path)
        named.update(beside)
        yield from (f"{path}: {found}" for found in suspects(document))
        for other in beside:
            text = other.read_bytes().decode("latin-1")
            yield from (f"{other}: {what.lstrip(': ')}" for what in suspects(text))
        if declared.scrubber.request(interaction.request) != interaction.request:
            # It is scrubbed before it is compared: what is not scrubbed here is never found.
            yield f"{path}: unreachable, its request is not as the rules would scrub it"
    for path in sorted(folder.iterdir()):
        if path.is_file() and path.suffix != files.SUFFIX and path not in named:
            yield f"{path}: no recording names it"


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
