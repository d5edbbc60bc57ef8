"""Names of features that speak of the label or of what is only known after it. A name raises a question; it proves nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable

from governance.prefill.column_names import plain_column

_TARGET = re.compile(r"(?:y|y true|target|label|outcome|ground truth|actual|class label|truth|response|dependent variable)")
_LATER = re.compile(
    r"\b(?:charge ?off|charged off|write ?off|written off|recover(?:y|ies|ed)|collections?|collected|settlement|settled|"
    r"chargeback|confirmed fraud|fraud confirmed|investigation|dispute(?:d)?|default date|date of default|days to default|"
    r"final status|loan status|closed date|closure|close reason|churn date|cancel(?:l?ed|l?ation) (?:date|reason|at)|"
    r"cause of death|date of death|death date|readmi(?:ssion|tted) date|claim paid|payout|"
    r"next (?:month|week|year|quarter)|following (?:month|year)|future|lead \d+|(?:after|post) (?:decision|outcome|event|default|"
    r"approval|treatment)|outcome|follow ?up)\b"
)


def suspicions(features: Iterable[str], label: str) -> tuple[list[str], list[str]]:
    """(features that are the label or are named like a target, features named like something known only afterwards)."""
    own = plain_column(label)
    target, later = [], []
    for name in features:
        words = plain_column(name)
        if not words:
            continue
        if _TARGET.fullmatch(words) or (own and _speaks_of(words, own)):
            target.append(name)
        elif _LATER.search(words):
            later.append(name)
    return target, later


def _speaks_of(words: str, label: str) -> bool:
    """The label itself, or the label with something before or behind it (`default flag`, `is default`), whole words only.

    A label named by a single letter or number says nothing inside other names.
    """
    if words == label:
        return True
    if len(label) < 4:
        return False
    rest = re.sub(rf"\b{re.escape(label)}\b", "", words, count=1).split()
    return len(rest) < len(words.split()) and set(rest) <= {
        "is", "has", "flag", "ind", "indicator", "code", "value", "target", "label", "outcome", "status", "encoded", "enc",
        "actual", "true", "next", "month", "yn", "bool", "int", "num", "final",
    }  # fmt: skip
