"""Deserving people found at different rates (GF102)

## What it checks
Whether people whose outcome is 1 are found equally often in every group (equal opportunity): true positives over all
positives, lowest group over highest.

[[groups]]

## Why it matters
If 1 is the good outcome (creditworthy, qualified, in need of care), a lower true positive rate means that deserving people of
that group are turned away more often. Unlike the selection rate it allows for different base rates, but it trusts the labels:
if the labels were made by biased decisions, it repeats them. It cannot in general hold together with equal precision when base
rates differ (Chouldechova 2017; Kleinberg, Mullainathan and Raghavan 2016), so a policy names the metric that counts for the use.

## What good enough looks like
A ratio of at least 0.80 for every pair of groups with 100 positives or more each. For error rates 0.80 is a convention, not a
rule of law.

[[verdicts]]

## How to fix
1. Check the labels first: who decided them, and could the same behaviour have been labelled differently by group?
2. Look at the group's calibration and AUC: a model that ranks the group badly needs better features or more data for it.
3. If it ranks well but scores low, the threshold is what differs: consider it per segment where the law allows, or recalibrate.
4. State the harm of a miss for this use, so that the reviewer can weigh it.

## Tools
[[tools]]
"""

from __future__ import annotations

from gates.disparity import RATIO_LIMITS, judge_ratio, ratio_examples, with_shared_words
from gates.spec import GateResult, Limits, Measured, Mode
from governance.domain.vocabulary import Kind, Role

__doc__ = with_shared_words(__doc__)

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


EXAMPLES = ratio_examples(METRIC)
