"""Builds a working cache from settings; the only file that knows every room below the edges."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from khazad_mitm import calibration_file, own_calls, wire
from khazad_mitm.cache.breaker import Breaker
from khazad_mitm.cache.front import Cache, Wire
from khazad_mitm.cache.parts import Bench, Parts
from khazad_mitm.cache.redaction import Redactor
from khazad_mitm.cache.routes import Rulebook
from khazad_mitm.cache.rules import EMBEDDING_MODES, Rules
from khazad_mitm.cache.sensitive import LOOKS
from khazad_mitm.cache.shadow import Terms
from khazad_mitm.cache.stats import Counters
from khazad_mitm.embed.local import LocalEmbedder
from khazad_mitm.errors import ConfigError
from khazad_mitm.judge.callables import CallableVerifier
from khazad_mitm.settings import PROFILES, UNCALIBRATED
from khazad_mitm.wire import coding, frames, hosts

if TYPE_CHECKING:
    from khazad_mitm.cache.routes import Route
    from khazad_mitm.embed.callables import TextsToVectors
    from khazad_mitm.fronts import Front
    from khazad_mitm.judge.callables import PairToBool
    from khazad_mitm.record.faults import Fault
    from khazad_mitm.settings import Settings


# How far below the profile's a threshold may be learned, and never below `cache.budget.LOWEST`:
# there is room for workloads that are right more often than those the profiles were chosen on.
LEARNED_BELOW = 0.15

# How a verifier is called that was given as a function.
OWN = "own"

# Fields of `Rules` that are not called as their options are.
_FIELDS = {"ttl": "ttl_s", "credential_ttl": "credential_ttl_s"}

# For each trip to the store that nobody waits for. A large answer over a slow network takes longer
# than a caller would wait.
UNHURRIED_S = 1.0

logger = logging.getLogger("khazad")


def build(
    settings: Settings,
    embed: TextsToVectors | None = None,
    verify: PairToBool | None = None,
    judge: PairToBool | None = None,
    redact: Sequence[Callable[[str], str]] = (),
    *,
    faults: Sequence[Fault] = (),
    warms_up: bool = True,
) -> Front:
    """What an edge asks: a cassette where the settings name one, else a cache.

    `faults`: of the cassette, beside its own.

    Raises ConfigError, or MissingExtra, for what cannot work.
    """
    if settings.cassette is None:
        return build_cache(settings, embed, verify, judge, redact, warms_up=warms_up)
    from khazad_mitm.record.opening import open_recorder

    logger.setLevel(settings.log_level)
    return open_recorder(settings, partial(build_cache, embed=embed, verify=verify), faults)


def build_cache(
    settings: Settings,
    embed: TextsToVectors | None = None,
    verify: PairToBool | None = None,
    judge: PairToBool | None = None,
    redact: Sequence[Callable[[str], str]] = (),
    *,
    warms_up: bool = True,
) -> Cache:
    """A cache that works, or a ConfigError that says what to change.

    Connects to the store now (one that was named must be there), as it loads an embedder that
    was named; any other reads its model in the background, so that exact hits and everything
    else work at once; `warms_up` False leaves it to the caller to say when (`Cache.warm_up`).
    `embed` and `verify`, where given, go before the embedder and the verifier of the settings.
    `judge` says whether two answers say the same, where `max_wrong_hits` is set. `redact`: what
    each gives for a text may be kept of it.
    """
    from khazad_mitm.embed.choose import choose
    from khazad_mitm.embed.courtesy import step_back
    from khazad_mitm.store.connect import Bounds, connect
    from khazad_mitm.store.seal_keys import seal_of

    logger.setLevel(settings.log_level)
    modes = {settings.mode, *(dict(route.settings).get("mode") for route in settings.routes)}
    embeds = not modes.isdisjoint(EMBEDDING_MODES)
    if embeds and settings.store_prompts == "off":
        embeds = False
        logger.info("[Khazad] store_prompts=off: only repeats of a whole request are answered")
    embedder = choose(embed or settings.embedder, settings.embedding_model, embeds=embeds)
    benches = _benches(settings, verify) if embeds else {}
    seal = seal_of(settings.encryption_key_file, settings.namespace)
    stores = connect(
        settings.redis_url,
        settings.namespace,
        deadline_s=max(UNHURRIED_S, settings.store_deadline_ms / 1000),
        bounds=Bounds(settings.max_entries, settings.max_bytes),
        seal=seal,
    )
    executor = ThreadPoolExecutor(
        embedder.threads, thread_name_prefix="khazad-embed", initializer=step_back
    )
    parts = Parts(
        store=stores.sync,
        awaitable_store=stores.awaitable,
        store_breaker=Breaker("store"),
        store_deadline_s=settings.store_deadline_ms / 1000,
        embedder=embedder,
        embed_breaker=Breaker("embedder"),
        embed_executor=executor,
        embed_deadline_s=settings.embed_deadline_ms / 1000,
        benches={bench.verifier.name: bench for bench in benches.values()},
        judge=None if judge is None else CallableVerifier(judge).approves,
    )
    rules = Rules(
        secret=stores.sync.secret(),
        threshold=_floor(settings, embedder.model),
        profile=settings.profile,
        guards_off=settings.guards_off,
        mode=settings.mode,
        cache_scope=settings.cache_scope,
        tenant=settings.tenant,
        ttl_s=settings.ttl,
        credential_ttl_s=settings.credential_ttl,
        split_batches=settings.split_batches,
        embedding_model=embedder.model,
        verifier=_name(benches, settings.verifier if verify is None else OWN),
        verifier_waits=settings.verifier_deadline_ms > 0,
        verifier_margin=settings.verifier_margin,
        terms=_terms(settings.max_wrong_hits, settings.shadow_share, has_judge=judge is not None),
        learned_below=0.0 if settings.threshold is not None else LEARNED_BELOW,
        store_prompts=settings.store_prompts,
        redactor=Redactor(
            (*(LOOKS[name] for name in settings.redact), *settings.redact_file),
            tuple(map(_on_our_behalf, redact)),
            stores=settings.on_redact == "store",
        ),
    )
    reach = _Reach(settings.hosts)
    speech = Wire(wire.recognise, coding.decode, frames.split)
    rulebook = Rulebook(
        rules,
        [
            (route, _changes(route, settings, embedder.model, benches, has_judge=judge is not None))
            for route in settings.routes
        ],
    )
    cache = Cache(
        speech,
        parts,
        rulebook,
        stores.sync,
        reach.allows,
        reach.decrypts,
        settings.hosts,
        kept_in=stores.url,
        replay_pace=settings.replay_pace,
        shadow_per_hour=settings.shadow_per_hour,
        counters=Counters(lambda: 0 if seal is None else seal.unopened),
    )
    if warms_up:
        cache.warm_up()
    return cache


def _floor(settings: Settings, model: str) -> float:
    """The threshold given, or the profile's: as calibrated for the embedding model where it was."""
    if settings.threshold is not None:
        return settings.threshold
    found = _calibrated(settings.profile, settings.guards_off, model)
    if found is None and model != LocalEmbedder.model and settings.mode in EMBEDDING_MODES:
        logger.warning(
            "[Khazad] Profile %s is calibrated for the bundled embedding model, not for %s:"
            " run `khazad-mitm calibrate`, or set threshold",
            settings.profile,
            model,
        )
    return settings.floor(calibrated=model == LocalEmbedder.model) if found is None else found


def _calibrated(profile: str, guards_off: frozenset[str], model: str) -> float | None:
    return calibration_file.thresholds(model, guards_off).get(profile)


def _changes(
    route: Route, settings: Settings, model: str, benches: dict[str, Bench], *, has_judge: bool
) -> dict[str, Any]:
    """What a route changes in `Rules`. Its profile goes before the threshold of the options."""
    sets = dict(route.settings)
    threshold = sets.pop("threshold", None)
    profile = sets.get("profile")
    if threshold is None and profile is not None:
        guards_off = sets.get("guards_off", settings.guards_off)
        threshold = _calibrated(profile, guards_off, model)
        if threshold is None:
            threshold = (PROFILES if model == LocalEmbedder.model else UNCALIBRATED)[profile]
        sets["learned_below"] = LEARNED_BELOW
    elif threshold is not None:
        sets["learned_below"] = 0.0
    if threshold is not None:
        sets["threshold"] = threshold
    if not sets.keys().isdisjoint({"max_wrong_hits", "shadow_share"}):
        most_wrong = sets.pop("max_wrong_hits", settings.max_wrong_hits)
        share = sets.pop("shadow_share", settings.shadow_share)
        sets["terms"] = _terms(most_wrong, share, has_judge=has_judge)
    if "verifier" in sets:
        sets["verifier"] = _name(benches, sets["verifier"])
    return {_FIELDS.get(name, name): value for name, value in sets.items()}


def _name(benches: dict[str, Bench], verifier: str | None) -> str:
    """What a verifier is called; "" where there is none, or nobody will ask it."""
    return benches[verifier].verifier.name if verifier in benches else ""


def _benches(settings: Settings, verify: PairToBool | None) -> dict[str, Bench]:
    """A place for every verifier that the options or a route name, by how they name it."""
    default = OWN if verify is not None else settings.verifier
    sets_of = [dict(route.settings) for route in settings.routes]
    sets_of.append({"verifier_margin": settings.verifier_margin})
    for sets in sets_of:
        if sets.get("verifier_margin") and sets.get("verifier", default) is None:
            raise ConfigError(
                f"verifier_margin: {sets['verifier_margin']} without a verifier",
                "questions below the threshold are for a verifier to judge: name one",
            )
    named = {default, *(sets["verifier"] for sets in sets_of if "verifier" in sets)}
    return {
        name: _bench(settings, verify if verify is not None and name == OWN else name)
        for name in named
        if name is not None
    }


def _bench(settings: Settings, named: str | PairToBool) -> Bench:
    budgets = (dict(route.settings).get("max_wrong_hits") for route in settings.routes)
    has_budget = any(budget is not None for budget in (settings.max_wrong_hits, *budgets))
    if has_budget and not settings.verifier_deadline_ms:
        raise ConfigError(
            "verifier_deadline_ms: 0 with max_wrong_hits serves nothing by meaning",
            "what a budget counts must be judged before it is served: give the verifier some"
            " milliseconds, such as 300",
        )
    from khazad_mitm.judge.choose import choose

    verifier = choose(named)
    executor = ThreadPoolExecutor(verifier.threads, thread_name_prefix="khazad-verify")
    return Bench(verifier, executor, settings.verifier_deadline_ms / 1000)


def _on_our_behalf(hook: Callable[[str], str]) -> Callable[[str], str]:
    """The function, with the calls that it makes not looked up."""

    def guarded(text: str) -> str:
        with own_calls.guarded():
            return hook(text)

    return guarded


def _terms(most_wrong: float | None, share: float, *, has_judge: bool) -> Terms | None:
    if most_wrong is None:
        return None
    return Terms(most_wrong=most_wrong, share=share, has_judge=has_judge)


@dataclass(frozen=True, slots=True)
class _Reach:
    """Whose requests are looked at, and whose TLS is opened to do so."""

    patterns: tuple[str, ...]

    def allows(self, host: str) -> bool:
        # Without a list any host will do: a request must look like a provider's anyway, and over
        # TLS only known hosts have got this far.
        return not self.patterns or hosts.matches(host, self.patterns)

    def decrypts(self, host: str) -> bool:
        return hosts.matches(host, self.patterns) if self.patterns else hosts.is_known(host)
