"""Reads the file that the option `redact_file` names: names and regular expressions, in YAML.

    customer: 'cust_[0-9]{6,}'      kept as [customer]
    ticket: '(?i)\\bcase-[0-9]+'

What is wrong is a ConfigError with file, line and hint.
"""

from __future__ import annotations

import re
from pathlib import Path

from khazad_mitm.cache.sensitive import Look, of_pattern
from khazad_mitm.errors import ConfigError
from khazad_mitm.record.yamls import Lined, NotYaml, load

HINT = "lines of `name: 'regular expression'`; quotes keep YAML from reading signs of its own"


def read(label: str, path: str) -> tuple[Look, ...]:
    """What the file has looked for, in its order. `label` is what messages begin with."""
    try:
        document = load(Path(path).read_bytes().decode())
    except OSError as error:
        raise ConfigError(f"{label}: {path} cannot be read ({error.strerror or error})") from error
    except UnicodeDecodeError:
        raise ConfigError(f"{label}: {path} is not UTF-8") from None
    except NotYaml as error:
        raise ConfigError(f"{label}: {path}, line {error.line}: {error}", HINT) from None
    if not isinstance(document, Lined) or not document:
        raise ConfigError(f"{label}: {path} names nothing to look for", HINT)
    return tuple(_kind(f"{label}: {path}", name, text) for name, text in document.items())


def _kind(label: str, name: str, text: object) -> Look:
    try:
        if not isinstance(text, str):
            raise ConfigError(f"{label}: {name}: {text!r} is no text", HINT)
        pattern = re.compile(text)
    except re.error as error:
        raise ConfigError(f"{label}: {name}: no regular expression ({error})", HINT) from None
    if pattern.search(""):
        raise ConfigError(f"{label}: {name}: {text!r} finds something in an empty text")
    return of_pattern(name, pattern)
