"""Class `Khazad`: one cache at work in this process, from its making until `stop()`."""

from __future__ import annotations

import atexit
import inspect
import logging
import os
from collections.abc import Callable, Sequence
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from khazad_mitm import installed
from khazad_mitm import settings as options
from khazad_mitm.cache.inventory import Selection
from khazad_mitm.cache.stats import Stats
from khazad_mitm.errors import CacheUnavailable, ConfigError
from khazad_mitm.exchange import CacheScope
from khazad_mitm.inprocess import ahead, patch
from khazad_mitm.inprocess.per_process import PerProcess

if TYPE_CHECKING:
    from khazad_mitm.embed.callables import TextsToVectors
    from khazad_mitm.fronts import Front
    from khazad_mitm.judge.callables import PairToBool


class Unset(Enum):
    """The default of an argument for which None means something."""

    UNSET = "unset"


class Khazad:
    """A transparent cache for this process' LLM calls by httpx, httpx2, requests and botocore.

    Making one activates it, for clients that exist already and for those to come::

        cache = Khazad(threshold=0.92)
        ...
        cache.stop()

    The arguments are those of the original `khazad`, and by keyword every other row of the table
    in `settings` (`profile`, `tenant`, `mode`, ...). What is not given, or None, comes from
    `KHAZAD_*` in the environment, then from the table. Where several are active, the newest is
    asked. A child of a fork gets a cache of its own, with the same settings and store, at its
    first call. `embedder` may be a function of yours that gives an array [len(texts), dim] for a
    list of texts, `async` or not; `embedding_model` then is a name for it. `verifier` may be one
    that says for a `Pair` of questions whether they mean the same, and `judge`, by keyword, one
    that says whether its two answers say the same, where `max_wrong_hits` is set. `redact` may
    be or hold functions of yours too, which are given a text and give what may be kept of it.

    Raises ConfigError for a value that cannot work, before anything is patched.
    """

    def __init__(
        self,
        redis_url: str | None = None,
        threshold: float | None = None,
        ttl: int | Literal[Unset.UNSET] | None = Unset.UNSET,
        namespace: str | None = None,
        embedder: str | TextsToVectors | None = None,
        embedding_model: str | None = None,
        log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] | None = None,
        hosts: Sequence[str] | None = None,
        cache_scope: CacheScope | Literal["model", "host"] | None = None,
        *,
        verifier: str | PairToBool | None = None,
        **others: Any,
    ) -> None:
        if hosts is not None and not hosts:
            raise ConfigError("hosts: [] allows nothing", "None allows every host")
        judge: PairToBool | None = others.pop("judge", None)
        named, hooks = _redacted(others.pop("redact", None))
        own = embedder if callable(embedder) else None
        verify = verifier if callable(verifier) else None
        given = {
            "redis_url": redis_url,
            "threshold": threshold,
            "namespace": namespace,
            "embedder": embedder if own is None else None,
            "embedding_model": embedding_model,
            "verifier": verifier if verify is None else None,
            "log_level": log_level,
            "hosts": hosts,
            "cache_scope": cache_scope,
            "redact": named,
            **others,
        }
        values: dict[str, Any] = {k: value for k, value in given.items() if value is not None}
        if ttl is not Unset.UNSET:
            # None is an answer here: entries do not expire.
            values["ttl"] = ttl
        settings = options.from_mapping(values)

        self.logger = _configured_logger(settings.log_level)
        complaint = installed.complaint(installed.rivals())
        if complaint:
            self.logger.warning("[Khazad] %s", complaint)
        # Loads numpy and the store's client: not before there is something to build.
        from khazad_mitm.assembly import build

        self._source = PerProcess(
            partial(build, settings, embed=own, verify=verify, judge=judge, redact=hooks),
            ahead.find(os.environ),
        )
        here = self._source.here()
        patch.install(self._source)
        # The answers of a script's last calls are still on their way when it ends.
        atexit.register(self._source.close)
        self._is_active = True
        if settings.cassette is not None:
            self.logger.info(
                "[Khazad] Initialized - cassette=%s, record=%s", settings.cassette, settings.record
            )
            return
        self.logger.info(
            "[Khazad] Initialized - threshold=%.2f, embedder=%s",
            settings.similarity_floor if here is None else here.threshold,
            settings.embedder if own is None else "own",
        )

    def stop(self) -> None:
        """Leave the clients alone. What is cached stays; answers on their way are kept first."""
        if not self._is_active:
            self.logger.warning("[Khazad] Not currently active")
            return
        self._is_active = False
        patch.uninstall(self._source)
        atexit.unregister(self._source.close)
        self._source.close()
        self.logger.info("[Khazad] Stopped - original HTTP transports restored")

    def get_stats(self) -> Stats:
        """The counters of this process as they are now; also after `stop()`."""
        cache = self._source.here()
        return Stats() if cache is None else cache.stats()

    def flush(self) -> None:
        """Delete what the namespace holds, and reset the counters."""
        cache = self._source.here()
        if cache is not None:
            cache.flush()
        self.logger.info("[Khazad] Cache flushed")

    def explain(self, id_: str, ask: str | None = None, other: str | None = None) -> dict[str, Any]:
        """Why an answer was served: `id_` is its `X-Khazad-Entry`, or the beginning of it.

        What is stored, what it has answered by meaning, what differed, what each guard says, how
        many of its pool are wrong at most; compared with the question `ask`, or with another
        entry. Raises `UnknownEntry`.
        """
        return self._here().explain(id_, ask, other)

    def wrong(self, id_: str, ask: str | None = None) -> dict[str, Any]:
        """Take an answer back: it is forgotten, and not served again for the questions that it has
        answered by meaning, or for the one that `ask` says. Raises `UnknownEntry`."""
        return self._here().wrong(id_, ask)

    def entries(
        self, *, tag: str | None = None, model: str | None = None, older: float | None = None
    ) -> list[dict[str, Any]]:
        """What is stored, newest first: `id`, `provider`, `model`, `tags`, `size_bytes` ... without
        prompts and answers. `model` may have `*`; `older`: stored so many seconds ago or before.
        """
        wanted = Selection(tag=tag, model=model, older_s=older)
        found: list[dict[str, Any]] = self._here().entries(wanted)["entries"]
        return found

    def forget(
        self,
        *ids: str,
        tag: str | None = None,
        model: str | None = None,
        older: float | None = None,
    ) -> int:
        """Forget what fits all that is given; returns how many answers that were.

        `ids` are as `X-Khazad-Entry` gives them, or their beginnings, the rest as for `entries`.
        A tag is one of the request's `X-Khazad-Tag`. Raises `UnknownEntry` for an id that names
        nothing, and where nothing is given: `flush` forgets all.
        """
        return self._here().forget(Selection(ids, tag, model, older))

    def _here(self) -> Front:
        cache = self._source.here()
        if cache is None:
            raise CacheUnavailable("there is no cache in this process")
        return cache

    def is_active(self) -> bool:
        return self._is_active


def _redacted(given: Any) -> tuple[Any, tuple[Callable[[str], str], ...]]:
    """The names in what was given as `redact`, None where there are none, and the functions."""
    if given is None or isinstance(given, str):
        return given, ()
    listed = [given] if callable(given) else list(given)
    hooks = tuple(one for one in listed if callable(one))
    for hook in hooks:
        if inspect.iscoroutinefunction(hook):
            raise ConfigError("redact: a function that is async", "give one that returns the text")
    return [one for one in listed if not callable(one)] or None, hooks


def _configured_logger(level: str) -> logging.Logger:
    """The logger everyone here writes to; it gets a handler if the application gave it none."""
    logger = logging.getLogger("khazad")
    logger.setLevel(level)
    if not logger.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(message)s"))
        logger.addHandler(handler)
        logger.propagate = False
    return logger
