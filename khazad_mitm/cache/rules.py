"""What a lookup goes by: the part of the settings that the core needs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from khazad_mitm.cache import budget, shadow, verify
from khazad_mitm.cache.redaction import Redactor
from khazad_mitm.exchange import CacheScope

EMBEDDING_MODES = ("cache", "refresh")
"""In the others nothing is compared by meaning, and no question is embedded."""


@dataclass(frozen=True, slots=True)
class Rules:
    secret: bytes
    """Of the namespace: keys every digest."""
    threshold: float = 0.90
    profile: str = "balanced"
    """How lenient the second look is."""
    mode: str = "cache"
    cache_scope: CacheScope = CacheScope.MODEL
    tenant: str = "credential"
    ttl_s: int | None = 3600
    credential_ttl_s: int = 3600
    split_batches: bool = True
    """Answer a batch from the items that are known, and ask upstream for the rest only."""
    embedding_model: str = ""
    """Names the vector sets: another model starts with empty ones."""
    guards_off: frozenset[str] = frozenset()
    """Guards of `verify`, and reasons of `moment`, that do not count."""
    verifier: str = ""
    """Name of the verifier that is asked after the guards; "": there is none."""
    verifier_waits: bool = True
    """May a caller be made to wait for it? Else all that the guards let pass is judged later."""
    verifier_margin: float = 0.0
    """How far below the threshold questions are judged later."""
    terms: shadow.Terms | None = None
    """How many wrong hits are tolerated; None: the threshold is as it was set. See `tolerates`."""
    learned_below: float = 0.0
    """How far below the threshold one may be learned."""
    store_prompts: str = "on"
    """`on`: requests, and what was asked, are kept for `explain`; `questions`: only what the guards
    read; `off`: nothing of a prompt, neither in words nor as a vector."""

    redactor: Redactor = field(default_factory=Redactor)
    """What of a prompt is not kept, and which answers are not."""

    @property
    def tolerates(self) -> shadow.Terms | None:
        """The terms with the lowest threshold that may be learned."""
        if self.terms is None:
            return None
        return replace(self.terms, lowest=max(budget.LOWEST, self.threshold - self.learned_below))

    @property
    def compares(self) -> bool:
        """May a question be answered by meaning? The guards have to read the stored one."""
        return self.mode in EMBEDDING_MODES and self.store_prompts != "off"

    def decide(self, threshold: float) -> str:
        """All that decides whether a paraphrase is one: what its aliases are named after."""
        return (
            f"{self.embedding_model} {self.profile} {self.threshold} {threshold}"
            f" {verify.names_of_guards(self.guards_off)}"
            f" {self.verifier} {self.verifier_margin}"
        )
