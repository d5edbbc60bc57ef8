"""A/B tests: whole and broken set-ups, tests that meet with both teams named, the split, and documents nobody should trust."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gates import registry
from gates.collecting import Collected, EvidenceInput, EvidenceProblem, Inputs
from gates.metrics import experiment
from gates.pictures.render import draw
from gates.spec import GateResult, Measured
from governance.domain.vocabulary import Verdict

PLAN: dict[str, Any] = {
    "id": "gift-order",
    "team": "shop-recommendations",
    "hypothesis": "Newer gifts first raises the basket rate.",
    "change": {"decision": "gift order", "direction": "increase", "what": "newer gifts come first"},
    "primary_metric": {"name": "basket rate", "baseline": 0.20, "minimum_effect": 0.05},
    "guardrails": ["returns"],
    "unit": "visitor",
    "salt": "gift-order-1",
    "layer": "gifts",
    "population": {"country": ["de", "at"], "device": ["mobile"]},
    "allocation": {"control": 0.5, "treatment": 0.5},
    "exposure_percent": 5,
    "units_per_day": 400,
    "start": "2026-11-23",
    "end": "2026-12-06",
    "stop_rule": {"kind": "fixed", "rule": "evaluated once"},
}
OTHER = {
    "id": "wishlist-order", "team": "shop-growth", "decision": "gift order", "direction": -1, "unit": "visitor", "layer": "gifts",
    "population": {"country": ["de", "fr"]}, "start": "2026-12-01", "end": "2026-12-20",
}  # fmt: skip


def collect(folder: Path, plan: Any, *, running: list[dict[str, Any]] | None = None, **facts: Any) -> Collected:
    path = folder / "experiment.yaml"
    path.write_text(plan if isinstance(plan, str) else json.dumps(plan))
    given = {"rollout.strategy": "ab_test", "rollout.traffic_percent": 5, **facts}
    item = EvidenceInput("experiment", str(path), "experiment.yaml", "")
    return experiment.collect(Inputs({"experiment": item}, given, {"running_experiments": running or []}))


def judged(collected: Collected, code: str = "GE101") -> GateResult:
    gate = registry.gate(code)
    return gate.judge(Measured(collected.measures), gate.limits_with())


def test_a_whole_set_up_passes_and_says_how_many_are_needed(tmp_path: Path) -> None:
    result = judged(collect(tmp_path, PLAN))
    assert result.verdict is Verdict.PASS, result.says
    assert "5,600 units are expected, 2,060 are needed (1,030 in each of two equal arms)" in result.says


@pytest.mark.parametrize(
    ("change", "verdict", "words"),
    [
        ({"hypothesis": ""}, Verdict.FAIL, "no hypothesis"),
        ({"primary_metric": None}, Verdict.FAIL, "no primary metric"),
        ({"unit": None}, Verdict.FAIL, "unit of randomisation"),
        ({"analysis_unit": "session"}, Verdict.FAIL, "randomised by visitor, analysed by session"),
        ({"allocation": {"control": 0.5, "treatment": 0.4}}, Verdict.FAIL, "sum to 0.9 instead of 1"),
        ({"primary_metric": {**PLAN["primary_metric"], "minimum_effect": -0.05}}, Verdict.FAIL, "found -0.05"),
        (
            {"primary_metric": {**PLAN["primary_metric"], "effect_from": "observed in the pilot"}},
            Verdict.FAIL,
            "observed, not chosen",
        ),
        ({"end": "2026-11-26"}, Verdict.FAIL, "lasts 4 days"),
        ({"overlapping_arms": True}, Verdict.FAIL, "in two arms"),
        ({"stop_rule": {"kind": "fixed", "looks": 4}}, Verdict.FAIL, "4 looks"),
        ({"stop_rule": {"kind": "sequential", "looks": 4, "correction": "O'Brien-Fleming"}}, Verdict.PASS, "expected"),
        ({"stop_rule": None}, Verdict.FAIL, "no stop rule"),
        ({"units_per_day": 50}, Verdict.FAIL, "too small"),
        ({"units_per_day": None}, Verdict.WARN, "2,060 units are needed"),
        ({"power": 0.5}, Verdict.FAIL, "power of 0.50"),
        ({"alpha": 0.2}, Verdict.FAIL, "alpha of 0.200"),
        ({"exposure_percent": 20}, Verdict.FAIL, "at most 5 % may"),
        ({"exposure_percent": 3}, Verdict.WARN, "the experiment says 3 %, the answers 5 %"),
        ({"salt": ""}, Verdict.WARN, "no salt"),
        ({"guardrails": []}, Verdict.WARN, "no guardrail"),
    ],
)
def test_what_is_wrong_with_a_set_up_is_said(tmp_path: Path, change: dict[str, Any], verdict: Verdict, words: str) -> None:
    result = judged(collect(tmp_path, {**PLAN, **change}))
    assert result.verdict is verdict, result.says
    assert words in " ".join((result.says, *result.notes))


def test_two_teams_that_test_opposite_things_on_the_same_people_are_both_named(tmp_path: Path) -> None:
    result = judged(collect(tmp_path, PLAN, running=[OTHER]), "GE102")
    assert result.verdict is Verdict.FAIL
    assert "gift-order of shop-recommendations and wishlist-order of shop-growth" in result.says
    assert "“gift order” in opposite ways on country de, by visitor, from 2026-12-01 to 2026-12-06" in result.says


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        ({"direction": 1}, Verdict.WARN),
        ({"decision": "delivery time"}, Verdict.WARN),
        ({"layer": "checkout"}, Verdict.FAIL),
        ({"layer": "checkout", "decision": "delivery time"}, Verdict.PASS),
        ({"layer": ""}, Verdict.FAIL),
        ({"population": {"country": ["fr"]}}, Verdict.PASS),
        ({"population": {}}, Verdict.FAIL),
        ({"population": {"device": ["desktop"]}}, Verdict.PASS),
        ({"start": "2026-12-07"}, Verdict.PASS),
        ({"start": "2026-12-06"}, Verdict.FAIL),
        ({"start": "", "end": ""}, Verdict.FAIL),
        ({"end": "2026-11-22", "start": "2026-11-01"}, Verdict.PASS),
        ({"unit": "session"}, Verdict.PASS),
        ({"id": "gift-order", "team": "shop-recommendations"}, Verdict.PASS),
    ],
)
def test_when_two_tests_meet(tmp_path: Path, change: dict[str, Any], verdict: Verdict) -> None:
    result = judged(collect(tmp_path, PLAN, running=[{**OTHER, **change}]), "GE102")
    assert result.verdict is verdict, result.says


def test_others_can_be_named_in_the_document_and_the_calendar_shows_them(tmp_path: Path) -> None:
    other = {**PLAN, "id": "gift-order-2", "team": "shop-growth", "change": {"decision": "Gift  Order", "direction": "decrease"}}
    got = collect(tmp_path, {**PLAN, "others": [other]})
    assert judged(got, "GE102").verdict is Verdict.FAIL
    assert [picture.key for picture in got.pictures] == ["experiment.calendar", "experiment.units"]
    for picture in got.pictures:
        assert set(draw(picture.spec)) == {"light", "dark"}
        assert {len(row) for row in picture.rows} == {len(picture.columns)}
    declared = Measured(got.measures).one("experiment.declared")
    assert declared is not None and declared.detail["direction"] == 1 and declared.detail["population"]["country"] == ["at", "de"]


@pytest.mark.parametrize(
    ("observed", "verdict"),
    [
        ({"control": 821_588, "treatment": 815_482}, Verdict.FAIL),
        ({"control": 5_040, "treatment": 4_960}, Verdict.PASS),
        ({"control": 100, "other": 90}, Verdict.NOT_ASSESSED),
        ({"control": 0, "treatment": 0}, Verdict.NOT_ASSESSED),
        (None, Verdict.NOT_APPLICABLE),
    ],
)
def test_the_split(tmp_path: Path, observed: dict[str, int] | None, verdict: Verdict) -> None:
    assert judged(collect(tmp_path, {**PLAN, "observed": observed}), "GE103").verdict is verdict


def test_without_an_ab_test_there_is_nothing_to_check() -> None:
    assert experiment.collect(Inputs(facts={"rollout.strategy": "canary"})).not_applicable
    assert experiment.collect(Inputs()).not_applicable
    assert "set-up was not handed in" in experiment.collect(Inputs(facts={"rollout.strategy": "ab_test"})).not_measured


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty file"),
        ("- a\n- b\n", "found a list"),
        ("a: &x [1]\nb: *x\n", "alias"),
        ("id: !!python/object/apply:os.system [x]\nteam: y\n", "tag"),
        ("id: [", "not valid YAML"),
        ("team: a\n", "“id”: expected a name"),
        ("id: a\n", "“team”: expected a name"),
        ("id: a\nteam: b\nallocation: {control: half, treatment: 0.5}\n", "“allocation.control”: expected a number"),
        ("id: a\nteam: b\nallocation: {control: 1}\n", "two arms or more"),
        ("id: a\nteam: b\nstart: soon\n", "“start”: expected a date"),
        ("id: a\nteam: b\nchange: {direction: sideways}\n", "“change.direction”"),
        ("id: a\nteam: b\nothers: [{id: x}]\n", r"“others\[0\].team”"),
        ("PK\x03\x04", "zip archive"),
    ],
)
def test_documents_nobody_should_trust(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(EvidenceProblem, match=words):
        collect(tmp_path, text)
