"""How gates judge a comparison of groups. Pure; one rule for every rate.

A pair of groups fails when the lower rate is under `min_ratio` of the higher one *and* the interval, adjusted for the number
of comparisons, excludes 1. Beyond the limit with an interval that includes 1 is a warning: too few people to tell. Groups of
30 to 99 give no verdict.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gates.spec import Example, GateResult, Limits, Measure, Measured, not_assessed
from governance.domain.vocabulary import Verdict

EDGE = 1e-9
MOST_NOTES = 8

RATIO_LIMITS: dict[str, Any] = {"min_ratio": 0.8, "strict": False, "warn_unknown": 0.05, "max_unknown": 0.20}
DIFFERENCE_LIMITS: dict[str, Any] = {"max_difference": 0.10, "strict": False, "warn_unknown": 0.05, "max_unknown": 0.20}


_SHARED_WORDS = {
    "[[groups]]": """\
Groups come from every column mapped as `sensitive`, and from each pair of them. The lower rate is divided by the higher one,
so 1 is even; the inverse is shown beside it (0.80 is the same as 1.25). Rates are Fairlearn's, intervals are Wilson's for a
rate and Katz's for a ratio, adjusted (Bonferroni) for the number of pairs compared.""",
    "[[verdicts]]": """\
- **Fails** when the ratio is under the limit *and* the adjusted interval excludes 1.
- **Warns** when it is under the limit but the interval includes 1 (too few people to tell), when 5 to 20 % of an attribute is
  missing, or when groups differ only by spelling.
- **Not assessed** when a group of 30 to 99 people is beyond the limit, when more than 20 % of an attribute is missing, or when
  no two groups reach 100 people. A person then has to look; it never passes silently. Groups under 30 are counted, not rated.
- The policy may set `strict`: the point alone then fails. With six groups of 100 people and a rate of 10 % that stops 98.6 %
  of models that are perfectly even, so use it only with large groups.""",
    "[[tools]]": """\
Fairlearn (`MetricFrame`, `ThresholdOptimizer`, `ExponentiatedGradient`), Aequitas for the same ratio against a reference
group.""",
}


def with_shared_words(text: str | None) -> str:
    """A gate's docstring with what all gates on a ratio of rates say in the same words: `[[groups]]` (whom it compares),
    `[[verdicts]]` and `[[tools]]`."""
    whole = text or ""
    for mark, words in _SHARED_WORDS.items():
        whole = whole.replace(mark, words)
    return whole


@dataclass(frozen=True)
class _View:
    """How one rule reads a pair: is it beyond the limit, is that sure, is it surely within, in words, and as (value, low,
    high).
    """

    limit: str
    beyond: Callable[[Measure], bool]
    sure: Callable[[Measure], bool]
    within: Callable[[Measure], bool]
    words: Callable[[Measure], str]
    observed: Callable[[Measure], tuple[float | None, float | None, float | None]]
    badness: Callable[[Measure], float]


def judge_ratio(measured: Measured, limits: Limits, metric: str, title: str, fix: str) -> GateResult:
    """Verdict on `fairness.<metric>_pair`. `limits`: min_ratio (or max_ratio, its inverse), strict, warn_unknown, max_unknown."""
    floor = 1 / limits["max_ratio"] if "max_ratio" in limits else limits["min_ratio"]

    def words(row: Measure) -> str:
        value = row.value if row.value is not None else 1.0
        inverse = f"{1 / value:.3f}" if value > 0 else "no number"
        return f"{_rates(row)}ratio {value:.3f}{_interval(row.low, row.high)}, {inverse} the other way round"

    view = _View(
        limit=f">= {floor:.2f} (<= {1 / floor:.2f} the other way round)",
        beyond=lambda row: row.value is not None and row.value < floor - EDGE,
        sure=lambda row: bool(limits["strict"]) or (row.high is not None and row.high < 1),
        within=lambda row: row.low is not None and row.low >= floor - EDGE,
        words=words,
        observed=lambda row: (row.value, row.low, row.high),
        badness=lambda row: 1 - (row.value if row.value is not None else 1.0),
    )
    return _judge(measured, limits, metric, title, fix, view)


def judge_difference(measured: Measured, limits: Limits, metric: str, title: str, fix: str) -> GateResult:
    """Verdict on the absolute difference of a rate, from the same pairs. `limits`: max_difference, strict, warn_unknown,
    max_unknown.
    """
    most = limits["max_difference"]

    def observed(row: Measure) -> tuple[float, float | None, float | None]:
        low, high = row.detail.get("difference_high"), row.detail.get("difference_low")
        return -float(row.detail.get("difference", 0.0)), None if low is None else -low, None if high is None else -high

    def sure(row: Measure) -> bool:
        low = observed(row)[1]
        return bool(limits["strict"]) or (low is not None and low > 0)

    def within(row: Measure) -> bool:
        high = observed(row)[2]
        return high is not None and high <= most + EDGE

    view = _View(
        limit=f"<= {most:.2f}",
        beyond=lambda row: observed(row)[0] > most + EDGE,
        sure=sure,
        within=within,
        words=lambda row: f"{_rates(row)}difference {observed(row)[0]:.3f}{_interval(*observed(row)[1:])}",
        observed=observed,
        badness=lambda row: observed(row)[0],
    )
    return _judge(measured, limits, metric, title, fix, view)


def _judge(measured: Measured, limits: Limits, metric: str, title: str, fix: str, view: _View) -> GateResult:
    stored = measured.all(f"fairness.{metric}_pair")
    pairs = [row for row in stored if row.value is not None]
    if not pairs:
        whole = measured.one(f"fairness.{metric}_ratio")
        why = next(
            (row.reason for row in (*stored, whole) if row and row.reason), f"The {title} was not compared between groups."
        )
        return not_assessed(why, fix="Upload the candidate's decisions with labels and one column per protected attribute.")
    ordered = sorted(pairs, key=view.badness, reverse=True)
    tested = [row for row in ordered if row.detail.get("tested", True)]
    failing = [row for row in tested if view.beyond(row) and view.sure(row)]
    unsure = [row for row in tested if view.beyond(row) and not view.sure(row)]
    thin = [
        row for row in ordered if not row.detail.get("tested", True) and not row.detail.get("intersection") and view.beyond(row)
    ]
    unknown = measured.all("fairness.unknown_share")
    hidden = [row for row in unknown if (row.value or 0) > limits["max_unknown"] + EDGE]
    partly = [row for row in unknown if limits["warn_unknown"] + EDGE < (row.value or 0) <= limits["max_unknown"] + EDGE]
    variants = [row for row in measured.all("fairness.spelling_variants") if row.value]
    remarks = [f"{row.group}: {row.value or 0:.1%} of people have no value." for row in (*hidden, *partly)]
    apart = [
        row for row in measured.all(f"fairness.{metric}_ratio") if row.group and " & " not in row.group and row.value is None
    ]
    remarks += [f"{row.group}: {row.reason or 'groups were not compared.'}" for row in apart]
    remarks += [f"{row.group} has groups that differ only by case or blanks: {row.text}." for row in variants]

    def result(verdict: Verdict, says: str, row: Measure, do: str) -> GateResult:
        others = [other for other in (*failing, *unsure, *thin) if other is not row][:MOST_NOTES]
        notes = (*(f"Beyond the limit too: {view.words(other)}." for other in others), *remarks)
        return GateResult(verdict, says, do, *view.observed(row), row.n, view.limit, row.group, f"fairness.{metric}_pair", notes)

    if failing:
        more = f" {len(failing) - 1} further pairs of groups are beyond it too." if len(failing) > 1 else ""
        says = f"The {title} differs between groups. {view.words(failing[0])}, limit {view.limit}.{more}"
        return result(Verdict.FAIL, says, failing[0], fix)
    if hidden:
        share, most = hidden[0].value or 0, limits["max_unknown"]
        says = (
            f"Not enough is known about {hidden[0].group}: {share:.1%} of people have no value, and up to {most:.0%} is accepted."
        )
        return GateResult(
            Verdict.NOT_ASSESSED, says, "Complete the attribute, or document why it cannot be known.", notes=tuple(remarks)
        )
    if thin:
        says = f"Too few people for a verdict on the {title} (under 100 in a group): {view.words(thin[0])}, limit {view.limit}."
        return result(
            Verdict.NOT_ASSESSED, says, thin[0], "Evaluate on more people of the small group, or judge it with other evidence."
        )
    if not tested:
        why = f"No two groups have 100 people or more that count towards the {title}."
        return not_assessed(why, fix="Evaluate on more people, so that every group of interest has at least 100.")
    if unsure:
        says = (
            f"The {title} is beyond the limit, but there are too few people to tell: {view.words(unsure[0])}, limit {view.limit}."
        )
        return result(Verdict.WARN, says, unsure[0], fix)
    if remarks:
        says = (
            f"The {title} is within the limit, but the groups themselves need a look. Widest pair: "
            f"{view.words(tested[0])}, limit {view.limit}."
        )
        return result(Verdict.WARN, says, tested[0], "Complete the attribute and write each group in one way.")
    proof = "Shown to be within the limit" if all(view.within(row) for row in tested) else "Not shown to differ beyond the limit"
    return result(Verdict.PASS, f"{proof}. Widest pair: {view.words(tested[0])}, limit {view.limit}.", tested[0], "")


def _rates(row: Measure) -> str:
    if "rate_lower" not in row.detail:
        return ""
    lower, higher = row.detail.get("lower", row.group), row.detail.get("higher", "")
    return f"{lower} has {row.detail['rate_lower']:.1%}, {higher} {row.detail['rate_higher']:.1%}: "


def _interval(low: float | None, high: float | None) -> str:
    if low is None:
        return ""
    return f" (interval {low:.3f} to {high:.3f})" if high is not None else f" (interval from {low:.3f}, no upper bound)"


def example_pair(
    metric: str, lower_rate: float, higher_rate: float, *, low: float, high: float | None, n: int = 1000, **detail: Any
) -> Measure:
    """A comparison as the collector stores it, for the examples of gates."""
    ratio = lower_rate / higher_rate if higher_rate else 1.0
    body = {
        "attribute": "sex",
        "lower": "sex=female",
        "higher": "sex=male",
        "rate_lower": lower_rate,
        "rate_higher": higher_rate,
        "difference": lower_rate - higher_rate,
        "tested": n >= 100,
        "intersection": False,
        "comparisons": 1,
        "level": 0.95,
        **detail,
    }
    return Measure(f"fairness.{metric}_pair", ratio, "sex=female / sex=male", low=low, high=high, n=n, detail=body)


def ratio_examples(metric: str) -> tuple[Example, ...]:
    """The worked cases of a gate on the ratio of a rate: one rule, so one set of cases."""
    name = f"fairness.{metric}_pair"
    return (
        Example("even", {name: [example_pair(metric, 0.48, 0.50, low=0.88, high=1.05)]}, Verdict.PASS),
        Example("exactly at the limit", {name: [example_pair(metric, 0.40, 0.50, low=0.72, high=0.89)]}, Verdict.PASS),
        Example(
            "the limit written as 1.25",
            {name: [example_pair(metric, 0.40, 0.50, low=0.7, high=0.9)]},
            Verdict.PASS,
            {"max_ratio": 1.25},
        ),
        Example("uneven", {name: [example_pair(metric, 0.30, 0.50, low=0.53, high=0.68)]}, Verdict.FAIL),
        Example("nobody at all in one group", {name: [example_pair(metric, 0.0, 0.20, low=0.0, high=0.10)]}, Verdict.FAIL),
        Example("uneven, too few to tell", {name: [example_pair(metric, 0.30, 0.40, low=0.5, high=1.1, n=120)]}, Verdict.WARN),
        Example(
            "the same under the strict rule",
            {name: [example_pair(metric, 0.3, 0.4, low=0.5, high=1.1, n=120)]},
            Verdict.FAIL,
            {"strict": True},
        ),
        Example(
            "a group of 60 beyond the limit",
            {name: [example_pair(metric, 0.2, 0.5, low=0.2, high=0.7, n=60)]},
            Verdict.NOT_ASSESSED,
        ),
        Example(
            "a tenth of the attribute missing",
            {
                name: [example_pair(metric, 0.48, 0.50, low=0.88, high=1.05)],
                "fairness.unknown_share": [Measure("fairness.unknown_share", 0.10, "sex")],
            },
            Verdict.WARN,
        ),
        Example(
            "a third of the attribute missing",
            {
                name: [example_pair(metric, 0.48, 0.50, low=0.88, high=1.05)],
                "fairness.unknown_share": [Measure("fairness.unknown_share", 0.33, "sex")],
            },
            Verdict.NOT_ASSESSED,
        ),
        Example("not measured", {}, Verdict.NOT_ASSESSED),
    )
