"""How much of a red credit submission nobody has to type: the five samples as their tools wrote them, with what
follows from them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from governance.domain.facts import Fact, FactSet
from governance.domain.vocabulary import Assurance, Track
from governance.policy import asked, evaluate, load_pack, load_questionnaire
from governance.prefill.carry_over import carry_over
from governance.prefill.derive import derive
from governance.prefill.fact_types import check_value
from governance.prefill.reading import Reading, read_source
from tests.governance.prefill.conftest import METADATA

SAMPLES = (
    "mlflow-3.17.2.MLmodel.yaml",
    "mlflow-3.17.2.run.json",
    "mlflow-3.17.2.logged_model.json",
    "hf-model-card.README.md",
    "gx-1.24.1.validation_result.json",
)

FOUR = SAMPLES[:2] + SAMPLES[3:]
"""What the criterion names: MLmodel, run, model card and Great Expectations."""

PACK = Path(__file__).resolve().parents[3] / "governance" / "packs" / "questionnaires" / "ml_model.yaml"
FORM = load_questionnaire(PACK.read_text(encoding="utf-8"))

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
OPEN = [
    "decision.automated",
    "impact.financial",
    "data.contains_pii",
    "model.limitations",
    "rollout.strategy",
    "monitoring.plan",
]
"""What the four files cannot say, in the order of the pages."""


@dataclass(frozen=True)
class Share:
    """Filled of asked, and what is left to type."""

    title: str
    facts: FactSet

    @property
    def asked(self) -> list[str]:
        """What the shipped questionnaire asks about a submission of which these facts are known."""
        return [question.id for question in asked(FORM, self.facts)]

    @property
    def left(self) -> list[str]:
        return [name for name in self.asked if not any(fact.known for fact in self.facts.all(name))]

    @property
    def share(self) -> float:
        return 1 - len(self.left) / len(self.asked)

    def answered(self, values: dict[str, Any]) -> Share:
        """With what a person types on top, and the follow-ups this opens."""
        typed = [Fact(name, value, Assurance.DECLARED, "answer", "by dana") for name, value in values.items()]
        return Share(self.title, self.facts.with_facts(typed))

    def __str__(self) -> str:
        count = len(self.asked)
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
        nothing_before=champion is None,
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


def test_three_quarters_of_a_red_first_deployment_are_prefilled_from_files_alone(files: dict[str, bytes]) -> None:
    """MLmodel, run, card and GX as their tools wrote them, no champion, no registers, no `guiderail:` block."""
    share = _submission({name: files[name] for name in FOUR}, None, title="first deployment, four files alone")
    print(share)
    pack = load_pack((PACK.parents[1] / PACK.name).read_text(encoding="utf-8"), PACK.read_text(encoding="utf-8"))
    assert evaluate(pack, share.facts, pending=frozenset(pack.measured)).track is Track.RED
    assert share.share >= 0.75
    assert share.left == OPEN


def test_what_a_person_still_types_on_a_first_deployment(files: dict[str, bytes]) -> None:
    """Only what no file can know, its follow-ups included: at most eight answers without personal data, nine with it."""
    share = _submission({name: files[name] for name in FOUR}, None, title="first deployment, answered")
    typed = {name: ANSWERS[name] for name in OPEN}
    followed = share.answered(typed)
    assert followed.left == ["decision.reversible", "impact.people_per_month", "rollout.circuit_breaker"]
    assert share.answered(typed | {"data.contains_pii": True}).left[2] == "data.pii_approval"
    stops = share.answered(typed | {"monitoring.plan": [{"kind": "data_drift", "limit": 0.2, "stops": True}]})
    assert "rollout.circuit_breaker" in {fact.name for fact in derive_again(stops)}


def derive_again(share: Share) -> tuple[Fact, ...]:
    return derive(share.facts, champion=None, champion_version=None, approved_sources=[], approved_features=[], approvals={})


def test_with_a_champion_three_quarters_are_prefilled(files: dict[str, bytes], champion: FactSet) -> None:
    share = _submission(files, champion, carried=True, title="champion, its answers carried over")
    print(share)
    assert share.share >= 0.75
    assert share.left == ["model.threshold_change"]


def test_from_files_and_comparison_alone(files: dict[str, bytes], champion: FactSet) -> None:
    """Without one answer of the champion: what nobody but a person can say is left."""
    share = _submission(files, champion, title="champion, nothing carried over")
    print(share)
    at = OPEN.index("model.limitations")
    assert share.left == [*OPEN[:at], "model.threshold_change", *OPEN[at:]]


def test_registers_answer_for_the_sources(files: dict[str, bytes]) -> None:
    known = _submission(files, None, registers=True, title="first deployment, sources in the registers")
    print(known)
    assert known.left == [name for name in OPEN if name != "data.contains_pii"]
    assert known.facts.value("data.pii_approval")


def test_only_where_nothing_was_ever_approved_the_way_back_is_known(files: dict[str, bytes]) -> None:
    """A champion that was revoked or expired was there: then a person says where to return to."""
    facts = FactSet.of(fact for name in FOUR for fact in read_source(name, files[name]).facts)
    found = derive(facts, champion=None, champion_version=None, approved_sources=[], approved_features=[], approvals={})
    assert "rollout.rollback_target" not in {fact.name for fact in found}


def test_a_card_and_a_tag_block_close_the_gap_of_a_first_deployment(files: dict[str, bytes]) -> None:
    """What the convention is for: nine lines beside the model, and nobody types anything."""
    block = {name: value for name, value in ANSWERS.items() if name != "model.limitations"}
    written = files[SAMPLES[0]].replace(b"metadata:\n", b"metadata:\n  guiderail: " + json.dumps(block).encode() + b"\n")
    card = files[SAMPLES[3]] + b"\n\n## Limitations\n\nNot for business loans.\n"
    share = _submission({**files, SAMPLES[0]: written, SAMPLES[3]: card}, None, title="first deployment, with the convention")
    print(share)
    assert share.left == []


def test_every_prefilled_answer_shows_where_it_comes_from(files: dict[str, bytes], champion: FactSet) -> None:
    facts = _submission(files, champion, registers=True, carried=True, title="").facts
    filled = [fact for question in asked(FORM, facts) for fact in facts.all(question.id) if fact.known]
    assert len(filled) > 30
    assert all(fact.origin and fact.locator for fact in filled)
    assert all(fact.digest for fact in filled if fact.origin in SAMPLES)


def test_the_same_files_give_the_same_facts(files: dict[str, bytes], champion: FactSet, sample: Callable[[str], Reading]) -> None:
    one = _submission(files, champion, title="").facts
    other = _submission(dict(reversed(files.items())), champion, title="").facts
    assert one.to_json() == other.to_json()
