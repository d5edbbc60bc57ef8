"""Groups selected at different rates (GF101)

## What it checks
Whether people of different groups get the decision 1 about equally often: the lowest group's selection rate over the highest's
(demographic parity).

Groups come from every column mapped as `sensitive`, and from each pair of them. The lower rate is divided by the higher one,
so 1 is even; the inverse is shown beside it (0.80 is the same as 1.25). Rates are Fairlearn's, intervals are Wilson's for a
rate and Katz's for a ratio, adjusted (Bonferroni) for the number of pairs compared.

## Why it matters
A decision that reaches one group much less often than another is the first thing a court, a regulator and a newspaper look at.
In hiring, a ratio under four fifths counts as evidence of adverse impact (UGESP, 29 CFR 1607.4(D)). **The four-fifths rule is
often misapplied**: it is about selection in hiring; elsewhere 0.80 is a convention. It also says nothing about whether the
difference is justified, nor about who was selected rightly. A model can reach parity by selecting nearly everybody, so read
this with the performance and error-rate gates.

## What good enough looks like
A ratio of at least 0.80 for every pair of groups with 100 people or more each.

- **Fails** when the ratio is under the limit *and* the adjusted interval excludes 1.
- **Warns** when it is under the limit but the interval includes 1 (too few people to tell), when 5 to 20 % of an attribute is
  missing, or when groups differ only by spelling.
- **Not assessed** when a group of 30 to 99 people is beyond the limit, when more than 20 % of an attribute is missing, or when
  no two groups reach 100 people. A person then has to look; it never passes silently. Groups under 30 are counted, not rated.
- The policy may set `strict`: the point alone then fails. With six groups of 100 people and a rate of 10 % that stops 98.6 %
  of models that are perfectly even, so use it only with large groups.

## How to fix
1. Look at which pair decides, and at the size of both groups.
2. Ask whether the difference follows from a feature that is needed for the decision, and write the business reason down.
3. Look for proxies: features that mostly tell the group (postcode, first name, employer).
4. Re-weight or add training data for the group, or choose the threshold with the selection rate in view; compare the cost in
   performance.
5. If the difference is justified, request a waiver that says why and how it will be watched.

## Tools
Fairlearn (`MetricFrame`, `ThresholdOptimizer`, `ExponentiatedGradient`), Aequitas for the same ratio against a reference group.
"""

from __future__ import annotations

from gates.disparity import RATIO_LIMITS, example_pair, judge_ratio
from gates.spec import Example, GateResult, Limits, Measure, Measured, Mode
from governance.domain.vocabulary import Kind, Role, Verdict

CODE = "GF101"
NAME = "selection-rate-ratio"
COLLECTORS = ("fairness",)
NEEDS = ("fairness.selection_rate_pair",)
KINDS = frozenset({Kind.ML_MODEL})
READ_BY = Role.ANALYST
MODE = Mode.AUTOMATIC
RISK = (
    "One group is selected (approved, invited, flagged) far less often than another, and nobody "
    "notices before it has happened to thousands."
)
LIMITS = RATIO_LIMITS

METRIC = "selection_rate"
FIX = (
    "Look at the pair of groups that decides: is the difference explained by something the decision needs? If not, look "
    "for proxy features, re-weight the training data or move the threshold; if it is, say why in a waiver request."
)


def judge(measured: Measured, limits: Limits) -> GateResult:
    """Verdict on the selection rate of every pair of groups."""
    return judge_ratio(measured, limits, METRIC, "selection rate", FIX)


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
