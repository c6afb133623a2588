"""Reads the file that the option `routes` names: a YAML list of rules, each a few lines.

    - host: "*.openai.com"        # where it holds: host, path, model, tag; patterns with *
      model: gpt-4o*
      profile: faq                # what holds there: any of SETTINGS
      ttl: 600

Values are read as they are written (`off` is a word here, not a truth value) and checked by the
table of options. What is wrong is a ConfigError with file, line and hint.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Any

from khazad_mitm import settings
from khazad_mitm.cache.routes import Route
from khazad_mitm.errors import ConfigError

WHERE = ("host", "path", "model", "tag")
SETTINGS = (
    *("profile", "threshold", "mode", "ttl", "guards_off", "max_wrong_hits", "shadow_share"),
    *("verifier", "verifier_margin", "tenant", "credential_ttl", "cache_scope", "split_batches"),
)
# Whose answers are shared, and who is asked, is no matter of more or less strict.
NOT_BY_TAG = ("tenant", "verifier", "cache_scope", "shadow_share")
NO_VERIFIER = "off"
TRUST = "trust_tag"


def read(label: str, path: str) -> tuple[Route, ...]:
    """The routes of a file, in its order. `label` is what messages begin with."""
    import yaml

    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(f"{label}: {path} cannot be read ({reason})") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark is not None else ""
        problem = getattr(error, "problem", None) or "not YAML"
        raise ConfigError(
            f"{label}: {path}{where}: {problem}", "a list of rules in YAML"
        ) from error
    return tuple(_Reader(label, path).routes(node))


class _Reader:
    """Of one file; knows what to call it in messages."""

    def __init__(self, label: str, path: str) -> None:
        self._label = label
        self._path = path

    def routes(self, node: Any) -> Iterator[Route]:
        if node is None or node.id != "sequence" or not node.value:
            raise self._error(node, "not a list of rules", "each rule begins with a dash")
        for item in node.value:
            yield self._route(item)

    def _route(self, node: Any) -> Route:
        if node.id != "mapping":
            raise self._error(node, "not a rule", "lines of `name: value`")
        where: dict[str, str] = {}
        sets: dict[str, Any] = {}
        trusts = False
        for key, value in node.value:
            name = str(key.value)
            if name in where or name in sets:
                raise self._error(key, f"{name} stands there twice")
            if name in WHERE:
                where[name] = self._pattern(name, value)
            elif name == TRUST:
                trusts = self._checked("split_batches", name, value)
            elif name in SETTINGS:
                sets[name] = self._checked(name, name, value)
            else:
                raise self._error(key, f"{name}: no such name", _nearest(name))
        route = Route(**where, trusts_tag=trusts, settings=tuple(sets.items()))
        self._check(node, route, sets)
        return route

    def _check(self, node: Any, route: Route, sets: dict[str, Any]) -> None:
        if not sets:
            raise self._error(
                node, "this rule changes nothing", f"set any of {', '.join(SETTINGS)}"
            )
        if route.trusts_tag and not route.tag:
            raise self._error(node, f"{TRUST} without a tag")
        if route.may_only_tighten:
            for name in NOT_BY_TAG:
                if name in sets:
                    raise self._error(
                        node,
                        f"{name} cannot be set by a tag, which any caller can send",
                        f"`{TRUST}: true` where something of yours sets X-Khazad-Tag and removes"
                        " what callers send",
                    )

    def _pattern(self, name: str, node: Any) -> str:
        if node.id != "scalar" or not node.value.strip():
            raise self._error(node, f"{name}: not a pattern", "a text, with * for anything")
        return str(node.value).strip().lower()

    def _checked(self, option: str, name: str, node: Any) -> Any:
        """The value of a setting, by the parser of an option."""
        if node.id == "sequence" and all(item.id == "scalar" for item in node.value):
            given: Any = [item.value for item in node.value]
        elif node.id == "scalar":
            given = node.value
        else:
            raise self._error(node, f"{name}: not a value")
        if name == "verifier" and given == NO_VERIFIER:
            return None  # for once a value
        parse = next(each.parse for each in settings.OPTIONS if each.name == option)
        parsed = parse(f"{self._label}: {self._place(node)}: {name}", given)
        if parsed is None and name != "ttl":
            raise self._error(node, f"{name}: no value")
        return parsed

    def _place(self, node: Any) -> str:
        return self._path if node is None else f"{self._path}, line {node.start_mark.line + 1}"

    def _error(self, node: Any, message: str, hint: str = "") -> ConfigError:
        return ConfigError(f"{self._label}: {self._place(node)}: {message}", hint)


def _nearest(name: str) -> str:
    names = (*WHERE, TRUST, *SETTINGS)
    close = difflib.get_close_matches(name, names, n=1)
    return f"did you mean {close[0]}?" if close else "names are " + ", ".join(names)
