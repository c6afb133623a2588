"""What in a text looks as if it should not be kept: keys, e-mail addresses, card numbers, IBANs.

By look alone: a name, an address or a diagnosis has none. Each has a pattern, and numbers their
own check digits, so that a date, a price or an order number is not taken for one.
Sources, read November 2026: ISO/IEC 7812 (cards), ISO 13616 and the registry of SWIFT (IBAN).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_EDGE = r"(?<![A-Za-z0-9_-])"
KEY_LOOKS = re.compile(
    rf"{_EDGE}(?:%s)"
    % "|".join(
        (
            r"sk-(?:[a-z]+-)*[A-Za-z0-9_-]{20,}",  # OpenAI, Anthropic, OpenRouter, DeepSeek
            r"AIza[0-9A-Za-z_-]{30,}",  # Google
            r"ya29\.[0-9A-Za-z_-]{20,}",
            r"(?:AKIA|ASIA)[0-9A-Z]{16}(?![0-9A-Za-z])",  # AWS
            r"(?:hf|gsk|xai|pplx|r8|csk|nvapi|dapi|fw|tgp_v1|pa|voy)[_-][A-Za-z0-9_-]{28,}",
            r"gh[opsu]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{30,}|glpat-[A-Za-z0-9_-]{20,}",
            r"xox[abeprs]-[A-Za-z0-9-]{20,}",
            r"eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}",  # a JWT
            r"(?:org|proj|user)-[A-Za-z0-9]{20,}",
            r"proj_[A-Za-z0-9]{20,}",
        )
    )
)
_SECRET = re.compile(
    rf"{KEY_LOOKS.pattern}"
    r"|(?i:\bbearer\s+)[A-Za-z0-9._~+/=-]{16,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]*(?:-----END [A-Z ]*PRIVATE KEY-----)?"
)
# The local part is bounded, and begins at an edge: a text of letters alone is read once.
_EMAIL = re.compile(
    r"(?<![\w.%+-])[\w.%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}(?![A-Za-z0-9-])"
)
# Not inside a decimal fraction: vectors and log probabilities are full of long ones.
_DIGITS = re.compile(r"(?<![\w.])\d(?:[ -]?\d)+(?!\w)")
_GROUP = re.compile(r"\d+")
# First digits, and how many there are in all.
_ISSUERS = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})"  # Visa
    r"|(?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}"  # Mastercard
    r"|3[47]\d{13}"  # American Express
    r"|(?:6011|65\d\d|64[4-9]\d)\d{12,15}|62\d{14,17}|3(?:0[0-5]|[68]\d)\d{11}|35\d{14}"
)
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}")
# Fixed for each country.
_IBAN_LENGTHS = {
    country: int(length)
    for length, countries in (
        entry.split(":")
        for entry in (
            "15:NO 16:BE 18:DK,FI,FK,FO,GL,NL,SD 19:MK,SI 20:AT,BA,EE,KZ,LT,LU,MN,XK"
            " 21:CH,HR,LI,LV 22:BG,BH,CR,DE,GB,GE,IE,ME,RS,VA 23:AE,GI,IL,IQ,OM,SO,TL"
            " 24:AD,CZ,ES,MD,PK,RO,SA,SE,SK,TN,VG 25:LY,PT,ST 26:IS,TR 27:BI,DJ,FR,GR,IT,MC,MR,SM"
            " 28:AL,AZ,BY,CY,DO,GT,HN,HU,LB,NI,PL,SV 29:BR,EG,PS,QA,UA 30:JO,KW,MU,YE 31:MT,SC"
            " 32:LC 33:RU"
        ).split()
    )
    for country in countries.split(",")
}


@dataclass(frozen=True, slots=True)
class Look:
    """One thing that is looked for."""

    name: str
    spans: Callable[[str], Iterator[tuple[int, int]]]
    """Where it stands in a text, from left to right, without overlap."""


def of_pattern(name: str, pattern: re.Pattern[str]) -> Look:
    return Look(name, lambda text: (found.span() for found in pattern.finditer(text)))


def _emails(text: str) -> Iterator[tuple[int, int]]:
    if "@" in text:
        yield from (found.span() for found in _EMAIL.finditer(text))


def _cards(text: str) -> Iterator[tuple[int, int]]:
    """Card numbers, with spaces or hyphens between groups, also among other numbers."""
    for run in _DIGITS.finditer(text):
        groups = [group.span() for group in _GROUP.finditer(text, *run.span())]
        first = 0
        while first < len(groups):
            digits = ""
            for last in range(first, len(groups)):
                group = text[slice(*groups[last])]
                digits += group
                # Cards are printed in groups of 4, 5 or 6; of 3 where 19 digits end.
                if len(digits) > 19 or len(group) < 3:
                    break
                if _ISSUERS.fullmatch(digits) and _luhn(digits):
                    yield groups[first][0], groups[last][1]
                    first = last
                    break
            first += 1


def _ibans(text: str) -> Iterator[tuple[int, int]]:
    for found in _IBAN.finditer(text):
        length = _IBAN_LENGTHS.get(found[0][:2], 0)
        places = [place for place, sign in enumerate(found[0]) if sign != " "][:length]
        if not length or len(places) < length:
            continue
        end = found.start() + places[-1] + 1
        is_whole = not text[end : end + 1].isalnum()
        if is_whole and _is_97_1("".join(found[0][place] for place in places)):
            yield found.start(), end


def _luhn(digits: str) -> bool:
    """Is the check digit right? (ISO/IEC 7812-1, annex B)"""
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(map(int, digits[-1::-2])) + sum(doubled)) % 10 == 0


def _is_97_1(iban: str) -> bool:
    """Are the check digits right? (ISO 13616, by ISO 7064 MOD 97-10)"""
    return int("".join(str(int(sign, 36)) for sign in iban[4:] + iban[:4])) % 97 == 1


LOOKS = {
    look.name: look
    for look in (
        of_pattern("keys", _SECRET),
        Look("email", _emails),
        Look("cards", _cards),
        Look("iban", _ibans),
    )
}
