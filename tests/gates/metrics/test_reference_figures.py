"""Every published figure that the shared data hold, through the shipped collectors and statistics: nothing is computed here.

`reference_figures.json` names figures and their inputs; each id has its test below, and a test sees that none is left out.
Further figures: ProPublica's notebook by sex and age, Aequitas' COMPAS demonstration, AIF360's tutorial on the German credit
data, the pROC manual (statistics/test_published_figures.py), and rates of Adult and Taiwan that everybody reports.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gates import registry
from gates.collecting import Inputs
from gates.metrics import drift_statistics_impl as drift
from gates.metrics import fairness, performance
from gates.metrics.statistics import experiments, intervals, paired
from gates.spec import GateResult, Measure, Measured
from tests.gates.readers.making import evidence

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")


@pytest.fixture
def published(shared_data: Path) -> dict[str, dict[str, Any]]:
    rows = json.loads((shared_data / "reference_figures.json").read_text())
    return {row["id"]: row["expected"] for row in rows}


def fair(folder: Path, frame: pd.DataFrame, sensitive: list[str], **mapping: str) -> Measured:
    """The fairness collector on a frame with columns y and pred."""
    path = folder / "predictions.parquet"
    pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), path)
    columns = {"prediction": "pred", "sensitive": sensitive, **({"label": "y"} if "y" in frame else {}), **mapping}
    return Measured(fairness.collect(Inputs({"candidate_predictions": evidence(path, columns)})).measures)


def row(measured: Measured, metric: str, group: str = "") -> Measure:
    found = measured.one(metric, group)
    assert found is not None, (metric, group)
    return found


def value(measured: Measured, metric: str, group: str = "") -> float:
    found = row(measured, metric, group).value
    assert found is not None, (metric, group)
    return found


def judged(code: str, measured: Measured) -> GateResult:
    gate = registry.gate(code)
    return gate.judge(measured, gate.limits_with())


@pytest.fixture
def compas(shared_data: Path) -> pd.DataFrame:
    frame = pd.read_csv(shared_data / "compas" / "compas-scores-two-years.nopii.csv")
    return frame.assign(y=frame["two_year_recid"], pred=(frame["score_text"] != "Low").astype(int))


def same_as_published(measured: Measured, group: str, expected: Mapping[str, float]) -> None:
    assert row(measured, "fairness.selection_rate", group).n == expected["n"]
    for metric, cells in (("false_positive_rate", ("tn", "fp")), ("false_negative_rate", ("fn", "tp"))):
        found = row(measured, f"fairness.{metric}", group)
        assert found.n == expected[cells[0]] + expected[cells[1]]
        share = "fpr_pct" if metric == "false_positive_rate" else "fnr_pct"
        assert round(100 * (found.value or 0), 2) == expected[share]
        hits = expected["fp"] if metric == "false_positive_rate" else expected["fn"]
        assert round((found.value or 0) * (found.n or 0), 6) == hits
    assert round(value(measured, "fairness.precision", group), 2) == expected["ppv"]
    assert row(measured, "fairness.precision", group).n == expected["tp"] + expected["fp"]


@pytest.mark.parametrize(
    ("name", "group"),
    [("propublica_all", ""), ("propublica_black", "race=African-American"), ("propublica_white", "race=Caucasian")],
)
def test_propublica(tmp_path: Path, compas: pd.DataFrame, published: dict[str, dict[str, Any]], name: str, group: str) -> None:
    same_as_published(fair(tmp_path, compas[["y", "pred", "race"]], ["race"]), group, published[name])


def test_propublica_by_sex_from_the_cells_of_the_notebook(tmp_path: Path, compas: pd.DataFrame) -> None:
    measured = fair(tmp_path, compas[["y", "pred", "sex"]], ["sex"])
    women = {"n": 1395, "tn": 609, "fp": 288, "fn": 195, "tp": 303, "fpr_pct": 32.11, "fnr_pct": 39.16, "ppv": 0.51}
    men = {"n": 5819, "tn": 2072, "fp": 994, "fn": 1021, "tp": 1732, "fpr_pct": 32.42, "fnr_pct": 37.09, "ppv": 0.64}
    for group, expected in (("sex=Female", women), ("sex=Male", men)):
        same_as_published(measured, group, expected)


# aequitas, examples/compas_demo: group -> (false positive rate, false negative rate, false discovery rate)
AEQUITAS = {
    "race=African-American": (0.448468, 0.279853, 0.370285),
    "race=Caucasian": (0.234543, 0.477226, 0.408665),
    "race=Hispanic": (0.214815, 0.556034, 0.457895),
    "race=Other": (0.147541, 0.676692, 0.455696),
    "sex=Female": (0.321070, 0.391566, 0.487310),
    "sex=Male": (0.324201, 0.370868, 0.364637),
    "age_cat=25 - 45": (0.333784, 0.373743, 0.385135),
    "age_cat=Greater than 45": (0.167904, 0.572289, 0.459391),
    "age_cat=Less than 25": (0.541353, 0.260417, 0.360360),
}


def test_the_group_table_of_aequitas_compas_demonstration(tmp_path: Path, shared_data: Path) -> None:
    frame = pd.read_csv(shared_data / "compas" / "compas_for_aequitas.csv")
    frame = frame.assign(y=frame["label_value"], pred=frame["score"])[["y", "pred", "race", "sex", "age_cat"]]
    measured = fair(tmp_path, frame, ["race", "sex", "age_cat"])
    for group, (fpr, fnr, fdr) in AEQUITAS.items():
        assert value(measured, "fairness.false_positive_rate", group) == pytest.approx(fpr, abs=5e-7)
        assert value(measured, "fairness.false_negative_rate", group) == pytest.approx(fnr, abs=5e-7)
        assert 1 - value(measured, "fairness.precision", group) == pytest.approx(fdr, abs=5e-7)
    # disparities against the largest group's reference: African-American over Caucasian, as in its report
    pair = row(measured, "fairness.false_positive_rate_pair", "race=Caucasian / race=African-American")
    assert pair.detail["worst"] == pytest.approx(0.448468 / 0.234543, abs=1e-5)
    assert judged("GF103", measured).verdict == "fail"


def test_the_ratio_of_black_to_white_false_positives_blocks_and_its_interval_is_katzs(
    tmp_path: Path, compas: pd.DataFrame
) -> None:
    measured = fair(tmp_path, compas[["y", "pred", "race"]], ["race"])
    pair = row(measured, "fairness.false_positive_rate_pair", "race=Caucasian / race=African-American")
    assert round(pair.detail["worst"], 3) == 1.912
    assert (round(1 / pair.detail["high_95"], 3), round(1 / pair.detail["low_95"], 3)) == (1.721, 2.124)
    few = intervals.katz(3, 8, 349, 1488)
    assert (round(few.value, 3), round(few.low, 3), round(few.high, 3)) == (1.599, 0.651, 3.930), "Native American over white"
    assert row(measured, "fairness.false_positive_rate", "race=Native American").value is None, "eight people get no verdict"


def test_auc_of_the_compas_decile_as_everybody_reports_it(tmp_path: Path, compas: pd.DataFrame) -> None:
    frame = compas.assign(p=compas["decile_score"] / 10)[["id", "y", "pred", "p", "race"]]
    measured = fair(tmp_path, frame, ["race"], id="id", score="p")
    assert round(value(measured, "fairness.roc_auc", "race=African-American"), 2) == 0.69
    assert round(value(measured, "fairness.roc_auc", "race=Caucasian"), 2) == 0.69
    columns = {"id": "id", "label": "y", "prediction": "pred", "score": "p"}
    file = evidence(tmp_path / "predictions.parquet", columns)
    whole = Measured(performance.collect(Inputs({"candidate_predictions": file})).measures)
    assert round(value(whole, "performance.candidate.roc_auc"), 2) == 0.70
    assert round(value(whole, "performance.candidate.accuracy"), 3) == 0.654, "ProPublica and Dressel and Farid: 65.4 %"


def test_fairlearn_docs_toy(tmp_path: Path, published: dict[str, dict[str, Any]]) -> None:
    expected = published["fairlearn_docs_toy"]
    cells = {"a": (1, 1, 2, 0), "b": (3, 2, 0, 1), "c": (2, 3, 2, 1)}  # tp, fn, fp, tn, a hundredfold so that they are shown
    rows = [
        (group, y, d)
        for group, (tp, fn, fp, tn) in cells.items()
        for y, d, k in ((1, 1, tp), (1, 0, fn), (0, 1, fp), (0, 0, tn))
        for _ in range(100 * k)
    ]
    measured = fair(tmp_path, pd.DataFrame(rows, columns=["g", "y", "pred"]), ["g"])
    for short, metric in (("tpr", "true_positive_rate"), ("fpr", "false_positive_rate"), ("sel", "selection_rate")):
        assert value(measured, f"fairness.{metric}") == pytest.approx(expected["overall"][short], abs=1e-6)
        for group, figures in expected["by_group"].items():
            assert value(measured, f"fairness.{metric}", f"g={group}") == pytest.approx(figures[short], abs=1e-6)
            assert row(measured, "fairness.selection_rate", f"g={group}").n == 100 * figures["count"]
        found = value(measured, f"fairness.{metric}_difference_fairlearn", "g")
        assert found == pytest.approx(expected["difference"][short], abs=1e-9)


def test_toad_psi(published: dict[str, dict[str, Any]]) -> None:
    random = np.random.RandomState(1)
    feature, _, base = random.rand(500), random.randint(2, size=500), random.rand(500)
    _, test_b, _, base_b = (random.rand(500) for _ in range(4))

    def counts(values: np.ndarray, edges: list[float]) -> np.ndarray:
        return np.bincount(np.searchsorted(edges, values, "right"), minlength=len(edges) + 1)

    for name, (before, after, edges) in {
        "psi_feature": (base, feature, [0.3, 0.5, 0.7]),
        "psi_B": (base_b, test_b, [0.4, 0.8]),
    }.items():
        assert drift.psi(counts(before, edges), counts(after, edges)) == pytest.approx(published["toad_psi"][name], abs=1e-15)


def test_newcombe_wilson(published: dict[str, dict[str, Any]]) -> None:
    for name, bounds in published["newcombe_wilson"].items():
        found = intervals.wilson(*(int(number) for number in name.split("/")))
        assert [round(found.low, 4), round(found.high, 4)] == bounds


def test_newcombe_m10(published: dict[str, dict[str, Any]]) -> None:
    for name, bounds in published["newcombe_m10"].items():
        a, b, c, d = (int(number) for part in name.split("-") for number in part.split("/"))
        found = intervals.newcombe(a, b, c, d)
        assert [round(found.low, 4), round(found.high, 4)] == bounds


def test_mcnemar_president(published: dict[str, dict[str, Any]]) -> None:
    expected, found = published["mcnemar_president"], paired.mcnemar(150, 86)
    assert round(found.statistic, 4) == expected["statistic"]
    assert found.p == pytest.approx(expected["p"], rel=1e-3)
    assert round(paired.mcnemar(150, 86, continuity=True).statistic, 2) == 16.82


def test_srm_kohavi(published: dict[str, dict[str, Any]]) -> None:
    expected = published["srm_kohavi"]
    assert experiments.sample_ratio(expected["n"], [0.5, 0.5])[1] == pytest.approx(expected["p"], rel=0.03)


def test_evan_miller(published: dict[str, dict[str, Any]]) -> None:
    assert round(experiments.per_arm(0.20, 0.05)) == published["evan_miller"]["n_per_arm"]


def test_no_published_figure_is_left_out(published: dict[str, dict[str, Any]]) -> None:
    by_test = {name.removeprefix("test_") for name in globals() if name.startswith("test_")}
    in_one = {"propublica_all", "propublica_black", "propublica_white"}
    assert set(published) - by_test - in_one == set()


@pytest.fixture
def german(shared_data: Path) -> pd.DataFrame:
    frame = pd.read_csv(shared_data / "german" / "german.data", sep=" ", header=None)
    young = np.where(frame[12] < 25, "under 25", "25 and over")
    return pd.DataFrame({"pred": (frame[20] == 1).astype(int), "age": young})


def test_german_good_credit_by_age_passes_and_fails_the_four_fifths_rule(tmp_path: Path, german: pd.DataFrame) -> None:
    whole = fair(tmp_path, german, ["age"])
    assert round(value(whole, "fairness.selection_rate_ratio", "age"), 3) == 0.821
    assert judged("GF101", whole).verdict == "pass"
    # AIF360's tutorial: seven tenths by numpy's legacy permutation with seed 0, difference -0.169905
    split = german.iloc[np.random.RandomState(0).permutation(len(german))[:700]]
    part = fair(tmp_path, split, ["age"])
    pair = row(part, "fairness.selection_rate_pair", "age=under 25 / age=25 and over")
    assert pair.detail["difference"] == pytest.approx(-0.169905, abs=5e-7)
    assert round(pair.value or 0, 3) == 0.766


def test_adult_incomes_by_sex(tmp_path: Path, shared_data: Path) -> None:
    columns = {9: "sex", 14: "income"}
    parts = [
        pd.read_csv(shared_data / "adult" / name, header=None, skipinitialspace=True, usecols=list(columns), comment="|")
        for name in ("adult.data", "adult.test")
    ]
    frame = pd.concat(parts).rename(columns=columns)
    frame = frame.assign(pred=frame["income"].str.startswith(">50K").astype(int))[["pred", "sex"]]
    measured = fair(tmp_path, frame, ["sex"])
    assert row(measured, "fairness.selection_rate").n == 48_842
    assert round(value(measured, "fairness.selection_rate"), 4) == 0.2393
    assert round(value(measured, "fairness.selection_rate", "sex=Female"), 4) == 0.1093
    assert round(value(measured, "fairness.selection_rate", "sex=Male"), 4) == 0.3038
    pair = row(measured, "fairness.selection_rate_pair", "sex=Female / sex=Male")
    assert round(pair.detail["difference"], 4) == -0.1945 and round(pair.value or 0, 2) == 0.36, "AIF360 reports -0.1945"


def test_taiwan_defaults(tmp_path: Path, shared_data: Path) -> None:
    frame = pd.read_csv(shared_data / "taiwan" / "UCI_Credit_Card.csv")
    measured = fair(tmp_path, pd.DataFrame({"pred": frame.iloc[:, -1], "sex": frame["X2"].astype(str)}), ["sex"])
    assert round(value(measured, "fairness.selection_rate"), 4) == 0.2212
    assert round(value(measured, "fairness.selection_rate", "sex=1"), 4) == 0.2417, "men"
    assert round(value(measured, "fairness.selection_rate", "sex=2"), 4) == 0.2078, "women"
