from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khazad_mitm.cache.redaction import Redactor
from khazad_mitm.cache.sensitive import LOOKS
from tests.strategies import texts

ALL = Redactor(tuple(LOOKS.values()))
# Numbers that their issuers publish for tests, and the IBANs of the registry's examples.
CARDS = [
    *("4111111111111111", "4111 1111 1111 1111", "5555-5555-5555-4444", "2223003122003222"),
    *("378282246310005", "3782 822463 10005", "6011111111111117", "30569309025904"),
    *("3530111333300000", "6200000000000005", "4222222222222"),
]
IBANS = [
    *("DE89370400440532013000", "DE89 3704 0044 0532 0130 00", "GB29 NWBK 6016 1331 9268 19"),
    *("FR1420041010050500013M02606", "NO9386011117947", "MT84MALT011000012345MTLCAST001S"),
    "BE68539007547034",
]
EMAILS = [
    *("alice@example.com", "a.b+c_d%e@mail.example.co.uk", "bob@x-y.museum", "ünal@example.de"),
]
KEYS = [
    "sk-proj-" + "aB3_" * 12,
    "AKIA" + "ABCD" * 4,
    "Authorization: Bearer 0123456789abcdef",
    "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----",
]


@pytest.mark.parametrize(
    ("look", "text"),
    [(look, text) for look, of in
     (("cards", CARDS), ("iban", IBANS), ("email", EMAILS), ("keys", KEYS)) for text in of],
)  # fmt: skip
def test_it_is_found_by_itself_and_among_other_words(look: str, text: str) -> None:
    found = Redactor((LOOKS[look],))

    assert f"[{look}]" in found.text(text)
    for around in ("Pay {} now.", "({})", '{{"a":"{}"}}', "12 {} 7,", "x: {}\n", "<{}>", "{}."):
        clean = found.text(around.format(text))
        assert f"[{look}]" in clean, around
        assert text not in clean
        assert clean == found.text(clean)


@pytest.mark.parametrize(
    "text",
    [
        "4111111111111112",  # its check digit is wrong
        "1732492800123",  # milliseconds
        "-0.4539578793939999, 0.4111111111111111",
        "order 4111-1111",
        "2024-11-25 10:30:00 and 2024-11-26 11:31:01",
        "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16",
        "+49 (0)30 1234567, 192.168.100.200",
        "a4111111111111111, 4111111111111111b",
        "DE88370400440532013000",
        "DE89 3704 0044 0532 0130 0",
        "XX89370400440532013000",
        "RS232 AND OTHER STANDARDS OF THE TIME",
        "a @ b, @handle, user@localhost, x@y, @media screen",
        "from a.b import c; a.b@c",
        "risk-averse-investors-who-ask-too-much-of-others",
        "the bearer of this letter is a gentleman",
        "",
    ],
)
def test_what_only_resembles_it_is_left_alone(text: str) -> None:
    assert text == ALL.text(text)


def test_several_are_found_and_what_is_between_them_stays() -> None:
    said = "mail a@b.co or c@d.org, card 4111 1111 1111 1111 5555 5555 5555 4444, IBAN " + IBANS[1]

    assert "mail [email] or [email], card [cards] [cards], IBAN [iban]" == ALL.text(said)


def test_what_follows_an_iban_is_no_part_of_it() -> None:
    assert "[iban] FOR RENT" == ALL.text(f"{IBANS[1]} FOR RENT")


@given(texts | st.text(st.sampled_from("0123456789 -.@DE89aZ_\u0663"), max_size=80))
def test_whatever_the_text_nothing_is_raised_and_twice_is_once(text: str) -> None:
    once = ALL.text(text)

    assert once == ALL.text(once)


@pytest.mark.parametrize(
    "text", ["a" * 1_000_000, "4 " * 200_000, "a@" * 200_000, "9" * 200_000, "AB12" * 200_000,
             "a." * 300_000 + "@", "sk-" * 200_000, "-----BEGIN " * 50_000]
)  # fmt: skip
def test_no_text_takes_long(text: str) -> None:
    started = time.process_time()
    ALL.text(text)

    # A tenth of this is usual; what grows with the square of the length would take minutes.
    assert time.process_time() - started < 10
