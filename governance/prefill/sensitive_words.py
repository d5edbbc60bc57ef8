"""What a data set's documentation says about people in it.

Such words only ever raise a question: "contains e-mail addresses" is a fact, "contains nothing personal" is an assurance, and
that is for a person to give.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from governance.domain.facts import Fact
from governance.prefill.column_names import protected_columns
from governance.prefill.source import Problem, Source, shown

_DENIES = re.compile(
    r"^\W*(?:none|no|nil|not|n/?a|nothing|false|unknown|tbd)\b|\b(?:not|never|without|neither|no)\b|n't\b"
    r"|\b(?:anonymi[sz]ed|de-?identified|synthetic|removed|redacted)\b",
    re.IGNORECASE,
)
_PARTS = re.compile(r"[,;/\n]|\band\b", re.IGNORECASE)
_LONGEST = 4_000


def sensitive_facts(statements: list[tuple[str, str]], source: Source) -> Iterator[Fact | Problem]:
    """Facts from (words, place) about sensitive or personal data; a statement that denies it is named and is no fact."""
    says = [(words[:_LONGEST], place) for words, place in statements if not _DENIES.search(words[:_LONGEST])]
    for words, place in statements:
        if _DENIES.search(words[:_LONGEST]):
            detail = f"{shown(words)} may say that there is no personal data. A file cannot give that assurance:"
            yield source.advice(place, f"{detail} answer it in the form.")
    if not says:
        return
    places = "; ".join(dict.fromkeys(place for _, place in says))
    yield source.fact("data.contains_pii", True, places)
    found = protected_columns(part.strip() for words, _ in says for part in _PARTS.split(words))
    if found:
        yield source.fact("data.protected_attributes", list(found), places)
