"""Metric names: one canonical spelling, which way is better, and which one stands for a model.

Canonical names follow scikit-learn's scorers without their suffix `_score`. A name that is not known keeps its spelling and has
no direction, so no change is computed from it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

HIGHER_IS_BETTER: Mapping[str, bool] = {
    "roc_auc": True,
    "average_precision": True,
    "log_loss": False,
    "brier": False,
    "balanced_accuracy": True,
    "accuracy": True,
    "f1": True,
    "matthews_corrcoef": True,
    "precision": True,
    "recall": True,
    "gini": True,
    "ks": True,
    "r2": True,
    "rmse": False,
    "mse": False,
    "mae": False,
    "mape": False,
    "ndcg": True,
    "map": True,
}

SHARES = frozenset(
    {"roc_auc", "average_precision", "accuracy", "balanced_accuracy", "f1", "precision", "recall", "ks", "ndcg", "map"}
)

PREFERENCE = (
    "roc_auc",
    "log_loss",
    "brier",
    "accuracy",
    "f1",
    "r2",
    "rmse",
    "mae",
    "mse",
    "average_precision",
    "balanced_accuracy",
    "gini",
    "ks",
    "matthews_corrcoef",
    "ndcg",
    "map",
    "mape",
    "precision",
    "recall",
)

_ALIASES: Mapping[str, str] = {
    "auc": "roc_auc",
    "auroc": "roc_auc",
    "rocauc": "roc_auc",
    "auc_roc": "roc_auc",
    "roc_auc_score": "roc_auc",
    "area_under_roc": "roc_auc",
    "precision_recall_auc": "average_precision",
    "pr_auc": "average_precision",
    "auprc": "average_precision",
    "average_precision_score": "average_precision",
    "logloss": "log_loss",
    "binary_logloss": "log_loss",
    "brier_score": "brier",
    "brier_score_loss": "brier",
    "acc": "accuracy",
    "accuracy_score": "accuracy",
    "balanced_accuracy_score": "balanced_accuracy",
    "f1_score": "f1",
    "f1score": "f1",
    "mcc": "matthews_corrcoef",
    "precision_score": "precision",
    "recall_score": "recall",
    "sensitivity": "recall",
    "r2_score": "r2",
    "r_squared": "r2",
    "root_mean_squared_error": "rmse",
    "mean_squared_error": "mse",
    "mean_absolute_error": "mae",
    "mean_absolute_percentage_error": "mape",
}

_STAGE = re.compile(r"^(?:test|eval|evaluation|val|valid|validation|holdout)[_/ .-]+")
_TRAINING = re.compile(r"^(?:train|training)[_/ .-]")


def is_training_metric(name: str) -> bool:
    """Whether the name says that it was measured on the training data: it never stands for the model."""
    return bool(_TRAINING.match(name.strip().lower()))


def canonical_metric(name: str) -> str:
    """The canonical name of a metric; an unknown one keeps its own spelling."""
    plain = re.sub(r"[\s./-]+", "_", _STAGE.sub("", name.strip().lower()))
    plain = _ALIASES.get(plain, plain)
    return plain if plain in HIGHER_IS_BETTER else name.strip()


def chosen_metric(names: Mapping[str, float]) -> str | None:
    """The spelling in `names` that stands for the model, by `PREFERENCE`; None when none of them is known.

    Among several spellings of one metric the canonical one wins (`roc_auc` before `auc`), then a stage-marked one
    (`test_auc`), then the first by name; so the same file always gives the same choice.
    """
    return next(iter(_spellings(names).values()), None)


def canonical_values(names: Mapping[str, float]) -> dict[str, float]:
    """Canonical metric -> value, each by the same choice among spellings as `chosen_metric`."""
    return {metric: names[spelling] for metric, spelling in _spellings(names).items()}


def _spellings(names: Mapping[str, float]) -> dict[str, str]:
    """Canonical metric -> the spelling that counts, in order of preference."""
    found: dict[str, list[str]] = {}
    for name in names:
        if not is_training_metric(name):
            found.setdefault(canonical_metric(name), []).append(name)
    return {wanted: min(found[wanted], key=_preferred) for wanted in PREFERENCE if wanted in found}


def _preferred(name: str) -> tuple[bool, bool, str]:
    return (name not in HIGHER_IS_BETTER, not _STAGE.match(name.lower()), name)
