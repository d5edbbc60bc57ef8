"""The performance collector: scikit-learn's numbers, paired intervals, and what stands in the way said in words."""

from __future__ import annotations

import functools
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn import metrics as sk

from gates import registry
from gates.collecting import Collected, EvidenceInput, EvidenceProblem, Inputs
from gates.metrics import performance, performance_counted_impl, performance_digest_impl
from gates.metrics.performance_metrics_impl import canonical, classification
from gates.readers import tables
from gates.readers.caps import CAPS
from gates.readers.predictions import Predictions
from gates.spec import Measure, Measured
from governance.domain.vocabulary import Verdict
from tests.gates.readers.making import MAPPING, evidence

N = 3000


def frame(seed: int = 1, shift: float = 1.2, n: int = N) -> pd.DataFrame:
    """Cases with the same ids and labels for every seed; scores of a model of the given strength."""
    y = (np.random.default_rng(0).random(n) < 0.3).astype(int)
    rng = np.random.default_rng(seed)
    p = np.round(1 / (1 + np.exp(-(rng.normal(size=n) + shift * (y - 0.5) * 2 - 0.5))), 6)
    return pd.DataFrame({"case_id": np.arange(n), "y": y, "p": p, "pred": (p >= 0.5).astype(int)})


def collect(folder: Path, candidate: pd.DataFrame, champion: pd.DataFrame | None = None, **given: Any) -> Collected:
    files = {}
    for role, rows in (("candidate_predictions", candidate), ("baseline_predictions", champion)):
        if rows is not None:
            path = folder / f"{role}.parquet"
            pq.write_table(pa.Table.from_pandas(rows, preserve_index=False), path)
            files[role] = evidence(path, given.get("mapping", MAPPING), role=role)
    return performance.collect(Inputs(files, given.get("facts", {}), given.get("settings", {})))


def one(collected: Collected, metric: str) -> Measure:
    row = Measured(collected.measures).one(metric)
    assert row is not None, metric
    return row


def judged(collected: Collected, code: str = "GP101") -> tuple[Verdict, str]:
    gate = registry.gate(code)
    result = gate.judge(Measured(collected.measures), gate.limits_with())
    return result.verdict, result.says


def test_every_metric_equals_scikit_learns(tmp_path: Path) -> None:
    a, b = frame(1), frame(2, 1.0)
    got = collect(tmp_path, a, b.sample(frac=1, random_state=4))
    expected = {
        "roc_auc": lambda f: sk.roc_auc_score(f["y"], f["p"]),
        "gini": lambda f: 2 * sk.roc_auc_score(f["y"], f["p"]) - 1,
        "log_loss": lambda f: sk.log_loss(f["y"], f["p"]),
        "brier": lambda f: sk.brier_score_loss(f["y"], f["p"]),
        "accuracy": lambda f: sk.accuracy_score(f["y"], f["pred"]),
        "precision": lambda f: sk.precision_score(f["y"], f["pred"]),
        "recall": lambda f: sk.recall_score(f["y"], f["pred"]),
        "f1": lambda f: sk.f1_score(f["y"], f["pred"]),
        "balanced_accuracy": lambda f: sk.balanced_accuracy_score(f["y"], f["pred"]),
    }
    for name, metric in expected.items():
        ours, theirs = metric(a), metric(b)
        assert one(got, f"performance.candidate.{name}").value == pytest.approx(ours, abs=1e-9)
        assert one(got, f"performance.baseline.{name}").value == pytest.approx(theirs, abs=1e-9)
        sign = -1 if name in ("log_loss", "brier") else 1
        change = one(got, f"performance.relative_change.{name}")
        assert change.value == pytest.approx(sign * (ours - theirs) / theirs, abs=1e-9)
        assert change.value > 0, "the stronger model is better by every one of them"
        assert change.low is not None and change.high is not None and change.low < change.value < change.high


def test_the_interval_of_the_relative_change_covers_what_it_should() -> None:

    covered = {"roc_auc": 0, "log_loss": 0, "f1": 0}
    truth = {"roc_auc": 0.0, "log_loss": 0.0, "f1": 0.0}
    for seed in range(120):
        rng = np.random.default_rng(seed)
        y = (rng.random(900) < 0.3).astype(float)
        common = rng.normal(size=900) + 1.2 * y
        sides = []
        for _ in range(2):
            p = 1 / (1 + np.exp(-(common + rng.normal(0, 0.5, 900) - 1)))
            sides.append(Predictions(evidence_stub(), 900, None, y, (p >= 0.5).astype(float), p))
        results, _ = classification(sides[0], sides[1], seed=seed)
        for name in covered:
            interval = results[name].relative
            assert interval is not None
            covered[name] += interval.low <= truth[name] <= interval.high
    assert all(105 <= hits <= 120 for hits in covered.values()), covered


def evidence_stub() -> Any:

    return EvidenceInput("candidate_predictions", "", "p.csv", "")


def test_the_pack_names_the_deciding_metric_before_the_submission_does(tmp_path: Path) -> None:
    a, b = frame(1), frame(2)
    assert one(collect(tmp_path, a, b), "performance.candidate").text == "AUC"
    assert one(collect(tmp_path, a, b, facts={"performance.metric": "val_f1"}), "performance.candidate").text == "F1"
    both = collect(tmp_path, a, b, facts={"performance.metric": "f1"}, settings={"performance.metric": "log_loss"})
    assert one(both, "performance.candidate").text == "log loss"
    odd = collect(tmp_path, a, b, facts={"performance.metric": "lift@10"})
    assert one(odd, "performance.candidate").text == "AUC"
    assert any("“lift@10”, named by the submission, cannot be computed" in note for note in odd.notes)


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("AUC", "roc_auc"),
        ("val_auc", "roc_auc"),
        ("test-F1", "f1"),
        ("roc_auc_score", "roc_auc"),
        ("validation_logloss", "log_loss"),
        ("ndcg", ""),
    ],
)
def test_names_other_tools_use(said: str, name: str) -> None:
    assert canonical(said) == name


def test_facts_for_the_policy(tmp_path: Path) -> None:
    facts = {fact.name: fact for fact in collect(tmp_path, frame(1, 0.8), frame(2, 1.6)).facts}
    assert facts["performance.comparable"].value is True
    assert facts["performance.metric"].value == "roc_auc"
    change = facts["performance.relative_change"]
    assert change.low is not None and change.high is not None
    assert change.low < change.value < change.high < -0.05
    assert change.value == pytest.approx(facts["performance.candidate"].value / facts["performance.baseline"].value - 1)
    assert facts["evaluation.dataset_digest"].value.startswith("sha256:")


def test_a_much_worse_model_gets_the_sentence_people_know(tmp_path: Path) -> None:
    verdict, says = judged(collect(tmp_path, frame(1, 0.05), frame(2, 2.0)))
    assert verdict is Verdict.FAIL
    assert says.startswith("Model performance is 4") and "% worse than current production model. Provide justification." in says


def test_a_jump_points_at_leakage(tmp_path: Path) -> None:
    got = collect(tmp_path, frame(1, 3.0), frame(2, 0.4))
    assert any("label leaks into a feature" in note for note in got.notes)
    assert judged(got)[0] is Verdict.WARN


def test_reversed_labels_and_constant_scores_are_pointed_out(tmp_path: Path) -> None:
    upside_down = frame(1).assign(y=lambda f: 1 - f["y"])
    assert any("wrong way round" in note for note in collect(tmp_path, upside_down).notes)
    constant = collect(tmp_path, frame(1).assign(p=0.7, pred=1))
    assert one(constant, "performance.candidate.roc_auc").value == 0.5
    assert one(constant, "performance.constant_scores").value == 1
    assert judged(constant, "GP102")[0] is Verdict.FAIL


def test_ninety_nine_positives_are_not_enough_for_auc(tmp_path: Path) -> None:
    rows = frame(1)
    for positives, enough in ((99, False), (100, True)):
        kept = pd.concat([rows[rows["y"] == 1].head(positives), rows[rows["y"] == 0]])
        got = collect(tmp_path, kept)
        assert (one(got, "performance.candidate.roc_auc").value is not None) is enough
        assert (judged(got, "GP102")[0] is Verdict.NOT_ASSESSED) is not enough


def test_one_class_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(EvidenceProblem, match="expected both classes, 0 and 1, found only 0 in 3,000 rows"):
        collect(tmp_path, frame(1).assign(y=0))


def test_rows_without_label_are_left_out_and_counted(tmp_path: Path) -> None:
    rows = frame(1)
    gone = rows.assign(y=rows["y"].astype(float).where(rows["case_id"] >= 50))
    got = collect(tmp_path, gone, frame(2).assign(y=gone["y"]))
    assert one(got, "performance.rows").value == N - 50
    assert one(got, "performance.candidate.roc_auc").value == pytest.approx(sk.roc_auc_score(rows["y"][50:], rows["p"][50:]))
    assert "50 of 3,000 rows" in got.notes[0]


@pytest.mark.parametrize(
    ("champion", "why"),
    [
        (None, "No champion predictions were uploaded"),
        (frame(2).assign(case_id=lambda f: f["case_id"] + 5), "5 ids only in candidate_predictions.parquet"),
        (frame(2).assign(y=lambda f: 1 - f["y"]), "labels that differ"),
        (frame(1), "the candidate's own file again"),
        (frame(2).assign(p=float("nan")), "missing or NaN"),
    ],
)
def test_without_a_comparable_champion_the_candidate_is_still_measured(
    tmp_path: Path, champion: pd.DataFrame | None, why: str
) -> None:
    got = collect(tmp_path, frame(1), champion)
    assert one(got, "performance.candidate.roc_auc").value is not None
    change = one(got, "performance.relative_change")
    assert change.value is None and why in change.reason
    assert {fact.name: fact.value for fact in got.facts}["performance.comparable"] is False
    verdict, says = judged(got)
    assert verdict is Verdict.NOT_ASSESSED and why in says
    assert judged(got, "GP102")[0] in (Verdict.PASS, Verdict.WARN)


def test_a_first_version_has_nothing_to_compare_with(tmp_path: Path) -> None:
    assert judged(collect(tmp_path, frame(1), facts={"champion.exists": False}))[0] is Verdict.NOT_APPLICABLE


def test_an_unchanged_model_is_noticed(tmp_path: Path) -> None:
    got = collect(tmp_path, frame(1), frame(1).assign(extra=1))
    assert one(got, "performance.identical").value == 1
    assert judged(got)[0] is Verdict.WARN


def test_regression(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    y = rng.normal(100, 20, 2000)
    a, b = (pd.DataFrame({"case_id": range(2000), "y": y, "p": y + rng.normal(0, s, 2000)}) for s in (9, 10))
    mapping = {"id": "case_id", "label": "y", "prediction": "p"}
    got = collect(tmp_path, a, b, mapping=mapping, facts={"model.task": "regression"})
    assert one(got, "performance.candidate.rmse").value == pytest.approx(sk.root_mean_squared_error(y, a["p"]))
    assert one(got, "performance.candidate.mae").value == pytest.approx(sk.mean_absolute_error(y, a["p"]))
    assert one(got, "performance.candidate.r2").value == pytest.approx(sk.r2_score(y, a["p"]))
    change = one(got, "performance.relative_change")
    assert change.text == "RMSE"
    assert change.value == pytest.approx(
        1 - sk.root_mean_squared_error(y, a["p"]) / sk.root_mean_squared_error(y, b["p"]), abs=1e-9
    )
    assert change.low is not None and 0 < change.low < change.value


def test_pictures_have_tables_and_words(tmp_path: Path) -> None:
    got = collect(tmp_path, frame(1), frame(2))
    assert [picture.key for picture in got.pictures] == ["performance.roc", "performance.precision_recall", "performance.change"]
    for picture in got.pictures:
        assert picture.description and picture.rows and all(len(row) == len(picture.columns) for row in picture.rows)


def test_the_same_input_gives_the_same_measurements(tmp_path: Path) -> None:
    assert collect(tmp_path, frame(1), frame(2)) == collect(tmp_path, frame(1), frame(2))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("ids", ["numbers", "text"])
def test_counted_in_parts_in_the_engine_it_comes_out_as_on_rows_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, weighted: bool, ids: str
) -> None:
    a, b = frame(1, n=6_000), frame(2, 1.0, n=6_000).sample(frac=1, random_state=4)
    if ids == "text":
        a, b = (part.assign(case_id="no’ " + part["case_id"].astype(str)) for part in (a, b))
    mapping = dict(MAPPING)
    if weighted:
        a["w"] = np.random.default_rng(3).uniform(0.5, 2, len(a))
        mapping["weight"] = "w"
        b["w"] = 1.0
    held = collect(tmp_path, a, b, mapping=mapping, facts={"model.decision_threshold": 0.5})
    monkeypatch.setattr(performance_counted_impl, "LARGE_ROWS", 1_000)
    for module in (performance_counted_impl, performance_digest_impl):
        monkeypatch.setattr(module, "PART_ROWS", 1_900)
    counted = collect(tmp_path, a, b, mapping=mapping, facts={"model.decision_threshold": 0.5})
    assert any("counted in the query engine" in note for note in counted.notes)
    assert [(row.metric, row.group, row.n) for row in counted.measures] == [
        (row.metric, row.group, row.n) for row in held.measures
    ]
    for ours, theirs in zip(counted.measures, held.measures, strict=True):
        near = (
            2e-4
            if any(word in ours.metric for word in ("auc", "gini", "average_precision", "relative_change", "change"))
            else 1e-9
        )
        near = 2e-4 if ours.text == "AUC" else near
        for one_number, other in ((ours.value, theirs.value), (ours.low, theirs.low), (ours.high, theirs.high)):
            assert one_number == pytest.approx(other, abs=near), ours.metric
    facts = {fact.name: fact.value for fact in held.facts}
    assert {fact.name: fact.value for fact in counted.facts}["evaluation.dataset_digest"] == facts["evaluation.dataset_digest"]
    assert [picture.key for picture in counted.pictures] == [picture.key for picture in held.pictures]


@pytest.mark.parametrize("part_rows", [50_000, 10_000_000], ids=["in parts", "at once"])
def test_parts_bound_the_memory_whatever_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part_rows: int) -> None:
    """400,000 rows against as many in 23 MB of the query engine; what is joined at once does not fit in there."""
    little = functools.partial(tables.connect, caps=replace(CAPS, duckdb_memory="23MB"))
    monkeypatch.setattr(tables, "connect", little)
    monkeypatch.setattr(performance_counted_impl, "LARGE_ROWS", 1_000)
    for module in (performance_counted_impl, performance_digest_impl):
        monkeypatch.setattr(module, "PART_ROWS", part_rows)
    measured = functools.partial(collect, tmp_path, frame(1, n=400_000), frame(2, 1.0, n=400_000))
    if part_rows > 1_000_000:
        with pytest.raises(duckdb.OutOfMemoryException):
            measured()
    else:
        assert one(measured(), "performance.rows").value == 400_000


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda a, b: (a, b.iloc[1:]), "Score both versions on exactly the same cases"),
        (lambda a, b: (a, b.assign(y=1 - b["y"])), "labels that differ"),
        (lambda a, b: (a, pd.concat([b.iloc[:-1], b.iloc[:1]])), "each id once"),
    ],
)
def test_counted_files_that_do_not_belong_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spoil: Any, words: str
) -> None:
    monkeypatch.setattr(performance_counted_impl, "LARGE_ROWS", 1_000)
    a, b = spoil(frame(1), frame(2))
    got = collect(tmp_path, a, b)
    assert one(got, "performance.comparable").value == 0
    assert words in one(got, "performance.comparable").reason


def test_counted_files_with_one_class_or_doubled_ids_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(performance_counted_impl, "LARGE_ROWS", 1_000)
    with pytest.raises(EvidenceProblem, match="both classes"):
        collect(tmp_path, frame(1).assign(y=1))
    with pytest.raises(EvidenceProblem, match="each id once"):
        collect(tmp_path, frame(1).assign(case_id=7))


def test_average_precision_and_the_curve_are_scikit_learns(tmp_path: Path) -> None:
    a = frame(1)
    got = collect(tmp_path, a)
    assert one(got, "performance.average_precision").value == pytest.approx(sk.average_precision_score(a["y"], a["p"]), abs=1e-9)
    drawn = next(picture for picture in got.pictures if picture.key == "performance.precision_recall")
    precision, recall, _ = sk.precision_recall_curve(a["y"], a["p"])
    for shown_recall, shown in drawn.rows:
        wanted = float(shown_recall.rstrip("%")) / 100
        at = int(np.flatnonzero(recall >= wanted - 1e-12)[-1])
        assert shown == f"{precision[at]:.1%}"
