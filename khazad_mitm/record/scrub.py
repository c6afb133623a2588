"""What must not be in a file: taken out before anything is written, and looked for once more.

`Scrubber` replaces what is known to be a secret; it also replaces what it replaced (twice is
once), so that a request to be played is scrubbed in the same way and compared with what is on
file. `suspects` looks for what merely looks like one: such a file is not written at all.

Credentials are known three ways: by the header or query parameter that carries them, by the name
of a JSON field, and by their look. The very credentials of a call are replaced wherever they
appear in it, whatever they look like.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from urllib.parse import unquote_plus

from khazad_mitm.cache.policy import READ_HEADERS
from khazad_mitm.cache.sensitive import KEY_LOOKS
from khazad_mitm.exchange import Json
from khazad_mitm.messages import Headers, Request

SCRUBBED = "SCRUBBED"

# Of a request only what says how to read it, or counts in matching. Every other header is the
# client's own business, and may be a secret under a name nobody can know.
KEPT_OF_REQUEST = READ_HEADERS

# Of an answer all but what belongs to the connection, to the body as it was coded, or to the
# network between. Rate limits and `retry-after` stay: an error is not the same without them.
DROPPED_OF_ANSWER = re.compile(
    r"connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|content-length"
    r"|content-encoding|content-md5|set-cookie|alt-svc|via|report-to|reporting-endpoints|nel"
    r"|cf-.*|age|cache-status|x-khazad-.*|strict-transport-security|x-content-type-options"
    r"|access-control-.*|server-timing"
)
_IDENTITY = re.compile(
    r".*(organi[sz]ation|project|account|tenant|workspace|user)(-id)?|.*-org(-id)?"
)

CREDENTIAL_HEADERS = (
    *("authorization", "x-api-key", "api-key", "x-goog-api-key", "proxy-authorization", "cookie"),
    *("x-amz-security-token", "openai-organization", "openai-project", "x-goog-user-project"),
    *("ocp-apim-subscription-key", "cf-aig-authorization", "x-portkey-api-key"),
)
CREDENTIAL_PARAMETERS = frozenset(
    {"key", "api_key", "api-key", "apikey", "access_token", "token", "subscription-key", "sig"}
) | {"x-amz-signature", "x-amz-credential", "x-amz-security-token"}

# Not `token`: that is a piece of text in log probabilities.
_FIELDS = (
    r"api[_-]?key|apikey|authorization|passw(?:or)?d|secret|client[_-]?secret|access[_-]?token"
    r"|refresh[_-]?token|id[_-]?token|auth[_-]?token|private[_-]?key|secret[_-]?access[_-]?key"
    r"|aws[_-]?secret[_-]?access[_-]?key|session[_-]?token|x-api-key"
)
_SECRET_FIELD = re.compile(rf'("(?:{_FIELDS})"\s*:\s*")(?!{SCRUBBED}")(?:[^"\\]|\\.)+(")', re.I)

_BEARER = re.compile(r"(?i)\b(bearer\s+)(?!SCRUBBED)[A-Za-z0-9._~+/=-]{16,}")

# What a person must look at: it may be an example in a prompt, or the key to the house.
_SUSPECT = (
    ("a private key", re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY")),
    ("a password in a URL", re.compile(r"\b[a-z][a-z0-9+]{1,15}://[^\s/:@\"']+:(?!SCRUBBED@)[^\s/@\"'{}<>$]{3,}@")),
    (
        "an assigned key",
        re.compile(
            r"(?i)\b(?:api[_-]?key|secret(?:[_-]?key)?|access[_-]?token|passw(?:or)?d)\b"
            r"[\"']?\s*[:=]\s*[\"']?(?=[A-Za-z_-]*[0-9])(?!SCRUBBED)[A-Za-z0-9_/+=-]{20,}"
        ),
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Scrubber:
    """The rules, with those the user added."""

    patterns: tuple[tuple[re.Pattern[str], str], ...] = ()
    """The user's: expression and what to put in its place."""
    headers: frozenset[str] = frozenset()
    """Of answers: replaced by name, in lower case."""
    keeps: frozenset[str] = frozenset()
    """Headers of requests that are kept beside the usual ones, in lower case."""
    fields: tuple[re.Pattern[str], ...] = dataclass_field(default=())
    """Of JSON, made by `field_pattern`."""

    def request(self, request: Request, secrets: tuple[str, ...] | None = None) -> Request:
        """The request as it may be written; idempotent. `secrets`: its own, where known."""
        secrets = secrets_of(request) if secrets is None else secrets
        kept = (
            (name.lower(), self.text(value, secrets))
            for name, value in request.headers
            if name.lower() in KEPT_OF_REQUEST or name.lower() in self.keeps
        )
        return Request(
            request.method,
            request.scheme,
            request.host,
            request.port,
            self.text(_without_credentials(request.target), secrets),
            _grouped(kept),
            self.body(request.body, secrets),
        )

    def answer_headers(self, headers: Headers, secrets: tuple[str, ...] = ()) -> Headers:
        named = {name.strip().lower() for name in headers.joined("connection").split(",")}
        kept = []
        for spelt, value in headers:
            name = spelt.lower()
            if name in named or DROPPED_OF_ANSWER.fullmatch(name):
                continue
            is_secret = name in self.headers or name in CREDENTIAL_HEADERS
            if is_secret or _IDENTITY.fullmatch(name):
                kept.append((name, SCRUBBED))
            else:
                kept.append((name, self.text(value, secrets)))
        return _grouped(kept)

    def body(self, data: bytes, secrets: tuple[str, ...] = ()) -> bytes:
        """Bytes that are no text are changed nowhere but in what is ASCII: latin-1 says so."""
        try:
            text, coding = data.decode(), "utf-8"
        except UnicodeDecodeError:
            text, coding = data.decode("latin-1"), "latin-1"
        clean = self.text(text, secrets)
        return data if clean == text else clean.encode(coding, "replace")

    def text(self, text: str, secrets: Iterable[str] = ()) -> str:
        for secret in secrets:
            text = text.replace(secret, SCRUBBED)
        text = _SECRET_FIELD.sub(rf"\g<1>{SCRUBBED}\g<2>", text)
        text = _BEARER.sub(rf"\g<1>{SCRUBBED}", text)
        text = KEY_LOOKS.sub(SCRUBBED, text)
        for pattern in self.fields:
            text = pattern.sub(rf"\g<1>{SCRUBBED}\g<2>", text)
        for pattern, put in self.patterns:
            text = pattern.sub(put, text)
        return text


def field_pattern(name: str) -> re.Pattern[str]:
    """Finds the value of a JSON field of this name, where that is a text."""
    return re.compile(rf'("{re.escape(name)}"\s*:\s*")(?!{SCRUBBED}")(?:[^"\\]|\\.)+(")')


def secrets_of(request: Request) -> tuple[str, ...]:
    """The credentials of a call, as they stand in its head."""
    found = []
    for name in CREDENTIAL_HEADERS:
        for value in request.headers.get_all(name):
            scheme, _, token = value.strip().partition(" ")
            # A SigV4 header is a list of things; its parts are known by their look.
            found.append(token.strip() if token and not scheme.startswith("AWS4") else value)
    for pair in request.query.split("&"):
        name, _, value = pair.partition("=")
        if unquote_plus(name).lower() in CREDENTIAL_PARAMETERS:
            found.append(unquote_plus(value))
    # Shorter ones are words: replacing `test` or `dummy` everywhere would tear texts apart.
    return tuple(secret for secret in dict.fromkeys(found) if len(secret) >= 12)


def suspects(document: Json, where: str = "") -> Iterator[str]:
    """What in a document looks like a secret, each with its place: `request.body.json.prompt`."""
    match document:
        case str():
            for what, pattern in _SUSPECT:
                if pattern.search(document):
                    yield f"{where.lstrip('.')}: {what}"
            if KEY_LOOKS.search(document):
                yield f"{where.lstrip('.')}: a key"
        case dict():
            for name, item in document.items():
                yield from suspects(item, f"{where}.{name}")
        case list():
            for number, item in enumerate(document):
                yield from suspects(item, f"{where}[{number}]")


def _grouped(fields: Iterable[tuple[str, str]]) -> Headers:
    """Repeated fields one after another, as a mapping holds them."""
    values: dict[str, list[str]] = {}
    for name, value in fields:
        values.setdefault(name, []).append(value)
    return Headers((name, value) for name, all_of in values.items() for value in all_of)


def _without_credentials(target: str) -> str:
    path, mark, query = target.partition("?")
    pairs = []
    for pair in query.split("&"):
        name, is_set, _ = pair.partition("=")
        hides = is_set and unquote_plus(name).lower() in CREDENTIAL_PARAMETERS
        pairs.append(f"{name}={SCRUBBED}" if hides else pair)
    return path + mark + "&".join(pairs)
