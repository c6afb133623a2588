from __future__ import annotations

from pathlib import Path

import pytest

from khazad_mitm.cache.redaction import Redactor
from khazad_mitm.errors import ConfigError
from khazad_mitm.settings import from_mapping


def read(path: Path, text: str | bytes) -> Redactor:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return Redactor(from_mapping({"redact_file": str(path)}, environ={}).redact_file)


def test_each_line_names_what_is_put_in_place(tmp_path: Path) -> None:
    redactor = read(
        tmp_path / "r.yaml", "customer: 'cust_[0-9]+'\nticket: \"(?i)\\\\bcase-\\\\d+\"\n"
    )

    assert "[customer] has [ticket]" == redactor.text("cust_42 has Case-7")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "names nothing to look for"),
        ("- a", "names nothing to look for"),
        ("a: [", "line 2: "),
        ("a: 1", "a: 1 is no text"),
        ("a: '('", "a: no regular expression"),
        ("a: 'x*'", "finds something in an empty text"),
        (b"\xff", "is not UTF-8"),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, text: str | bytes, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint) as refused:
        read(tmp_path / "r.yaml", text)

    assert str(refused.value).startswith("redact_file: ")


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"redact_file: .*none cannot be read"):
        from_mapping({"redact_file": str(tmp_path / "none")}, environ={})
