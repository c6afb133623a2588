"""The options about what lies in the store at rest: a part of the table in `settings`."""

from __future__ import annotations

from khazad_mitm import option_values as value
from khazad_mitm.option_values import Option

AT_REST: tuple[Option, ...] = (
    Option(
        "store_prompts",
        "str",
        "on",
        "`on`: keep requests and what was asked, for `explain`; `questions`: of each entry no more"
        " than the question that others are compared with; `off`: no word of a prompt, and no"
        " vector, so that only repeats of a whole request are answered",
        value.kept_prompts,
    ),
    Option(
        "redact",
        "list",
        "",
        "what is not kept, by its look: any of `keys`, `email`, `cards`, `iban`, or `all`. An"
        " answer that holds some is not stored, a prompt is stored without it (SECURITY.md). In"
        " Python functions of yours too, which take a text and give what may be kept of it",
        value.redacted,
    ),
    Option(
        "redact_file",
        "str",
        "",
        "a YAML file of `name: 'regular expression'`, for what else is not kept",
        value.redact_file,
    ),
    Option(
        "on_redact",
        "str",
        "store",
        "where a prompt holds some of that: `store` (the answer, and the prompt without it) or"
        " `skip` (nothing)",
        value.one_of(("store", "skip")),
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
