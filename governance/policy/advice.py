"""Advice before submission: what a gate or a reviewer will say anyway, said early. It blocks nothing and records nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from governance.domain.facts import FactSet
from governance.domain.vocabulary import Assurance, Severity, Track
from governance.policy.assessment import Assessment
from governance.policy.conditions import as_number
from governance.policy.evaluating import Pack
from governance.policy.stages import WARN

WORSE_BY = 0.20
"""Where a drop against the champion asks for a justification, unless the pack's GP101 says otherwise."""

UNEVEN_BY = 0.10
"""Where a difference in accuracy between groups is worth saying, unless the pack's GF105 says otherwise."""


@dataclass(frozen=True)
class Advice:
    """One message.

    `blocks_at`: the stage at which it would stop the submission, "" when it never does; `asks`: the question that answers it.
    """

    code: str
    severity: Severity
    says: str
    blocks_at: str
    fix: str
    learn: str
    about: str
    value: Any
    asks: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "code": self.code,
            "severity": self.severity.value,
            "says": self.says,
            "blocks_at": self.blocks_at,
            "fix": self.fix,
            "learn": self.learn,
            "about": self.about,
            "value": self.value,
            "asks": self.asks,
        }


def advice(pack: Pack, facts: FactSet, assessment: Assessment) -> tuple[Advice, ...]:
    """The messages for these facts, the most serious first. Nothing known gives no message: gaps are asked elsewhere."""
    found = (_uneven(pack, facts, assessment), _personal(facts), _worse(pack, facts), *_announced(assessment))
    order = (Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW)
    return tuple(sorted((item for item in found if item is not None), key=lambda item: order.index(item.severity)))


def _uneven(pack: Pack, facts: FactSet, assessment: Assessment) -> Advice | None:
    name = "fairness.accuracy_difference"
    value = _largest(facts, name)
    if value is None or value < _limit(pack, "GF105", "max_difference", UNEVEN_BY, assessment.track):
        return None
    blocks = any(plan.code == "GF105" and plan.blocking for plan in assessment.gates)
    groups = _groups(facts, name)
    return Advice(
        "GF105",
        Severity.HIGH,
        f"This model shows {value * 100:.3g}% accuracy difference between demographic groups{groups}. "
        "Review bias mitigation strategies.",
        "checks" if blocks else "",
        "Look at the groups' sizes and error rates, then reweigh, add data for the worse group, or set the threshold anew.",
        "/gates/GF105",
        name,
        value,
    )


def _personal(facts: FactSet) -> Advice | None:
    found = any(fact.value is True for fact in facts.all("data.contains_pii"))
    approvals = [fact.value for fact in facts.all("data.pii_approval_registered") if fact.assurance >= Assurance.REGISTRY]
    # the same as TR-050: only a register can say that it is approved
    if not found or (approvals and all(value is True for value in approvals)):
        return None
    return Advice(
        "GD103",
        Severity.MEDIUM,
        "Training data includes PII. Confirm data governance approval.",
        "review",
        "Name the approval, or ask the data steward: the privacy step of the review is theirs.",
        "/gates/GD103",
        "data.contains_pii",
        True,
        "data.pii_approval",
    )


def _worse(pack: Pack, facts: FactSet) -> Advice | None:
    name = "performance.relative_change"
    numbers = [number for fact in facts.all(name) if (number := as_number(fact.value)) is not None]
    if not numbers or -min(numbers) < _limit(pack, "GP101", "max_drop", WORSE_BY, Track.RED):
        return None
    value = min(numbers)
    return Advice(
        "GP101",
        Severity.HIGH,
        f"Model performance is {-value * 100:.3g}% worse than current production model. Provide justification.",
        "review",
        "Say why this version should replace a better one; the reviewer reads it first.",
        "/gates/GP101",
        name,
        value,
        "business.context",
    )


def _announced(assessment: Assessment) -> Iterator[Advice]:
    """Rules that warn and do not count yet: said now, so that nobody is surprised on the day."""
    for row in assessment.checked:
        stages = row.rule.stages
        if row.stage == WARN and row.would is not None and stages is not None:
            from_when = f"From {stages.block_from} this makes it" if stages.block_from else "Later this will make it"
            yield Advice(
                row.rule.id,
                Severity.LOW,
                f"{from_when} {row.would} track: {row.says}",
                "",
                row.rule.change.text if not row.rule.change.names else row.rule.title,
                f"/learn/{row.rule.learn}",
                row.rule.about,
                row.value,
            )


def _largest(facts: FactSet, name: str) -> float | None:
    return max((number for fact in facts.all(name) if (number := as_number(fact.value)) is not None), default=None)


def _groups(facts: FactSet, name: str) -> str:
    best = facts.best(name)
    return f" ({best.locator})" if best is not None and best.locator else ""


def _limit(pack: Pack, gate: str, name: str, usual: float, track: Track) -> float:
    use = next((use for use in pack.gates if use.gate == gate), None)
    given = as_number(use.limits_for(track).get(name)) if use is not None else None
    return usual if given is None else given
