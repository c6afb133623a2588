"""What may be answered, and what may be kept.

Requests steer us by standard means (`Cache-Control`, RFC 9111 §5.2.1) and two headers of ours,
which may only make things stricter.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from urllib.parse import unquote_plus

from khazad_mitm.cache.fingerprint import COUNTED_HEADERS
from khazad_mitm.cache.redaction import Redactor
from khazad_mitm.exchange import Entry, ParsedRequest
from khazad_mitm.messages import CREDENTIAL_PARAMETERS, Headers, Request, Response

THRESHOLD_HEADER = "x-khazad-threshold"
TAG_HEADER = "x-khazad-tag"
CONTROL_HEADERS = (THRESHOLD_HEADER, TAG_HEADER, "x-khazad-entry")
"""Never sent upstream, whatever becomes of the request."""

# Of one request. Tags are kept with each entry, and read where one forgets by them.
MAX_TAGS = 16
TAG = re.compile(r"[ -+\--~]{1,64}")

# Above this a request is read on another thread than the event loop's, and its keys are made there:
# the JSON of 1 MB takes some 5 ms, the digests of 100,000 messages in 3 MB another 300.
MAX_INLINE_BYTES = 256 * 1024

# Above this an answer is passed on but not kept. 4,000 frames of OpenAI chat are about 1.1 MB;
# hishel stops at 10 MiB too.
MAX_ANSWER_BYTES = 10 * 1024 * 1024

# Above this a request is passed on unread: parsing it would hold the interpreter for more than
# a hundred milliseconds. Providers refuse bodies above 20 to 50 MB themselves.
MAX_REQUEST_BYTES = 16 * 1024 * 1024

# Above this, as with images in it, a request is not kept for `explain`: it would be read with
# every hit.
MAX_KEPT_REQUEST_BYTES = 64 * 1024

READ_HEADERS = frozenset({"content-type", "accept", *COUNTED_HEADERS})

# Hop-by-hop (RFC 9110 §7.6.1), belonging to the body as it was coded, or true only of the moment.
DROPPED_HEADERS = re.compile(
    r"^(connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade"
    r"|content-length|content-encoding|content-md5|etag|accept-ranges"
    r"|set-cookie|retry-after|.*ratelimit.*|.*rate-limit.*|server-timing|alt-svc|via|report-to|nel"
    r"|age|cache-status|x-khazad-.*)$"
)


# Belong to a body that is put together here from parts.
REPLACED_HEADERS = (
    *("content-length", "content-encoding", "transfer-encoding", "trailer", "etag"),
    *("content-md5", "digest", "content-digest", "repr-digest", "accept-ranges"),
)

# How a credential is shown without touching the body; any other scheme may sign it.
UNSIGNED_SCHEMES = ("bearer", "basic", "token", "apikey", "key")
# What vouches for a body: digests (RFC 9530), signatures (RFC 9421, SigV4, SAS).
SIGNS = re.compile(r"^(content-md5|(.*-)?digest|(.*-)?signature(-.*)?|.*-(hash|sha256|hmac)|sig)$")


@dataclass(frozen=True, slots=True)
class Controls:
    """What one request asks of the cache."""

    no_store: bool = False
    no_cache: bool = False
    only_if_cached: bool = False
    max_age_s: int | None = None
    threshold: float | None = None
    """May raise the threshold, never lower it."""
    tags: tuple[str, ...] = ()
    malformed: str = ""
    """The header that could not be read; its request goes upstream and is not kept."""


def controls_of(request: Request) -> Controls:
    """Read the request's wishes. Unknown directives are ignored (RFC 9111 §5.2.3)."""
    threshold: float | None = None
    max_age: int | None = None
    flags = set()
    malformed = ""
    for directive in request.headers.joined("cache-control").lower().split(","):
        name, _, value = (part.strip() for part in directive.partition("="))
        flags.add(name)
        if name == "max-age":
            if value.strip('"').isascii() and value.strip('"').isdigit():
                max_age = int(value.strip('"')[:12])
            else:
                malformed = "cache-control"
    asked = request.headers.get(THRESHOLD_HEADER)
    if asked is not None:
        try:
            threshold = float(asked)
        except ValueError:
            threshold = -1.0
        if not 0.0 <= threshold <= 1.0:
            threshold, malformed = None, THRESHOLD_HEADER
    tags = tags_of(request)
    # One that got lost would be missed by whoever forgets by it.
    if len(tags) > MAX_TAGS or not all(map(TAG.fullmatch, tags)):
        tags, malformed = (), TAG_HEADER
    return Controls(
        no_store="no-store" in flags,
        no_cache="no-cache" in flags,
        only_if_cached="only-if-cached" in flags,
        max_age_s=max_age,
        threshold=threshold,
        tags=tags,
        malformed=malformed,
    )


def tags_of(request: Request) -> tuple[str, ...]:
    """The labels that the caller gives his request."""
    return tuple(t.strip() for t in request.headers.joined(TAG_HEADER).split(",") if t.strip())


def within(controls: Controls, ttl_s: int | None) -> Controls:
    """The same wishes, and nothing older than answers may become here: an entry may have been kept
    for longer, by other rules."""
    if ttl_s is None or (controls.max_age_s is not None and controls.max_age_s <= ttl_s):
        return controls
    return replace(controls, max_age_s=ttl_s)


def may_serve(entry: Entry, controls: Controls, now: float) -> bool:
    """Is the entry fresh, and young enough for this caller?"""
    if not entry.is_fresh(now):
        return False
    return controls.max_age_s is None or entry.age_s(now) <= controls.max_age_s


def may_take_long(request: Request) -> bool:
    """Is there so much to read, or may there be once it is unpacked, that others would wait?"""
    return len(request.body) > MAX_INLINE_BYTES or "content-encoding" in request.headers


def may_be_rewritten(request: Request) -> bool:
    """May the body be changed on its way? Not where anything may vouch for it as it is."""
    headers = request.headers
    scheme, _, token = (headers.get("authorization") or "").strip().partition(" ")
    if token and scheme.lower() not in UNSIGNED_SCHEMES:
        return False
    names = [name.partition("=")[0] for name in request.query.split("&")]
    return not any(
        map(SIGNS.match, [*(name.lower() for name, _ in headers), *map(str.lower, names)])
    )


def with_request(entry: Entry, parsed: ParsedRequest, redactor: Redactor) -> Entry:
    """The entry with the request it answers, as that is kept to be shown and to be recorded."""
    asked = parsed.request
    counted = ((name, value) for name, value in asked.headers if name.lower() in READ_HEADERS)
    return replace(
        entry,
        request=_kept_body(parsed, redactor),
        url=_kept_url(asked),
        request_headers=Headers(counted),
    )


def _kept_body(parsed: ParsedRequest, redactor: Redactor) -> bytes:
    """Without what the redactor finds; b"" where it is too large."""
    if "content-encoding" in parsed.request.headers:
        body = json.dumps(parsed.body).encode()
    else:
        body = parsed.request.body
    if len(body) > MAX_KEPT_REQUEST_BYTES:
        return b""
    if redactor.finds(parsed.body):
        return json.dumps(redactor.value(parsed.body)).encode()
    return body


def _kept_url(request: Request) -> str:
    """Without what shows who is asking."""
    kept = "&".join(pair for pair in request.query.split("&") if not _is_credential(pair))
    return replace(request, target=f"{request.path}?{kept}" if kept else request.path).url


def _is_credential(pair: str) -> bool:
    name = unquote_plus(pair.partition("=")[0]).lower()
    # Presigned URLs have the others.
    return name in CREDENTIAL_PARAMETERS or name == "sig" or name.startswith("x-amz-")


def refusal(response: Response) -> str:
    """Why an answer may not be kept whatever is in it, or ""."""
    if response.status != 200:
        return f"status {response.status}"
    if not response.body:
        return "empty"
    if len(response.body) > MAX_ANSWER_BYTES:
        return "too-big"
    return ""


def refuses_credential(response: Response) -> bool:
    """Does the upstream refuse whoever is asking? Google says so with a 400."""
    if response.status == 400:
        return b"API_KEY_INVALID" in response.body
    return response.status in (401, 403)


def kept_headers(headers: Headers) -> Headers:
    """The headers of an answer that are still true when it is served again.

    What `Connection` names is dropped too (RFC 9110 §7.6.1).
    """
    named = {name.strip().lower() for name in headers.joined("connection").split(",")}
    return Headers(
        (name, value)
        for name, value in headers
        if name.lower() not in named and not DROPPED_HEADERS.match(name.lower())
    )
