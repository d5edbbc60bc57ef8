"""What personal data looks like: formats with a fixed shape or a checksum, and names of columns. No free-text guessing.

Left out on purpose, because they fire on ordinary numbers (GATES 2.8): undashed social security numbers, driver licences,
dates without a telling column name, local phone numbers without one.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

NAMED = 0.4
SURE = 0.5


@dataclass(frozen=True)
class Recogniser:
    """One kind of personal data. `confidence` as it stands; `share`: part of distinct values needed; `numeric`: also looked
    for in numbers.
    """

    kind: str
    matches: Callable[[str], bool]
    confidence: float
    share: float = 0.10
    numeric: bool = False
    support: str = ""


_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,5}")
_SSN = re.compile(r"(?!000|666|9\d\d)\d{3}-(?!00)\d{2}-(?!0000)\d{4}")
_E164 = re.compile(r"\+[1-9]\d{7,14}")
_PHONE = re.compile(r"\+?[\d\s().-]{8,20}")
_CARD = re.compile(r"\d[\d -]{11,21}\d")
_BRAND = re.compile(
    r"4\d{12}(\d{3})?(\d{3})?|5[1-5]\d{14}|2(22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|3[47]\d{13}|6(011|5\d\d|4[4-9]\d)\d{12}"
)
_IBAN = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}")


def luhn(digits: str) -> bool:
    """The checksum of payment cards."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def is_card(text: str) -> bool:
    """A number of a known card brand with a right checksum."""
    if not _CARD.fullmatch(text):
        return False
    digits = text.replace(" ", "").replace("-", "")
    return _BRAND.fullmatch(digits) is not None and luhn(digits)


def is_iban(text: str) -> bool:
    """An account number whose remainder by 97 is 1 (ISO 13616)."""
    compact = text.replace(" ", "").upper()
    if not _IBAN.fullmatch(compact):
        return False
    return int("".join(str(int(char, 36)) for char in compact[4:] + compact[:4])) % 97 == 1


def is_ip(text: str) -> bool:
    """An IPv4 address with four parts, or an IPv6 address."""
    if text.count(".") != 3 and text.count(":") < 2:
        return False
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


# A tenth of random card-like numbers passes Luhn, so numbers need half of the values; a name that says so lowers it to
# the common tenth.
RECOGNISERS = (
    Recogniser("e-mail address", lambda text: _EMAIL.fullmatch(text) is not None, 1.0),
    Recogniser("payment card number", is_card, 1.0, share=0.5, numeric=True, support=r"card|pan\b|credit.?card"),
    Recogniser("bank account number (IBAN)", is_iban, 1.0),
    Recogniser("IP address", is_ip, 0.6),
    Recogniser("US social security number", lambda text: _SSN.fullmatch(text) is not None, 0.85),
    Recogniser(
        "phone number", lambda text: _E164.fullmatch(text) is not None, NAMED, support=r"phone|mobile|tel\b|fax|contact|msisdn"
    ),
    Recogniser(
        "phone number",
        lambda text: _PHONE.fullmatch(text) is not None,
        NAMED,
        numeric=True,
        support=r"phone|mobile|tel\b|fax|msisdn|contact",
    ),
)

_NAMES: tuple[tuple[str, str], ...] = (
    ("e-mail address", r"e_?mail(_?addr(ess)?)?"),
    ("phone number", r"(tele|mobile_?|cell_?|home_?|work_?)?phone(_?(no|num|number))?|mobile_?(no|num|number)|msisdn"),
    ("social security number", r"ssn|social_?security(_?(no|num|number))?"),
    (
        "name of a person",
        r"(first|last|middle|given|family|full|sur|maiden|birth|legal|customer|client|patient|applicant|borrower|employee|contact|holder|owner|user)_?name",
    ),
    ("name of a person", r"surname|forename|fullname|username"),
    (
        "postal address",
        r"(street|home|postal|mailing|billing|shipping|residential|contact)_?(address|addr)|address(_?(line)?_?\d)?|street(_?name)?|house_?(no|number)",
    ),
    ("date of birth", r"dob|birth_?(date|day)|date_?of_?birth|d_?o_?b"),
    (
        "identity document",
        r"passport(_?(no|num|number))?|national_?id(_?(no|num|number))?|tax_?id|nino|nhs_?(no|num|number)|id_?card(_?(no|num|number))?",
    ),
    ("driver licence", r"driv(er|ing)s?_?licen[cs]e(_?(no|num|number))?|licen[cs]e_?plate"),
    ("bank or card number", r"iban|(credit_?)?card_?(no|num|number)|account_?(no|num|number)|pan_?number"),
    ("IP address", r"ip(v[46])?_?(addr(ess)?)|ip"),
    ("medical record number", r"mrn|medical_?record(_?(no|num|number))?"),
)
_COMPILED = tuple((kind, re.compile(rf"(.*[_\W])?({pattern})([_\W].*)?")) for kind, pattern in _NAMES)
# Endings that turn a telling name into a harmless one: counts, flags, lengths, hashes.
_HARMLESS = re.compile(
    r".*_(count|flag|len|length|age|days|type|domain|verified|present|missing|hash|hashed|sha256|score|change[sd]?|freq|known|is_valid)$|^(n|num|has|is|count)_.*"
)


def kind_by_name(column: str) -> str:
    """The kind of personal data that a column's name announces, or an empty text."""
    snake = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", column).lower().replace(" ", "_").replace("-", "_")
    if _HARMLESS.match(snake):
        return ""
    return next((kind for kind, pattern in _COMPILED if pattern.fullmatch(snake)), "")


_DIGEST = re.compile(
    r"(?:(?:sha\d+|md5|hmac)[:_$-])?(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{56}|[0-9a-f]{64}|[0-9a-f]{96}|[0-9a-f]{128})",
    re.IGNORECASE,
)
_BASE64 = re.compile(r"[A-Za-z0-9+/]{43}=")


def looks_hashed(values: Sequence[str]) -> bool:
    """Nine of ten values have the length and the letters of a hash (hexadecimal, or base64 of 32 bytes)."""
    hits = sum(_DIGEST.fullmatch(value) is not None or _BASE64.fullmatch(value) is not None for value in values)
    return bool(values) and hits >= 0.9 * len(values)


def supports(recogniser: Recogniser, column: str) -> bool:
    """Whether the column's name speaks for this kind."""
    return bool(recogniser.support) and re.search(recogniser.support, column.lower()) is not None


def mask(text: str) -> str:
    """The shape of a value without the value: letters become a, digits 9, runs are shortened. Never more than 24 characters."""
    shape = re.sub(r"[A-Za-zÀ-ɏ]+", "a", re.sub(r"\d+", "9", text))
    return re.sub(r"[^a9@.+\-: ]", "?", shape)[:24]
