"""Explanations: a retrain stays inside the limits, a dropped feature and a unit error do not, and each is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gates.catalog import gx101_explanation_stability as gx101
from gates.catalog import gx102_explanation_concentration as gx102
from gates.collecting import Collected, EvidenceProblem, Inputs
from gates.metrics import explanations
from gates.metrics import explanations_linear_impl as straight
from gates.metrics import explanations_models_impl as from_models
from gates.metrics import explanations_rows_impl as picking
from gates.metrics import explanations_statistics_impl as statistics
from gates.pictures.render import draw
from gates.readers.models import open_model
from gates.spec import Measured
from governance.domain.vocabulary import Verdict
from tests.gates.readers import model_files


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("explanations")
    frame, label = model_files.sample(rows=4_000)
    # Without the two features that carry nothing, whose signs are noise in any retrain.
    frame = frame[["a", "b", "c", "d", "sex"]]
    frame.to_parquet(path / "rows.parquet")
    wrong = frame.assign(b=frame.b * 1000, sex=frame.sex)
    for name, data, seed in (
        ("champion", frame, 1),
        ("retrain", frame, 2),
        ("dropped", frame.drop(columns="a"), 1),
        ("units", wrong, 1),
    ):
        model_files.train_xgboost(path / f"{name}.ubj", data, label, seed)
    model_files.train_lightgbm(path / "light.txt", frame, label)
    model_files.onnx_logistic(path / "o.onnx", np.array([1.5, -1.0, 0.3, 0.1, 0.0]), -0.2)
    return path


def run(folder: Path, facts: dict[str, Any] | None = None, rows: str = "rows.parquet", **files: str) -> Collected:
    evidence = {role: model_files.evidence(role, folder / name) for role, name in {"explanation_sample": rows, **files}.items()}
    return explanations.collect(Inputs(evidence, facts or {}))


def verdict(collected: Collected) -> Verdict:
    return gx101.judge(Measured(collected.measures), gx101.LIMITS).verdict


def test_a_retrain_passes_and_the_numbers_repeat(folder: Path) -> None:
    first = run(folder, candidate_model="retrain.ubj", baseline_model="champion.ubj")
    again = run(folder, candidate_model="retrain.ubj", baseline_model="champion.ubj")
    assert verdict(first) is Verdict.PASS
    assert first.measures == again.measures
    assert {fact.name for fact in first.facts} == {
        f"explanation.{n}" for n in ("shares", "max_share_change", "total_variation", "row_cosine_p10", "sign_flips")
    }
    assert all(draw(picture.spec) and picture.rows for picture in first.pictures)


def test_the_model_itself_has_not_moved(folder: Path) -> None:
    same = Measured(run(folder, candidate_model="champion.ubj", baseline_model="champion.ubj").measures)
    assert same.one("explanation.max_share_change").value == 0  # type: ignore[union-attr]
    assert same.one("explanation.row_cosine_p10").value == pytest.approx(1)  # type: ignore[union-attr]


def test_a_dropped_feature_fails_and_is_named(folder: Path) -> None:
    collected = run(folder, candidate_model="dropped.ubj", baseline_model="champion.ubj")
    assert verdict(collected) is Verdict.FAIL
    assert Measured(collected.measures).one("explanation.max_share_change").text == "a"  # type: ignore[union-attr]
    assert "Only one version knows: a." in collected.notes


def test_a_unit_error_fails(folder: Path) -> None:
    assert verdict(run(folder, candidate_model="units.ubj", baseline_model="champion.ubj")) is Verdict.FAIL


def test_shares_are_those_of_the_library(folder: Path) -> None:
    model = open_model(model_files.evidence("candidate_model", folder / "champion.ubj"))
    frame = pd.read_parquet(folder / "rows.parquet")
    margin = model.margin(frame[list(model.features)].to_numpy(float))
    chosen = picking.stratified(4_000, 1_000, 20260101, (margin >= 0).astype(int), np.arange(4_000))
    matrix, _ = model.contributions(frame[list(model.features)].to_numpy(float)[chosen])
    expected = np.abs(matrix).mean(axis=0) / np.abs(matrix).mean(axis=0).sum()
    measured = Measured(run(folder, candidate_model="champion.ubj").measures)
    for name, share in zip(model.features, expected, strict=True):
        assert measured.one("explanation.share", f"feature={name}").value == pytest.approx(share)  # type: ignore[union-attr]


def test_without_a_champion_importance_is_there_and_stability_is_not(folder: Path) -> None:
    collected = run(folder, {"data.protected_attributes": ["sex"]}, candidate_model="light.txt")
    assert verdict(collected) is Verdict.NOT_ASSESSED
    result = gx102.judge(Measured(collected.measures), gx102.LIMITS)
    assert result.verdict in (Verdict.PASS, Verdict.WARN)
    assert Measured(collected.measures).one("explanation.protected_share").text == "sex"  # type: ignore[union-attr]
    first = run(folder, {"champion.exists": False}, candidate_model="light.txt")
    assert verdict(first) is Verdict.NOT_APPLICABLE


def test_a_linear_onnx_model_is_explained_exactly(folder: Path) -> None:
    collected = run(folder, candidate_model="o.onnx")
    frame = pd.read_parquet(folder / "rows.parquet")
    weights, rows = np.array([1.5, -1.0, 0.3, 0.1, 0.0]), frame.to_numpy(float)
    model = open_model(model_files.evidence("candidate_model", folder / "o.onnx"))
    background, some = rows[:200], rows[200:700]
    explained = from_models.explain(
        model, tuple(frame), some, background, "linear", 1, model_files.evidence("m", folder / "o.onnx")
    )
    assert explained.matrix == pytest.approx((some - background.mean(axis=0)) * weights, abs=2e-3)
    assert explained.error < 1e-3
    measured = Measured(collected.measures)
    assert measured.one("explanation.rows").value == 1_000  # type: ignore[union-attr]
    assert any("the weights of a linear model, exact" in note for note in collected.notes)
    assert any("Background: 200 rows" in note for note in collected.notes)


def test_what_is_not_a_straight_line_is_not_taken_for_one() -> None:
    rng = np.random.default_rng(5)
    rows = rng.normal(size=(200, 4))
    rows[:, 3] = 2 * rows[:, 0]  # in the sample these two go together: only moving one of them tells them apart
    weights = np.array([1.0, -2.0, 0.0, 0.5])
    found = straight.weights_of(lambda part: part @ weights + 3, rows, 1)
    assert found == pytest.approx(weights, abs=1e-9)
    for bent in (
        lambda part: part @ weights + 0.05 * part[:, 0] * part[:, 1],
        lambda part: np.maximum(part @ weights, -4),
        lambda part: part @ weights + 0.01 * np.sign(part[:, 2]),
        lambda part: np.full(len(part), np.nan),
    ):
        assert straight.weights_of(bent, rows, 1) is None
    assert straight.weights_of(lambda part: part @ weights, rows[:19], 1) is None


def test_a_bent_onnx_model_goes_by_permutation_and_a_slow_one_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model_files.onnx_logistic(folder / "bent.onnx", np.array([1.5, -1.0, 0.3, 0.1, 0.0]), -0.2, operator="HardSigmoid")
    collected = run(folder, candidate_model="bent.onnx")
    frame = pd.read_parquet(folder / "rows.parquet")
    assert any("permutation explainer" in note for note in collected.notes)
    assert any("Background: 50 rows" in note for note in collected.notes)
    shares = [row.value for row in collected.measures if row.metric == "explanation.share"]
    assert len(shares) == len(frame.columns) and sum(share or 0 for share in shares) == pytest.approx(1)
    monkeypatch.setattr(from_models, "MOST_SECONDS", 0.0)
    with pytest.raises(EvidenceProblem, match=r"explained within 0 s, found one that needs about .* Upload attributions"):
        run(folder, candidate_model="bent.onnx")


def test_a_missing_column_is_named(folder: Path) -> None:
    pd.read_parquet(folder / "rows.parquet").drop(columns="b").to_csv(folder / "short.csv", index=False)
    with pytest.raises(EvidenceProblem, match=r"short\.csv, column “b”"):
        run(folder, rows="short.csv", candidate_model="champion.ubj")


def uploads(folder: Path, name: str, matrix: np.ndarray, base: float, score: np.ndarray | None = None) -> str:
    frame = pd.DataFrame(matrix, columns=["x", "y"]).assign(id=np.arange(len(matrix)), base_value=base)
    if score is not None:
        frame["p"] = score
    frame.sample(frac=1, random_state=1).to_csv(folder / name, index=False)
    return name


def test_uploaded_attributions_are_joined_on_the_key_and_checked(folder: Path) -> None:
    matrix = np.random.default_rng(0).normal(size=(600, 2)) * [1, 0.5]
    score = 1 / (1 + np.exp(-(matrix.sum(axis=1) + 0.3)))
    ours, theirs = uploads(folder, "ours.csv", matrix, 0.3, score), uploads(folder, "theirs.csv", matrix[:, ::-1], 0.3, score)
    evidence = {
        role: model_files.evidence(role, folder / name, score="p")
        for role, name in (("candidate_attributions", ours), ("baseline_attributions", theirs))
    }
    measured = Measured(explanations.collect(Inputs(evidence)).measures)
    assert measured.one("explanation.additivity_error").value < 1e-9  # type: ignore[union-attr,operator]
    expected = statistics.compare(matrix, matrix[:, ::-1])
    assert measured.one("explanation.total_variation").value == pytest.approx(expected["total_variation"])  # type: ignore[union-attr]
    wrong = {
        "candidate_attributions": model_files.evidence(
            "candidate_attributions", folder / uploads(folder, "w.csv", matrix, 1.3, score), score="p"
        )
    }
    result = gx102.judge(Measured(explanations.collect(Inputs(wrong)).measures), gx102.LIMITS)
    assert result.verdict is Verdict.NOT_ASSESSED


def test_definitions_on_a_worked_case() -> None:
    ours, theirs = np.array([[1.0, 1.0], [1.0, -1.0]]), np.array([[1.0, 1.0], [1.0, 1.0]])
    figures = statistics.compare(ours, theirs)
    assert figures["max_share_change"] == 0
    assert figures["sign_flips"] == 0.25
    assert figures["row_cosine_median"] == pytest.approx(0.5)
    assert statistics.ranks(np.array([3.0, 1.0, 3.0])).tolist() == [2.5, 1.0, 2.5]
