"""What a lookup may ask for. Each command says what comes back.

The core yields these and knows nothing of who obeys: two drivers (`drive`) hand `Embed` to the
embedder, `Judge` to the verifier, `JudgeAnswers` to the user's judge, `Join` to the flights, wait
for a `Pause`, and hand every other one to the store (those between workers are in
`worker_commands`). Ids and digests are 32 hex digits; the first
four name the bucket, so that everything a conversation touches lies in one slot of a cluster.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from khazad_mitm.cache.worker_commands import Lease, Publish, Read, Renew, Wanted
from khazad_mitm.exchange import Entry, Pair

if TYPE_CHECKING:
    from khazad_mitm.cache.budget import Earned
    from khazad_mitm.exchange import Vector

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Get:
    """-> Entry | None. The live entry with this fingerprint, else the one that `alias` names.

    With a `pool` an alias counts only if it is as similar as that pool's threshold demands now.
    """

    fingerprint: str
    alias: str | None = None
    pool: str = ""
    joins: bool = field(default=False, compare=False)
    """Somebody else's answer will do: of those who ask the same at one moment one is enough."""

    @property
    def flight(self) -> str:
        """What such askers have in common. The alias says by which rules they compare, too."""
        return self.alias or self.fingerprint


@dataclass(frozen=True, slots=True)
class GetMany:
    """-> tuple[Entry | None, ...]. The live entry with each fingerprint."""

    fingerprints: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Resolve:
    """-> tuple[str | None, ...]. For each conversation digest the one it stands for, or None."""

    conversations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Occupied:
    """-> bool. Is there anything in this scope that a question could be compared with?"""

    scope: str


@dataclass(frozen=True, slots=True)
class Embed:
    """-> Vector | None. Unit-length float32; None where the text exceeds the model's window."""

    text: str
    may_wait: bool = False
    """Nobody waits for this one: it may take longer than a caller would be made to wait."""


@dataclass(frozen=True, slots=True)
class JudgeAnswers:
    """-> bool. Does the fresh answer of the pair say what the stored one says? Nobody waits."""

    pair: Pair


@dataclass(frozen=True, slots=True)
class Judge:
    """-> bool. Does the verifier of this name take the two questions for the same?"""

    pair: Pair
    verifier: str
    may_wait: bool = False
    """As for `Embed`."""


@dataclass(frozen=True, slots=True)
class Join:
    """-> flights.Turn, the Entry, or a Live answer. Wait for whoever looks the same up already."""

    flight: str
    stream: str = ""
    """What the stream must be like that is read along; "": none is wanted."""


@dataclass(frozen=True, slots=True)
class Pause:
    """-> None. Let this caller wait a moment."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Nearest:
    """-> list[Neighbour]. The most similar live entries of a scope, best first.

    Those of at least `at_least` carry their entry. Entries found expired are pruned on the way
    and not listed, so `count` must leave room for them.
    """

    scope: str
    vector: Vector = field(compare=False, repr=False)
    at_least: float
    """Cosine."""
    count: int = 10
    asked: str = ""
    """Fingerprint of the question: entries blocked for it are not listed either."""


@dataclass(frozen=True, slots=True)
class Put:
    """-> None. Keep an entry, and its vector in `scope` where there is one. Replaces its equal."""

    entry: Entry
    scope: str | None = None
    vector: Vector | None = field(default=None, compare=False, repr=False)
    releases: str = ""
    """A flight that need not be waited for any longer."""


@dataclass(frozen=True, slots=True)
class PutMany:
    """-> None. Keep entries for exact repeats. Replaces their equals."""

    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Alias:
    """-> None. From now on `alias` finds `entry`, and `conversation` resolves to the entry's.

    Lives as long as the entry and goes with it.
    """

    alias: str
    conversation: str
    entry: Entry
    similarity: float = 1.0
    """Cosine at which the paraphrase was found."""


@dataclass(frozen=True, slots=True)
class IsAccepted:
    """-> bool. Has the upstream accepted this credential (a digest) lately?"""

    credential: str


@dataclass(frozen=True, slots=True)
class Accept:
    """-> None. The upstream accepted this credential; remember it for `ttl_s` seconds."""

    credential: str
    ttl_s: int
    asked_at: float = 0.0
    """When it was asked, Unix seconds: a refusal since then is the later word."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """-> None. The upstream refused this credential; forget that it ever accepted it, and do not
    believe an `Accept` of what was asked before."""

    credential: str


@dataclass(frozen=True, slots=True)
class Standing:
    """-> budget.Earned | None. What a pool has earned; None: it is closed."""

    pool: str


@dataclass(frozen=True, slots=True)
class Weigh:
    """-> tuple[budget.Tally, ...]. Count candidates of a slot, and tell what is known now.

    Counts are forgotten after two windows of checks, or at once where the doubt is too much.
    """

    pool: str
    slot: int
    candidates: int = 0
    checked: int = 0
    wrong: int = 0
    doubted: float = 0.0
    """What the doubt is multiplied by (`budget.doubted`); 0: this does not touch it."""
    refuted: str = ""
    """A pair (16 hex digits) whose answers differ; outlives the counts. Of very many some go."""


@dataclass(frozen=True, slots=True)
class Settle:
    """-> None. From now on this is what a pool has earned; None closes it."""

    pool: str
    earned: Earned | None


@dataclass(frozen=True, slots=True)
class IsRefuted:
    """-> bool. Is a pair known as one whose answers differ? See `Weigh`."""

    pool: str
    pair: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that an entry has answered by meaning, for those who ask why."""

    fingerprint: str
    question: str
    """Its text, or, where prompts are not kept, a digest of it."""
    path: str
    """Where it stands in the request, such as `messages[2].content`."""
    similarity: float
    at: float
    """Unix seconds."""
    tenant: str


@dataclass(frozen=True, slots=True)
class Remember:
    """-> None. An entry has answered this by meaning; the last few are kept with the entry."""

    id: str
    asked: Asked


@dataclass(frozen=True, slots=True)
class Recall:
    """-> tuple[Asked, ...]. What an entry has answered by meaning, newest first."""

    id: str


@dataclass(frozen=True, slots=True)
class Find:
    """-> tuple[str, ...]. Ids of entries that begin so, two at most."""

    prefix: str


@dataclass(frozen=True, slots=True)
class Forget:
    """-> bool. Remove an entry, its vector and its aliases; False where there was none."""

    id: str


@dataclass(frozen=True, slots=True)
class ForgetMany:
    """-> int. Remove entries as `Forget` does; how many there were."""

    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Label:
    """-> None. These tags too belong to an entry; of very many, some do not."""

    id: str
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Inventory:
    """-> tuple[facts.Facts, ...]. Of all live entries, in no order."""


@dataclass(frozen=True, slots=True)
class Block:
    """-> None. Neither of these two requests (fingerprints) is answered by the other's entry again.

    Outlives both entries. Of a request that has very many, some go.
    """

    one: str
    other: str


StoreCommand: TypeAlias = (
    Get
    | GetMany
    | Resolve
    | Occupied
    | Nearest
    | Put
    | PutMany
    | Alias
    | IsAccepted
    | Accept
    | Refuse
    | Standing
    | Weigh
    | Settle
    | IsRefuted
    | Remember
    | Recall
    | Find
    | Forget
    | ForgetMany
    | Label
    | Inventory
    | Block
    | Lease
    | Renew
    | Wanted
    | Publish
    | Read
)
GROWING = (Put, PutMany, Alias, Accept, Weigh, Settle, Remember, Block, Lease, Publish)
"""What makes the store larger. A full or read-only one denies them; it is not away for that."""

Command: TypeAlias = StoreCommand | Embed | Judge | JudgeAnswers | Join | Pause

Steps: TypeAlias = Generator[Command, Any, T]
"""A story in progress: yields commands, is sent their results, returns its outcome."""
