"""Load tests and A/B tests with known truth: what a cost report and an experiment document hold, to the bytes.

Latency is log-normal with a known median and spread, so percentiles, mean and cost follow from the dials. The set-up of a test
is whole unless it is told to leave something out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import numpy as np


@dataclass(frozen=True)
class LoadTest:
    """One version under load: log-normal latency in milliseconds on one machine."""

    median: float
    spread: float = 0.5
    samples: int = 2_000
    hardware: str = "c7i.large"
    batch_size: int = 1
    concurrency: int = 8
    price_per_hour: float = 0.36
    memory_mb: float = 480
    model_size_mb: float = 0.4

    @property
    def mean(self) -> float:
        """The true mean in milliseconds."""
        return float(self.median * np.exp(self.spread**2 / 2))

    @property
    def per_1k(self) -> float:
        """The true cost of 1,000 predictions."""
        return self.price_per_hour / 3600 * self.mean / 1000 / (self.concurrency * self.batch_size) * 1000

    def percentile(self, z: float) -> float:
        """The true percentile at a standard normal quantile (1.645 for the 95th)."""
        return float(self.median * np.exp(self.spread * z))

    def document(self, seed: int) -> dict[str, Any]:
        """As the report holds it."""
        drawn = self.median * np.random.default_rng(seed).lognormal(0, self.spread, self.samples)
        return {
            "hardware": self.hardware,
            "batch_size": self.batch_size,
            "concurrency": self.concurrency,
            "price_per_hour": self.price_per_hour,
            "memory_mb": self.memory_mb,
            "model_size_mb": self.model_size_mb,
            "unit": "ms",
            "latency": [round(float(value), 3) for value in drawn],
        }


def cost_report(
    candidate: LoadTest,
    champion: LoadTest | None,
    *,
    seed: int,
    predictions_per_month: float,
    budget: float,
    owner: str,
    p95_ms: float,
    currency: str = "EUR",
) -> bytes:
    """A cost report as JSON."""
    body: dict[str, Any] = {
        "currency": currency,
        "predictions_per_month": predictions_per_month,
        "budget": {"per_month": budget, "owner": owner},
        "objective": {"p95_ms": p95_ms},
        "candidate": candidate.document(seed),
    }
    if champion is not None:
        body["champion"] = champion.document(seed + 1)
    return json.dumps(body).encode()


@dataclass(frozen=True)
class AbTest:
    """An A/B test that is whole as it stands. `opposite`: it changes its decision downwards."""

    id: str
    team: str
    decision: str
    what: str
    starts: date
    days: int = 14
    opposite: bool = False
    population: Mapping[str, Sequence[str]] = field(default_factory=dict)
    layer: str = ""
    exposure_percent: float = 5
    baseline: float = 0.20
    minimum_effect: float = 0.05
    units_per_day: float = 400
    observed: Mapping[str, int] = field(default_factory=dict)

    def document(self) -> bytes:
        """As the evidence holds it, JSON."""
        body: dict[str, Any] = {
            "id": self.id,
            "team": self.team,
            "hypothesis": f"If {self.what}, more visitors put something into the basket.",
            "change": {"decision": self.decision, "direction": "decrease" if self.opposite else "increase", "what": self.what},
            "primary_metric": {"name": "basket rate", "baseline": self.baseline, "minimum_effect": self.minimum_effect},
            "guardrails": ["returns", "page time"],
            "unit": "visitor",
            "analysis_unit": "visitor",
            "salt": f"{self.id}-1",
            "layer": self.layer,
            "population": {name: list(values) for name, values in self.population.items()},
            "allocation": {"control": 0.5, "treatment": 0.5},
            "exposure_percent": self.exposure_percent,
            "units_per_day": self.units_per_day,
            "start": self.starts.isoformat(),
            "end": (self.starts + timedelta(days=self.days - 1)).isoformat(),
            "stop_rule": {"kind": "fixed", "rule": "evaluated once, at the end"},
        }
        if self.observed:
            body["observed"] = dict(self.observed)
        return json.dumps(body, indent=1).encode()
