"""What is true of a planted portfolio, in the words of the gates: metric, group and value, and how it is known.

Some truths are exact (a leaked flag's AUC, the share of shared rows), one comes from the distributions (PSI by reference
deciles), the others from a draw so large that its own error does not matter beside the evaluation's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import xgboost
from scipy import stats

from gates.simulator.models import Trained, auc, predictions
from gates.simulator.planting import LEADING, LEAK, Planted
from gates.simulator.populations import Population

LARGE, EXPLAINED = 200_000, 20_000
_EXACT, _LARGE = "exact", f"a draw of {LARGE:,} rows"


@dataclass(frozen=True)
class Truth:
    """One thing that is known. `expected`: where the gate's estimate falls in 99 of 100 draws, for those it gives no interval."""

    what: str
    gate: str
    collector: str
    metric: str
    group: str
    value: float
    known_from: str
    text: str = ""
    expected: tuple[float, float] | None = None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def truths(planted: Planted) -> list[Truth]:
    """Everything known about what was planted, and the candidate's AUC."""
    large = planted.another_evaluation(LARGE)
    scored = predictions(planted.candidate, large)
    found = [Truth("performance", "GP102", "performance", "performance.candidate.roc_auc", "", auc(scored), _LARGE)]
    dials = planted.dials
    if dials.disparity:
        rates = {str(sex): float(part["decision"].mean()) for sex, part in scored.groupby("sex")}
        low, high = sorted(rates.values())
        found.append(Truth("disparity", "GF101", "fairness", "fairness.selection_rate_ratio", "sex", low / high, _LARGE))
        found += [
            Truth("disparity", "GF101", "fairness", "fairness.selection_rate", f"sex={sex}", rate, _LARGE)
            for sex, rate in rates.items()
        ]
    if dials.drift:
        found.append(_drift(planted))
    if dials.leak:
        found.append(Truth("leakage", "GD109", "leakage", "leakage.max_auc", "", 0.5 + dials.leak / 2, _EXACT, text=LEAK))
    if dials.overlap:
        share = round(dials.overlap * dials.rows) / dials.rows
        found.append(Truth("leakage", "GD109", "leakage", "leakage.overlap_keys", "file=current.parquet", share, _EXACT))
    if dials.forget:
        found += _explanations(planted, large)
    return found


def _drift(planted: Planted) -> Truth:
    """PSI of the leading feature over the reference's deciles, and how it scatters at these row counts."""
    dials = planted.dials
    before, after = _distributions(dials.portfolio, dials.drift)
    edges = before.ppf(np.linspace(0, 1, 11)[1:-1])
    p = np.diff(np.concatenate([[0.0], before.cdf(edges), [1.0]]))
    q = np.diff(np.concatenate([[0.0], after.cdf(edges), [1.0]]))
    rng = np.random.default_rng([dials.seed, 79])
    # the bins are the reference sample's own deciles, so only the current sample scatters over them; the edges scatter little
    drawn = rng.multinomial(dials.rows, q, 4_000) / dials.rows
    drawn = np.maximum(drawn, 0.5 / dials.rows)
    low, high = np.quantile(((drawn - p) * np.log(drawn / p)).sum(axis=1), [0.005, 0.995])
    value = float(((q - p) * np.log(q / p)).sum())
    slack = 0.05 * value + 0.01  # for the edges, and for values that were rounded
    group = f"feature={LEADING[dials.portfolio]}"
    return Truth("drift", "GD104", "drift", "drift.psi", group, value, "the distributions", expected=(low - slack, high + slack))


def _distributions(portfolio: str, drift: float) -> tuple[Any, Any]:
    """The leading feature's distribution before and after, as the equations in `populations` say."""
    made: dict[str, Callable[[float], Any]] = {
        "lender": lambda moved: stats.lognorm(s=0.45, scale=np.exp(10.35 + 0.45 * moved)),
        "shop": lambda moved: stats.gamma(2.0, scale=9.0 * np.exp(0.5 * moved)),
        "hospital": lambda moved: stats.gamma(2.0, scale=2.2 * np.exp(0.4 * moved)),
    }
    return made[portfolio](0.0), made[portfolio](drift)


def _explanations(planted: Planted, large: Population) -> Iterator[Truth]:
    """Shares of attribution of both models on the same rows; the forgotten feature's share is nothing by construction."""
    frame = large.frame.head(EXPLAINED)
    ours, theirs = (_shares(model, frame) for model in (planted.candidate, planted.champion))
    change = {name: abs(ours.get(name, 0.0) - theirs.get(name, 0.0)) for name in {*ours, *theirs}}
    most = max(change, key=lambda name: change[name])
    known = f"a draw of {EXPLAINED:,} rows"
    yield Truth("explanation", "GX101", "explanations", "explanation.max_share_change", "", change[most], known, text=most)
    yield Truth(
        "explanation",
        "GX101",
        "explanations",
        "explanation.share",
        f"feature={planted.dials.forget}",
        0.0,
        _EXACT,
        expected=(0.0, 0.0),
    )


def _shares(model: Trained, frame: Any) -> dict[str, float]:
    """Mean absolute attribution per feature, as shares, by XGBoost's own contributions."""
    matrix = model.booster.predict(xgboost.DMatrix(frame[list(model.features)]), pred_contribs=True)[:, :-1]
    size = np.abs(matrix).mean(axis=0)
    return {name: float(part) for name, part in zip(model.features, size / size.sum(), strict=True)}
