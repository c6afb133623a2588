"""The options about what lies in the store at rest: a part of the table in `settings`."""

from __future__ import annotations

from khazad_mitm import option_values as value
from khazad_mitm.option_values import Option

AT_REST: tuple[Option, ...] = (
    Option(
        "store_prompts",
        "bool",
        "true",
        "keep requests and what was asked, for `explain`; `false`: digests of them, and of each"
        " entry no more than the question that others are compared with",
        value.switch,
    ),
    Option(
        "encryption_key_file",
        "str",
        "",
        "a file of keys, one a line, with which what holds prompts or answers is encrypted in the"
        " store (SECURITY.md); or the keys in `KHAZAD_ENCRYPTION_KEY`",
        value.optional_text,
    ),
)
