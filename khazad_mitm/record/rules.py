"""`cassette.yaml`: what a cassette declares of itself. All of it optional.

ignore: [messages[*].id, tools[*].description, date_in_system_prompt]
replace:
- {pattern: 'session-\\d+', with: SESSION}       in every text that is compared
scrub:
- {pattern: 'cust_[0-9]+', with: CUSTOMER}       in all that is written
- {header: x-customer}                           of answers
- {field: email}                                 of JSON, wherever it stands
keep_headers: [x-scenario]                       of requests
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from khazad_mitm.errors import ConfigError
from khazad_mitm.record.faults import Fault, fault_of
from khazad_mitm.record.matching import NAMED, Tolerances
from khazad_mitm.record.scrub import SCRUBBED, Scrubber, field_pattern
from khazad_mitm.record.yamls import Lined, NotYaml, load

NAME = "cassette.yaml"
HINT = (
    "YAML takes `[*]` between brackets for something else: write fields without them, with commas"
    " between, or each on a line of its own after a dash"
)
KEYS = ("ignore", "replace", "scrub", "keep_headers", "faults")

_PATH = re.compile(r"[\w$-]+(?:\[(?:\*|\d+)\]|\.[\w$-]+)*")
_STEP = re.compile(r"[\w$-]+|\*")


@dataclass(frozen=True, slots=True)
class CassetteRules:
    tolerances: Tolerances = field(default_factory=Tolerances)
    scrubber: Scrubber = field(default_factory=Scrubber)
    faults: tuple[Fault, ...] = ()


def read_rules(folder: Path) -> CassetteRules:
    """The rules of a cassette; raises ConfigError with file and line."""
    path = folder / NAME
    if not path.is_file():
        return CassetteRules()
    try:
        document = load(path.read_bytes().decode())
    except NotYaml as error:
        raise ConfigError(f"{path}:{error.line}: {error}", HINT) from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}:1: not UTF-8") from None
    if document is None:
        return CassetteRules()
    reader = _Reader(path)
    if not isinstance(document, Lined):
        reader.refuse(1, f"the keys are {', '.join(KEYS)}")
    for name in document:
        if name not in KEYS:
            reader.refuse(document.line, f"{name!r} is none of {', '.join(KEYS)}")
    return CassetteRules(
        reader.tolerances(document), reader.scrubber(document), reader.faults(document)
    )


@dataclass(frozen=True, slots=True)
class _Reader:
    path: Path

    def refuse(self, line: int, message: str, hint: str = "") -> NoReturn:
        raise ConfigError(f"{self.path}:{line}: {message}", hint)

    def tolerances(self, document: Lined) -> Tolerances:
        fields, named = [], set()
        for text in self._texts(document, "ignore"):
            if text in NAMED:
                named.add(text)
            elif _PATH.fullmatch(text):
                fields.append(tuple(_STEP.findall(text)))
            else:
                self.refuse(
                    document.line,
                    f"ignore: {text!r} is neither a field nor one of {', '.join(NAMED)}",
                    "a field is written as messages[*].id",
                )
        replaced = tuple(
            self._pattern(rule, "replace") for rule in self._rules(document, "replace")
        )
        return Tolerances(tuple(fields), frozenset(named), replaced)

    def scrubber(self, document: Lined) -> Scrubber:
        patterns, headers, fields = [], set(), []
        for rule in self._rules(document, "scrub"):
            match rule:
                case {"header": str(name)} if len(rule) == 1:
                    headers.add(name.lower())
                case {"field": str(name)} if len(rule) == 1:
                    fields.append(field_pattern(name))
                case _:
                    patterns.append(self._pattern(rule, "scrub"))
        keeps = frozenset(name.lower() for name in self._texts(document, "keep_headers"))
        return Scrubber(tuple(patterns), frozenset(headers), keeps, tuple(fields))

    def faults(self, document: Lined) -> tuple[Fault, ...]:
        return tuple(self._fault(rule) for rule in self._rules(document, "faults"))

    def _fault(self, rule: Lined) -> Fault:
        try:
            return fault_of(rule)
        except ValueError as error:
            self.refuse(rule.line, f"faults: {error}")

    def _rules(self, document: Lined, name: str) -> list[Lined]:
        rules = document.get(name) or []
        if not isinstance(rules, list) or not all(isinstance(rule, Lined) for rule in rules):
            self.refuse(document.line, f"{name}: not a list of rules")
        return rules

    def _texts(self, document: Lined, name: str) -> list[str]:
        texts = document.get(name) or []
        if isinstance(texts, str):
            return [text.strip() for text in texts.split(",") if text.strip()]
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            self.refuse(document.line, f"{name}: not a list of texts")
        return texts

    def _pattern(self, rule: Lined, name: str) -> tuple[re.Pattern[str], str]:
        pattern, put = rule.get("pattern"), rule.get("with", SCRUBBED)
        if (
            not isinstance(pattern, str)
            or not isinstance(put, str)
            or set(rule) - {"pattern", "with"}
        ):
            self.refuse(rule.line, f"{name}: a rule has a pattern, and `with` what to put there")
        try:
            compiled = re.compile(pattern)
            compiled.sub(put, "")
        except (re.error, IndexError) as error:
            self.refuse(rule.line, f"{name}: {pattern!r} is no regular expression ({error})")
        return compiled, put
