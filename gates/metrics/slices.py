"""Performance by slice: the same figures for each part of the cases, the worst part first.

Slices are the values of the columns mapped as `segments` and `sensitive`, and the periods of the column mapped as `time`. Rows
are counted per slice first. Intervals: Newcombe's method 10 for a difference of error rates, DeLong's for AUC from counts per
score bin; p-values are corrected over all slices of both figures (Holm). The size of the difference decides.
"""

from __future__ import annotations

from gates.collecting import Collected, Inputs

NAME = "slices"
TITLE = "Looking for parts of the cases the model is worse on"
VERSION = 1
HEAVY = False
REQUIRES = ("candidate_predictions",)
OPTIONAL: tuple[str, ...] = ()
USES_FACTS = ("model.decision_threshold", "model.task")


def collect(inputs: Inputs) -> Collected:
    """Measure; EvidenceProblem when the file cannot be used. Settings: `fairness.bins` maps a numeric attribute to the edges of
    its bands.
    """
    from gates.metrics import slices_impl

    return slices_impl.collect(inputs)
