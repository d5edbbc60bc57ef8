"""A decision in words: each sentence from a fact, nothing beside them, what is missing said to be missing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from governance.domain.decision import ComparisonView, DecisionView, DifferenceView, PermitView
from governance.domain.decision_facts import FactView, ProvenanceView, QuestionCounts, StatementView
from governance.domain.decision_gates import GateView
from governance.domain.decision_review import ConditionView, SignOffView
from governance.policy.narrative import narrative

AT = datetime(2026, 11, 3, 9, 30, tzinfo=UTC)


def fact(name: str, value: Any, origin: str = "MLmodel") -> FactView:
    return FactView(name, name, False, (StatementView(value, ProvenanceView("prefilled", 2, "read from a file", origin, "")),))


def gate(code: str, verdict: str, says: str, *, blocking: bool = True, group: str = "") -> GateView:
    return GateView(
        code=code, name=code, title=code, verdict=verdict, blocking=blocking, observed=None, interval=None, limit="", n=None,
        metric="", group=group, says=says, fix="", notes=(), learn="", risk="", read_by="", mode="", needs_reading=False,
    )  # fmt: skip


def signed(role: str, decision: str, **more: Any) -> SignOffView:
    return SignOffView(
        id=1, step=1, revision=1, role=role, role_label=role, by="Amir", decision=decision, meaning="", comment="",
        accepted_instead="", readings=(), dossier_digest="", policy_digest="", at=AT, voided_at=more.pop("voided_at", None),
        voided_why="", residual_risk=more.pop("residual_risk", ""), **more,
    )  # fmt: skip


EMPTY = DecisionView(
    id=7, submission="S-7", url="", unit="Lending", system="credit-default", system_name="Credit default", system_purpose="",
    system_owner="", kind="ml_model", version="2.3.0", artifact_digest="", environment="production", champion="",
    champion_submission="", submitter="Dana", contributors=(), revision=1, revision_note="", created_at=AT, submitted_at=AT,
    closed_at=None, context="", state="in_review", state_words="in review", final=False, turn=(), turn_since=None, due_at=None,
    overdue=False, claimed_by="", track="", track_is_final=True, track_says="", reasons=(), held=(), would_change=(), steps=(),
    gates=(), runs=(), questions=QuestionCounts(0, 0, 0, ()), answers=(), facts=(), missing_evidence=(), evidence=(), sources=(),
    findings=(), change_items=(), conditions=(), sign_offs=(), history=(), since_last_revision=None, against_champion=None,
    permit=None, actions=(), policy=None, dossier_digest="",
)  # fmt: skip

FULL = replace(
    EMPTY,
    track="red",
    track_says="This deployment requires ML Governance Analyst review because: makes credit decisions.",
    context="Ranks card applications.\nUsed daily.",
    artifact_digest="sha256:" + "a" * 64,
    facts=(
        fact("decision.domain", "credit"),
        fact("decision.automated", False),
        fact("decision.human_review", "the loan desk"),
        fact("regulation.regimes", ["US-REG-B", "US-MRM"]),
        fact("data.sources", ["s3://lake/applications", "s3://lake/bureau"]),
        fact("training.run_id", "1f2e"),
    ),
    gates=(
        gate("GP101", "pass", "auc is 0.81 against 0.80, +1.3%, limit 5%."),
        gate("GF101", "pass", "The lowest ratio is 0.93 (women), limit 0.80."),
        gate("GF105", "warn", "Accuracy of the old is 4 points lower.", blocking=False),
        gate("GX101", "fail", "Agreement of the reasons is 0.41, limit 0.70."),
        gate("GX103", "warn", "One of ten explanations has no reason.", blocking=False),
    ),
    against_champion=ComparisonView(
        "2.2.0",
        "2 differences.",
        (
            DifferenceView("features", "model.features", ["a"], ["a", "b"], "added: b"),
            DifferenceView("thresholds", "model.decision_threshold", 0.5, 0.45),
        ),
    ),
    sign_offs=(
        signed(
            "risk officer",
            "approve_with_conditions",
            rationale="It is better.",
            residual_risk="Small groups",
            residual_level="low",
        ),
        signed("ML Governance Analyst", "approve", rationale="every group gains"),
        signed("ML Governance Analyst", "reject", voided_at=AT),
    ),
    conditions=(ConditionView(1, "Watch the old weekly", "Dana", date(2026, 12, 1), "the permit is revoked", None, False),),
    permit=PermitView("p", "production", AT, datetime(2027, 2, 1, tzinfo=UTC), None, "", True),
)

TOLD = [
    "Credit default 2.3.0 is handed in for production by Dana (Lending). It makes decisions about credit. A "
    "person looks first: “the loan desk”. Regulations it names: US-REG-B, US-MRM. In the words of who handed it "
    "in: “Ranks card applications. Used daily”. Its track is red.",
    "Against 2.2.0: features added: b; decision threshold from 0.5 to 0.45.",
    "2 of 5 gates pass; not so GF105 warn, GX101 fail, GX103 warn. Change of performance, GP101: auc is 0.81 "
    "against 0.80, +1.3%, limit 5%. Worst group, GF105: Accuracy of the old is 4 points lower. Least stable "
    "explanation, GX101: Agreement of the reasons is 0.41, limit 0.70.",
    "Amir (ML Governance Analyst) approved on 3 November 2026, because “every group gains”. Amir (risk officer) "
    "approved with conditions on 3 November 2026, because “It is better”; remaining risk (low): “Small groups”. "
    "On condition: “Watch the old weekly”, Dana, due on 1 December 2026; if missed: “the permit is revoked”. The "
    "permit for production holds until 1 February 2027.",
    "It was made from s3://lake/applications, s3://lake/bureau (MLmodel). It was trained in run 1f2e (MLmodel). "
    "What is deployed is the build sha256:aaaaaaaaaaaa… Not recorded: the digest of its training data, its code "
    "commit, the digest of its evaluation data.",
]


def test_a_decided_case_is_told_from_its_facts() -> None:
    assert [passage.text for passage in narrative(FULL)] == TOLD


def test_what_nobody_recorded_is_said_to_be_missing() -> None:
    purpose, changed, measured, decided, lineage = (passage.text for passage in narrative(EMPTY))
    assert purpose.endswith("What it decides about is not recorded.")
    assert changed == "There is no version in force to compare it with."
    assert measured == "No gate judged it."
    assert decided == "Nobody has decided yet; it is in review."
    assert lineage.startswith("Not recorded: its data sources, the digest of its training data")


def test_it_says_the_same_each_time_and_bounds_what_people_wrote() -> None:
    long = replace(FULL, context="word " * 2_000)
    assert narrative(long) == narrative(long)
    assert len(narrative(long)[0].text) < 1_000
    turned = replace(FULL, gates=tuple(reversed(FULL.gates)))
    worst = [passage.text.partition("Change of performance")[2] for passage in (narrative(FULL)[2], narrative(turned)[2])]
    assert worst[0] == worst[1], "the worst one does not depend on the order of the rows"


def test_the_policy_is_named_where_nobody_had_to_decide() -> None:
    green = replace(
        EMPTY, state="approved", track="green", gates=(gate("GF101", "not_applicable", "It decides about no people."),)
    )
    texts = [passage.text for passage in narrative(green)]
    assert "The policy approved it" in texts[3]
    assert "Worst group: not applicable, It decides about no people." in texts[2]
    assert "Least stable explanation: no gate of this kind judged it." in texts[2]
