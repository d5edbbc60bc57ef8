"""The three lint messages, word for word."""

from __future__ import annotations

from typing import Any

from governance.domain.facts import Fact, FactSet
from governance.domain.vocabulary import Assurance
from governance.policy import Advice, advice, evaluate, load_pack
from tests.governance.policy.cases import PACK_TEXT, facts, pack, statement


def given(changes: dict[str, Any], *more: Fact) -> tuple[Advice, ...]:
    found = facts(changes, *more)
    return advice(pack(), found, evaluate(pack(), found))


def test_accuracy_difference_between_groups() -> None:
    (one,) = given({"fairness.accuracy_difference": 0.15, "impact.financial": "high"})
    assert one.says == "This model shows 15% accuracy difference between demographic groups. Review bias mitigation strategies."
    assert (one.code, one.severity, one.blocks_at, one.learn) == ("GF105", "high", "checks", "/gates/GF105")
    (named,) = given({}, statement("fairness.accuracy_difference", 0.10, Assurance.MEASURED, locator="sex: female, male"))
    assert "demographic groups (sex: female, male). Review" in named.says and named.blocks_at == ""
    assert given({"fairness.accuracy_difference": 0.0999}) == ()
    assert given({"fairness.accuracy_difference": "much"}) == ()


def test_personal_data() -> None:
    (one,) = given({"data.contains_pii": True})
    assert one.says == "Training data includes PII. Confirm data governance approval."
    assert one.asks == "data.pii_approval" and one.blocks_at == "review"
    assert given({"data.contains_pii": True}, statement("data.pii_approval_registered", True, Assurance.REGISTRY)) == ()


def test_only_a_register_quiets_the_message() -> None:
    assert len(given({"data.contains_pii": True}, statement("data.pii_approval_registered", True, Assurance.DECLARED))) == 1


def test_worse_than_the_champion() -> None:
    (one,) = given({"performance.relative_change": -0.2})
    assert one.says == "Model performance is 20% worse than current production model. Provide justification."
    assert one.asks == "business.context" and one.to_json()["value"] == -0.2
    assert given({"performance.relative_change": -0.1999}) == () == given({"performance.relative_change": 0.3})


def test_the_most_serious_first_and_limits_from_the_pack() -> None:
    found = given({"data.contains_pii": True, "performance.relative_change": -0.3})
    assert [item.code for item in found] == ["GP101", "GD103"]
    without = load_pack(
        PACK_TEXT.replace("limits: {warn_change: 0.05, max_drop: 0.20}", "limits: {warn_change: 0.05, max_drop: 0.40}")
    )
    rows = FactSet.of([statement("performance.relative_change", -0.3)])
    assert advice(without, rows, evaluate(without, rows)) == ()
    bare = load_pack(PACK_TEXT[: PACK_TEXT.index("gates:\n")] + "gates: []\n")
    assert [item.code for item in advice(bare, rows, evaluate(bare, rows))] == ["GP101"]
