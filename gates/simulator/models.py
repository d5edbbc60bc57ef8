"""Training small real models on a population, and what is done to them on purpose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import xgboost
from sklearn.metrics import roc_auc_score

from gates.simulator.populations import Population


@dataclass(frozen=True)
class Trained:
    """A booster with the features it reads, in order, and the decision threshold it is used with."""

    booster: xgboost.Booster
    features: tuple[str, ...]
    threshold: float

    def score(self, population: Population) -> np.ndarray:
        """Probability of the label, one per row of the population."""
        return self.booster.predict(xgboost.DMatrix(population.frame[list(self.features)]))

    def save(self, path: Path) -> Path:
        self.booster.save_model(path)
        return path


def train(
    population: Population,
    *,
    seed: int,
    trees: int = 60,
    depth: int = 4,
    drop: Sequence[str] = (),
    scramble: Sequence[str] = (),
    threshold: float = 0.5,
) -> Trained:
    """Fit gradient boosted trees. `drop`: features left out; `scramble`: features shuffled in training only, so that the model
    cannot use them."""
    features = tuple(name for name in population.features if name not in drop)
    frame = population.frame[list(features)].copy()
    rng = np.random.default_rng(seed)
    for name in scramble:
        frame[name] = rng.permutation(frame[name].to_numpy())
    classifier = xgboost.XGBClassifier(
        n_estimators=trees, max_depth=depth, learning_rate=0.15, subsample=0.9, tree_method="hist", n_jobs=1, random_state=seed
    )
    classifier.fit(frame, population.y)
    return Trained(classifier.get_booster(), features, threshold)


def predictions(model: Trained, population: Population) -> pd.DataFrame:
    """Evaluation rows: key, label, score, decision and protected attributes."""
    score = model.score(population).astype(float)
    frame = population.frame[["case_id", *population.sensitive]].copy()
    frame["label"] = population.y
    frame["score"] = score
    frame["decision"] = (score >= model.threshold).astype(int)
    return frame


def auc(frame: pd.DataFrame) -> float:
    """ROC AUC of an evaluation frame, for the metadata that a training run would log."""
    return float(roc_auc_score(frame["label"], frame["score"]))
