"""Where the keys come from that `seal` seals with: the environment, or a file that few can read.

A key is 32 random bytes in base64 (or 64 hex digits). Of several the first seals and all open, so
a key is changed by putting a new one first, and dropping the old one when what it sealed has
expired. Keys are no option: options stand on command lines and in mitmproxy's screens.
"""

from __future__ import annotations

import base64
import binascii
import os
import stat
from collections.abc import Iterable, Mapping

from khazad_mitm.errors import ConfigError
from khazad_mitm.store.seal import KEY_BYTES, Seal

VARIABLE = "KHAZAD_ENCRYPTION_KEY"
MAKE_ONE = "openssl rand -base64 32"

# A key is one line. What is larger is another file, named by mistake.
MOST_BYTES = 64 * 1024


def seal_of(
    key_file: str | None, namespace: str, environ: Mapping[str, str] = os.environ
) -> Seal | None:
    """What seals the entries of a namespace; None where no key is given.

    Raises ConfigError for a key that cannot be one, and for a file that others can read.
    """
    given = environ.get(VARIABLE, "").replace(",", " ").split()
    if given and key_file:
        raise ConfigError(
            f"khazad_encryption_key_file: {VARIABLE} is set too", "say where the keys are once"
        )
    if given:
        numbered = ((f"key {number}", text) for number, text in enumerate(given, 1))
        return Seal(tuple(_keys(VARIABLE, numbered)), namespace)
    if key_file:
        label = f"khazad_encryption_key_file: {key_file}"
        lines = enumerate(_read(label, key_file).splitlines(), 1)
        written = [
            (f"line {number}", text)
            for number, line in lines
            if (text := line.partition("#")[0].strip())
        ]
        if not written:
            raise ConfigError(f"{label} holds no key", f"make one: {MAKE_ONE}")
        return Seal(tuple(_keys(label, written)), namespace)
    return None


def _read(label: str, path: str) -> str:
    try:
        with open(path, encoding="ascii") as file:
            mode = os.fstat(file.fileno()).st_mode
            # Windows has other means, and no such bits.
            if os.name != "nt" and mode & (stat.S_IRWXO | stat.S_IWGRP):
                raise ConfigError(
                    f"{label} has mode {stat.S_IMODE(mode):04o}: others can get at it",
                    "chmod 600, or 640 for a group of its own; in Kubernetes defaultMode: 0440",
                )
            return file.read(MOST_BYTES)
    except OSError as error:
        raise ConfigError(f"{label} cannot be read ({error.strerror or error})") from error
    except UnicodeDecodeError:
        raise ConfigError(f"{label} is no text", f"keys are lines of base64: {MAKE_ONE}") from None


def _keys(label: str, given: Iterable[tuple[str, str]]) -> Iterable[bytes]:
    seen: set[bytes] = set()
    for place, text in given:
        key = _key(text)
        # The text is never repeated: it may be a key with a slip of the hand in it.
        if key is None:
            raise ConfigError(
                f"{label}: {place} is not {KEY_BYTES} bytes in base64 or hex",
                f"make one: {MAKE_ONE}",
            )
        if key in seen:
            raise ConfigError(f"{label}: {place} is a key that was given before")
        if len(set(key)) < 8:
            raise ConfigError(f"{label}: {place} is not random", f"make one: {MAKE_ONE}")
        seen.add(key)
        yield key


def _key(text: str) -> bytes | None:
    try:
        if len(text) == 2 * KEY_BYTES:
            return binascii.unhexlify(text)
        standard = text.replace("-", "+").replace("_", "/")
        key = base64.b64decode(standard.rstrip("=") + "=", validate=True)
    except (ValueError, binascii.Error):
        return None
    return key if len(key) == KEY_BYTES else None
