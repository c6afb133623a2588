"""The words everyone uses: what a provider reads from a request, what is kept, what comes out.

Pure data and one protocol. `wire` makes `ParsedRequest` and `Answer`, `cache` makes the
outcomes, `store` keeps `Entry`, the edges write what they are given.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

from khazad_mitm.messages import Headers, Request

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Vector: TypeAlias = npt.NDArray[np.float32]

Json: TypeAlias = Any
"""A decoded JSON value; the one place where `Any` enters."""

Path: TypeAlias = tuple[str | int, ...]
"""Where a value stands in a JSON body: ("messages", 2, "content")."""

Media: TypeAlias = Literal["json", "sse", "ndjson", "array", "eventstream"]


class CacheScope(str, Enum):
    """What partitions the vector sets: model and host, or the host alone."""

    MODEL = "model"
    HOST = "host"


@dataclass(frozen=True, slots=True)
class Framing:
    """How an answer is to be put on the wire, as the request asked for it."""

    media: Media
    include_usage: bool = False
    """A usage frame was asked for (OpenAI's `stream_options.include_usage`)."""
    variant: str = ""
    """Anything else that makes the original bytes of another framing unfit for this one."""

    @property
    def is_stream(self) -> bool:
        return self.media != "json"


@dataclass(frozen=True, slots=True)
class ParsedRequest:
    """A request that a provider has recognised, and what the cache must know of it."""

    provider: Provider
    request: Request
    resource: str
    """Path and query with the model, the framing and credentials taken out."""
    model: str
    framing: Framing
    body: dict[str, Json]
    """The whole decoded body, as sent."""
    spellings: tuple[str, ...] = ()
    """Numbers of the body written otherwise than JSON would write their value (`1.00`), sorted."""
    turns_field: str = "messages"
    """Top-level field that holds the conversation: a list of turns, or one text."""
    question: Path | None = None
    """Where the last user text stands; None where only exact repeats may be answered."""
    exact_only: str = ""
    """Why `question` is None: one word for Cache-Status, such as `tool-result`."""
    ends_with_message: bool = False
    """Nothing in the stream itself tells its end from a cut: it is whole only if all of it came."""
    bypass: str = ""
    """Why neither this request may be answered nor its answer kept: one word, or ""."""
    ignored: frozenset[str] = frozenset()
    """Top-level fields known not to change the answer, beside those every provider shares."""
    leaves_traces: bool = False
    """Each call leaves something behind at the provider (`store`): none is made on our account."""
    batch: Batch | None = None
    """How to ask for some of the turns and not for others; None where they belong together."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer in the provider's own non-streamed JSON, fit to be kept."""

    body: bytes
    exact_only: str = ""
    """Why it may answer only an exact repeat (`length`), or ""."""
    tokens: int = 0
    """Prompt and completion tokens that a hit saves, 0 where the provider does not say."""
    output_tokens: int = 0
    """Of these, the completion's, which cost more."""


@dataclass(frozen=True, slots=True)
class Unkept:
    """An answer that must not be kept, and why, in a word or two (`content-filter`, `cut`)."""

    reason: str


class Provider(Protocol):
    """One wire format: bytes in, bytes out. Stateless; never raises, whatever comes in."""

    name: str
    """As in logs and keys: `openai-chat`."""

    def recognise(self, request: Request) -> ParsedRequest | None:
        """Read the request; None where path, method or body shape are not this provider's."""
        ...

    def assemble(self, body: bytes, parsed: ParsedRequest) -> Answer | Unkept:
        """Read a whole answer (2xx, content codings undone) in the framing `parsed` asked for.

        An `Answer` only where it is provably complete: terminal event seen, every choice
        finished, no error in it.
        """
        ...

    def replay(self, answer: bytes, parsed: ParsedRequest) -> Iterator[bytes]:
        """Write an answer (`Answer.body`) in the framing `parsed` asks for, frame by frame.

        Deterministic. `assemble(b"".join(replay(answer, parsed)), parsed).body == answer`.
        """
        ...

    def content_type(self, parsed: ParsedRequest) -> str:
        """The Content-Type of that framing."""
        ...


class Batch(Protocol):
    """A request whose turns know nothing of each other: each may be asked and answered alone.

    The request for one turn is the same request with a list of that turn alone.
    """

    def rest(self, parsed: ParsedRequest, wanted: Sequence[int]) -> ParsedRequest:
        """The request for the turns at these places only; its `request.body` is what to send."""
        ...

    def apart(self, answer: bytes) -> tuple[bytes, ...]:
        """An answer for each turn, as if it had been asked alone; () where it has no such parts."""
        ...

    def together(self, answers: Sequence[bytes], around: bytes | None) -> bytes | None:
        """The answer to all turns from one for each of them, in order.

        What the parts share is taken from `around`, the upstream's answer to those it was asked
        for; without it nothing was billed. None where the parts do not fit each other.
        """
        ...


@dataclass(frozen=True, slots=True)
class Entry:
    """A stored answer, with what is needed to serve it and to explain it."""

    id: str
    """32 hex digits: the exact fingerprint of the request it answered."""
    provider: str
    model: str
    status: int
    headers: Headers
    """Of the original answer; only those worth repeating."""
    answer: bytes
    """The provider's own non-streamed JSON."""
    original: bytes
    """The decoded body or stream as it came, in `framing`."""
    framing: Framing
    stored_at: float
    """Unix seconds."""
    expires_at: float | None
    """Unix seconds; None: never."""
    question: str | None = None
    """The last user text, for the second look; None where it is not compared by meaning."""
    conversation: str = ""
    """Digest of the conversation up to and including the question; aliases point to it."""
    exact_only: str = ""
    tokens: int = 0
    output_tokens: int = 0
    """Of `tokens`, the completion's, which cost more."""
    tags: tuple[str, ...] = ()
    tenant: str = ""
    """Whose call was answered: the tenant's digest, or `shared`."""
    took_s: float = 0.0
    """Seconds the upstream took, to the last byte; 0 where nobody looked."""
    request: bytes = b""
    """The body that was asked with, for `explain`; b"" where prompts are not kept."""
    url: str = ""
    """Where it was asked, without credentials; "" where prompts are not kept."""
    request_headers: Headers = field(default_factory=Headers)
    """Of these the ones that say how to read the request, or that count in its key."""
    pace_ms: tuple[int, ...] = ()
    """How a streamed `original` came: so many bytes, so many milliseconds after it was asked for,
    and so on in pairs; () where nobody looked."""
    pool: str = ""
    """Digest of those whose wrong hits are counted together with its; "" where none are."""

    def is_fresh(self, now: float) -> bool:
        return self.expires_at is None or now < self.expires_at

    def age_s(self, now: float) -> int:
        return max(0, int(now - self.stored_at))


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A stored question near the one asked."""

    id: str
    similarity: float
    """Cosine, -1 to 1."""
    entry: Entry | None
    """None below the threshold that was asked for; expired ones are not listed at all."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two questions for a judge: would the answer to the stored one do for the one asked?"""

    stored: str
    asked: str
    similarity: float
    """Cosine, -1 to 1."""
    stored_answer: str = ""
    """What the first was answered with; "" where it is not at hand."""
    fresh_answer: str = ""
    """What the second was answered with; "" where nobody has asked it yet."""


@dataclass(frozen=True, slots=True)
class Digests:
    """The keys of one request. Each is 32 hex digits of which the first four name the bucket."""

    fingerprint: str
    """Exact key: the same request of the same tenant."""
    conversation: str
    """The same, as a conversation that may go on: what aliases are made from."""
    prefixes: tuple[str, ...] = ()
    """`conversation` digests of the earlier turns, oldest first; the last is the turn before."""


@dataclass(frozen=True, slots=True)
class Hit:
    """The answer is known."""

    parsed: ParsedRequest
    entry: Entry
    tier: Literal["exact", "semantic"]
    similarity: float = 1.0
    paraphrase: Miss | None = None
    """The ticket of a question that was found by meaning: how to find it faster the next time."""
    is_sampled: bool = False
    """It may be asked again in the background, to see whether the answer was right."""
    is_collapsed: bool = False
    """It was not known, but somebody asked the same already: this is his answer."""


@dataclass(frozen=True, slots=True)
class Partial:
    """Some items of a batch are known, and the upstream is asked for the rest only."""

    known: Mapping[int, Entry]
    """By place."""
    wanted: tuple[int, ...]
    """The places of the others."""
    rest: ParsedRequest
    """The request for those."""


@dataclass(frozen=True, slots=True)
class Miss:
    """A ticket: what has been computed, so that keeping the answer computes nothing twice."""

    parsed: ParsedRequest
    digests: Digests
    scope: str | None = None
    """The vector set; None where the answer is kept for exact repeats only."""
    alias: str | None = None
    """Digest under which this request is remembered as a paraphrase; None: it never is."""
    conversation: str | None = None
    """`digests.conversation` told in the words of stored entries, where that differs."""
    vector: Vector | None = field(default=None, compare=False, repr=False)
    nearest: float | None = None
    """Similarity of the best neighbour that was not good enough, or None."""
    unjudged: tuple[Neighbour, ...] = ()
    """Neighbours that the guards let pass and the verifier has not seen, best first."""
    tenant: str = ""
    """Whose call it is: a digest, or `shared`."""
    pool: str = ""
    """Whose wrong hits are counted together with its; "" where it is not compared by meaning."""
    candidate: Neighbour | None = field(default=None, compare=False, repr=False)
    """What would have answered it at a lower threshold: the fresh answer will tell how well."""
    reason: str = ""
    """Why nothing was compared by meaning, or why the neighbour was refused."""
    proofs: tuple[str, ...] = ()
    """Digests of the credential, for which the upstream's answer will vouch."""
    tags: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    """Fingerprint of each item of a batch; () where it is kept as a whole only."""
    partial: Partial | None = None
    asked_at: float = field(default=0.0, compare=False)
    """When it went upstream, Unix seconds; 0 where nobody looked."""
    flight: str = ""
    """Under this name others may be waiting for the answer to this one: its end must be told."""

    @property
    def is_leader(self) -> bool:
        return bool(self.flight)


@dataclass(frozen=True, slots=True)
class Bypass:
    """The request goes upstream and nothing is kept."""

    parsed: ParsedRequest
    reason: str


@dataclass(frozen=True, slots=True)
class Unsatisfied:
    """`Cache-Control: only-if-cached`, and it is not (RFC 9111 §5.2.1.7: 504)."""

    parsed: ParsedRequest
    reason: str


Outcome: TypeAlias = Hit | Miss | Bypass | Unsatisfied


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of ours, ready to be written: `frames` joined are the body."""

    status: int
    headers: Headers
    frames: tuple[bytes, ...]
    waits: tuple[float, ...] = ()
    """Seconds to wait before each frame, as `replay_pace` has it; (): none."""
    resets_after: int | None = None
    """After so many frames the connection is reset; 0: before anything is said."""

    @property
    def body(self) -> bytes:
        return b"".join(self.frames)
