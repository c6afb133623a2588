"""Every option, once.

This table is the source of the mitmproxy options (`khazad_` + name), the arguments of
`khazad.init()`, the `KHAZAD_*` environment variables, the CLI flags and the table in the README.
It knows what a value may be, and nothing of what is done with it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from khazad_mitm import option_values as value
from khazad_mitm.errors import ConfigError
from khazad_mitm.exchange import CacheScope
from khazad_mitm.option_values import Option
from khazad_mitm.rest_options import AT_REST

if TYPE_CHECKING:
    from khazad_mitm.cache.routes import Route
    from khazad_mitm.cache.sensitive import Look

PROFILES = {"strict": 0.80, "balanced": 0.58, "faq": 0.70}
"""Cosine thresholds for the bundled model, below the guards of `cache.verify` (docs/quality.md)."""

UNCALIBRATED = {"strict": 0.95, "balanced": 0.90, "faq": 0.85}
"""For every other model, whose cosines mean something else."""

MODES = ("cache", "exact", "refresh", "off")
RECORD_MODES = ("none", "once", "new_episodes", "all")
ON_MISS = ("fail", "upstream", "semantic")
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
EMBEDDERS = ("auto", "local", "huggingface", "openai")


@dataclass(frozen=True, slots=True)
class Settings:
    """A checked configuration. Fields are named as the options."""

    redis_url: str = "auto"
    profile: str = "balanced"
    threshold: float | None = None
    guards_off: frozenset[str] = frozenset()
    routes: tuple[Route, ...] = ()
    ttl: int | None = 3600
    """Seconds; None: entries do not expire."""
    namespace: str = "khazad"
    embedder: str = "auto"
    embedding_model: str | None = None
    hosts: tuple[str, ...] = ()
    cache_scope: CacheScope = CacheScope.MODEL
    tenant: str = "credential"
    mode: str = "cache"
    cassette: str | None = None
    record: str = "once"
    on_miss: str = "fail"
    max_entries: int = 100_000
    max_bytes: int = 2**30
    store_deadline_ms: int = 50
    embed_deadline_ms: int = 250
    credential_ttl: int = 3600
    split_batches: bool = True
    verifier: str | None = None
    verifier_deadline_ms: int = 300
    verifier_margin: float = 0.0
    replay_pace: float | str = "off"  # or tokens per second, or `recorded`
    max_wrong_hits: float | None = None
    shadow_share: float = 0.1
    shadow_per_hour: int = 60
    store_prompts: str = "on"
    redact: tuple[str, ...] = ()
    redact_file: tuple[Look, ...] = ()
    on_redact: str = "store"
    encryption_key_file: str | None = None
    log_level: str = "INFO"

    @property
    def similarity_floor(self) -> float:
        """Cosine below which nothing is served: the threshold given, or the profile's."""
        return self.floor(calibrated=True)

    def floor(self, *, calibrated: bool) -> float:
        """The same, where the model may be another than the bundled one."""
        if self.threshold is not None:
            return self.threshold
        return (PROFILES if calibrated else UNCALIBRATED)[self.profile]


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
        hint = value.nearest(unknown[0], [option.name for option in OPTIONS], "options")
        raise ConfigError(f"{prefix}{unknown[0]}: no such option", hint)
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


OPTIONS: tuple[Option, ...] = (
    Option(
        "redis_url",
        "str",
        "auto",
        "where answers are kept: `auto` (a Redis with Vector Sets on localhost:6379, else the"
        " embedded server), `embedded`, `memory` (this process only), or a `redis://`,"
        " `rediss://`, `unix://`, `redis+cluster://HOST:PORT,HOST:PORT` or"
        " `redis+sentinel://HOST:PORT,HOST:PORT/SERVICE` URL, which must work",
        value.redis_url,
    ),
    Option(
        "profile",
        "str",
        "balanced",
        "how alike two questions must be: `strict` (0.80), `balanced` (0.58), `faq` (0.70)",
        value.one_of(PROFILES),
    ),
    Option(
        "threshold",
        "str",
        "",
        "cosine similarity, 0 to 1, in place of the profile's",
        value.threshold,
    ),
    Option(
        "guards_off",
        "list",
        "",
        "guards that do not count (docs/tuning.md names them): `order,negation`",
        value.guards_off,
    ),
    Option(
        "routes",
        "str",
        "",
        "a YAML file of rules that set `profile`, `threshold`, `mode`, `ttl`, `verifier`, `tenant`"
        " and more by host, path, model or tag (docs/tuning.md)",
        value.routes,
    ),
    Option("ttl", "str", "3600", "seconds an answer is kept; `0` or `none`: for ever", value.ttl),
    Option("namespace", "str", "khazad", "prefix of every key in the store", value.text),
    Option(
        "embedder",
        "str",
        "auto",
        "what turns questions into vectors: `local` (the bundled model), `huggingface` or `openai`,"
        " which must work; `auto`: `huggingface` where it is installed and its default model lies"
        " on this machine, else `local`. In Python also a function of yours",
        value.one_of(EMBEDDERS),
    ),
    Option(
        "embedding_model",
        "str",
        "",
        "`huggingface`: a model of sentence-transformers by name or folder"
        " (`redis/langcache-embed-v2`); `openai`: one of OpenAI's (`text-embedding-3-small`);"
        " `local` has one and takes none. A function of yours is named by it",
        value.optional_text,
    ),
    Option(
        "hosts",
        "list",
        "",
        "allow-list of hosts (`api.example.com`, `*.example.com`); unset: the known LLM hosts"
        " over TLS, any host whose requests look right otherwise",
        value.hosts,
    ),
    Option(
        "cache_scope",
        "str",
        "model",
        "`model`: answers of one model only; `host`: any model of a host",
        value.cache_scope,
    ),
    Option(
        "tenant",
        "str",
        "credential",
        "who shares answers: callers with the same `credential`, all (`shared`), or those with"
        " the same value of a header (`header:NAME`)",
        value.tenant,
    ),
    Option(
        "mode",
        "str",
        "cache",
        "`cache`, `exact` (repeats of a whole request only: nothing by meaning, no batch taken"
        " apart), `refresh` (ask upstream, store), `off`",
        value.one_of(MODES),
    ),
    Option(
        "cassette",
        "str",
        "",
        "a directory of recordings that takes the place of the cache (docs/fixtures.md)",
        value.optional_text,
    ),
    Option(
        "record",
        "str",
        "once",
        "with `cassette`: `none` (play only; no connection to any upstream), `once` (record where"
        " there is nothing yet, else play only), `new_episodes` (play what there is, record the"
        " rest), `all` (record anew)",
        value.one_of(RECORD_MODES),
    ),
    Option(
        "on_miss",
        "str",
        "fail",
        "with `cassette`, where no recording answers and none may be made: `fail` (an error as the"
        " provider's), `upstream` (ask it), `semantic` (a recording of the same question in other"
        " words, else fail)",
        value.one_of(ON_MISS),
    ),
    Option(
        "max_entries",
        "int",
        "100000",
        "answers kept at most; the least recently used go first",
        value.whole(1),
    ),
    Option(
        "max_bytes",
        "str",
        "1GiB",
        "what they take at most, vectors and indexes included: bytes, or `64MB`, `4GiB`",
        value.size,
    ),
    Option(
        "store_deadline_ms",
        "int",
        "50",
        "milliseconds that a call waits for the store in all, before it goes on without",
        value.whole(1),
    ),
    Option(
        "embed_deadline_ms",
        "int",
        "250",
        "milliseconds that a call waits for its vector, before it goes on without; `openai` wants"
        " some 1000",
        value.whole(1),
    ),
    Option(
        "credential_ttl",
        "int",
        "3600",
        "seconds for which the upstream's acceptance of a credential counts; nobody is answered"
        " from the cache without it",
        value.whole(1),
    ),
    Option(
        "split_batches",
        "bool",
        "true",
        "of a batch of texts to embed, ask upstream only for those that are not known; `false`:"
        " batches are kept and found as a whole",
        value.switch,
    ),
    Option(
        "verifier",
        "str",
        "",
        "who is asked, after the guards, whether two questions mean the same: `module:function`,"
        " `cross-encoder:NAME` or `chat-model:NAME` (docs/tuning.md). In Python also a function of"
        " yours",
        value.optional_text,
    ),
    Option(
        "verifier_deadline_ms",
        "int",
        "300",
        "milliseconds a call waits for the verifier; what it has not judged by then is a miss, and"
        " judged later. `0`: no call waits, all is judged later",
        value.whole(0),
    ),
    Option(
        "verifier_margin",
        "str",
        "0.0",
        "how far below the threshold questions are judged later",
        value.margin,
    ),
    Option(
        "replay_pace",
        "str",
        "off",
        "how fast streams are replayed through the proxy: `off` (at once), `recorded` (as they"
        " came), or tokens per second, for demos and tests of user interfaces",
        value.pace,
    ),
    Option(
        "max_wrong_hits",
        "str",
        "",
        "share of wrong answers tolerated among those served by meaning for the first time, such as"
        " `0.01`: the threshold is learned, and nothing served by meaning before it is proven"
        " ([docs/budget.md](docs/budget.md)). Unset: nothing is checked",
        value.budget,
    ),
    Option(
        "shadow_share",
        "str",
        "0.1",
        "with `max_wrong_hits`: the share of hits by meaning to be asked again; of the first, more",
        value.sampled,
    ),
    Option(
        "shadow_per_hour", "int", "60", "so many of these in an hour and process", value.whole(0)
    ),
    *AT_REST,
    Option(
        "log_level",
        "str",
        "INFO",
        "`DEBUG`, `INFO`, `WARNING` or `ERROR`",
        value.one_of(LOG_LEVELS, upper=True),
    ),
)
