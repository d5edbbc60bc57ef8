"""Three kinds, differentiated controls: which gates each gets, the baseline all share, and the same fact judged by kind."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from gates.registry import gates
from gates.services.judging import verdict_of
from gates.spec import Measured
from governance.domain.facts import Fact, FactSet
from governance.domain.vocabulary import Assurance, Kind, Role, Track, Verdict
from governance.policy import Assessment, Pack, evaluate, load_pack
from tests.governance.policy.cases import PACKS, facts, pack

BASELINE = {"GR102", "GR105", "GR106", "GA105", "GA106"}
APPLICATION: dict[str, Any] = {
    "app.exposure": "internal",
    "app.data_classes": ["internal"],
    "change.touches": [],
    "impact.outage": "low",
    "regulation.regimes": [],
    "data.contains_pii": False,
    "system.first_deployment": False,
    "rollout.rollback_minutes": 4,
    "gates.unsettled": [],
}
PIPELINE: dict[str, Any] = {
    "pipeline.feeds_decisions": False,
    "pipeline.schema_change": "none",
    "regulation.regimes": [],
    "data.contains_pii": False,
    "data.new_sources": [],
    "system.first_deployment": False,
    "cost.over_budget": False,
    "gates.unsettled": [],
}
USUAL = {Kind.APPLICATION: APPLICATION, Kind.DATA_PIPELINE: PIPELINE}


@cache
def pack_for(kind: Kind) -> Pack:
    questions = PACKS / "questionnaires" / f"{kind}.yaml"
    return load_pack((PACKS / f"{kind}.yaml").read_text(encoding="utf-8"), questions.read_text(encoding="utf-8"))


def told(values: dict[str, Any]) -> FactSet:
    return FactSet.of(Fact(name, value, Assurance.FILE, "ci.json") for name, value in values.items())


def judged(kind: Kind, **changes: Any) -> Assessment:
    values = {**USUAL[kind], **{name.replace("__", "."): value for name, value in changes.items()}}
    return evaluate(pack_for(kind), told(values))


def codes_of(kind: Kind, track: Track) -> set[str]:
    return {plan.code for plan in pack_for(kind).gate_plans[track, ""]}


@pytest.mark.parametrize("track", list(Track))
@pytest.mark.parametrize("kind", [Kind.ML_MODEL, Kind.APPLICATION, Kind.DATA_PIPELINE])
def test_the_baseline_stands_on_every_track_of_every_kind(kind: Kind, track: Track) -> None:
    """Digest, format, scan results, secrets and the way back; each one blocks."""
    plans = {plan.code: plan for plan in pack_for(kind).gate_plans[track, ""]}
    wanted = BASELINE | ({"GR101"} if kind == Kind.ML_MODEL else {"GA101"})
    assert wanted <= set(plans)
    assert all(plans[code].blocking for code in wanted)
    assert all(kind in gates()[code].kinds for code in wanted)


def test_an_application_gets_its_ci_gates_and_none_of_a_model() -> None:
    codes = codes_of(Kind.APPLICATION, Track.GREEN)
    assert {"GA102", "GA103", "GA104", "GA105", "GA106", "GA107", "GA108"} <= codes
    assert not {code for code in codes if code.startswith(("GP", "GF", "GX", "GM", "GE", "GD"))}


def test_a_pipeline_gets_quality_lineage_freshness_and_cost_and_none_of_a_model() -> None:
    codes = codes_of(Kind.DATA_PIPELINE, Track.GREEN)
    assert {"GD101", "GL101", "GL102", "GL103"} <= codes
    assert not {code for code in codes if code.startswith(("GP", "GF", "GX", "GM", "GE"))}
    assert all(Kind.DATA_PIPELINE in gates()[code].kinds for code in codes)


def test_everyday_changes_are_green_in_both() -> None:
    assert judged(Kind.APPLICATION).track is Track.GREEN
    assert judged(Kind.DATA_PIPELINE).track is Track.GREEN


@pytest.mark.parametrize("kind", [Kind.APPLICATION, Kind.DATA_PIPELINE])
def test_unknown_never_makes_it_lighter(kind: Kind) -> None:
    """Each fact left out, and each said to be unknown, gives the track it had or a stricter one."""
    base = judged(kind).track
    for name in USUAL[kind]:
        without = evaluate(pack_for(kind), told({key: value for key, value in USUAL[kind].items() if key != name}))
        unknown = evaluate(pack_for(kind), told({**USUAL[kind], name: None}))
        assert min(without.track.rank, unknown.track.rank) >= base.rank
        if name != "gates.unsettled":
            assert without.track is not Track.GREEN, name


def test_nothing_known_is_red() -> None:
    assert all(evaluate(pack_for(kind), FactSet.of([])).track is Track.RED for kind in USUAL)


def test_the_same_personal_data_fails_an_application_and_asks_a_model_for_approval() -> None:
    """S3.1: one fact, two kinds, two answers."""
    fact = {"data.contains_pii": True, "data.pii_approval": "DGA-2026-014"}
    model = evaluate(pack(), facts(fact))
    hit = next(row for row in model.hits if row.rule.id == "TR-050")
    assert (hit.track, hit.rule.adds_steps) == (Track.YELLOW, (Role.PRIVACY,))
    assert "Confirm data-governance approval" in hit.says
    assert "GA108" not in {plan.code for plan in model.gates}

    application = evaluate(pack_for(Kind.APPLICATION), told({**APPLICATION, **fact}))
    assert application.track is Track.RED
    use = next(use for use in pack_for(Kind.APPLICATION).gates if use.gate == "GA108")
    assert use.blocks(Track.RED) and not use.waivable and use.never_because
    measured = Measured.of({"artefact.personal_data": 1.0})
    for kind, verdict in ((Kind.APPLICATION, Verdict.FAIL), (Kind.ML_MODEL, Verdict.NOT_APPLICABLE)):
        assert verdict_of(use, kind, {}, measured, {"artefact": "done"})[1].verdict is verdict


def test_security_findings_are_read_by_security_and_red_asks_them_first() -> None:
    assert {gates()[code].read_by for code in ("GA105", "GA106", "GR106")} == {Role.SECURITY}
    steps = [step.role for step in judged(Kind.APPLICATION, app__exposure="internet", change__touches=["access"]).steps]
    assert steps == [Role.SECURITY, Role.ANALYST, Role.RISK_OFFICER]
    first = judged(Kind.APPLICATION, system__first_deployment=True)
    assert (first.track, [step.role for step in first.steps]) == (Track.YELLOW, [Role.PLATFORM_ENGINEER, Role.SECURITY])


def test_questionnaires_stay_short() -> None:
    assert all(len([q for q in pack_for(kind).form.questions if q.asked]) <= 34 for kind in USUAL)
