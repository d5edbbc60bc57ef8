"""Performance of the candidate, and its change against the champion on the same rows.

Definitions: scikit-learn's. Intervals: DeLong for AUC, delta method for means of per-row losses, paired multinomial bootstrap
on counts for what comes from a confusion matrix. Change is relative to the champion and signed so that positive is better.
"""

from __future__ import annotations

from gates.collecting import Collected, Inputs

NAME = "performance"
TITLE = "Measuring performance and comparing with the champion"
VERSION = 2
HEAVY = False
REQUIRES = ("candidate_predictions",)
OPTIONAL = ("baseline_predictions",)
USES_FACTS = ("performance.metric", "model.decision_threshold", "champion.decision_threshold", "model.task", "champion.exists")


def collect(inputs: Inputs) -> Collected:
    """Measure; EvidenceProblem when the candidate's file cannot be used. Settings: `performance.metric` names the deciding
    metric.
    """
    from gates.metrics import performance_impl

    return performance_impl.collect(inputs)
