"""What holds prompts or answers, as it lies in Redis where the user has given keys.

Sealed by XAES-256-GCM: AES-256-GCM under a key derived for each message from a random nonce of 24
bytes, so that no count of messages is too many for one key (plain AES-GCM with random nonces is
good for 2^32). The name of the Redis key is authenticated along: what was moved to another key, or
to another namespace, does not open.
Source: C2SP XAES-256-GCM, read November 2026; NIST SP 800-38D for AES-GCM.

Knows nothing of Redis, nor of what it seals. Needs `cryptography`, loaded with the first key.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

from khazad_mitm.errors import MissingExtra

KEY_BYTES = 32
NONCE_BYTES = 24
KEY_ID_BYTES = 4

# No version of `codec`, and with it a sealed entry is none to whoever has no key.
MARK = b"\xe5"
_HEAD_BYTES = len(MARK) + KEY_ID_BYTES + NONCE_BYTES


class Seal:
    """Seals with the first key, opens with any. Thread-safe."""

    def __init__(self, keys: Sequence[bytes], namespace: str) -> None:
        """`keys`: at least one, of KEY_BYTES each. Raises MissingExtra without `cryptography`."""
        self._keys = tuple(map(_Key.of, keys))
        self._namespace = namespace.encode("utf-8", "surrogatepass")
        self._lock = Lock()
        self.unopened = 0
        """How often something was met that no key opens."""

    @property
    def key_ids(self) -> tuple[str, ...]:
        """What tells the keys apart, for people; says nothing of the keys themselves."""
        return tuple(key.id.hex() for key in self._keys)

    def close(self, name: str, plain: bytes) -> bytes:
        """`plain` as it may lie under this name."""
        key, nonce = self._keys[0], secrets.token_bytes(NONCE_BYTES)
        sealed = key.cipher(nonce).encrypt(nonce[12:], plain, self._bound(name))
        return b"".join((MARK, key.id, nonce, sealed))

    def open(self, name: str, sealed: bytes) -> bytes | None:
        """What was closed under this name, or None, which is counted: no key opens it, it was
        changed or moved, or it was never sealed."""
        opened = self._opened(name, sealed)
        if opened is None:
            self._count()
        return opened

    def mark(self, name: str, text: str) -> str:
        """What shows that `text`, which may be read, was written under this name by us."""
        return self._keys[0].mark(self._bound(name), text)

    def bears(self, name: str, text: str, mark: str) -> bool:
        """Is it the mark of this text? Where it is not, that is counted as in `open`."""
        # As bytes: texts that are not ASCII cannot be compared so.
        bound, given = self._bound(name), mark.encode()
        if any(hmac.compare_digest(key.mark(bound, text).encode(), given) for key in self._keys):
            return True
        self._count()
        return False

    def is_of_first_key(self, sealed: bytes) -> bool:
        return sealed[len(MARK) : len(MARK) + KEY_ID_BYTES] == self._keys[0].id

    def _count(self) -> None:
        with self._lock:
            self.unopened += 1

    def _opened(self, name: str, sealed: bytes) -> bytes | None:
        from cryptography.exceptions import InvalidTag

        if len(sealed) < _HEAD_BYTES or not sealed.startswith(MARK):
            return None
        id_, nonce = sealed[1 : 1 + KEY_ID_BYTES], sealed[1 + KEY_ID_BYTES : _HEAD_BYTES]
        for key in self._keys:
            if key.id == id_:
                try:
                    opened: bytes = key.cipher(nonce).decrypt(
                        nonce[12:], sealed[_HEAD_BYTES:], self._bound(name)
                    )
                except (InvalidTag, OverflowError):
                    continue
                return opened
        return None

    def _bound(self, name: str) -> bytes:
        return b"\0".join((b"khazad", self._namespace, name.encode("utf-8", "surrogatepass")))


@dataclass(frozen=True, slots=True)
class _Key:
    id: bytes
    secret: bytes
    mask: int
    """The subkey of CMAC with which all derived keys are masked (K1 in NIST SP 800-38B)."""

    @classmethod
    def of(cls, secret: bytes) -> _Key:
        id_ = hashlib.blake2b(secret, digest_size=KEY_ID_BYTES, person=b"khazad key id").digest()
        zero = int.from_bytes(_aes(secret, bytes(16)), "big")
        doubled = (zero << 1) % 2**128
        return cls(id_, secret, doubled ^ 0x87 if zero >> 127 else doubled)

    def cipher(self, nonce: bytes) -> Any:
        """AES-GCM under the key that belongs to the first half of this nonce."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        blocks = (b"\0\1X\0" + nonce[:12], b"\0\2X\0" + nonce[:12])
        masked = (int.from_bytes(block, "big") ^ self.mask for block in blocks)
        derived = _aes(self.secret, b"".join(block.to_bytes(16, "big") for block in masked))
        return AESGCM(derived)

    def mark(self, bound: bytes, text: str) -> str:
        digest = hashlib.blake2b(key=self.secret, digest_size=16, person=b"khazad mark")
        digest.update(len(bound).to_bytes(8, "big") + bound + text.encode())
        return digest.hexdigest()

    def __repr__(self) -> str:
        return f"_Key({self.id.hex()})"


def _aes(key: bytes, blocks: bytes) -> bytes:
    try:
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
    except ImportError as error:
        raise MissingExtra("encryption at rest", "encryption") from error
    # Not a way to encrypt anything: AES itself, from which a key is derived.
    encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305
    made: bytes = encryptor.update(blocks)
    return made
