"""Aequitas' table against our counts: the same data gives the same ratio to 1e-9, on COMPAS and on made rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from fairlearn.metrics import MetricFrame, count, false_positive_rate, selection_rate, true_positive_rate
from sklearn.metrics import accuracy_score

from gates.catalog import gf106_reported_fairness as gf106
from gates.collecting import Collected, EvidenceProblem, Inputs
from gates.metrics import fairness, fairness_report
from gates.pictures.render import draw
from gates.spec import GateResult, Measured
from governance.domain.vocabulary import Verdict
from tests.gates.readers.model_files import evidence

METRICS = ("pprev", "tpr", "fpr", "fnr", "precision", "prev")


def crosstabs(frame: pd.DataFrame, attribute: str, reference: str) -> pd.DataFrame:
    """The columns Aequitas 1.0 writes, from its definitions, by pandas."""
    rows = []
    for value, part in frame.groupby(attribute):
        y, d = part["label_value"] == 1, part["score"] == 1
        rows.append({
            "model_id": 0, "score_threshold": "binary 0/1", "attribute_name": attribute, "attribute_value": value,
            "pprev": d.mean(), "tpr": (y & d).sum() / y.sum(), "fpr": (~y & d).sum() / (~y).sum(),
            "fnr": (y & ~d).sum() / y.sum(),
            "precision": (y & d).sum() / d.sum(), "prev": y.mean(), "group_size": len(part),
        })  # fmt: skip
    table = pd.DataFrame(rows)
    base = table[table["attribute_value"] == reference].iloc[0]
    for metric in METRICS[:5]:
        table[f"{metric}_disparity"] = table[metric] / base[metric]
    return table.assign(**{f"{attribute}_ref_group_value": reference})


def compared(folder: Path, frame: pd.DataFrame, table: pd.DataFrame, **columns: Any) -> Collected:
    frame.to_parquet(folder / "scored.parquet")
    table.to_csv(folder / "bias.csv", index=False)
    mapped = {"label": "label_value", "prediction": "score", "sensitive": ["race"], **columns}
    files = {
        "candidate_predictions": evidence("candidate_predictions", folder / "scored.parquet", **mapped),
        "test_report": evidence("test_report", folder / "bias.csv"),
    }
    return fairness_report.collect(Inputs(files))


def judged(collected: Collected) -> GateResult:
    return gf106.judge(Measured(collected.measures), gf106.LIMITS)


def made(rows: int = 3_000) -> pd.DataFrame:
    generator = np.random.default_rng(4)
    race = generator.choice(["a", "b", "c"], rows, p=[0.6, 0.3, 0.1])
    label = generator.integers(0, 2, rows)
    return pd.DataFrame({"race": race, "label_value": label, "score": (generator.random(rows) < 0.3 + 0.3 * label).astype(int)})


def test_compas_gives_the_same_ratio_in_three_ways(shared_data: Path, tmp_path: Path) -> None:
    frame = pd.read_csv(shared_data / "compas" / "compas_for_aequitas.csv")
    table = crosstabs(frame, "race", "Caucasian")
    assert table.set_index("attribute_value").loc["African-American", "fpr_disparity"] == pytest.approx(1.912, abs=5e-4), (
        "published"
    )
    collected = compared(tmp_path, frame, table)
    result = judged(collected)
    assert result.verdict is Verdict.PASS and result.observed is not None and result.observed < 1e-9
    assert all(draw(picture.spec) for picture in collected.pictures)
    # the ratio our own fairness gate measures is the table's, normalised: min over max
    file = evidence(
        "candidate_predictions", tmp_path / "scored.parquet", label="label_value", prediction="score", sensitive=["race"]
    )
    own = Measured(fairness.collect(Inputs({"candidate_predictions": file})).measures)
    rates = {row.group: row.value for row in own if row.metric == "fairness.selection_rate" and row.group.startswith("race=")}
    shares = table.set_index("attribute_value")["pprev"]
    seen = {group.removeprefix("race="): value for group, value in rates.items() if value is not None}
    assert len(seen) >= 4
    for group, value in seen.items():
        assert value == pytest.approx(shares[group], abs=1e-9), group


def test_rounded_other_and_strange_tables(tmp_path: Path) -> None:
    frame = made()
    table = crosstabs(frame, "race", "a")
    assert judged(compared(tmp_path, frame, table)).verdict is Verdict.PASS
    assert judged(compared(tmp_path, frame, table.round(3))).verdict is Verdict.WARN
    other = judged(compared(tmp_path, made(2_900), table))
    assert other.verdict is Verdict.FAIL and "reported" in other.says
    strange = judged(compared(tmp_path, frame, table.replace({"attribute_value": {"c": "C!"}})))
    assert strange.verdict is Verdict.FAIL and "race=C!" in strange.says


def test_without_a_table_it_does_not_apply_and_another_table_is_left_alone(tmp_path: Path) -> None:
    assert fairness_report.collect(Inputs()).not_applicable
    pd.DataFrame({"test": ["x"], "passed": [1]}).to_csv(tmp_path / "report.csv", index=False)
    other = Inputs({"test_report": evidence("test_report", tmp_path / "report.csv")})
    assert fairness_report.collect(other).not_applicable
    crosstabs(made(), "race", "a").to_csv(tmp_path / "bias.csv", index=False)
    alone = fairness_report.collect(Inputs({"test_report": evidence("test_report", tmp_path / "bias.csv")}))
    assert "there are no predictions" in alone.not_measured


def test_a_table_without_figures_and_unmapped_columns_are_named(tmp_path: Path) -> None:
    frame = made()
    with pytest.raises(EvidenceProblem, match=r"bias\.csv: expected at least one of pprev"):
        compared(tmp_path, frame, pd.DataFrame({"attribute_name": ["race"], "attribute_value": ["a"]}))
    with pytest.raises(EvidenceProblem, match=r"columns\.label and columns\.prediction"):
        compared(tmp_path, frame, crosstabs(frame, "race", "a"), prediction=None)
    assert "holds none of the report's attributes" in compared(tmp_path, frame, crosstabs(frame, "race", "a").assign(attribute_name="sex")).not_measured  # fmt: skip  # noqa: E501


def framed(frame: pd.DataFrame, *attributes: str) -> pd.DataFrame:
    """Fairlearn's own figures."""
    metrics = {"accuracy": accuracy_score, "selection_rate": selection_rate, "false_positive_rate": false_positive_rate,
               "recall_score": true_positive_rate, "count": count}  # fmt: skip
    columns = {"y_true": frame["label_value"], "y_pred": frame["score"], "sensitive_features": frame[list(attributes)]}
    return MetricFrame(metrics=metrics, **columns).by_group


def against(folder: Path, frame: pd.DataFrame, text: str, *sensitive: str) -> Collected:
    frame.to_parquet(folder / "scored.parquet")
    (folder / "report").write_text(text)
    columns: dict[str, Any] = {"label": "label_value", "prediction": "score", "sensitive": list(sensitive)}
    files = {
        "candidate_predictions": evidence("candidate_predictions", folder / "scored.parquet", **columns),
        "test_report": evidence("test_report", folder / "report"),
    }
    return fairness_report.collect(Inputs(files))


def test_fairlearns_groups_agree_as_csv_and_json_and_of_two_attributes(tmp_path: Path) -> None:
    frame = made().assign(age=lambda rows: np.arange(len(rows)) % 3 * 10)
    by_race, by_both = framed(frame, "race"), framed(frame, "race", "age")
    for text, figures in (
        (by_race.to_csv(), 12),
        (by_race.to_json(orient="table"), 12),
        (by_race.reset_index().to_json(orient="records"), 12),
        (by_both.to_csv(), 36),
    ):
        collected = against(tmp_path, frame, text, "race", "age")
        result = judged(collected)
        assert (result.verdict, result.n) == (Verdict.PASS, figures), result.says
        assert all(draw(picture.spec) for picture in collected.pictures)
    off = by_both.copy()
    off.loc[("a", 20), "recall_score"] += 0.1
    result = judged(against(tmp_path, frame, off.to_csv(), "race", "age"))
    assert result.verdict is Verdict.FAIL and "tpr of race & age=a & 20" in result.says
    other = judged(against(tmp_path, frame, by_race.rename(index={"c": "z"}).to_csv(), "race"))
    assert other.verdict is Verdict.FAIL and "race=z" in " ".join([other.says, *other.notes])


@pytest.mark.parametrize(
    "text",
    ["epoch,accuracy\n1,0.9\n", '{"accuracy": 0.91}', '{"accuracy": {"a": 0.9, "b": 0.8}}', "<testsuites/>", "race,count\na,3\n"],
)
def test_other_reports_are_not_taken_for_one(tmp_path: Path, text: str) -> None:
    assert against(tmp_path, made(50), text, "race").not_applicable


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[{"race": "a", "accuracy": 0.9}', "no JSON"),
        ('[{"race": "a", "accuracy": "much"}]', "no row with a figure"),
        ('{"race": 1, "accuracy": 2}', "no row with a figure"),
        ("[" + ",".join(['{"race": "a", "accuracy": 1}'] * 5_001) + "]", "5,001 groups"),
        ("race,accuracy\n" + "a,1\n" * 5_001, "5,001 rows"),
        ('[{"race": "accuracy"}, {"accuracy": ' + "[" * 100_000, "JSON without end"),
    ],
)
def test_a_table_that_cannot_be_used_is_named(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(EvidenceProblem, match=words):
        against(tmp_path, made(50), text, "race")
