"""Whether the model's card says what people need to know: use, limits, assumptions, owner. From the facts; needs no file."""

from __future__ import annotations

import re
from typing import Any

from gates.collecting import Collected, Inputs
from gates.spec import Measure
from governance.domain.vocabulary import EvidenceRole

NAME = "documentation"
TITLE = "Reading the model's card"
VERSION = 1
HEAVY = False
IN_PROCESS = True
REQUIRES: tuple[EvidenceRole, ...] = ()
OPTIONAL: tuple[EvidenceRole, ...] = ()
USES_FACTS = ("model.intended_use", "business.context", "model.limitations", "model.assumptions", "system.owner", "model.name")

# Field -> (facts that may hold it, fewest characters). Assumptions usually stand in the limitations or context sections
# of a card.
FIELDS: dict[str, tuple[tuple[str, ...], int]] = {
    "intended_use": (("model.intended_use", "business.context"), 20),
    "limitations": (("model.limitations",), 20),
    "assumptions": (("model.assumptions",), 20),
    "owner": (("system.owner",), 2),
}
_PLACEHOLDER = re.compile(
    r"\[?\s*(more information needed|tbd|to ?do|n/?a|none|unknown|lorem ipsum|fixme|xxx+|\.\.\.|-+|\?+)\s*\]?\.?", re.IGNORECASE
)
_ASSUMES = re.compile(
    r"\bassum(e|es|ed|ing|ption|ptions)\b|\bpresuppos|\bonly (valid|holds|applies)\b|\bprovided that\b|\bas long as\b",
    re.IGNORECASE,
)


def collect(inputs: Inputs) -> Collected:
    """One 0/1 measure per field (`documentation.<field>`), with what is wrong in its text."""
    measures = [_field(inputs, name, facts, shortest) for name, (facts, shortest) in FIELDS.items()]
    return Collected(measures=tuple(measures))


def _field(inputs: Inputs, name: str, facts: tuple[str, ...], shortest: int) -> Measure:
    texts = [words(inputs.facts.get(fact)) for fact in facts]
    if name == "assumptions" and not any(texts):
        others = " ".join(
            words(inputs.facts.get(fact)) for fact in ("model.limitations", "business.context", "model.intended_use")
        )
        texts = [others] if _ASSUMES.search(others) else []
    told = next((text for text in texts if text), "")
    if not told:
        return Measure(f"documentation.{name}", 0.0, text=f"{name.replace('_', ' ')}: nothing is said")
    if _PLACEHOLDER.fullmatch(told):
        return Measure(f"documentation.{name}", 0.0, text=f"{name.replace('_', ' ')}: a placeholder (“{told[:40]}”)")
    if len(told) < shortest:
        return Measure(
            f"documentation.{name}", 0.0, text=f"{name.replace('_', ' ')}: only “{told}”, {shortest} characters are the least"
        )
    return Measure(f"documentation.{name}", 1.0, detail={"characters": len(told)})


def words(value: Any) -> str:
    """A fact as one line of text: lists are joined, blanks folded."""
    if value is None or isinstance(value, bool):
        return ""
    text = "; ".join(str(part) for part in value) if isinstance(value, list | tuple) else str(value)
    return re.sub(r"\s+", " ", text).strip()
