"""Which of the formats of others a file is in."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from khazad_mitm.errors import ConfigError
from khazad_mitm.record import har, vcr
from khazad_mitm.record.exchanges import Exchange

# How mitmproxy writes a flow: a length, then so many bytes.
_FLOWS = re.compile(rb"\d+:")


def has_flows(path: Path) -> bool:
    """Is it a file of mitmproxy's, which `proxy.flow_files` reads? Raises ConfigError."""
    try:
        with path.open("rb") as file:
            return _FLOWS.match(file.read(16)) is not None
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}") from None


def read(path: Path) -> list[Exchange]:
    """The exchanges of a HAR file or of a cassette of vcrpy, in order. Raises ConfigError."""
    document = _document(path)
    try:
        match document:
            case {"log": {"entries": list(entries)}}:
                return har.read(entries)
            case {"interactions": list(interactions)}:
                return vcr.read(interactions)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ConfigError(f"{path}: cannot be read ({error!r})") from None
    raise ConfigError(
        f"{path}: neither a HAR file, nor flows of mitmproxy, nor a cassette of vcrpy"
    )


def _document(path: Path) -> Any:
    import yaml

    try:
        text = path.read_bytes()
        if path.suffix in (".har", ".json"):
            return json.loads(text)
        return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    except yaml.MarkedYAMLError as error:
        line = 1 if error.problem_mark is None else error.problem_mark.line + 1
        raise ConfigError(f"{path}:{line}: {error.problem}") from None
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise ConfigError(f"{path}: {error}") from None
