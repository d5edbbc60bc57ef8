"""The collectors' workloads, ours and each peer's: `python -m tests.bench.contenders NAME FIRST SECOND` in a child process.

Each reads its own columns from Parquet, works, and prints seconds, processor seconds, peak memory and its answer as JSON.
Libraries are imported before the clock starts.
"""

from __future__ import annotations

import functools
import importlib
import json
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from gates.collecting import Collected, EvidenceInput, Inputs
from tests.bench.gate_data import METRICS, PREDICTION_COLUMNS

Work = Callable[[Path, Path], Any]


def _evidence(role: str, path: Path, columns: Mapping[str, Any]) -> EvidenceInput:
    return EvidenceInput(role, str(path), path.name, role, dict(columns))


def _collector(name: str) -> ModuleType:
    importlib.import_module(f"gates.metrics.{name}_impl")
    return importlib.import_module(f"gates.metrics.{name}")


def _values(collected: Collected, *metrics: str) -> dict[str, float | None]:
    if collected.not_measured:
        raise RuntimeError(collected.not_measured)
    return {f"{row.metric}|{row.group}": row.value for row in collected.measures if row.metric in metrics}


def fairness() -> Work:
    """Our collector: six metrics, two attributes and their pairs, every rate and ratio with its interval."""
    module = _collector("fairness")
    columns = {role: column for role, column in PREDICTION_COLUMNS.items() if role not in ("score", "id")}

    def work(candidate: Path, _: Path) -> dict[str, float | None]:
        got = module.collect(Inputs({"candidate_predictions": _evidence("candidate_predictions", candidate, columns)}))
        return _values(got, *(f"fairness.{metric}" for metric in METRICS))

    return work


def fairlearn() -> Work:
    """Fairlearn's MetricFrame on the raw rows: five metrics, two attributes, no intervals."""
    pandas, metrics = importlib.import_module("pandas"), importlib.import_module("fairlearn.metrics")
    sklearn = importlib.import_module("sklearn.metrics")

    def work(candidate: Path, _: Path) -> dict[str, float]:
        frame = pandas.read_parquet(candidate, columns=["y", "pred", "race", "sex"])
        measured = metrics.MetricFrame(
            metrics={
                "selection_rate": metrics.selection_rate,
                "true_positive_rate": metrics.true_positive_rate,
                "false_positive_rate": metrics.false_positive_rate,
                "precision": functools.partial(sklearn.precision_score, zero_division=0),
                "accuracy": sklearn.accuracy_score,
            },
            y_true=frame["y"],
            y_pred=frame["pred"],
            sensitive_features=frame[["race", "sex"]],
        )
        return {
            f"fairness.{metric}|race={race} & sex={sex}": float(value)
            for metric in METRICS
            for (race, sex), value in measured.by_group[metric].items()
        }

    return work


def drift() -> Work:
    """Our collector: PSI, exact Kolmogorov-Smirnov, Wasserstein, Jensen-Shannon and Cramér's V of every column, with pictures."""
    module = _collector("drift")

    def work(reference: Path, current: Path) -> dict[str, float | None]:
        files = {"reference_sample": reference, "current_sample": current}
        got = module.collect(Inputs({role: _evidence(role, path, {}) for role, path in files.items()}))
        found = _values(got, "drift.psi")
        ks = {row.group: row.detail["ks"] for row in got.measures if row.metric == "drift.psi" and "ks" in row.detail}
        return {**found, **{f"ks|{group}": value for group, value in ks.items()}}

    return work


def scipy_pandas() -> Work:
    """SciPy's distances on pandas columns: KS and Wasserstein for numbers, Jensen-Shannon for categories."""
    pandas, stats = importlib.import_module("pandas"), importlib.import_module("scipy.stats")
    distance = importlib.import_module("scipy.spatial.distance")

    def work(reference: Path, current: Path) -> dict[str, float]:
        before, after = pandas.read_parquet(reference), pandas.read_parquet(current)
        out = {}
        for name in before:
            if name.startswith("n"):
                out[f"ks|feature={name}"] = float(stats.ks_2samp(before[name], after[name], method="asymp").statistic)
                stats.wasserstein_distance(before[name], after[name])
            else:
                shares = [column.value_counts(normalize=True) for column in (before[name], after[name])]
                levels = sorted(set(shares[0].index) | set(shares[1].index))
                distance.jensenshannon(*(share.reindex(levels).fillna(0.0) for share in shares))
        return out

    return work


def performance() -> Work:
    """Our collector: sixteen metrics of both versions with paired intervals, McNemar, the digest of the set, curves."""
    module = _collector("performance")
    facts = {"model.decision_threshold": 0.5, "champion.decision_threshold": 0.5}

    def work(candidate: Path, champion: Path) -> dict[str, float | None]:
        files = {"candidate_predictions": candidate, "baseline_predictions": champion}
        columns = {role: column for role, column in PREDICTION_COLUMNS.items() if role != "sensitive"}
        got = module.collect(Inputs({role: _evidence(role, path, columns) for role, path in files.items()}, facts))
        found = {row.metric: row.value for row in got.measures if row.metric.startswith("performance.") and not row.group}
        if not found:
            raise RuntimeError(got.not_measured)
        return found

    return work


def group_auc() -> Work:
    """Our AUC by group with DeLong's interval: exact to two million rows, counts by score bin above."""
    module = importlib.import_module("gates.metrics.fairness_auc_impl")

    def work(candidate: Path, _: Path) -> dict[str, Any]:
        found = module.by_group(_evidence("candidate_predictions", candidate, PREDICTION_COLUMNS), "segment")
        return {
            "auc": {name: float(one.found.values[0]) for name, one in found.items()},
            "bound": max(one.found.bound for one in found.values()),
        }

    return work


def sklearn_auc() -> Work:
    """scikit-learn's roc_auc_score for each group of a pandas frame."""
    pandas, sklearn = importlib.import_module("pandas"), importlib.import_module("sklearn.metrics")

    def work(candidate: Path, _: Path) -> dict[str, Any]:
        frame = pandas.read_parquet(candidate, columns=["y", "score", "segment"])
        groups = frame.groupby("segment", observed=True)
        return {"auc": {str(name): float(sklearn.roc_auc_score(part["y"], part["score"])) for name, part in groups}}

    return work


def flips() -> Work:
    """Our collector: keys checked, both directions, negative flips, by group, McNemar, largest moves, pictures."""
    module = _collector("rollback")

    def work(candidate: Path, champion: Path) -> dict[str, float | None]:
        files = {"candidate_predictions": candidate, "baseline_predictions": champion}
        got = module.collect(Inputs({role: _evidence(role, path, PREDICTION_COLUMNS) for role, path in files.items()}))
        return _values(got, "rollback.flip_rate", "rollback.segment_flip_rate")

    return work


def duckdb_flips() -> Work:
    """The join and its group totals in DuckDB, keys trusted: two attributes, decisions and labels counted."""
    duckdb = importlib.import_module("duckdb")

    def work(candidate: Path, champion: Path) -> dict[str, float]:
        rows = duckdb.sql(
            "SELECT a.race, a.sex, a.y, a.pred, b.pred, count(*) "
            f"FROM '{candidate}' a JOIN '{champion}' b USING (id) GROUP BY ALL"
        ).fetchall()
        total = sum(row[-1] for row in rows)
        return {"rollback.flip_rate|": sum(row[-1] for row in rows if row[3] != row[4]) / total}

    return work


def duckdb_answers() -> Work:
    """Plain DuckDB asked everything our collector says: keys once each, counts by group, and the ten largest moves."""
    duckdb = importlib.import_module("duckdb")

    def work(candidate: Path, champion: Path) -> dict[str, float]:
        for path in (candidate, champion):
            duckdb.sql(f"SELECT count(*), count(DISTINCT id) FROM '{path}'").fetchall()
        found: dict[str, float] = duckdb_flips()(candidate, champion)
        duckdb.sql(
            f"SELECT id, a.score, b.score FROM '{candidate}' a JOIN '{champion}' b USING (id) "
            "ORDER BY abs(a.score - b.score) DESC, id LIMIT 10"
        ).fetchall()
        return found

    return work


NAMES: dict[str, Callable[[], Work]] = {
    work.__name__: work
    for work in (
        fairness, fairlearn, drift, scipy_pandas, performance, group_auc, sklearn_auc, flips, duckdb_flips, duckdb_answers
    )
}  # fmt: skip


def main(name: str, first: str, second: str) -> None:
    """Prepare, work with the clock running, print."""
    work = NAMES[name]()
    begun, processor = time.perf_counter(), time.process_time()
    answer = work(Path(first), Path(second))
    took = time.perf_counter() - begun, time.process_time() - processor
    # not getrusage: what it says begins with the largest size of the process that started this one
    peak = int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])
    print(json.dumps({"seconds": took[0], "processor": took[1], "peak_kib": peak, "answer": answer}))


if __name__ == "__main__":
    main(*sys.argv[1:])
