"""What a model's purpose suggests: the high-risk domain its words name, and the regimes that may apply there.

Only domains that make a submission stricter are ever suggested from words. A harmless domain is never guessed: an unanswered
question leads to the stricter side, a wrong guess would not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_KEYWORDS: Mapping[str, str] = {
    "credit": r"""credit(?!\s+(?:to|goes|for|where|note|notes|memo)\b)|creditworthiness|loans?|lend(?:ing|ers?)|mortgages?|
        overdrafts?|
        probability\ of\ default|default\ (?:risk|prediction|probability)|buy\ now\ pay\ later|bnpl|affordability|borrowers?|
        adverse\ action|fico""",
    "insurance": r"""insurance|insurers?|insured|actuarial|policyholders?|underwriting|
        claims?\ (?:handling|triage|severity|frequency)|
        premium\ (?:setting|calculation)|reinsurance""",
    "health": r"""health(?!\s+(?:checks?|endpoints?|probes?)\b)|healthcare|patients?|clinical|clinicians?|medical|medicine|
        hospitals?|diagnos(?:is|es|tic|tics)|diabetes|
        cancer|tumou?rs?|triage|readmission|mortality|sepsis|icu|icd|symptoms?|disease|treatment\ (?:plan|recommendation)|
        radiology""",
    "hiring": r"""hiring|hire|recruit(?:ing|ment|er|ers)?|resumes?\ screening|cv\ screening|r[ée]sum[ée]s|
        job\ (?:applicants?|applications?|matching)|
        applicant\ (?:tracking|ranking)|candidate\ (?:ranking|screening|selection)|promotion\ decisions?|
        employee\ (?:performance|evaluation)|
        attrition\ of\ employees|workforce""",
    "fraud": r"""fraud|fraudulent|anti\ money\ laundering|money\ laundering|aml|chargebacks?|
        suspicious\ (?:activity|transactions?)|
        sanctions\ screening|identity\ theft|account\ takeover""",
    "pricing": r"""pricing|price\ (?:setting|optimi[sz]ation|elasticity|personali[sz]ation)|dynamic\ prices?|
        personali[sz]ed\ prices?|
        surge\ prices?|willingness\ to\ pay|discount\ (?:setting|optimi[sz]ation)""",
}
_PATTERNS = {domain: re.compile(rf"\b(?:{words})\b", re.VERBOSE) for domain, words in _KEYWORDS.items()}
_NEGATED = re.compile(
    r"\b(?:not|never|no|nor|without|except|excluding|unlike|out of scope|prohibited|forbidden|unsuitable)\b|n't\b"
)
_SENTENCE = re.compile(r"[.;!?\n]+\s*")
_MAX_TEXT = 20_000

HIGH_RISK = frozenset(_KEYWORDS)

REGIMES: Mapping[str, str] = {
    "EU-AI-ACT": "EU AI Act, Regulation (EU) 2024/1689",
    "GDPR": "GDPR, Regulation (EU) 2016/679",
    "US-REG-B": "Equal Credit Opportunity Act, Regulation B (12 CFR 1002)",
    "US-FCRA": "Fair Credit Reporting Act (15 U.S.C. 1681)",
    "US-MRM": "SR 26-2, model risk management of banks (replaces SR 11-7)",
    "US-TITLE-VII": "Civil Rights Act of 1964, Title VII",
    "NYC-LL144": "New York City Local Law 144 of 2021, automated employment decision tools",
    "US-CO-ADMT": "Colorado, automated decision-making technology",
    "US-NAIC-AI": "NAIC Model Bulletin on the use of AI systems by insurers",
    "US-HIPAA": "HIPAA Privacy and Security Rules (45 CFR 160, 164)",
    "US-ACA-1557": "Affordable Care Act, section 1557 (45 CFR 92.210, patient care decision support tools)",
    "EU-MDR": "EU Medical Device Regulation (EU) 2017/745",
    "EU-CRD": "EU Consumer Rights Directive 2011/83/EU, Article 6(1)(ea), personalised prices",
}

REGIMES_BY_DOMAIN: Mapping[str, Mapping[str, str]] = {
    "credit": {
        "EU-AI-ACT": "Annex III 5(b): creditworthiness of natural persons",
        "GDPR": "Article 22: solely automated decisions",
        "US-REG-B": "no discrimination; reasons for adverse action",
        "US-FCRA": "accuracy of consumer reports; adverse action notices",
        "US-MRM": "where the lender is a bank",
    },
    "insurance": {
        "EU-AI-ACT": "Annex III 5(c): risk and price in life and health insurance",
        "GDPR": "Article 22: solely automated decisions",
        "US-NAIC-AI": "governance and testing of AI systems by insurers",
    },
    "health": {
        "EU-AI-ACT": "Article 6(1) with the device rules; Annex III 5(d): emergency triage",
        "EU-MDR": "software as a medical device",
        "GDPR": "Article 9: health data",
        "US-HIPAA": "protected health information",
        "US-ACA-1557": "no discrimination by care decision tools",
    },
    "hiring": {
        "EU-AI-ACT": "Annex III 4: employment",
        "GDPR": "Article 22: solely automated decisions",
        "NYC-LL144": "yearly bias audit",
        "US-TITLE-VII": "selection procedures",
        "US-CO-ADMT": "consequential decisions",
    },
    "fraud": {
        "GDPR": "Article 22: solely automated decisions",
        "US-MRM": "where the operator is a bank",
    },
    "pricing": {"EU-CRD": "consumers are told of personalised prices"},
}


def plain_words(words: str) -> str:
    """Lower-case words: `creditRisk_v2` -> `credit risk v2`."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", words[:_MAX_TEXT])
    return re.sub(r"[_\-/\\\s]+", " ", spaced).lower()


def domain_hits(words: str) -> dict[str, list[str]]:
    """Domain -> the keywords found, without sentences that say what a model is *not* for."""
    found: dict[str, list[str]] = {}
    for sentence in _SENTENCE.split(words[:_MAX_TEXT]):
        plain = plain_words(sentence)
        if _NEGATED.search(plain):
            continue
        for domain, pattern in _PATTERNS.items():
            hits = pattern.findall(plain)
            if hits:
                found.setdefault(domain, []).extend(hits)
    return found


def suggested_domain(words: str) -> tuple[str, str] | None:
    """The high-risk domain the words name most often, with the keywords; None when they name none.

    Ties go by the order of the table. Pricing is suggested only alone: with a person reviewing it is less strict than the others.
    """
    hits = domain_hits(words)
    if len(hits) > 1:
        hits.pop("pricing", None)
    if not hits:
        return None
    order = list(_PATTERNS)
    domain = max(hits, key=lambda name: (len(hits[name]), -order.index(name)))
    return domain, ", ".join(dict.fromkeys(hits[domain]))
