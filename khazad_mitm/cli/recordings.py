"""The recordings that a command is about: those of a directory, and of the cassettes below it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from khazad_mitm.errors import ConfigError

if TYPE_CHECKING:
    from khazad_mitm.record.interaction import Interaction


def interactions(folder: Path) -> Iterator[Interaction]:
    """Raises ConfigError, also on the way."""
    from khazad_mitm.record import cassette, files

    for one in folders(folder):
        for path in cassette.recordings_in(one):
            yield files.read(path)


def folders(folder: Path) -> list[Path]:
    """The cassette, and those below. Raises ConfigError where there is none."""
    from khazad_mitm.record import cassette

    if not folder.is_dir():
        raise ConfigError(f"{folder} is no directory", "a cassette is a directory of recordings")
    below = (path for path in folder.rglob("*") if path.is_dir())
    return [one for one in (folder, *sorted(below)) if cassette.recordings_in(one)]


def read_file(path: Path) -> Interaction:
    from khazad_mitm.record import files

    if not path.is_file():
        raise ConfigError(f"{path} is no file")
    return files.read(path)
