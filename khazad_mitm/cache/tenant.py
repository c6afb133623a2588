"""Who is asking: a digest of the caller's credential, never the credential.

By default the tenant is part of every key, so that no caller reads what another caller's key
has paid for. Where tenants share (`shared`, `header:NAME`), a caller is served hits only after
the upstream has accepted that very credential.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from urllib.parse import parse_qsl

from khazad_mitm.messages import Request

# Organisation and project choose whose account answers, beside the key itself.
ACCOUNT_HEADERS = ("openai-organization", "openai-project", "x-goog-user-project")
CREDENTIAL_HEADERS = re.compile(
    r"^(authorization|.*api-?key|.*-(authorization|token|subscription-key|virtual-key))$"
)
NOT_CREDENTIALS = ("proxy-authorization", "x-amz-security-token")
CREDENTIAL_PARAMETERS = ("key", "api_key", "api-key", "apikey", "access_token", "token")

# A SigV4 signature is new for each request; what stays is the access key id. It is no secret,
# which suffices on a loopback listener.
SIGV4 = re.compile(r"AWS4-HMAC-SHA256\s+Credential=([^/,\s]+)/")


@dataclass(frozen=True, slots=True)
class Tenant:
    name: str
    """Part of every key."""
    credential: str | None = None
    """Digest of a credential that must have been accepted before hits are served; None: no need."""


def tenant_of(request: Request, setting: str, secret: bytes) -> Tenant | None:
    """The tenant of a request under `setting` (see settings.tenant); None where it names none."""
    credential = _digest(secret, _credentials(request))
    if setting == "credential":
        return Tenant(credential)
    if setting == "shared":
        return Tenant("shared", credential)
    value = request.headers.get(setting.partition(":")[2])
    if not value:
        return None
    return Tenant(_digest(secret, [("header", value)]), credential)


def _credentials(request: Request) -> list[tuple[str, str]]:
    found = []
    for name, value in request.headers:
        lower = name.lower()
        if lower in NOT_CREDENTIALS:
            continue
        if lower in ACCOUNT_HEADERS or CREDENTIAL_HEADERS.match(lower):
            signed = SIGV4.match(value) if lower == "authorization" else None
            found.append((lower, signed[1] if signed else value))
    for name, value in parse_qsl(request.query, keep_blank_values=True):
        if name.lower() in CREDENTIAL_PARAMETERS:
            found.append((f"?{name.lower()}", value))
    return sorted(found)


def _digest(secret: bytes, pairs: list[tuple[str, str]]) -> str:
    text = repr(pairs).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, key=secret, digest_size=16).hexdigest()
