"""Verdict, sentence, chart and table come from one measurement: their numbers are the same, and each says what it rests on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gates import registry
from gates.collecting import Collected, Inputs, Picture
from gates.metrics import drift, fairness, performance
from gates.spec import GateResult, Measure, Measured
from tests.gates.readers.making import evidence

COLUMNS = {"id": "k", "label": "y", "prediction": "d", "score": "p", "sensitive": ["sex"]}


def file(folder: Path, name: str, frame: pd.DataFrame, role: str) -> object:
    path = folder / f"{name}.parquet"
    pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), path)
    return evidence(path, COLUMNS if "k" in frame else {}, role=role)


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    """A candidate that is worse than the champion, and less kind to women; a current sample with one moved feature."""
    folder, rng, n = tmp_path_factory.mktemp("one"), np.random.default_rng(8), 3_000
    label, sex = (rng.random(n) < 0.4).astype(int), rng.choice(["female", "male"], n)
    files = {}
    for role, noise, gap in (("candidate_predictions", 0.35, 0.25), ("baseline_predictions", 0.25, 0.0)):
        p = np.clip(0.35 + 0.3 * label - gap * (sex == "female") + rng.normal(0, noise, n), 0, 1)
        frame = pd.DataFrame({"k": np.arange(n), "y": label, "p": p, "d": (p >= 0.5).astype(int), "sex": sex})
        files[role] = file(folder, role, frame, role)
    for role, shift in (("reference_sample", 0.0), ("current_sample", 0.8)):
        columns = {"moved": rng.normal(shift, 1, n), "still": rng.normal(size=n), "kind": rng.choice([*"abc"], n)}
        files[role] = file(folder, role, pd.DataFrame(columns), role)
    return Inputs(files, {"champion.exists": True})  # type: ignore[arg-type]


def judged(code: str, collected: Collected) -> GateResult:
    gate = registry.gate(code)
    return gate.judge(Measured(collected.measures), gate.limits_with())


def picture(collected: Collected, key: str) -> Picture:
    return next(one for one in collected.pictures if one.key == key)


def drawn(shown: Picture) -> list[dict[str, object]]:
    """All data values of a specification, wherever they stand in it."""
    found: list[dict[str, object]] = []

    def walk(part: object) -> None:
        if isinstance(part, dict):
            data = part.get("data")
            found.extend(data["values"] if isinstance(data, dict) and "values" in data else [])
            for inner in part.values():
                walk(inner)
        elif isinstance(part, list | tuple):
            for inner in part:
                walk(inner)

    walk(shown.spec)
    return found


def measure(collected: Collected, metric: str, group: str = "") -> Measure:
    row = Measured(collected.measures).one(metric, group)
    assert row is not None and row.value is not None, (metric, group)
    return row


def test_fairness(inputs: Inputs) -> None:
    got = fairness.collect(inputs)
    result = judged("GF101", got)
    row = measure(got, "fairness.selection_rate_pair", "sex=female / sex=male")
    assert (result.observed, result.low, result.high, result.group) == (row.value, row.low, row.high, row.group)
    value, worst = row.value or 0.0, row.detail["worst"]
    for said in (f"{value:.3f}", f"{worst:.3f}", "sex=female", "sex=male"):
        assert said in result.says, result.says
    shown = picture(got, "fairness.selection_rate_ratio")
    table = next(line for line in shown.rows if line[0] == row.group)
    assert table == (row.group, f"{value:.3f}", f"{row.low:.3f}", f"{row.high:.3f}", f"{worst:.3f}")
    mark = next(one for one in drawn(shown) if one.get("label") == row.group)
    assert (mark["value"], mark["low"], mark["high"]) == (row.value, row.low, row.high)
    # ratio and difference, direction, rows it rests on, number of comparisons it is corrected for
    assert row.detail["difference"] == pytest.approx(row.detail["rate_lower"] - row.detail["rate_higher"])
    assert row.detail["difference_low"] <= row.detail["difference"] <= row.detail["difference_high"]
    assert row.detail["comparisons"] == 1 and row.detail["level"] == pytest.approx(0.95)
    assert row.n == min(row.detail["n_lower"], row.detail["n_higher"]) > 0
    women = measure(got, "fairness.selection_rate", "sex=female")
    line = next(line for line in picture(got, "fairness.selection_rate").rows if line[0] == "sex=female")
    assert line == ("sex=female", f"{women.value:.1%}", f"{women.low:.1%}", f"{women.high:.1%}", f"{women.n:,}")


def test_performance(inputs: Inputs) -> None:
    got = performance.collect(inputs)
    result = judged("GP101", got)
    change, absolute = measure(got, "performance.relative_change"), measure(got, "performance.change")
    assert (result.observed, result.low, result.high, result.n) == (change.value, change.low, change.high, change.n)
    own, champion = measure(got, "performance.candidate"), measure(got, "performance.baseline")
    for said in (f"{change.value:+.1%}", f"{own.value:.3f} against {champion.value:.3f}", f"{change.n:,} cases", "worse"):
        assert said in result.says, result.says
    assert absolute.value == pytest.approx((own.value or 0) - (champion.value or 0))
    assert change.value == pytest.approx((absolute.value or 0) / (champion.value or 1))
    shown = picture(got, "performance.change")
    line = next(line for line in shown.rows if line[0] == "AUC (decides)")
    assert line[1:] == (f"{change.value:+.1%}", f"{change.low:+.1%}", f"{change.high:+.1%}")
    mark = next(one for one in drawn(shown) if one.get("label") == "AUC (decides)")
    assert mark["value"] == pytest.approx(100 * (change.value or 0))
    assert (
        f"AUC of the candidate {own.value:.3f}, of the champion {champion.value:.3f}"
        in picture(got, "performance.roc").description
    )


def test_drift(inputs: Inputs) -> None:
    got = drift.collect(inputs)
    result = judged("GD104", got)
    row, share = measure(got, "drift.psi", "feature=moved"), measure(got, "drift.share")
    assert result.observed == share.value == pytest.approx(1 / 3)
    assert f"moved ({row.value:.2f})" in result.says and f"{share.value:.1%}" in result.says, result.says
    ranking = picture(got, "drift_ranking")
    line = next(line for line in ranking.rows if line[0] == "moved")
    assert line[1:3] == (f"{row.value:.4f}", f"{row.detail['null_point']:.4f}")
    assert f"KS {row.detail['ks']:.3f}" in line[3]
    mark = next(one for one in drawn(ranking) if one.get("feature") == "moved")
    assert mark["psi"] == pytest.approx(row.value, abs=5e-6)
    assert f"moved moved most: PSI {row.value:.3f}" in ranking.description
    assert row.n == 3_000 and share.detail == {"weights": "equal", "drifted": 1, "features": 3}
