"""How much of a red credit submission nobody has to type: the five samples as their tools wrote them, with what
follows from them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from governance.domain.facts import Fact, FactSet
from governance.domain.vocabulary import Assurance
from governance.prefill.carry_over import carry_over
from governance.prefill.derive import derive
from governance.prefill.fact_types import FACT_TYPES, check_value
from governance.prefill.reading import Reading, read_source
from tests.governance.prefill.conftest import METADATA

SAMPLES = (
    "mlflow-3.17.2.MLmodel.yaml",
    "mlflow-3.17.2.run.json",
    "mlflow-3.17.2.logged_model.json",
    "hf-model-card.README.md",
    "gx-1.24.1.validation_result.json",
)

ALWAYS = [
    "decision.domain",
    "decision.automated",
    "decision.affects_customers",
    "decision.reversible",
    "impact.financial",
    "impact.people_per_month",
    "regulation.regimes",
    "data.sources",
    "data.new_sources",
    "data.contains_pii",
    "data.protected_attributes",
    "data.consent_basis",
    "data.snapshot_date",
    "model.architecture",
    "model.architecture_changed",
    "model.framework",
    "model.serialization",
    "model.features",
    "model.new_features",
    "model.unapproved_features",
    "model.decision_threshold",
    "performance.metric",
    "performance.candidate",
    "rollout.strategy",
    "rollout.rollback_target",
    "rollout.circuit_breaker",
    "monitoring.plan",
    "business.context",
    "model.limitations",
    "system.owner",
    "training.code_commit",
    "training.run_id",
    "evaluation.dataset_digest",
]
OPTIONAL = ("cost.per_1k_predictions", "vendor.third_party")
WITH_A_CHAMPION = ("model.threshold_change", "performance.baseline", "performance.relative_change")

ANSWERS = {
    "decision.automated": True,
    "decision.reversible": True,
    "impact.financial": "high",
    "impact.people_per_month": 12_000,
    "data.consent_basis": "contract",
    "data.contains_pii": False,
    "model.decision_threshold": 0.5,
    "model.limitations": "Not for business loans.",
    "rollout.strategy": "gradual",
    "rollout.circuit_breaker": True,
    "monitoring.plan": [{"kind": "data_drift", "limit": 0.2}],
}


def asked(facts: FactSet) -> list[str]:
    """The required questions of a submission of which `facts` are known: automated, so nobody reviews; no canary."""
    names = [*ALWAYS]
    if facts.value("champion.exists"):
        names += WITH_A_CHAMPION
    if facts.value("data.contains_pii") is True:
        names.append("data.pii_approval")
    if facts.value("rollout.strategy") in {"canary", "ab_test"}:
        names.append("rollout.traffic_percent")
    return names


@dataclass(frozen=True)
class Share:
    """Filled of asked, and what is left to type."""

    title: str
    facts: FactSet

    @property
    def left(self) -> list[str]:
        return [name for name in asked(self.facts) if not any(fact.known for fact in self.facts.all(name))]

    @property
    def share(self) -> float:
        return 1 - len(self.left) / len(asked(self.facts))

    def __str__(self) -> str:
        count = len(asked(self.facts))
        filled = f"{count - len(self.left)} of {count} asked questions are prefilled ({self.share:.0%})"
        return f"{self.title}: {filled}; to type: {', '.join(self.left)}"


def _submission(
    files: dict[str, bytes], champion: FactSet | None, *, registers: bool = False, carried: bool = False, title: str
) -> Share:
    facts = FactSet.of(fact for name, data in files.items() for fact in read_source(name, data).facts)
    found = derive(
        facts,
        champion=champion,
        champion_version="2.2.0" if champion else None,
        approved_sources=["s3://bucket/", "acme/credit"] if registers else [],
        approved_features=[],
        approvals={"s3://bucket/": "DG-2026-014", "acme/credit": "DG-2026-014"} if registers else {},
    )
    facts = facts.with_facts(found)
    if carried and champion is not None:
        facts = facts.with_facts(carry_over(facts, champion, "2.2.0"))
    return Share(title, facts)


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    return {name: (METADATA / name).read_bytes() for name in SAMPLES}


@pytest.fixture(scope="module")
def champion(files: dict[str, bytes]) -> FactSet:
    """The version before: the same tools' files with an older run, and the answers it was approved with."""
    older = {
        name: data.replace(b"0.9228326373434023", b"0.9128326373434023").replace(b"cfb9fffd", b"0ldf00d0")
        for name, data in files.items()
    }
    facts = _submission(older, None, title="champion").facts
    return facts.with_facts(Fact(name, value, Assurance.DECLARED, "dana", "answer") for name, value in ANSWERS.items())


def test_answers_of_the_champion_are_of_their_types() -> None:
    assert all(check_value(name, value) == (value, "") for name, value in ANSWERS.items())
    assert set(ALWAYS) | set(OPTIONAL) | set(WITH_A_CHAMPION) <= set(FACT_TYPES)


def test_with_a_champion_three_quarters_are_prefilled(files: dict[str, bytes], champion: FactSet) -> None:
    share = _submission(files, champion, carried=True, title="champion, its answers carried over")
    print(share)
    assert share.share >= 0.75
    assert len(share.left) <= 8
    assert share.left == ["model.threshold_change"]


def test_from_files_and_comparison_alone(files: dict[str, bytes], champion: FactSet) -> None:
    """Without one answer of the champion: what nobody but a person can say is left."""
    share = _submission(files, champion, title="champion, nothing carried over")
    print(share)
    assert share.left == [
        "decision.automated",
        "decision.reversible",
        "impact.financial",
        "impact.people_per_month",
        "data.contains_pii",
        "data.consent_basis",
        "rollout.strategy",
        "rollout.circuit_breaker",
        "monitoring.plan",
        "model.limitations",
        "model.threshold_change",
    ]


def test_on_a_first_deployment(files: dict[str, bytes]) -> None:
    bare = _submission(files, None, title="first deployment, files alone")
    known = _submission(files, None, registers=True, title="first deployment, sources in the registers")
    print(bare)
    print(known)
    assert bare.share >= 0.66
    assert set(known.left) < set(bare.left)
    assert "data.contains_pii" not in known.left
    assert "data.pii_approval" not in known.left


def test_a_card_and_a_tag_block_close_the_gap_of_a_first_deployment(files: dict[str, bytes]) -> None:
    """What the convention is for: nine lines beside the model, and nobody types anything."""
    block = {name: value for name, value in ANSWERS.items() if name != "model.limitations"} | {
        "rollout.rollback_target": "first version"
    }
    written = files[SAMPLES[0]].replace(b"metadata:\n", b"metadata:\n  guiderail: " + json.dumps(block).encode() + b"\n")
    card = files[SAMPLES[3]] + b"\n\n## Limitations\n\nNot for business loans.\n"
    share = _submission({**files, SAMPLES[0]: written, SAMPLES[3]: card}, None, title="first deployment, with the convention")
    print(share)
    assert share.left == []


def test_every_prefilled_answer_shows_where_it_comes_from(files: dict[str, bytes], champion: FactSet) -> None:
    facts = _submission(files, champion, registers=True, carried=True, title="").facts
    filled = [fact for name in asked(facts) for fact in facts.all(name) if fact.known]
    assert len(filled) > 30
    assert all(fact.origin and fact.locator for fact in filled)
    assert all(fact.digest for fact in filled if fact.origin in SAMPLES)


def test_the_same_files_give_the_same_facts(files: dict[str, bytes], champion: FactSet, sample: Callable[[str], Reading]) -> None:
    one = _submission(files, champion, title="").facts
    other = _submission(dict(reversed(files.items())), champion, title="").facts
    assert one.to_json() == other.to_json()
