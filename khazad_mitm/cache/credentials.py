"""What a request shows of who is asking: keys, tokens, signatures, wherever a provider has them.

An unknown header may be a credential too, so the lists below say what is *not* one wherever that
can be said. What a request shows is compared and never kept: digests are made of it (`tenant`).

Sources, read in November 2026: the API references of the providers in `wire.hosts`; RFC 6750
(bearer tokens), 7519 (JWT), 6265 (cookies); AWS Signature Version 4; Microsoft Entra "Access token
claims reference"; Google Cloud "API keys: using API keys with REST".
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal
from urllib.parse import unquote_plus

from khazad_mitm.messages import CREDENTIAL_PARAMETERS, Request

# Whatever has one of these words in its name: `Authorization`, `x-api-key`, `X-Auth-Token`,
# `Ocp-Apim-Subscription-Key`, `cf-aig-authorization`, `x-portkey-virtual-key`, `Helicone-Auth`.
_NAMED_SO = re.compile(
    r"(^|[-_])(authorization|auth|(api)?-?keys?|tokens?|secret|password|credentials?|jwt|assertion"
    r"|signature|client-cert|access)([-_]|$)|apikey|api-key"
)
# Organisation and project choose whose account answers, beside the key itself.
_ACCOUNT = ("openai-organization", "openai-project", "x-goog-user-project", "x-auth-email")
# For the proxy, not for the upstream; new for each request; part of what the access key id says.
_NOT_ONE = re.compile(
    r"proxy-authorization|x-amz-security-token|(x-)?idempotency-key|sec-.*|access-control-.*"
)

# What edges and balancers in front of a provider set for themselves. Clients with a jar send it
# back from their second call on, so it would part a caller from himself.
_EDGE_COOKIE = re.compile(
    r"__cf.*|_cfuvid|cf_clearance|AWSALB.*|ARRAffinity.*|GCLB|incap_ses_.*|visid_incap_.*|nlbi_.*"
    r"|BIGipServer.*|TS[0-9a-f]{6,}|acw_tc|datadome"
)

# Headers that are no credential where no known one is there either. All others then count.
_HARMLESS = re.compile(
    r"host|user-agent|accept(-.*)?|content-.*|connection|keep-alive|transfer-encoding|te|trailer"
    r"|upgrade(-.*)?|cache-control|pragma|expect|date|via|forwarded|x-forwarded-(for|host|proto|port)"
    r"|x-real-ip|origin|(http-)?referer|x-title|sec-.*|dnt|priority|if-.*|range|proxy-.*"
    r"|(x-)?idempotency-key|x-(request|correlation|client-request)-id|x-stainless-.*|x-khazad-.*"
    r"|traceparent|tracestate|baggage|b3|x-b3-.*|x-amzn-trace-id|x-datadog-.*|sentry-trace"
    r"|x-cloud-trace-context|uber-trace-id|newrelic|x-goog-api-client|x-amz-.*|amz-sdk-.*"
    r"|anthropic-.*|openai-(beta|version)|api-version|x-ms-.*|cookie"
)

# `AWS4-HMAC-SHA256 Credential=AKID/date/region/service/aws4_request, ...`; SigV4A likewise. A
# signature is new for each request; what stays is the access key id, which is no secret.
_SIGV4 = re.compile(r"AWS4-[A-Z0-9-]+\s+Credential=([^/,\s]+)/")

# A scheme without a token, as an SDK sends it that was given an empty key.
_EMPTY = ("", "bearer", "basic", "token", "apikey")

_JWT = re.compile(r"(?:^|[\s=])(eyJ[\w-]+)\.([\w-]+)\.([\w-]*)$")
# Longer than any token that fits the head of a request (mitmproxy and servers stop at 64 kB).
_MAX_TOKEN_CHARS = 64 * 1024
# A token whose claims name nobody stands for itself only.
_NAMES_SOMEBODY = ("sub", "oid", "azp", "appid", "client_id", "api_key")
# New with each token of the same holder. Never the other way round: an unknown claim (a role, a
# scope, a tenant) must tell tokens apart.
_OF_ONE_TOKEN = frozenset(
    "exp iat nbf jti auth_time nonce at_hash c_hash s_hash sid session_state timestamp"
    " uti aio rh xms_ftd xms_idrel xms_st acct_exp".split()
)


@dataclass(frozen=True, slots=True)
class Shown:
    """One thing a request shows."""

    place: str
    """Header in lower case, or `?parameter`."""
    value: str
    """All of it; of a signature what does not change."""
    holder: str
    """What stays when it is renewed. A claim: anybody can write a token that says it."""
    kind: Literal["secret", "signature", "account"] = "secret"
    """Of a signature only the name of its key is seen here, and of an account the name is all."""


def shown_by(request: Request) -> tuple[Shown, ...]:
    """The credentials of a request, sorted; () where it shows none that is known as such."""
    return tuple(sorted(_all(request), key=lambda shown: (shown.place, shown.value)))


def strangers(request: Request) -> tuple[tuple[str, str], ...]:
    """Headers that might be a credential nobody told us of, for a request that shows no other."""
    return tuple(
        sorted(
            (name.lower(), value)
            for name, value in request.headers
            if value.strip().lower() not in _EMPTY
            and name.lower() not in _ACCOUNT
            and not _HARMLESS.fullmatch(name.lower())
        )
    )


def _all(request: Request) -> Iterator[Shown]:
    for name, value in request.headers:
        lower = name.lower()
        if lower == "cookie":
            yield from _cookies(value)
        elif lower in _ACCOUNT:
            yield Shown(lower, value, value, "account")
        elif _is_named_so(lower):
            signed = _SIGV4.match(value) if lower == "authorization" else None
            if signed:
                yield Shown(lower, signed[1], signed[1], "signature")
            elif value.strip().lower() not in _EMPTY:
                yield Shown(lower, value, _holder(value))
    for pair in request.query.split("&"):
        name, _, value = pair.partition("=")
        if unquote_plus(name).lower() in CREDENTIAL_PARAMETERS and value:
            # As sent: two undecodable values are not the same one.
            yield Shown(f"?{unquote_plus(name).lower()}", value, _holder(value))


def _reads_so(lower: str) -> bool:
    """May a header of this name be a credential?"""
    return bool(_NAMED_SO.search(lower)) and not _NOT_ONE.fullmatch(lower)


# Callers have some twenty names, always the same. Longer ones would only fill it.
_remembered_so = lru_cache(maxsize=1024)(_reads_so)
_REMEMBERED_CHARS = 64


def _is_named_so(lower: str) -> bool:
    return _remembered_so(lower) if len(lower) <= _REMEMBERED_CHARS else _reads_so(lower)


def _cookies(value: str) -> Iterator[Shown]:
    for cookie in value.split(";"):
        name, _, content = cookie.strip().partition("=")
        if name and not _EDGE_COOKIE.fullmatch(name):
            yield Shown(f"cookie {name}", content, content)


def _holder(value: str) -> str:
    """Who holds a JWT, as it says itself; any other credential stands for itself."""
    found = _JWT.search(value.strip()) if len(value) <= _MAX_TOKEN_CHARS else None
    claims = None if found is None else _claims(found[2])
    if claims is None or not any(claims.get(name) for name in _NAMES_SOMEBODY):
        return value
    stable = {name: claim for name, claim in claims.items() if name not in _OF_ONE_TOKEN}
    return "jwt " + json.dumps(stable, sort_keys=True)


def _claims(part: str) -> dict[str, Any] | None:
    try:
        text = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
        claims = json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError, binascii.Error):
        return None
    return claims if isinstance(claims, dict) else None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Two programs may read two different holders from a claim that is there twice."""
    claims = dict(pairs)
    if len(claims) != len(pairs):
        raise ValueError("a claim twice")
    return claims
