"""Every option, once.

This table is the source of the mitmproxy options (`khazad_` + name), the arguments of
`khazad.init()`, the `KHAZAD_*` environment variables, the CLI flags and the table in the README.
It knows what a value may be, and nothing of what is done with it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from khazad_mitm.errors import ConfigError
from khazad_mitm.exchange import CacheScope

Kind: TypeAlias = Literal["str", "int", "bool", "list"]
"""What a mitmproxy option can carry; other types travel as `str` and are parsed here."""

PROFILES = {"strict": 0.95, "balanced": 0.90, "faq": 0.85}
"""Cosine thresholds for the bundled model."""

MODES = ("cache", "exact", "refresh", "off")
SWITCH = {"true": True, "on": True, "1": True, "false": False, "off": False, "0": False}
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
EMBEDDERS = ("auto", "local", "huggingface", "openai")
STORES = ("auto", "embedded", "memory")
STORE_SCHEMES = ("redis://", "rediss://", "unix://", "redis+cluster://")


@dataclass(frozen=True, slots=True)
class Settings:
    """A checked configuration. Fields are named as the options."""

    redis_url: str = "auto"
    profile: str = "balanced"
    threshold: float | None = None
    ttl: int | None = 3600
    """Seconds; None: entries do not expire."""
    namespace: str = "khazad"
    embedder: str = "auto"
    embedding_model: str | None = None
    hosts: tuple[str, ...] = ()
    cache_scope: CacheScope = CacheScope.MODEL
    tenant: str = "credential"
    mode: str = "cache"
    max_entries: int = 100_000
    store_deadline_ms: int = 50
    embed_deadline_ms: int = 250
    credential_ttl: int = 3600
    split_batches: bool = True
    log_level: str = "INFO"

    @property
    def similarity_floor(self) -> float:
        """Cosine below which nothing is served: the threshold given, or the profile's."""
        return PROFILES[self.profile] if self.threshold is None else self.threshold


@dataclass(frozen=True, slots=True)
class Option:
    """One row of the table."""

    name: str
    kind: Kind
    default: str
    """As text: what a mitmproxy option, a flag or the README shows."""
    help: str
    parse: Callable[[str, Any], Any]
    """(label for messages, value as str or as its own type) -> value; raises ConfigError."""


def from_mapping(
    values: Mapping[str, Any],
    *,
    prefix: str = "",
    environ: Mapping[str, str] | None = None,
) -> Settings:
    """Checked settings from option values; what is absent comes from `KHAZAD_*`, then the default.

    `values` are named as the options, without `prefix`, which is what messages put before a name
    (`khazad_` in mitmproxy, `--` on the command line). Raises ConfigError for unknown names and
    for values out of bounds.
    """
    environ = os.environ if environ is None else environ
    unknown = sorted(set(values) - {option.name for option in OPTIONS})
    if unknown:
        raise ConfigError(f"{prefix}{unknown[0]}: no such option", _nearest_name(unknown[0]))
    parsed: dict[str, Any] = {}
    for option in OPTIONS:
        variable = f"KHAZAD_{option.name.upper()}"
        if option.name in values:
            parsed[option.name] = option.parse(prefix + option.name, values[option.name])
        elif variable in environ:
            parsed[option.name] = option.parse(variable, environ[variable])
    return Settings(**parsed)


def markdown_table() -> str:
    """The options as the README prints them."""
    rows = [f"| `{o.name}` | `{o.default or 'unset'}` | {o.help} |" for o in OPTIONS]
    return "\n".join(["| option | default | meaning |", "| --- | --- | --- |", *rows])


def _nearest_name(name: str) -> str:
    import difflib

    close = difflib.get_close_matches(name, [option.name for option in OPTIONS], n=1)
    if close:
        return f"did you mean {close[0]}?"
    return "options are " + ", ".join(option.name for option in OPTIONS)


def _text(label: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ConfigError(f"{label}: {value!r} is not a non-empty text")
    return value.strip()


def _optional_text(label: str, value: Any) -> str | None:
    return None if value in (None, "") else _text(label, value)


def _one_of(choices: Iterable[str], *, upper: bool = False) -> Callable[[str, Any], str]:
    known = tuple(choices)

    def parse(label: str, value: Any) -> str:
        given = value.upper() if upper and isinstance(value, str) else value
        if given not in known:
            raise ConfigError(f"{label}: {value!r} is not one of {', '.join(known)}")
        return str(given)

    return parse


def _whole(low: int, hint: str = "") -> Callable[[str, Any], int]:
    def parse(label: str, value: Any) -> int:
        try:
            number = int(value) if isinstance(value, str) else value
        except ValueError:
            number = None
        if not isinstance(number, int) or isinstance(number, bool) or number < low:
            raise ConfigError(f"{label}: {value!r} is not a whole number of at least {low}", hint)
        return number

    return parse


def _switch(label: str, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    word = str(value).lower()
    if word not in SWITCH:
        raise ConfigError(f"{label}: {value!r} is not one of true, false")
    return SWITCH[word]


def _threshold(label: str, value: Any) -> float | None:
    if value in (None, ""):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = float("nan")
    if isinstance(value, bool) or not 0.0 <= number <= 1.0:
        raise ConfigError(
            f"{label}: {value} is not a cosine similarity (expected 0 to 1)",
            "similarities are cosines; 0.90 is the default, 0.95 is strict",
        )
    return number


def _ttl(label: str, value: Any) -> int | None:
    if value is None or (isinstance(value, str) and value.lower() in ("none", "")):
        return None
    seconds = _whole(0, "seconds; 0 or none means that entries do not expire")(label, value)
    return seconds or None


def _redis_url(label: str, value: Any) -> str:
    url = _text(label, value)
    if url not in STORES and not url.startswith(STORE_SCHEMES):
        raise ConfigError(
            # A URL may hold a password: only its scheme is repeated.
            f"{label}: {url.partition('://')[0]!r} is no store we know",
            f"one of {', '.join(STORES)}, or a URL beginning with {', '.join(STORE_SCHEMES)}",
        )
    return url


def _hosts(label: str, value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    names = value.replace(",", " ").split() if isinstance(value, str) else list(value)
    for name in names:
        if not isinstance(name, str) or not name or any(c in name for c in "/: ") or name == "*":
            raise ConfigError(
                f"{label}: {name!r} is not a host name",
                "exact names or *.example.com, without scheme, port or path",
            )
    return tuple(name.lower() for name in names)


def _cache_scope(label: str, value: Any) -> CacheScope:
    try:
        return CacheScope(value)
    except ValueError:
        raise ConfigError(f"{label}: {value!r} is not one of model, host") from None


def _tenant(label: str, value: Any) -> str:
    text = _text(label, value)
    if text in ("credential", "shared") or (text.startswith("header:") and len(text) > 7):
        return text
    raise ConfigError(f"{label}: {text!r} is not one of credential, shared, header:NAME")


OPTIONS: tuple[Option, ...] = (
    Option(
        "redis_url",
        "str",
        "auto",
        "where answers are kept: `auto` (a Redis with Vector Sets on localhost:6379, else the"
        " embedded server), `embedded`, `memory` (this process only), or a `redis://`,"
        " `rediss://` or `unix://` URL, which must work",
        _redis_url,
    ),
    Option(
        "profile",
        "str",
        "balanced",
        "how alike two questions must be: `strict` (0.95), `balanced` (0.90), `faq` (0.85)",
        _one_of(PROFILES),
    ),
    Option(
        "threshold",
        "str",
        "",
        "cosine similarity, 0 to 1, in place of the profile's",
        _threshold,
    ),
    Option("ttl", "str", "3600", "seconds an answer is kept; `0` or `none`: for ever", _ttl),
    Option("namespace", "str", "khazad", "prefix of every key in the store", _text),
    Option(
        "embedder",
        "str",
        "auto",
        "what turns questions into vectors: `local` (the bundled model), `huggingface` or `openai`,"
        " which must work; `auto`: `huggingface` where it is installed and its default model lies"
        " on this machine, else `local`. In Python also a function of yours",
        _one_of(EMBEDDERS),
    ),
    Option(
        "embedding_model",
        "str",
        "",
        "`huggingface`: a model of sentence-transformers by name or folder"
        " (`redis/langcache-embed-v2`); `openai`: one of OpenAI's (`text-embedding-3-small`);"
        " `local` has one and takes none. A function of yours is named by it",
        _optional_text,
    ),
    Option(
        "hosts",
        "list",
        "",
        "allow-list of hosts (`api.example.com`, `*.example.com`); unset: the known LLM hosts"
        " over TLS, any host whose requests look right otherwise",
        _hosts,
    ),
    Option(
        "cache_scope",
        "str",
        "model",
        "`model`: answers of one model only; `host`: any model of a host",
        _cache_scope,
    ),
    Option(
        "tenant",
        "str",
        "credential",
        "who shares answers: callers with the same `credential`, all (`shared`), or those with"
        " the same value of a header (`header:NAME`)",
        _tenant,
    ),
    Option(
        "mode",
        "str",
        "cache",
        "`cache`, `exact` (repeats of a whole request only: nothing by meaning, no batch taken"
        " apart), `refresh` (ask upstream, store), `off`",
        _one_of(MODES),
    ),
    Option(
        "max_entries",
        "int",
        "100000",
        "answers kept at most; the least recently used go first",
        _whole(1),
    ),
    Option(
        "store_deadline_ms",
        "int",
        "50",
        "milliseconds after which a call goes on without the store",
        _whole(1),
    ),
    Option(
        "embed_deadline_ms",
        "int",
        "250",
        "milliseconds after which a call goes on without its vector; `openai` wants some 1000",
        _whole(1),
    ),
    Option(
        "credential_ttl",
        "int",
        "3600",
        "seconds for which the upstream's acceptance of a credential counts (`tenant` other"
        " than `credential`)",
        _whole(1),
    ),
    Option(
        "split_batches",
        "bool",
        "true",
        "of a batch of texts to embed, ask upstream only for those that are not known; `false`:"
        " batches are kept and found as a whole",
        _switch,
    ),
    Option(
        "log_level",
        "str",
        "INFO",
        "`DEBUG`, `INFO`, `WARNING` or `ERROR`",
        _one_of(LOG_LEVELS, upper=True),
    ),
)
