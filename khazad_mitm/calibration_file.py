"""Thresholds that `khazad-mitm calibrate --save` has found, by embedding model and profile.

A cosine means something else to every model. The numbers of `settings.PROFILES` are those of the
bundled one; what a user has measured on pairs of his own goes before them, for the model and the
guards it was measured with. Kept in the user's config folder (XDG base directory specification).
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from khazad_mitm.errors import ConfigError


def path() -> Path:
    named = os.environ.get("XDG_CONFIG_HOME", "")
    folder = Path(named) if Path(named).is_absolute() else Path.home() / ".config"
    return folder / "khazad-mitm" / "calibration.json"


def thresholds(model: str, guards_off: Iterable[str]) -> dict[str, float]:
    """What was measured of this model with these guards, by profile. Raises ConfigError."""
    return {
        profile: kept["threshold"]
        for profile, kept in _read().get(model, {}).items()
        if kept["guards_off"] == sorted(guards_off)
    }


def save(
    model: str, profile: str, threshold: float, guards_off: Iterable[str], facts: dict[str, Any]
) -> Path:
    """Keep a threshold, in place of an earlier one. `facts`: what it was found with, for people."""
    known = _read()
    kept = {"threshold": threshold, "guards_off": sorted(guards_off), **facts}
    known.setdefault(model, {})[profile] = kept
    file = path()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        # Whole or not at all: a proxy may be starting.
        with tempfile.NamedTemporaryFile("w", dir=file.parent, delete=False) as written:
            json.dump(known, written, indent=1)
        os.replace(written.name, file)
    except OSError as error:
        raise ConfigError(f"--save: {file} cannot be written ({error.strerror})") from error
    return file


def _read() -> dict[str, Any]:
    file = path()
    try:
        known = json.loads(file.read_bytes())
        for profiles in known.values():
            for kept in profiles.values():
                if not 0 <= kept["threshold"] <= 1 or not isinstance(kept["guards_off"], list):
                    raise ValueError
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise ConfigError(f"{file} cannot be read ({error.strerror})") from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ConfigError(
            f"{file} is not what `khazad-mitm calibrate --save` writes",
            "remove it, and calibrate again",
        ) from error
    return dict(known)
