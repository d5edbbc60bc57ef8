"""Calibration: whether scores mean what they say, for everybody and by group.

Rows are counted per score bin with DuckDB first, so ten million take as long as reading them. Everything else follows from the
counts: calibration in the large, Brier score, Cox's slope, the reliability diagram with Wilson's interval for each bin, and the
expected calibration error with the noise taken out (see `statistics/calibration.py` for sources).
"""

from __future__ import annotations

from gates.collecting import Collected, Inputs

NAME = "calibration"
TITLE = "Checking whether scores mean what they say"
VERSION = 2
HEAVY = False
REQUIRES = ("candidate_predictions",)
OPTIONAL = ("baseline_predictions",)
USES_FACTS = ("model.task",)


def collect(inputs: Inputs) -> Collected:
    """Measure; EvidenceProblem when the file cannot be used. Settings: `fairness.bins` maps a numeric attribute to the edges of
    its bands, as for the fairness collector.
    """
    from gates.metrics import calibration_impl

    return calibration_impl.collect(inputs)
