"""People flagged wrongly at different rates (GF103)

## What it checks
Whether people whose outcome is 0 get the decision 1 equally often in every group: false positives over all negatives, lowest
group over highest.

[[groups]]

## Why it matters
Where 1 is a burden (fraud, risk of re-offending, a manual check), a higher false positive rate means that innocent people of
one group bear more of it. In the COMPAS data 44.9 % of Black defendants who did not re-offend were rated medium or high risk,
against 23.5 % of white defendants: a ratio of 1.91 (1.72 to 2.12), while precision was about equal. Both cannot be equal when
base rates differ; a policy has to say which one counts.

## What good enough looks like
A ratio of at least 0.80 for every pair of groups with 100 negatives or more each. For error rates 0.80 is a convention, not a
rule of law.

[[verdicts]]

## How to fix
1. Look at the scores of wrongly flagged people in the group: are they just above the threshold, or far above?
2. Just above: the threshold, or calibration of the group. Far above: a feature stands for the group; find it in the attributions.
3. Add negatives of this group to the training data, or cost-weight false positives.
4. Where decisions stay uneven, add a human check before the burden takes effect and say so in the review.

## Tools
[[tools]]
"""

from __future__ import annotations

from gates.disparity import RATIO_LIMITS, judge_ratio, ratio_examples, with_shared_words
from gates.spec import GateResult, Limits, Measured, Mode
from governance.domain.vocabulary import Kind, Role

__doc__ = with_shared_words(__doc__)

CODE = "GF103"
NAME = "false-positive-rate-ratio"
COLLECTORS = ("fairness",)
NEEDS = ("fairness.false_positive_rate_pair",)
KINDS = frozenset({Kind.ML_MODEL})
READ_BY = Role.ANALYST
MODE = Mode.AUTOMATIC
RISK = "People of one group are wrongly flagged, accused or charged far more often than those of another."
LIMITS = RATIO_LIMITS

METRIC = "false_positive_rate"
FIX = (
    "Look at how far above the threshold the wrongly flagged people of this group are. Near it, recalibrate; far above "
    "it, find the feature that stands for the group and mend or drop it."
)


def judge(measured: Measured, limits: Limits) -> GateResult:
    """Verdict on the false positive rate of every pair of groups."""
    return judge_ratio(measured, limits, METRIC, "false positive rate", FIX)


EXAMPLES = ratio_examples(METRIC)
