"""Populations: features, protected attributes and labels from stated equations.

Each population draws its features first, then the label from `sigmoid(linear score + group shift)`. The knobs:

- `disparity`: shift of the log-odds of the label for the disadvantaged group. 0 means both groups have the same label equation;
- `drift`: standard deviations by which the leading feature moves (its distribution changes, its effect does not);
- `seed`: everything follows from it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Population:
    """One draw: features in `frame`, the 0/1 label, protected attributes beside it. Rows are keyed by `case_id`."""

    frame: pd.DataFrame
    features: tuple[str, ...]
    label: str
    sensitive: tuple[str, ...]
    truth: dict[str, float] = field(default_factory=dict)

    @property
    def x(self) -> pd.DataFrame:
        return self.frame[list(self.features)]

    @property
    def y(self) -> pd.Series:
        return self.frame[self.label]


def _sigmoid(value: np.ndarray) -> np.ndarray:
    return np.asarray(1.0 / (1.0 + np.exp(-value)))


def _standard(value: np.ndarray, mean: float, spread: float) -> np.ndarray:
    return (value - mean) / spread


def _people(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    sex = rng.choice(["female", "male"], n)
    age = np.clip(rng.normal(44, 14, n), 18, 90).round()
    band = np.select([age < 30, age < 45, age < 60], ["18-29", "30-44", "45-59"], "60+")
    return sex, age, band


# two groups: crossed with four age bands and a few thousand rows, more would be too small to tell
ZIP_GROUPS = ("10-49", "50-99")
ZIP_SHARES = (0.55, 0.45)


def _keys(n: int, portfolio: int, seed: int) -> np.ndarray:
    """Keys of cases: other draws are other people, so no two seeds share one."""
    return np.asarray(np.arange(n) + portfolio * 10_000_000_000 + seed * 10_000_000)


def lender(n: int, *, seed: int, disparity: float = 0.0, drift: float = 0.0) -> Population:
    """Applicants for a loan. Label: default within a year. `disparity` raises the log-odds of default for women.

    `zip_group` (the first two digits of the postcode) has no part in anything; it stands beside for the fairness gate.

    The score that decides is `-1.1 - 0.8*income + 0.9*utilisation + 0.8*late_payments + 0.4*debt_ratio - 0.5*tenure`, in
    standard units.
    """
    rng = np.random.default_rng(seed)
    sex, _, band = _people(rng, n)
    income = rng.lognormal(10.35 + 0.45 * drift, 0.45, n)
    debt_ratio = rng.beta(2.2, 5, n)
    tenure = rng.gamma(2.0, 30, n)
    utilisation = rng.beta(2, 3, n)
    late = rng.poisson(0.6, n)
    # says nearly the same as income: a model can swap one for the other without a change in performance
    spend = income * 0.05 * rng.lognormal(0, 0.08, n)
    region = rng.integers(1, 9, n)
    # no part in the label's equation; far more common among women, so a model trained on uneven labels can use it as a stand-in
    part_time = rng.random(n) < np.where(sex == "female", 0.6, 0.08)
    score = (
        -1.1
        - 0.8 * _standard(np.log(income), 10.35, 0.45)
        + 0.9 * _standard(utilisation, 0.4, 0.2)
        + 0.8 * _standard(late, 0.6, 0.775)
        + 0.4 * _standard(debt_ratio, 0.306, 0.161)
        - 0.5 * _standard(tenure, 60, 42.4)
        + disparity * (sex == "female")
    )
    frame = pd.DataFrame(
        {
            "case_id": _keys(n, 1, seed),
            "income": income.round(2),
            "debt_ratio": debt_ratio.round(4),
            "tenure_months": tenure.round(1),
            "utilisation": utilisation.round(4),
            "late_payments": late.astype(float),
            "monthly_spend": spend.round(2),
            "region_code": region.astype(float),
            "part_time": part_time.astype(float),
            "sex": sex,
            "age_band": band,
            # drawn apart, so that the rest of a seed's draw is what it was before
            "zip_group": np.random.default_rng([seed, 2]).choice(ZIP_GROUPS, n, p=ZIP_SHARES),
            "default": (rng.random(n) < _sigmoid(score)).astype(int),
        }
    )
    features = (
        "income",
        "debt_ratio",
        "tenure_months",
        "utilisation",
        "late_payments",
        "monthly_spend",
        "region_code",
        "part_time",
    )
    return Population(frame, features, "default", ("sex", "age_band", "zip_group"), {"disparity": disparity, "drift": drift})


def shop(n: int, *, seed: int, disparity: float = 0.0, drift: float = 0.0) -> Population:
    """Visitors of a shop. Label: clicks the recommended product. `drift` moves how recently they visited."""
    rng = np.random.default_rng(seed)
    sex, _, band = _people(rng, n)
    recency = rng.gamma(2.0, 9.0 * np.exp(0.5 * drift), n)
    orders = rng.poisson(4, n)
    basket = rng.lognormal(3.4, 0.5, n)
    affinity = rng.beta(2, 4, n)
    sessions = rng.poisson(6, n)
    returns = rng.binomial(3, 0.15, n)
    score = (
        -0.9
        - 0.7 * _standard(recency, 18, 12.7)
        + 0.5 * _standard(orders, 4, 2)
        + 1.1 * _standard(affinity, 0.333, 0.178)
        + 0.4 * _standard(sessions, 6, 2.45)
        - 0.3 * _standard(returns, 0.45, 0.618)
        + disparity * (sex == "female")
    )
    frame = pd.DataFrame(
        {
            "case_id": _keys(n, 2, seed),
            "days_since_visit": recency.round(1),
            "orders_per_year": orders.astype(float),
            "basket_value": basket.round(2),
            "category_affinity": affinity.round(4),
            "sessions_per_month": sessions.astype(float),
            "returns": returns.astype(float),
            "sex": sex,
            "age_band": band,
            "clicked": (rng.random(n) < _sigmoid(score)).astype(int),
        }
    )
    features = ("days_since_visit", "orders_per_year", "basket_value", "category_affinity", "sessions_per_month", "returns")
    return Population(frame, features, "clicked", ("sex", "age_band"), {"disparity": disparity, "drift": drift})


def hospital(n: int, *, seed: int, disparity: float = 0.0, drift: float = 0.0) -> Population:
    """Patients at discharge. Label: readmitted within 30 days."""
    rng = np.random.default_rng(seed)
    sex, age, band = _people(rng, n)
    stay = rng.gamma(2.0, 2.2 * np.exp(0.4 * drift), n)
    prior = rng.poisson(0.9, n)
    medications = rng.poisson(7, n)
    creatinine = rng.lognormal(0.05, 0.3, n)
    frailty = rng.beta(2, 5, n)
    score = (
        -1.3
        + 0.8 * _standard(prior, 0.9, 0.95)
        + 0.5 * _standard(stay, 4.4, 3.1)
        + 0.4 * _standard(creatinine, 1.1, 0.34)
        + 0.7 * _standard(frailty, 0.286, 0.16)
        + 0.3 * _standard(age, 44, 14)
        + disparity * (sex == "female")
    )
    frame = pd.DataFrame(
        {
            "case_id": _keys(n, 3, seed),
            "length_of_stay": stay.round(1),
            "prior_admissions": prior.astype(float),
            "medications": medications.astype(float),
            "creatinine": creatinine.round(3),
            "frailty_index": frailty.round(4),
            "age": age,
            "sex": sex,
            "age_band": band,
            "readmitted": (rng.random(n) < _sigmoid(score)).astype(int),
        }
    )
    features = ("length_of_stay", "prior_admissions", "medications", "creatinine", "frailty_index", "age")
    return Population(frame, features, "readmitted", ("sex", "age_band"), {"disparity": disparity, "drift": drift})


PORTFOLIOS: dict[str, Callable[..., Population]] = {"lender": lender, "shop": shop, "hospital": hospital}


def exact_rates(groups: dict[str, tuple[int, float]], *, attribute: str = "group") -> pd.DataFrame:
    """Decisions with exactly the stated selection rates: `{group: (rows, rate)}` -> case_id, group, label, prediction.

    The label equals the prediction in nine rows of ten in every group, so that only the selection rate differs. For tests
    whose truth
    must be exact rather than drawn.
    """
    parts = []
    for group, (rows, rate) in groups.items():
        selected = np.arange(rows) < round(rows * rate)
        label = np.where(np.arange(rows) % 10 == 0, ~selected, selected)
        parts.append(pd.DataFrame({attribute: group, "label": label.astype(int), "prediction": selected.astype(int)}))
    frame = pd.concat(parts, ignore_index=True)
    frame.insert(0, "case_id", np.arange(len(frame)))
    return frame
