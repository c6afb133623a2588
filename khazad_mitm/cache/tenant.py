"""Who is asking, and what must be known of him before he is answered.

The tenant is part of every key, so that no caller reads what another caller's key has paid for.
And nobody is answered on the strength of what he shows alone: a hit is served only while the
upstream's last word on that very credential was yes, and was said within `credential_ttl`. That
costs one call per credential, endpoint and hour, and is what makes a revoked key, a made-up token
with somebody else's claims, or a key never seen before read nothing.

Showing no credential counts as a credential of its own. A server that wants none (Ollama on
localhost) accepts it with its first 2xx, and callers without one then share what was asked without
one; a server that wants one refuses it. Whatever the setting, what a key has paid for is never
theirs: they are a tenant apart. Where a request shows nothing that is known as a credential, every
header that is not known to be harmless stands for one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from khazad_mitm.cache.credentials import shown_by, strangers
from khazad_mitm.exchange import ParsedRequest


@dataclass(frozen=True, slots=True)
class Tenant:
    name: str
    """Part of every key."""
    proofs: tuple[str, ...]
    """Digests of what the upstream must have accepted before a hit is served: the credential at
    this server, and for this endpoint and model."""
    is_secret: bool = False
    """Whoever has this name has shown all of the credential, not only whose it is."""


@dataclass(frozen=True, slots=True)
class NoTenant:
    """Nobody can be told apart from anybody: neither answered nor kept. Why, in a word or two."""

    reason: str


def tenant_of(parsed: ParsedRequest, setting: str, secret: bytes) -> Tenant | NoTenant:
    """The tenant of a request under `setting` (see settings.tenant)."""
    request = parsed.request
    shown = shown_by(request)
    is_signed = any(one.kind == "signature" for one in shown)
    is_anonymous = all(one.kind == "account" for one in shown)
    if is_signed and not request.is_local and not request.proxy_user:
        # An access key id can be had by reading along; what proves its holder is a signature that
        # only AWS can check.
        return NoTenant("signature without proxy authentication")
    beside = [("proxy user", request.proxy_user)] if is_signed else []
    beside += strangers(request) if is_anonymous else ()
    whole = [*((one.place, one.value) for one in shown), *beside]
    holders = [*((one.place, one.holder) for one in shown), *beside]
    proofs = _proofs(parsed, secret, whole)
    if setting == "credential":
        return Tenant(_digest(secret, "credential", holders), proofs, holders == whole)
    # Those who show nothing share among themselves.
    apart = "without credential" if is_anonymous else ""
    if setting == "shared":
        return Tenant(f"shared {apart}".strip(), proofs)
    value = request.headers.get(setting.partition(":")[2])
    if not value:
        return NoTenant("no-tenant")
    return Tenant(_digest(secret, f"header {apart}", [("header", value)]), proofs)


def _proofs(
    parsed: ParsedRequest, secret: bytes, whole: Sequence[tuple[str, str]]
) -> tuple[str, ...]:
    """A server has spoken for itself only, and for what it was asked."""
    request = parsed.request
    server = [request.scheme, request.host, request.port, *request.other_names]
    return (
        _digest(secret, "server", [server, whole]),
        _digest(secret, "endpoint", [server, parsed.resource, parsed.model, whole]),
    )


def _digest(secret: bytes, kind: str, said: object) -> str:
    text = repr((kind, said)).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, key=secret, digest_size=16).hexdigest()
