"""People missed at different rates (GF104)

## What it checks
Whether people whose outcome is 1 get the decision 0 equally often in every group: false negatives over all positives, lowest
group over highest. With the false positive rate it makes up equalized odds.

[[groups]]

## Why it matters
Where 1 means that help is given (a diagnosis, a benefit, a fraud warning that protects the customer), a missed case costs the
person. A small false negative rate makes the *ratio* jump easily: 2 % against 3 % is a ratio of 0.67 with one point of
difference, so read the difference beside it. The collector stores Fairlearn's equalized odds difference and ratio as well.

## What good enough looks like
A ratio of at least 0.80 for every pair of groups with 100 positives or more each. For error rates 0.80 is a convention, not a
rule of law.

[[verdicts]]

## How to fix
1. Read the absolute difference too: if both rates are tiny, say so and ask for a waiver rather than tuning noise.
2. Look at missing values: a feature that is often missing for one group makes its scores fall back to the average.
3. Add positives of the group to the training data, or use a feature that works for it.
4. Compare the threshold's effect on both error rates for each group before moving it.

## Tools
[[tools]]
"""

from __future__ import annotations

from gates.disparity import RATIO_LIMITS, judge_ratio, ratio_examples, with_shared_words
from gates.spec import GateResult, Limits, Measured, Mode
from governance.domain.vocabulary import Kind, Role

__doc__ = with_shared_words(__doc__)

CODE = "GF104"
NAME = "false-negative-rate-ratio"
COLLECTORS = ("fairness",)
NEEDS = ("fairness.false_negative_rate_pair", "fairness.equalized_odds_difference", "fairness.equalized_odds_ratio")
KINDS = frozenset({Kind.ML_MODEL})
READ_BY = Role.ANALYST
MODE = Mode.AUTOMATIC
RISK = "Cases of one group slip through far more often than those of another."
LIMITS = RATIO_LIMITS

METRIC = "false_negative_rate"
FIX = (
    "Read the absolute difference beside the ratio. If it matters, look for features that are often missing in this "
    "group, and add positives of the group to the training data."
)


def judge(measured: Measured, limits: Limits) -> GateResult:
    """Verdict on the false negative rate of every pair of groups."""
    return judge_ratio(measured, limits, METRIC, "false negative rate", FIX)


EXAMPLES = ratio_examples(METRIC)
