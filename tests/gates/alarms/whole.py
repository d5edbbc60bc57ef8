"""Whole gates on files: two equally good, calibrated, fair models; two samples of one population; two runs of one model."""

from __future__ import annotations

import importlib
import json
import math
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from scipy.special import ndtr, ndtri

from gates.collecting import EvidenceInput, Inputs
from gates.spec import Measured
from tests.gates.alarms.case import Case, verdicts

SIGNAL, SHARED = 1.45, 0.95
"""Strength of the signal (AUC about 0.83), and what the two models' inputs have in common."""
SELECTED = 0.3
COLUMNS: dict[str, Any] = {"id": "k", "label": "y", "prediction": "d", "score": "p", "sensitive": ["sex", "band"]}
JUDGED = {
    "performance": ("GP101", "GP102"),
    "calibration": ("GP103",),
    "slices": ("GP104",),
    "fairness": ("GF101", "GF102", "GF103", "GF104", "GF105"),
}


def _score(x: np.ndarray, cut: float) -> np.ndarray:
    """The chance of a positive for who sees x: calibrated by construction."""
    return np.asarray(ndtr((SIGNAL * math.sqrt(SHARED) * x - cut) / math.sqrt(1 + SIGNAL**2 * (1 - SHARED))))


def _file(folder: Path, role: str, columns: Mapping[str, Any], mapping: Mapping[str, Any]) -> EvidenceInput:
    path = folder / f"{role}.parquet"
    pq.write_table(pa.table(dict(columns)), path, compression="none")
    return EvidenceInput(role, str(path), path.name, f"{role}-{np.random.default_rng().integers(2**62)}", dict(mapping))


def _measured(collector: str, inputs: Inputs) -> Measured:
    got = importlib.import_module(f"gates.metrics.{collector}").collect(inputs)
    return Measured(got.measures, {collector: got.not_measured} if got.not_measured else {})


def models(rng: np.random.Generator, folder: Path, n: int, share: float) -> dict[str, bool]:
    """Candidate and champion see the same signal with different noise; sex and band say nothing about anybody."""
    cut = -ndtri(share) * math.sqrt(1 + SIGNAL**2)
    latent = rng.normal(size=n)
    label = (SIGNAL * latent + rng.normal(size=n) > cut).astype(np.int8)
    threshold = float(_score(np.array([-ndtri(SELECTED)]), cut)[0])
    common = {
        "k": np.arange(n),
        "y": label,
        "sex": rng.choice(["female", "male"], n),
        "band": rng.choice(["18-29", "30-44", "45-59", "60+"], n),
    }
    evidence = {}
    for role in ("candidate_predictions", "baseline_predictions"):
        seen = math.sqrt(SHARED) * latent + math.sqrt(1 - SHARED) * rng.normal(size=n)
        score = _score(seen, cut)
        evidence[role] = _file(folder, role, {**common, "p": score, "d": (score >= threshold).astype(np.int8)}, COLUMNS)
    inputs = Inputs(evidence, {"champion.exists": True}, seed=int(rng.integers(2**31)))
    events: dict[str, bool] = {}
    for collector, codes in JUDGED.items():
        measured = _measured(collector, inputs)
        for code in codes:
            events |= verdicts(code, measured)
    return events


def samples(rng: np.random.Generator, folder: Path, n: int) -> dict[str, bool]:
    """Ten features, a score and a label, drawn twice from the same population."""

    def frame() -> dict[str, Any]:
        columns: dict[str, Any] = {f"n{at}": rng.normal(size=n) for at in range(4)}
        columns |= {f"e{at}": rng.lognormal(0, 1, n) for at in range(2)}
        columns |= {f"z{at}": np.where(rng.random(n) < 0.4, 0.0, rng.exponential(size=n)) for at in range(2)}
        columns |= {f"c{at}": rng.choice([*"abcdefgh"][: 4 + 4 * at], n) for at in range(2)}
        return {**columns, "p": rng.beta(2, 5, n), "y": (rng.random(n) < 0.2).astype(np.int8)}

    mapping = {"score": "p", "label": "y"}
    evidence = {role: _file(folder, role, frame(), mapping) for role in ("reference_sample", "current_sample")}
    inputs = Inputs(evidence, seed=int(rng.integers(2**31)))
    drift = _measured("drift", inputs)
    return {**verdicts("GD104", drift), **verdicts("GD105", drift), **verdicts("GD111", _measured("label_drift", inputs))}


def latencies(rng: np.random.Generator, folder: Path, n: int) -> dict[str, bool]:
    """The same model measured twice: log-normal times, sigma 0.5, well within the budget and the objective."""
    load = {"hardware": "m", "batch_size": 1, "concurrency": 8, "price_per_hour": 0.36, "unit": "ms"}
    runs = {side: {**load, "latency": rng.lognormal(2.3, 0.5, n).tolist()} for side in ("candidate", "champion")}
    body = {
        "currency": "EUR",
        "predictions_per_month": 1_000_000,
        "budget": {"per_month": 9_000, "owner": "shop"},
        "objective": {"p95_ms": 400},
        **runs,
    }
    path = folder / "cost.json"
    path.write_text(json.dumps(body))
    measured = _measured("cost", Inputs({"cost_report": EvidenceInput("cost_report", str(path), path.name, "")}))
    return {**verdicts("GC101", measured), **verdicts("GC102", measured)}


CASES: tuple[Case, ...] = (
    *(
        Case(
            f"models-{n}-{share:.0%}",
            f"two equally good, calibrated, fair models (AUC 0.83), {share:.0%} positives",
            f"{n:,} rows",
            partial(models, n=n, share=share),
            full,
        )
        for n, share, full in ((1_000, 0.2, 60), (5_000, 0.2, 60), (20_000, 0.2, 30), (5_000, 0.05, 60))
    ),
    *(
        Case(f"samples-{n}", "two samples of one population, ten features", f"{n:,} rows each", partial(samples, n=n), 200)
        for n in (500, 1_000, 10_000)
    ),
    *(
        Case(f"latencies-{n}", "one model measured twice, log-normal times", f"{n:,} samples each", partial(latencies, n=n), full)
        for n, full in ((300, 40), (1_000, 20), (5_000, 10))
    ),
)
