"""Attributions computed here from model files: native contributions for boosters, exact ones for linear models, shap's
permutation explainer otherwise.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gates.collecting import EvidenceInput, EvidenceProblem, Inputs, working_on
from gates.metrics import explanations_linear_impl as straight
from gates.readers import tables
from gates.readers.models import OpenedModel
from gates.readers.models_refusal import ModelRefused

ROWS_AT_A_TIME = 100  # between two words about how far it is
ROWS_NATIVE = 1_000
ROWS_PERMUTATION = 200
FEWEST_PERMUTATION = 50
BACKGROUND = 200
BACKGROUND_PERMUTATION = 50
FEWEST_BACKGROUND = 20
PERMUTATION_SECONDS = 60.0  # for one model; the child has 300 s for everything
MOST_SECONDS = 90.0  # what the least that is worth explaining may take for one model; the champion and its noise come on top
_ROLES_NOT_FEATURES = ("id", "label", "prediction", "score", "weight", "time", "base")


@dataclass
class Explained:
    """Attributions of one model on the chosen rows. `error`: largest difference between base + sum and the model's own margin."""

    names: tuple[str, ...]
    matrix: np.ndarray
    base: np.ndarray
    margin: np.ndarray
    scale: str
    ids: np.ndarray | None = None
    method: str = ""
    notes: list[str] = field(default_factory=list)

    @property
    def error(self) -> float:
        return float(np.abs(self.base + self.matrix.sum(axis=1) - self.margin).max())


def method_for(models: Sequence[OpenedModel], rows: Sequence[np.ndarray], seed: int) -> str:
    """The one method all of them can be explained with: `native`, `linear` or `permutation`. `rows`: some rows of each model."""
    if all(model.native for model in models):
        return "native"
    return "linear" if all(_linear(model, some, seed) for model, some in zip(models, rows, strict=True)) else "permutation"


def _linear(model: OpenedModel, rows: np.ndarray, seed: int) -> bool:
    if model.native:
        return False
    if model.estimator is not None and straight.steps_of(model.estimator) is not None:
        return True
    try:
        return straight.weights_of(model.margin, rows, seed) is not None
    except Exception:  # a model that does not score the rows is refused where it is explained, with the file's name
        return False


def pick_rows(total: int, wanted: int, seed: int) -> np.ndarray:
    """Row numbers in order: all, or a sample without replacement that depends on the seed only."""
    if total <= wanted:
        return np.arange(total)
    return np.sort(np.random.default_rng(seed).choice(total, wanted, replace=False))


def sample_of(inputs: Inputs) -> EvidenceInput | None:
    """The rows to explain: the explanation sample, else the current sample, else the reference sample."""
    for role in ("explanation_sample", "current_sample", "reference_sample"):
        if role in inputs.evidence:
            return inputs.evidence[role]
    return None


def feature_names(model: OpenedModel, inputs: Inputs, sample: EvidenceInput) -> tuple[str, ...]:
    """Names in the model's order: from the model, else the column mapping, else the declared features, else what is left of
    the sample.
    """
    info = tables.inspect(sample)
    numbered = tuple(f"f{at}" for at in range(model.count)), tuple(f"Column_{at}" for at in range(model.count))
    if model.features and (model.features not in numbered or set(model.features) <= set(info.names)):
        return model.features
    mapped = sample.columns.get("features")
    declared = inputs.facts.get("model.features")
    taken: set[str] = set()
    for role in _ROLES_NOT_FEATURES:
        value = sample.columns.get(role)
        taken |= {str(value)} if isinstance(value, str) else set()
    left = [name for name in info.names if name not in taken]
    for names in (mapped, declared, left):
        if isinstance(names, list | tuple) and names and (model.count in (0, len(names))):
            return tuple(str(name) for name in names)
    raise EvidenceProblem(
        file=sample.name,
        expected=f"{model.count} feature columns, as the model has",
        found=f"{len(left)} columns that could be features",
        way_out="Name them in the column mapping: columns.features, in the model's order.",
    )


def rows_for(model: OpenedModel, names: Sequence[str], sample: EvidenceInput, chosen: np.ndarray) -> np.ndarray:
    """The model's input matrix for the chosen rows of the sample."""
    table = tables.load(sample, names)
    return np.asarray(model.matrix(table, names, sample)[chosen])


def explain(
    model: OpenedModel,
    names: tuple[str, ...],
    rows: np.ndarray,
    background: np.ndarray,
    method: str,
    seed: int,
    evidence: EvidenceInput,
) -> Explained:
    """Attributions of `model` by `method`. EvidenceProblem when the model cannot work with the rows."""
    try:
        margin = model.margin(rows)
        if method == "native":
            matrix, base = _by_trees(model, rows)
        elif method == "linear":
            matrix, base = _by_line(model, rows, background, seed)
        else:
            matrix, base = _by_permutation(model.margin, rows, background, seed)
    except ModelRefused as refused:
        raise EvidenceProblem(
            file=evidence.name,
            expected=refused.expected,
            found=refused.found,
            way_out=refused.way_out or "Upload attributions instead.",
        ) from refused
    except Exception as error:  # the libraries raise many classes; all mean that the rows and the model do not fit
        raise EvidenceProblem(
            file=evidence.name,
            expected="a model that scores the rows of the sample",
            found=f"{type(error).__name__}: {str(error).strip().splitlines()[0][:160] if str(error).strip() else 'no message'}",
            way_out="Upload the rows as they go into the model, or attributions computed in your own pipeline.",
        ) from error
    if not np.isfinite(matrix).all() or not np.isfinite(margin).all():
        raise EvidenceProblem(
            file=evidence.name,
            expected="finite attributions",
            found="NaN or infinity",
            way_out="Check the model for empty leaves and the rows for infinite values.",
        )
    return Explained(names, np.asarray(matrix, dtype=float), np.asarray(base, dtype=float), margin, model.scale, method=method)


def _by_trees(model: OpenedModel, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Native contributions, some rows at a time: each row is explained by itself, so the numbers are the same."""
    parts = []
    for start in range(0, max(len(rows), 1), ROWS_AT_A_TIME):
        working_on("explaining {} rows", start, len(rows))
        parts.append(model.contributions(rows[start : start + ROWS_AT_A_TIME]))
    return np.concatenate([matrix for matrix, _ in parts]), np.concatenate([np.atleast_1d(base) for _, base in parts])


def _by_line(model: OpenedModel, rows: np.ndarray, background: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    if model.estimator is not None and straight.steps_of(model.estimator) is not None:
        return straight.by_estimator(model.estimator, rows, background)
    weights = straight.weights_of(model.margin, np.concatenate([rows, background]), seed)
    if weights is None:
        raise ValueError("not a linear model on these rows")
    return straight.by_weights(model.margin, weights, rows, background)


def _by_permutation(
    margin: Callable[[np.ndarray], np.ndarray], rows: np.ndarray, background: np.ndarray, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    import shap

    state = np.random.get_state()
    try:
        np.random.seed(seed % 2**32)  # shap's masker and explainer draw from numpy's global generator
        masker = shap.maskers.Independent(background, max_samples=len(background))
        explainer = shap.PermutationExplainer(margin, masker, seed=seed % 2**32)
        evaluations = 2 * rows.shape[1] + 1
        parts, bases = [], []
        for start in range(0, len(rows), 20):
            working_on("explaining {} rows by permutation", start, len(rows))
            # one call of the model for all masks of a row: calls cost more than rows
            found = explainer(rows[start : start + 20], max_evals=evaluations, batch_size=evaluations, silent=True)
            parts.append(np.asarray(found.values, dtype=float))
            bases.append(np.broadcast_to(np.asarray(found.base_values, dtype=float), (len(parts[-1]),)))
    finally:
        np.random.set_state(state)
    return np.concatenate(parts), np.concatenate(bases)


def affordable(
    margin: Callable[[np.ndarray], np.ndarray], rows: np.ndarray, background: int, seconds: float = PERMUTATION_SECONDS
) -> tuple[int, int, float]:
    """(rows, background rows, seconds expected) for the permutation explainer within the time one model has.

    Tried on real rows. A smaller background goes first (down to 20 rows), then fewer rows (down to 50).
    """
    trial = np.concatenate([rows] * (1 + 2_000 // max(1, len(rows))))[:2_000]
    margin(trial[:50])
    began = time.perf_counter()
    margin(trial)
    each = (time.perf_counter() - began) / len(trial)

    def cost(count: int, size: int) -> float:
        return float(each * count * size * (2 * rows.shape[1] + 1))

    count = len(rows)
    while cost(count, background) > seconds and background > FEWEST_BACKGROUND:
        background = max(FEWEST_BACKGROUND, background // 2)
    while cost(count, background) > seconds and count > FEWEST_PERMUTATION:
        count = max(FEWEST_PERMUTATION, count // 2)
    return count, background, cost(count, background)


def settings_number(settings: Mapping[str, Any], name: str, default: int) -> int:
    """A whole number of the pack's settings, or the default."""
    value = settings.get(name, default)
    return int(value) if isinstance(value, int | float) and value > 0 else default
