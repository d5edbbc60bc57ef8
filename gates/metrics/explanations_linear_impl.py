"""Exact attributions of models that are linear in their inputs, whatever file they come in.

A scikit-learn estimator says its coefficients. Of any other model (an ONNX graph) only the margin can be asked: one feature at a
time is moved to learn its weight, and the straight line that gives has to hold on every row of the sample, and on rows whose
columns are shuffled one by one, where features that go together in the sample no longer do. Then the attribution of a feature is
its weight times how far the row is from the background's mean: Shapley's values for independent features, without sampling.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

FEWEST_ROWS = 20
TOLERANCE = 5e-4
"""Largest distance from the line, on the scale of log-odds or as a share of the margin's spread where that is larger."""
_ONE_TO_ONE = frozenset({"StandardScaler", "MinMaxScaler", "RobustScaler", "MaxAbsScaler", "SimpleImputer"})


def weights_of(margin: Callable[[np.ndarray], np.ndarray], rows: np.ndarray, seed: int) -> np.ndarray | None:
    """One weight per feature when the margin is a straight line over `rows`; None when it is not, or too little is known."""
    if len(rows) < FEWEST_ROWS or not np.isfinite(rows).all():
        return None
    rng = np.random.default_rng(seed)
    shuffled = np.column_stack([rng.permutation(column) for column in rows.T])
    centre = np.median(rows, axis=0)
    spread = np.ptp(rows, axis=0)
    steps = np.where(spread > 0, spread / 2, 1.0)
    moved = np.concatenate([centre + np.diag(steps), centre - np.diag(steps)])
    found = np.asarray(margin(np.concatenate([moved, rows, shuffled])), dtype=np.float64)
    if not np.isfinite(found).all():
        return None
    k = rows.shape[1]
    weights = (found[:k] - found[k : 2 * k]) / (2 * steps)
    rest = found[2 * k :] - np.concatenate([rows, shuffled]) @ weights
    near = TOLERANCE * max(1.0, float(np.std(found[2 * k :])))
    return weights if float(np.abs(rest - np.median(rest)).max()) <= near else None


def by_weights(
    margin: Callable[[np.ndarray], np.ndarray], weights: np.ndarray, rows: np.ndarray, background: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Attributions and base values; the base is the mean margin of the background."""
    base = float(np.asarray(margin(background), dtype=np.float64).mean())
    return (rows - background.mean(axis=0)) * weights, np.full(len(rows), base)


def steps_of(estimator: Any) -> tuple[Any, Any] | None:
    """(transformer or None, linear estimator) when attributions of the last step belong to the input columns one to one."""
    last, before = estimator, None
    if hasattr(estimator, "steps"):
        last = estimator.steps[-1][1]
        if any(
            type(step).__name__ not in _ONE_TO_ONE or getattr(step, "add_indicator", False) for _, step in estimator.steps[:-1]
        ):
            return None
        before = estimator[:-1] if len(estimator.steps) > 1 else None
    coefficients = getattr(last, "coef_", None)
    if coefficients is None or np.asarray(coefficients).reshape(-1).shape != (getattr(last, "n_features_in_", -1),):
        return None
    return (before, last) if type(last).__module__.startswith("sklearn.linear_model") else None


def by_estimator(estimator: Any, rows: np.ndarray, background: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Attributions and base values from a scikit-learn estimator's own coefficients. ValueError when it is not linear."""
    import shap

    found = steps_of(estimator)
    if found is None:
        raise ValueError("not a linear model")
    before, last = found
    if before is not None:
        names = getattr(estimator, "feature_names_in_", None)
        if names is not None:
            import pandas

            rows, background = (pandas.DataFrame(part, columns=list(names)) for part in (rows, background))
        rows, background = np.asarray(before.transform(rows)), np.asarray(before.transform(background))
    weights, intercept = np.asarray(last.coef_).reshape(-1), float(np.asarray(last.intercept_).reshape(-1)[0])
    masker = shap.maskers.Independent(background, max_samples=len(background))
    explainer = shap.LinearExplainer((weights, intercept), masker)
    return np.asarray(explainer.shap_values(rows)), np.full(len(rows), float(np.asarray(explainer.expected_value).reshape(-1)[0]))
