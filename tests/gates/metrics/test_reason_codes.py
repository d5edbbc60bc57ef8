"""Reason codes: what the file says, what single people would be told, and each thing that is wrong named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gates import registry
from gates.collecting import EvidenceInput, EvidenceProblem, Inputs
from gates.metrics import explanations_reasons_impl as giving
from gates.metrics import reason_codes
from gates.metrics.explanations_rows_impl import Decided, stratified
from gates.metrics.reason_codes_file_impl import ReasonCode, ReasonCodes, read
from gates.metrics.reason_codes_impl import not_plain
from gates.spec import Measured
from governance.domain.vocabulary import Verdict

GOOD = [
    {"code": "R01", "words": "Your income is low for the amount", "features": ["income"]},
    {"code": "R02", "words": "You paid late in the last year", "features": ["late_payments"]},
]
FACTS = {"model.features": ["income", "late_payments", "home_own", "home_rent"], "data.protected_attributes": ["sex"]}


def file(folder: Path, content: Any, name: str = "reasons.json") -> EvidenceInput:
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return EvidenceInput("reason_codes", str(path), name, "digest")


def measured(folder: Path, codes: Any, facts: dict[str, Any] | None = None) -> Measured:
    evidence = {"reason_codes": file(folder, codes)}
    return Measured(reason_codes.collect(Inputs(evidence, FACTS if facts is None else facts)).measures)


def text(of: Measured, name: str) -> str:
    row = of.one(f"reason_codes.{name}")
    assert row is not None
    return row.text


def test_json_yaml_and_csv_say_the_same(tmp_path: Path) -> None:
    as_yaml = "codes:\n  - {code: R01, words: Your income is low for the amount, features: [income]}\n" + (
        "  - {code: R02, words: You paid late in the last year, features: late_payments}\n"
    )
    as_csv = (
        "code,words,features\nR01,Your income is low for the amount,income\nR02,You paid late in the last year,late_payments\n"
    )
    found = [
        read(file(tmp_path, GOOD)),
        read(file(tmp_path, {"codes": GOOD})),
        read(file(tmp_path, as_yaml, "r.yaml")),
        read(file(tmp_path, as_csv, "r.csv")),
    ]
    assert all(one == found[0] for one in found) and len(found[0].codes) == 2


def test_a_whole_list_has_nothing_to_say(tmp_path: Path) -> None:
    whole = [*GOOD, {"code": "R03", "words": "You rent the place you live in", "features": ["home"]}]
    found = measured(tmp_path, whole)
    assert {row.metric: row.value for row in found if row.metric != "reason_codes.codes"} == {
        f"reason_codes.{name}": 0.0
        for name in ("unknown_features", "without_features", "not_plain", "protected", "doubled", "features_without_code")
    }


@pytest.mark.parametrize(
    ("code", "metric", "names"),
    [
        (
            {"code": "R07", "words": "Your bureau file is young", "features": ["bureau_age"]},
            "unknown_features",
            "R07: bureau_age",
        ),
        ({"code": "R08", "words": "Your file is incomplete today", "features": []}, "without_features", "R08"),
        ({"code": "R03", "words": "SHAP value of income", "features": ["income"]}, "not_plain", "R03 (technical: “SHAP”)"),
        ({"code": "R03", "words": "income_delta is too high", "features": ["income"]}, "not_plain", "names a column"),
        (
            {"code": "R03", "words": "Insufficient score under our policy", "features": ["income"]},
            "not_plain",
            "nothing specific",
        ),
        ({"code": "R03", "words": "Income", "features": ["income"]}, "not_plain", "too short"),
        (
            {"code": "R09", "words": "You belong to a group that repays less", "features": ["sex_female"]},
            "protected",
            "R09: sex_female",
        ),
        ({"code": "R10", "words": "Because of your age we decline", "features": ["income"]}, "protected", "your age"),
        ({"code": "R01", "words": "Your income is too low", "features": ["income"]}, "doubled", "R01"),
    ],
)
def test_what_is_wrong_is_counted_and_named(tmp_path: Path, code: dict[str, Any], metric: str, names: str) -> None:
    found = measured(tmp_path, [*GOOD, code])
    assert found.one(f"reason_codes.{metric}").value == 1  # type: ignore[union-attr]
    assert names in text(found, metric)
    gate = registry.gate("GX104")
    assert gate.judge(found, gate.limits).verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{", "whole JSON"),
        ("a: &x [1]\nb: *x\n", "JSON, YAML or CSV"),
        ("[]", "a list of codes"),
        ('["R01"]', "code 1 with code, words and features"),
        ('[{"words": "no name here", "features": []}]', "a name for code 1"),
        ('[{"code": "R01", "words": "x", "features": {"a": 1}}]', "names of features at R01"),
    ],
)
def test_a_file_that_is_none_is_refused_with_the_way_out(tmp_path: Path, content: str, says: str) -> None:
    with pytest.raises(EvidenceProblem, match=says) as refused:
        read(file(tmp_path, content))
    assert refused.value.way_out


def test_words_that_people_say_are_plain() -> None:
    assert not not_plain("You use most of the credit you already have")
    assert not_plain("word " * 31).startswith("31 words")


CODES = ReasonCodes((ReasonCode("A", "first thing is bad", ("a", "b")), ReasonCode("C", "third thing is bad", ("c",))))


def decided(adverse: list[bool], keys: int | None = None) -> Decided:
    n = len(adverse)
    return Decided(
        np.arange(1040, 1040 + n).astype(str), np.full(n, 0.7), np.array(adverse), np.full(n, ""), "test", "declined", "granted"
    )


def test_principal_reasons_add_up_what_stands_behind_one_code_and_take_the_bad_end_only() -> None:
    matrix = np.array([[0.3, 0.3, 0.5, 0.0], [-0.5, -0.1, 0.0, 0.1], [0.1, 0.0, 0.2, 0.9]])
    high = giving.principal("abcd", matrix, 1, CODES)
    assert [[item["code"] for item in high.of(row)] for row in range(3)] == [["A", "C"], [], ["C", "A"]]
    assert high.hidden.tolist() == [False, True, True], "d weighs most in the last two and has no code"
    low = giving.principal("abcd", matrix, -1, CODES)
    assert [item["code"] for item in low.of(1)] == ["A"]


def test_coverage_counts_the_declined_only() -> None:
    matrix = np.array([[0.3, 0.0, 0.0, 0.0], [-0.5, 0.0, 0.0, 0.1], [-0.5, 0.0, 0.0, 0.0], [0.4, 0.0, 0.0, 0.0]])
    reasons = giving.principal("abcd", matrix, 1, CODES)
    rows = {row.metric: row for row in giving.coverage(reasons, decided([True, True, False, True]), True)}
    assert rows["reason_codes.adverse"].value == 3
    assert rows["reason_codes.uncovered"].value == pytest.approx(1 / 3) and rows["reason_codes.uncovered"].text == "1041"
    none = {row.metric: row for row in giving.coverage(reasons, decided([False] * 4), True)}
    assert none["reason_codes.uncovered"].value is None and "add rows" in none["reason_codes.uncovered"].reason


def test_changes_are_told_in_words() -> None:
    ours = giving.principal("abcd", np.array([[0.0, 0.0, 0.5, 0.0], [0.4, 0.0, 0.0, 0.0], [0.2, 0, 0, 0]]), 1, CODES)
    theirs = giving.principal("abcd", np.array([[0.5, 0.0, 0.0, 0.0], [0.4, 0.0, 0.0, 0.0], [-0.2, 0, 0, 0]]), 1, CODES)
    rows = list(giving.changes(ours, theirs, decided([True, True, True]), decided([True, True, False])))
    assert rows[0].metric == "explanation.reason_change_rate" and rows[0].value == 0.5 and rows[0].n == 2
    assert giving.told(ours, theirs, decided([True] * 3), decided([True] * 3), 1) == (
        "Case 1041: was declined by the champion for the same reasons."
    )
    assert [row.text for row in rows if row.metric == "explanation.changed_case"] == [
        "Case 1040: was declined for: first thing is bad. Now for: third thing is bad.",
        "Case 1042: was granted, is now declined for: first thing is bad.",
    ]


def test_examples_are_spread_over_decisions_and_groups_and_seeded() -> None:
    n = 200
    adverse = np.arange(n) % 10 == 0
    groups = np.where(np.arange(n) % 2 == 0, "sex=f", "sex=m")
    one = Decided(np.arange(n).astype(str), np.zeros(n), adverse, groups, "t", "declined", "granted")
    chosen = giving.pick_examples(one, 9, seed=1)
    assert chosen == giving.pick_examples(one, 9, seed=1) != giving.pick_examples(one, 9, seed=2)
    assert {(bool(adverse[at]), groups[at]) for at in chosen} == {(True, "sex=f"), (False, "sex=f"), (False, "sex=m")}
    assert adverse[chosen[0]], "those decided against come first"


def test_rows_are_drawn_in_the_proportion_of_the_decisions() -> None:
    decisions = np.array([1] * 300 + [0] * 9_700)
    chosen = stratified(10_000, 1_000, 7, decisions, np.arange(10_000))
    assert len(np.unique(chosen)) == 1_000 and decisions[chosen].sum() == 30
    rare = np.array([1] * 2 + [0] * 9_998)
    assert rare[stratified(10_000, 1_000, 7, rare, np.arange(10_000))].sum() >= 1
