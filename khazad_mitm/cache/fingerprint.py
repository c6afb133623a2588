"""The keys of a request: who may share an answer with whom.

A chain of keyed digests, one link per turn. Its root holds all of the request but the
conversation, *minus* a deny-list of fields known not to change the answer; never an allow-list:
an unknown field must partition. Each turn adds a link, so that every prefix of a conversation
has a digest of its own. Key order and insignificant whitespace do not count; prompt whitespace
and the spelling of numbers do.

- fingerprint: the whole chain and the model. Equal only for an exact repeat by the same tenant.
- conversation: the whole chain.
- scope: the chain up to the turn before, the last turn with its question blanked, the embedding
  model. Requests of one scope differ in nothing but the question.

Every digest is 32 hex digits; the first four name the bucket. What is compared by meaning has one
by the root and what the application says before the conversation (system turns): these stay as they
are however a conversation is reworded, so all of it lies in one. What is not has one by its last
turn: items of a batch may lie anywhere.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from khazad_mitm.cache.prompt import blank_turn, preamble_length, turns
from khazad_mitm.exchange import CacheScope, Digests, Json, ParsedRequest

# Framing, and labels that the caller puts on a request for his own or the provider's books.
# `seed`, `service_tier`, `store` stay in the key: they change the answer or its side effects.
IGNORED = frozenset(
    {
        "stream",
        "stream_options",
        "user",
        "metadata",
        "safety_identifier",
        "prompt_cache_key",
        "prompt_cache_retention",
    }
)

# Versions and betas change the answer's shape, guardrails and gateways' routes who answers and
# how; no other header is part of the key (credentials are, by way of the tenant).
COUNTED_HEADERS = (
    "anthropic-version",
    "anthropic-beta",
    "openai-beta",
    "openai-version",
    "api-version",
    "x-ms-api-version",
    "extra-parameters",
    "x-amzn-bedrock-guardrailidentifier",
    "x-amzn-bedrock-guardrailversion",
    "x-amzn-bedrock-trace",
    "x-amzn-bedrock-performanceconfig-latency",
    "x-amzn-bedrock-service-tier",
    "x-portkey-config",
    "x-portkey-provider",
    "x-portkey-custom-host",
    "cf-aig-custom-provider",
)


@dataclass(frozen=True, slots=True)
class Chain:
    """The digests of one request while it is being looked up."""

    secret: bytes
    bucket: str
    """Four hex digits."""
    model: str
    links: tuple[str, ...]
    """Root first, then one per turn."""
    turns: tuple[bytes, ...]
    """Canonical text of each turn."""

    @classmethod
    def of(
        cls, parsed: ParsedRequest, tenant: str, secret: bytes, scope: CacheScope = CacheScope.MODEL
    ) -> Chain:
        request = parsed.request
        around = {
            name: value
            for name, value in parsed.body.items()
            if name not in IGNORED
            and name not in parsed.ignored
            and name != parsed.turns_field
            # The model is counted beside the chain, so that scope=host can leave it out.
            and not (name == "model" and value == parsed.model)
        }
        root = canonical(
            [
                tenant,
                parsed.provider.name,
                request.method,
                request.scheme,
                request.host,
                request.port,
                request.other_names,
                parsed.resource,
                parsed.model if scope is CacheScope.MODEL else "",
                request.headers.joined_each(COUNTED_HEADERS),
                around,
                parsed.spellings,
                # A bare text and a list of one turn are different requests.
                isinstance(parsed.body.get(parsed.turns_field), list),
            ]
        )
        first = _keyed(secret, b"root", root)
        spoken = [canonical(turn) for turn in turns(parsed)]
        apart = spoken[-1:] if parsed.question is None else spoken[: preamble_length(parsed)]
        chain = cls(secret, _bucket(secret, first, apart), parsed.model, (first,), ())
        return chain.extended(spoken)

    def extended(self, more: list[bytes]) -> Chain:
        links = list(self.links)
        for turn in more:
            links.append(self._named(b"turn", links[-1].encode(), turn))
        return Chain(self.secret, self.bucket, self.model, tuple(links), (*self.turns, *more))

    def digests(self) -> Digests:
        conversation = self.links[-1]
        fingerprint = self._named(b"exact", conversation.encode(), self.model.encode())
        return Digests(fingerprint, conversation, self.links[1:-1])

    def each_alone(self) -> tuple[str, ...]:
        """The fingerprint that each turn has in a request of its own."""
        return tuple(self._alone(turn).digests().fingerprint for turn in self.turns)

    def _alone(self, turn: bytes) -> Chain:
        bucket = _bucket(self.secret, self.links[0], [turn])
        return Chain(self.secret, bucket, self.model, self.links[:1], ()).extended([turn])

    def resolved(self, aliases: tuple[str | None, ...]) -> Chain:
        """The same conversation told in the words of the entries that answered it.

        `aliases` belong to `digests().prefixes`. The longest known prefix is replaced, and the
        turns after it are linked to its replacement.
        """
        for index in range(len(aliases) - 1, -1, -1):
            known = aliases[index]
            if known is not None:
                through = index + 1
                start = Chain(
                    self.secret,
                    self.bucket,
                    self.model,
                    (*self.links[:through], known),
                    self.turns[:through],
                )
                return start.extended(list(self.turns[through:]))
        return self

    def scope(self, parsed: ParsedRequest, embedding_model: str) -> str:
        """The vector set that the question of this request is compared in."""
        blank = canonical(blank_turn(parsed))
        return self._named(b"scope", self.links[-2].encode(), blank, embedding_model.encode())

    def pool(self, preamble: int, rules: str) -> str:
        """Those whose wrong hits are counted together: same tenant, model, tools, settings and
        system prompt, which are the root and the first `preamble` turns.

        A scope is too fine for that: of a long conversation it is one of a kind.
        """
        link = self.links[min(preamble, len(self.links) - 1)]
        return self._named(b"pool", link.encode(), rules.encode())

    def alias(self, rules: str) -> str:
        """What a paraphrase is remembered under. `rules`: what decided that it was one.

        Another threshold or embedding model has aliases of its own, so that a stricter caller
        is never served what a laxer one was.
        """
        return self._named(b"alias", self.links[-1].encode(), self.model.encode(), rules.encode())

    def _named(self, *parts: bytes) -> str:
        return self.bucket + _keyed(self.secret, *parts)[4:]


# Made once: `json.dumps` with options makes one for each call, several times a lookup.
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def _bucket(secret: bytes, root: str, turns: list[bytes]) -> str:
    return _keyed(secret, b"bucket", root.encode(), *turns)[:4]


def canonical(value: Json) -> bytes:
    """JSON with sorted keys and no optional whitespace, in ASCII: lone surrogates survive it."""
    return _ENCODER.encode(value).encode()


def _keyed(secret: bytes, *parts: bytes) -> str:
    digest = hashlib.blake2b(key=secret, digest_size=16)
    for part in parts:
        # Lengths first: no two lists of parts run into the same bytes.
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.hexdigest()
