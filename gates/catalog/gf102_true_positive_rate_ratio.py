"""Deserving people found at different rates (GF102)

## What it checks
Whether people whose outcome is 1 are found equally often in every group (equal opportunity): true positives over all
positives, lowest group over highest.

Groups come from every column mapped as `sensitive`, and from each pair of them. The lower rate is divided by the higher one,
so 1 is even; the inverse is shown beside it (0.80 is the same as 1.25). Rates are Fairlearn's, intervals are Wilson's for a
rate and Katz's for a ratio, adjusted (Bonferroni) for the number of pairs compared.

## Why it matters
If 1 is the good outcome (creditworthy, qualified, in need of care), a lower true positive rate means that deserving people of
that group are turned away more often. Unlike the selection rate it allows for different base rates, but it trusts the labels:
if the labels were made by biased decisions, it repeats them. It cannot in general hold together with equal precision when base
rates differ (Chouldechova 2017; Kleinberg, Mullainathan and Raghavan 2016), so a policy names the metric that counts for the use.

## What good enough looks like
A ratio of at least 0.80 for every pair of groups with 100 positives or more each. For error rates 0.80 is a convention, not a
rule of law.

- **Fails** when the ratio is under the limit *and* the adjusted interval excludes 1.
- **Warns** when it is under the limit but the interval includes 1 (too few people to tell), when 5 to 20 % of an attribute is
  missing, or when groups differ only by spelling.
- **Not assessed** when a group of 30 to 99 people is beyond the limit, when more than 20 % of an attribute is missing, or when
  no two groups reach 100 people. A person then has to look; it never passes silently. Groups under 30 are counted, not rated.
- The policy may set `strict`: the point alone then fails. With six groups of 100 people and a rate of 10 % that stops 98.6 %
  of models that are perfectly even, so use it only with large groups.

## How to fix
1. Check the labels first: who decided them, and could the same behaviour have been labelled differently by group?
2. Look at the group's calibration and AUC: a model that ranks the group badly needs better features or more data for it.
3. If it ranks well but scores low, the threshold is what differs: consider it per segment where the law allows, or recalibrate.
4. State the harm of a miss for this use, so that the reviewer can weigh it.

## Tools
Fairlearn (`MetricFrame`, `ThresholdOptimizer`, `ExponentiatedGradient`), Aequitas for the same ratio against a reference group.
"""

from __future__ import annotations

from gates.disparity import RATIO_LIMITS, example_pair, judge_ratio
from gates.spec import Example, GateResult, Limits, Measure, Measured, Mode
from governance.domain.vocabulary import Kind, Role, Verdict

CODE = "GF102"
NAME = "true-positive-rate-ratio"
COLLECTORS = ("fairness",)
NEEDS = ("fairness.true_positive_rate_pair",)
KINDS = frozenset({Kind.ML_MODEL})
READ_BY = Role.ANALYST
MODE = Mode.AUTOMATIC
RISK = "People of one group who should be selected are missed far more often than those of another."
LIMITS = RATIO_LIMITS

METRIC = "true_positive_rate"
FIX = (
    "Check the labels of the group, then its calibration and AUC. More data or better features for the group, or a "
    "recalibrated score, usually closes the gap."
)


def judge(measured: Measured, limits: Limits) -> GateResult:
    """Verdict on the true positive rate of every pair of groups."""
    return judge_ratio(measured, limits, METRIC, "true positive rate", FIX)


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
