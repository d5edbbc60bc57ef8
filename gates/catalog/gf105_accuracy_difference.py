"""Accuracy differs between groups (GF105)

## What it checks
Whether the model is right about equally often for every group: the largest difference in accuracy between two groups with 100
labelled people or more, over every protected attribute and every pair of them. Accuracy is Fairlearn's by group; the
difference has Newcombe's interval (method 10), adjusted for the number of pairs compared.

## Why it matters
A model that works for the majority and fails for a minority looks fine in its overall accuracy, because the majority makes it
up. "This model shows 15 % accuracy difference between demographic groups" is how reviewers of fairness audits put it: one
group gets a worse product, or worse decisions. Accuracy is a blunt measure where one outcome is rare: a model that never says
yes is 99 % accurate for a group with 1 % positives. So read it with the error-rate gates (GF102 to GF104).

## What good enough looks like
A difference of at most 0.10 (10 percentage points) for every pair of groups with 100 people or more each. This is a
convention; set it per use.

- **Fails** when the difference is above the limit *and* its adjusted interval excludes 0.
- **Warns** when it is above the limit but the interval includes 0 (too few people to tell), when 5 to 20 % of an attribute is
  missing, or when groups differ only by spelling.
- **Not assessed** without labels, when a group of 30 to 99 people is beyond the limit, or when more than 20 % of an attribute
  is missing.

## How to fix
1. See which error makes the difference: false positives (GF103) or false negatives (GF104).
2. Compare how much training data each group has, and how often its features are missing.
3. Look at AUC and calibration by group: poor ranking needs data or features, poor calibration needs recalibration.
4. Mitigate (re-weighting, `ExponentiatedGradient`, post-processing) and measure again on the same people, so that the cost is
   visible.

## Tools
Fairlearn (`MetricFrame`, reductions and post-processing), Aequitas for the same groups against a reference.
"""

from __future__ import annotations

from dataclasses import replace

from gates.disparity import DIFFERENCE_LIMITS, example_pair, judge_difference
from gates.spec import Example, GateResult, Limits, Measured, Mode
from governance.domain.vocabulary import Kind, Role, Verdict

CODE = "GF105"
NAME = "accuracy-difference"
COLLECTORS = ("fairness",)
NEEDS = ("fairness.accuracy_pair",)
KINDS = frozenset({Kind.ML_MODEL})
READ_BY = Role.ANALYST
MODE = Mode.AUTOMATIC
RISK = "The model works for the majority and fails a minority, and the overall accuracy hides it."
LIMITS = DIFFERENCE_LIMITS

METRIC = "accuracy"
FIX = (
    "Review bias mitigation strategies: see which error makes the difference, whether the group has "
    "too little or incomplete training data, "
    "and measure a mitigated model on the same people."
)


def judge(measured: Measured, limits: Limits) -> GateResult:
    """Verdict on the accuracy of every pair of groups; a failure opens with the sentence reviewers know."""
    result = judge_difference(measured, limits, METRIC, "accuracy", FIX)
    if result.verdict is not Verdict.FAIL:
        return result
    opening = (
        f"This model shows {result.observed or 0:.0%} accuracy difference between demographic groups. "
        "Review bias mitigation strategies."
    )
    return replace(result, says=f"{opening} {result.says}")


def _pair(lower: float, higher: float, low: float, high: float, n: int = 1000) -> dict[str, object]:
    row = example_pair(METRIC, lower, higher, low=0.7, high=0.99, n=n, difference_low=low, difference_high=high)
    return {NEEDS[0]: [row]}


EXAMPLES = (
    Example("right equally often", _pair(0.88, 0.90, -0.05, 0.01), Verdict.PASS),
    Example("exactly at the limit", _pair(0.80, 0.90, -0.13, -0.07), Verdict.PASS),
    Example("fifteen points apart", _pair(0.75, 0.90, -0.18, -0.12), Verdict.FAIL),
    Example("twelve points apart, too few to tell", _pair(0.78, 0.90, -0.25, 0.01, n=110), Verdict.WARN),
    Example("a group of 60 beyond the limit", _pair(0.70, 0.90, -0.30, -0.05, n=60), Verdict.NOT_ASSESSED),
    Example("no labels, so not measured", {}, Verdict.NOT_ASSESSED),
)
