"""A portfolio with known faults: training and evaluation data, a champion, a candidate, and what was planted in them.

Each dial plants one thing, and 0 (or nothing) plants none of it:

- `disparity`: the training labels call women with the same means more often defaulters (or clickers, or readmitted), by so
  much in log-odds; the evaluation labels are even. The candidate learns it where a feature gives women away (the lender's
  `part_time` does);
- `drift`: the leading feature moves by so many standard deviations between training and evaluation;
- `leak`: a feature `settlement_flag` copies the label in this share of the rows and tosses a coin in the others;
- `overlap`: this share of the evaluation rows are training rows;
- `forget`: a feature that the champion reads and the candidate does not.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from gates.simulator.models import Trained, train
from gates.simulator.populations import PORTFOLIOS, Population

LEAK = "settlement_flag"
LEADING = {"lender": "income", "shop": "days_since_visit", "hospital": "length_of_stay"}


@dataclass(frozen=True)
class Dials:
    """What to plant. Raises ValueError for a dial that means nothing."""

    portfolio: str = "lender"
    seed: int = 1
    rows: int = 5_000
    training_rows: int = 12_000
    disparity: float = 0.0
    drift: float = 0.0
    leak: float = 0.0
    overlap: float = 0.0
    forget: str = ""

    def __post_init__(self) -> None:
        if self.portfolio not in PORTFOLIOS:
            raise ValueError(f"There is no portfolio “{self.portfolio}”. There are: {', '.join(PORTFOLIOS)}.")
        if min(self.rows, self.training_rows) < 500:
            raise ValueError("Both data sets need at least 500 rows.")
        if not 0 <= self.leak <= 1 or not 0 <= self.overlap <= 1:
            raise ValueError("leak and overlap are shares from 0 to 1.")
        features = PORTFOLIOS[self.portfolio](500, seed=0).features
        if self.forget and self.forget not in features:
            raise ValueError(f"“{self.forget}” is no feature of the {self.portfolio}. There are: {', '.join(features)}.")

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Planted:
    """The data and the models. `training` is the reference of the samples, `evaluation` the current data."""

    dials: Dials
    training: Population
    evaluation: Population
    champion: Trained
    candidate: Trained

    def another_evaluation(self, rows: int) -> Population:
        """A far larger draw of the same evaluation population, from another seed: what the evaluation estimates."""
        return _evaluation(self.dials, rows, self.dials.seed + 5_003)


def plant(dials: Dials) -> Planted:
    """Draw the data and train both models. The same dials give the same bytes."""
    draw = PORTFOLIOS[dials.portfolio]
    even = draw(dials.training_rows, seed=dials.seed)
    uneven = draw(dials.training_rows, seed=dials.seed, disparity=dials.disparity) if dials.disparity else even
    training = _leaking(uneven, dials.leak, dials.seed)
    evaluation = _evaluation(dials, dials.rows, dials.seed + 1)
    if dials.overlap:
        evaluation = _overlapping(evaluation, training, dials)
    champion = train(even, seed=dials.seed)
    candidate = train(training, seed=dials.seed + 2, drop=(dials.forget,) if dials.forget else ())
    return Planted(dials, training, evaluation, champion, candidate)


def _evaluation(dials: Dials, rows: int, seed: int) -> Population:
    return _leaking(PORTFOLIOS[dials.portfolio](rows, seed=seed, drift=dials.drift), dials.leak, seed)


def _leaking(population: Population, share: float, seed: int) -> Population:
    if not share:
        return population
    rng = np.random.default_rng([seed, 77])
    label = population.y.to_numpy()
    copied = rng.random(len(label)) < share
    flag = np.where(copied, label, rng.integers(0, 2, len(label))).astype(float)
    frame = population.frame.assign(**{LEAK: flag})
    return replace(population, frame=frame, features=(*population.features, LEAK))


def _overlapping(evaluation: Population, training: Population, dials: Dials) -> Population:
    count = round(dials.overlap * len(evaluation.frame))
    taken = training.frame.iloc[np.random.default_rng([dials.seed, 78]).permutation(len(training.frame))[:count]]
    frame = pd.concat([taken, evaluation.frame.iloc[len(taken) :]], ignore_index=True)
    return replace(evaluation, frame=frame)
