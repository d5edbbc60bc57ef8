"""People flagged wrongly at different rates (GF103)

## What it checks
Whether people whose outcome is 0 get the decision 1 equally often in every group: false positives over all negatives, lowest
group over highest.

Groups come from every column mapped as `sensitive`, and from each pair of them. The lower rate is divided by the higher one,
so 1 is even; the inverse is shown beside it (0.80 is the same as 1.25). Rates are Fairlearn's, intervals are Wilson's for a
rate and Katz's for a ratio, adjusted (Bonferroni) for the number of pairs compared.

## Why it matters
Where 1 is a burden (fraud, risk of re-offending, a manual check), a higher false positive rate means that innocent people of
one group bear more of it. In the COMPAS data 44.9 % of Black defendants who did not re-offend were rated medium or high risk,
against 23.5 % of white defendants: a ratio of 1.91 (1.72 to 2.12), while precision was about equal. Both cannot be equal when
base rates differ; a policy has to say which one counts.

## What good enough looks like
A ratio of at least 0.80 for every pair of groups with 100 negatives or more each. For error rates 0.80 is a convention, not a
rule of law.

- **Fails** when the ratio is under the limit *and* the adjusted interval excludes 1.
- **Warns** when it is under the limit but the interval includes 1 (too few people to tell), when 5 to 20 % of an attribute is
  missing, or when groups differ only by spelling.
- **Not assessed** when a group of 30 to 99 people is beyond the limit, when more than 20 % of an attribute is missing, or when
  no two groups reach 100 people. A person then has to look; it never passes silently. Groups under 30 are counted, not rated.
- The policy may set `strict`: the point alone then fails. With six groups of 100 people and a rate of 10 % that stops 98.6 %
  of models that are perfectly even, so use it only with large groups.

## How to fix
1. Look at the scores of wrongly flagged people in the group: are they just above the threshold, or far above?
2. Just above: the threshold, or calibration of the group. Far above: a feature stands for the group; find it in the attributions.
3. Add negatives of this group to the training data, or cost-weight false positives.
4. Where decisions stay uneven, add a human check before the burden takes effect and say so in the review.

## Tools
Fairlearn (`MetricFrame`, `ThresholdOptimizer`, `ExponentiatedGradient`), Aequitas for the same ratio against a reference group.
"""

from __future__ import annotations

from gates.disparity import RATIO_LIMITS, example_pair, judge_ratio
from gates.spec import Example, GateResult, Limits, Measure, Measured, Mode
from governance.domain.vocabulary import Kind, Role, Verdict

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


EXAMPLES = (
    Example("even", {NEEDS[0]: [example_pair(METRIC, 0.48, 0.50, low=0.88, high=1.05)]}, Verdict.PASS),
    Example("exactly at the limit", {NEEDS[0]: [example_pair(METRIC, 0.40, 0.50, low=0.72, high=0.89)]}, Verdict.PASS),
    Example(
        "the limit written as 1.25",
        {NEEDS[0]: [example_pair(METRIC, 0.40, 0.50, low=0.7, high=0.9)]},
        Verdict.PASS,
        {"max_ratio": 1.25},
    ),
    Example("uneven", {NEEDS[0]: [example_pair(METRIC, 0.30, 0.50, low=0.53, high=0.68)]}, Verdict.FAIL),
    Example("nobody at all in one group", {NEEDS[0]: [example_pair(METRIC, 0.0, 0.20, low=0.0, high=0.10)]}, Verdict.FAIL),
    Example("uneven, too few to tell", {NEEDS[0]: [example_pair(METRIC, 0.30, 0.40, low=0.5, high=1.1, n=120)]}, Verdict.WARN),
    Example(
        "the same under the strict rule",
        {NEEDS[0]: [example_pair(METRIC, 0.3, 0.4, low=0.5, high=1.1, n=120)]},
        Verdict.FAIL,
        {"strict": True},
    ),
    Example(
        "a group of 60 beyond the limit",
        {NEEDS[0]: [example_pair(METRIC, 0.2, 0.5, low=0.2, high=0.7, n=60)]},
        Verdict.NOT_ASSESSED,
    ),
    Example(
        "a tenth of the attribute missing",
        {
            NEEDS[0]: [example_pair(METRIC, 0.48, 0.50, low=0.88, high=1.05)],
            "fairness.unknown_share": [Measure("fairness.unknown_share", 0.10, "sex")],
        },
        Verdict.WARN,
    ),
    Example(
        "a third of the attribute missing",
        {
            NEEDS[0]: [example_pair(METRIC, 0.48, 0.50, low=0.88, high=1.05)],
            "fairness.unknown_share": [Measure("fairness.unknown_share", 0.33, "sex")],
        },
        Verdict.NOT_ASSESSED,
    ),
    Example("not measured", {}, Verdict.NOT_ASSESSED),
)
