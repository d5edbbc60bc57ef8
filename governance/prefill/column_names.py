"""What column names say about people: protected attributes, likely proxies for them, and direct identifiers.

Names only raise questions; they never clear anything. A column called `x7` may hold anything, so no name ever means "none".
The attributes follow ECOA, Title VII and Article 9 GDPR.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

_PROTECTED: Mapping[str, str] = {
    "age": (
        r"age|ages|age (?:band|group|cat|category|bucket|years)|(?:band|group) age|birth ?(?:date|day|year)|"
        r"date of birth|dob|year of birth|yob|agep"
    ),
    "sex": r"sex|gender|female|male|is (?:male|female|woman|man)|pronouns?|title (?:mr|mrs|ms)|salutation",
    "race": r"race|racial|rac1p|is (?:black|white|asian|hispanic)|skin (?:colou?r|tone)|derived race",
    "ethnicity": r"ethnic|ethnicity|ethnic (?:group|origin)|hispanic|latino|latinx|derived ethnicity|tribe|caste",
    "religion": r"religion|religious|faith|church|denomination|belief",
    "marital_status": r"marital|marital status|marriage|married|is married|civil status|spouse|divorced|widowed|relationship",
    "nationality": (
        r"nationality|citizenship|citizen|foreign worker|native country|country of (?:birth|origin)|birth ?place|"
        r"place of birth|immigrant|immigration status|visa (?:type|status)|national origin"
    ),
    "disability": r"disab(?:ility|led)|handicap|impairment|wheelchair",
    "sexual_orientation": r"sexual orientation|orientation sexual|lgbt|lgbtq",
    "pregnancy": r"pregnan(?:t|cy|cies)|maternity|parental leave",
    "family_status": (
        r"family status|familial status|dependents?|dependants?|n ?children|num(?:ber)? (?:of )?children|children|"
        r"kids"
    ),
    "public_assistance": r"public assistance|welfare|benefits? recipient|social benefits?|food stamps|snap benefits?",
    "political_opinion": r"political|politics|party affiliation|voter",
    "union_membership": r"trade union|union member(?:ship)?",
    "genetic_data": r"genetic|genome|genotype|dna|family history of disease",
    "veteran_status": r"veteran(?: status)?|military service",
}
_PROXIES: Mapping[str, str] = {
    "place": (
        r"zip|zip ?code|post ?code|postal(?: ?code)?|plz|region(?: code)?|county|district|borough|neighbou?rhood|"
        r"census tract|tract|block group|city|town|fips|geohash|latitude|longitude|lat|lon|lng|ward|commune"
    ),
    "name": r"(?:first|last|given|family|middle|full|sur) ?name|surname|forename",
    "language": r"(?:native |first |preferred |mother )?language|mother tongue|accent|locale",
    "school": r"school|university|college|alma mater",
    "occupation": r"occupation|job title|profession",
}
_IDENTIFIERS: Mapping[str, str] = {
    "email": r"e ?mail|e ?mail ?address|mail address",
    "phone": r"phone|phone ?(?:number|no|nr)|telephone|mobile(?: ?number)?|cell ?phone|msisdn|fax",
    "national identifier": (
        r"ssn|social security(?: number| no)?|national ?(?:id|insurance number|insurance no)|nino|tax ?id|tin|sin|"
        r"aadhaar|personnummer|cpf|bsn|codice fiscale|nhs ?number|medicare (?:number|id)|mrn|"
        r"medical record(?: number)?"
    ),
    "passport or licence": r"passport(?: ?(?:number|no))?|driv(?:er|ers|ing) ?licen[cs]e(?: ?(?:number|no))?|licen[cs]e plate",
    "name": (
        r""
        r"(?:first|last|given|family|middle|full|sur|maiden|customer|client|patient|"
        r"applicant|borrower|person|employee|holder) ?name|"
        r"surname|forename|name"
    ),
    "address": r"address|street(?: ?(?:address|name))?|home ?address|address ?line ?\d?|house ?(?:number|no)",
    "date of birth": r"dob|date of birth|birth ?date|birth ?day",
    "bank account or card": (
        r"iban|bic|account ?(?:number|no)|card ?(?:number|no)|pan|credit ?card ?(?:number|no)|cvv|cvc|sort ?code|"
        r"routing ?number"
    ),
    "device or network": (
        r"ip|ip ?(?:address|addr)|mac ?(?:address|addr)|imei|imsi|device ?id|cookie ?id|advertising ?id|idfa|gaid"
    ),
    "precise location": r"latitude|longitude|lat|lon|lng|gps(?: ?(?:position|lat|lon|coordinates))?|geo ?location",
    "biometric": r"fingerprint|face ?(?:id|embedding|image)|iris ?scan|voice ?print|biometric",
    "person's identifier": (
        r"user ?name|login|customer ?id|client ?id|patient ?id|person ?id|applicant ?id|employee ?id|member ?id|"
        r"user ?id"
    ),
}


def _compile(table: Mapping[str, str]) -> dict[str, re.Pattern[str]]:
    return {name: re.compile(rf"(?:{pattern})") for name, pattern in table.items()}


_PROTECTED_PATTERNS = _compile(_PROTECTED)
_PROXY_PATTERNS = _compile(_PROXIES)
_IDENTIFIER_PATTERNS = _compile(_IDENTIFIERS)
_AFFIX = re.compile(
    r"^(?:applicant|customer|client|borrower|patient|person|personal|employee|user|cust|co applicant|holder) "
    r"| (?:\d{1,3}|code|cd|flag|encoded|enc|ohe|cat|std|scaled|norm|value)$"
)


def plain_column(name: str) -> str:
    """`ApplicantAge`, `applicant.age`, `AGE_` -> `applicant age`, `applicant age`, `age`."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name[:200])
    return re.sub(r"[^a-z0-9]+", " ", spaced.lower()).strip()


def _spellings(name: str) -> list[str]:
    """The plain name, and the same without a leading person or a trailing encoding (`applicant sex code` -> `sex`)."""
    found = [plain_column(name)]
    while True:
        shorter = _AFFIX.sub("", found[-1], count=1).strip()
        if not shorter or shorter == found[-1]:
            return found
        found.append(shorter)


def _first_words(spelling: str) -> list[str]:
    """One-hot columns repeat the attribute first: `sex female`, `race asian pac islander`."""
    head = spelling.split(" ", 1)[0]
    return [head] if head in {"sex", "gender", "race", "ethnicity", "religion", "marital", "nationality", "disability"} else []


def _matches(columns: Iterable[str], patterns: Mapping[str, re.Pattern[str]], *, heads: bool = False) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for column in columns:
        spellings = _spellings(column)
        candidates = spellings + [word for spelling in spellings for word in _first_words(spelling)] if heads else spellings
        for name, pattern in patterns.items():
            if any(pattern.fullmatch(words) for words in candidates):
                found.setdefault(name, []).append(column)
    return found


def protected_columns(columns: Iterable[str]) -> dict[str, list[str]]:
    """Protected attribute -> the columns whose names say it."""
    return _matches(columns, _PROTECTED_PATTERNS, heads=True)


def proxy_columns(columns: Iterable[str]) -> dict[str, list[str]]:
    """Kind of likely proxy -> the columns whose names say it."""
    return _matches(columns, _PROXY_PATTERNS)


def identifying_columns(columns: Iterable[str]) -> dict[str, list[str]]:
    """Kind of direct identifier -> the columns whose names say it."""
    return _matches(columns, _IDENTIFIER_PATTERNS)
