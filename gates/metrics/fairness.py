"""Fairness by group and by pairs of attributes, candidate and champion side by side.

Rows are counted with DuckDB first; Fairlearn's `MetricFrame` then gets the few distinct rows with their counts as sample
weights: the same numbers as on raw rows, hundreds of times faster. Intervals: Wilson (rate), Newcombe method 10 (difference),
Katz (ratio), Bonferroni over all comparisons of one metric.
"""

from __future__ import annotations

from gates.collecting import Collected, Inputs

NAME = "fairness"
TITLE = "Comparing groups of people"
VERSION = 2
HEAVY = False
REQUIRES = ("candidate_predictions",)
OPTIONAL = ("baseline_predictions",)
USES_FACTS = ("model.decision_threshold", "champion.decision_threshold")


def collect(inputs: Inputs) -> Collected:
    """Measure; EvidenceProblem when the file cannot be used.

    Settings: `fairness.bins` maps a numeric attribute to the edges of its bands; `fairness.pairs` (default true) adds
    intersections.
    """
    from gates.metrics import fairness_impl

    return fairness_impl.collect(inputs)
