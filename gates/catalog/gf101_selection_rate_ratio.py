"""Groups selected at different rates (GF101)

## What it checks
Whether people of different groups get the decision 1 about equally often: the lowest group's selection rate over the highest's
(demographic parity).

[[groups]]

## Why it matters
A decision that reaches one group much less often than another is the first thing a court, a regulator and a newspaper look at.
In hiring, a ratio under four fifths counts as evidence of adverse impact (UGESP, 29 CFR 1607.4(D)). **The four-fifths rule is
often misapplied**: it is about selection in hiring; elsewhere 0.80 is a convention. It also says nothing about whether the
difference is justified, nor about who was selected rightly. A model can reach parity by selecting nearly everybody, so read
this with the performance and error-rate gates.

## What good enough looks like
A ratio of at least 0.80 for every pair of groups with 100 people or more each.

[[verdicts]]

## How to fix
1. Look at which pair decides, and at the size of both groups.
2. Ask whether the difference follows from a feature that is needed for the decision, and write the business reason down.
3. Look for proxies: features that mostly tell the group (postcode, first name, employer).
4. Re-weight or add training data for the group, or choose the threshold with the selection rate in view; compare the cost in
   performance.
5. If the difference is justified, request a waiver that says why and how it will be watched.

## Tools
[[tools]]
"""

from __future__ import annotations

from gates.disparity import RATIO_LIMITS, judge_ratio, ratio_examples, with_shared_words
from gates.spec import GateResult, Limits, Measured, Mode
from governance.domain.vocabulary import Kind, Role

__doc__ = with_shared_words(__doc__)

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


EXAMPLES = ratio_examples(METRIC)
