"""Leaked knowledge (GD109)

## What it checks
Three ways in which a model can know what it should not. Names: features named like the label or like something that is
known only afterwards (charge-off, recoveries, next month). Single features: the AUC of each feature alone against the
label, by rank for numbers and by cross-fitted shares for categories, with DeLong's interval, all features together at
95 %. Rows: evaluation rows that the training data hold too, by the hash of their features (beyond what chance gives where
many cases look alike) and by their key. A jump in performance against the champion is named beside it.

## Why it matters
Leakage makes every other figure wrong in the pleasant direction. A label copied into one row of ten raised the AUC by
0.011 on Adult, by 0.024 on ACS and by 0.046 on Taiwan credit: small enough to be welcomed, and gone on the first day in
production. Neither the performance gate nor a reviewer sees it in the score.

## What good enough looks like
Fail: the label itself among the features; a feature with an AUC of 0.98 or more; over 1 % of the evaluation rows in the
training data. Warn: names that speak of later events; an AUC over 0.90; any evaluation row in training; a gain of over
15 %. Files that do not let rows be compared are a warning too: a person reads it.

## How to fix
Take the named feature to its source and ask when its value is written: at the time of the decision, or later? Rebuild it
as of the decision, or drop it. For shared rows, split by case (customer, household) and by time before anything else, and
evaluate again. If a strong feature is honest, say in the answer why it is known in time.

## Tools
scikit-learn's `GroupKFold` and `TimeSeriesSplit`; point-in-time joins of a feature store (Feast). `df.merge(other, how=
"inner")` on the features finds shared rows in your own pipeline.
"""

from __future__ import annotations

from collections.abc import Iterator

from gates.judging import stated, strictest
from gates.spec import Example, GateResult, Limits, Measure, Measured, Mode, not_assessed
from governance.domain.vocabulary import Kind, Role, Verdict

CODE = "GD109"
NAME = "leakage-absent"
COLLECTORS = ("leakage",)
NEEDS = ("leakage.target_named", "leakage.post_outcome_named", "leakage.max_auc", "leakage.overlap_rows", "leakage.overlap_keys")
KINDS = frozenset({Kind.ML_MODEL})
READ_BY = Role.ANALYST
MODE = Mode.AUTOMATIC_WITH_READING
RISK = "The measured performance is not there in production, because the model was told the answers."
LIMITS = {
    "auc_warn": 0.90,
    "auc_fail": 0.98,
    "overlap_warn": 0.0,
    "overlap_fail": 0.01,
    "gain_warn": 0.15,
    "unknown": "not_assessed",
}
_SPLIT = "Split by case and by time, and evaluate on rows the model has not seen."
_WHEN = "Ask when the value is written. Rebuild the feature as of the decision, or drop it."


def judge(measured: Measured, limits: Limits) -> GateResult:
    """The strictest of names, single features and shared rows; rows that could not be compared are said."""
    if not any(measured.all(metric) for metric in NEEDS):
        reason = measured.not_measured.get("leakage", "Nobody looked for leakage.")
        return not_assessed(reason, fix="Attach the training data as the reference sample, with columns.label and columns.id.")
    results = [*_names(measured), *_single(measured, limits), *_shared(measured, limits), *_gain(measured, limits)]
    if all(result.verdict is Verdict.PASS for result in results):
        best = measured.one("leakage.max_auc")
        alone = f" The strongest feature alone, {best.text}, has an AUC of {best.value:.2f}." if best and best.value else ""
        return stated(
            Verdict.PASS, f"No evaluation row was found in the training data, and no name speaks of the label.{alone}", best
        )
    return strictest(results)


def _names(measured: Measured) -> Iterator[GateResult]:
    target, later = measured.one("leakage.target_named"), measured.one("leakage.post_outcome_named")
    if target is not None and target.value:
        says = f"Features named like the label: {target.text or f'{target.value:.0f}'}."
        yield stated(Verdict.FAIL, says, target, fix=_WHEN, limit="none")
    if later is not None and later.value:
        says = f"Features named like something known only afterwards: {later.text or f'{later.value:.0f}'}."
        yield stated(Verdict.WARN, says, later, fix=_WHEN, limit="none")


def _single(measured: Measured, limits: Limits) -> Iterator[GateResult]:
    best = measured.one("leakage.max_auc")
    if best is None or best.value is None:
        return
    sure = best.low is None or best.low > limits["auc_warn"]
    verdict = Verdict.PASS
    if best.value >= limits["auc_fail"] and sure:
        verdict = Verdict.FAIL
    elif best.value > limits["auc_warn"]:
        verdict = Verdict.WARN
    limit = limits["auc_fail"] if verdict is Verdict.FAIL else limits["auc_warn"]
    interval = f" ({best.low:.3f} to {best.high:.3f})" if best.low is not None and best.high is not None else ""
    tail = ": by itself it nearly says the label." if verdict is not Verdict.PASS else "."
    says = f"The AUC of {best.text or 'one feature'} alone is {best.value:.3f}{interval}, limit < {limit:.2f}{tail}"
    yield stated(verdict, says, best, fix="" if verdict is Verdict.PASS else _WHEN, limit=f"< {limit:.2f}")


def _shared(measured: Measured, limits: Limits) -> Iterator[GateResult]:
    told = [row for metric in ("leakage.overlap_rows", "leakage.overlap_keys") for row in measured.all(metric)]
    for row in told:
        if row.value is None:
            continue
        real = row.low is None or row.low > 0
        verdict = Verdict.PASS
        if row.value > limits["overlap_fail"] and real:
            verdict = Verdict.FAIL
        elif row.value > limits["overlap_warn"] and real:
            verdict = Verdict.WARN
        limit = limits["overlap_fail"] if verdict is Verdict.FAIL else limits["overlap_warn"]
        where = row.group.removeprefix("file=")
        found = f" ({row.text})" if row.text else ""
        what = "row keys" if row.metric.endswith("keys") else "rows"
        says = f"{row.value:.2%} of the evaluation {what}{f' of {where}' if where else ''} were seen in training{found}."
        yield stated(verdict, says, row, fix="" if verdict is Verdict.PASS else _SPLIT, limit=f"<= {limit:.0%}")
    if not any(row.value is not None for row in told):
        reason = next((row.reason for row in told if row.reason), "Training and evaluation rows were not compared.")
        fix = "Attach the training data as the reference sample, and map columns.id in it and in the evaluation files."
        unknown = Verdict.WARN if limits["unknown"] == "warn" else Verdict.NOT_ASSESSED
        yield stated(unknown, reason, told[0] if told else None, fix=fix, limit="compared")


def _gain(measured: Measured, limits: Limits) -> Iterator[GateResult]:
    gain = measured.one("leakage.performance_gain")
    if gain is not None and gain.value is not None and gain.value > limits["gain_warn"]:
        limit = f"<= {limits['gain_warn']:.0%}"
        says = f"Performance rose by {gain.value:.1%} against the champion, limit {limit}: often a sign of leakage."
        yield stated(Verdict.WARN, says, gain, fix="Say where the gain comes from before anybody believes it.", limit=limit)


_CLEAN = {
    "leakage.target_named": 0.0,
    "leakage.post_outcome_named": 0.0,
    "leakage.max_auc": Measure("leakage.max_auc", 0.71, low=0.68, high=0.74, text="income"),
    "leakage.overlap_rows": Measure("leakage.overlap_rows", 0.0, "file=evaluation.parquet", low=0.0, high=0.001),
}
EXAMPLES = (
    Example("nothing leaked", _CLEAN, Verdict.PASS),
    Example("exactly at the limit of rows that fail", {**_CLEAN, "leakage.overlap_rows": 0.01}, Verdict.WARN),
    Example("one row in a thousand was seen", {**_CLEAN, "leakage.overlap_rows": 0.001}, Verdict.WARN),
    Example(
        "chance explains the equal rows",
        {**_CLEAN, "leakage.overlap_rows": Measure("leakage.overlap_rows", 0.012, low=0.0, high=0.03)},
        Verdict.PASS,
    ),
    Example("a tenth of the rows was seen", {**_CLEAN, "leakage.overlap_rows": 0.10}, Verdict.FAIL),
    Example("customers in both", {**_CLEAN, "leakage.overlap_keys": 0.4}, Verdict.FAIL),
    Example(
        "the label under another name",
        {**_CLEAN, "leakage.max_auc": Measure("leakage.max_auc", 0.999, low=0.998, high=1.0, text="recoveries")},
        Verdict.FAIL,
    ),
    Example("a very strong feature", {**_CLEAN, "leakage.max_auc": 0.93}, Verdict.WARN),
    Example(
        "the label among the features",
        {**_CLEAN, "leakage.target_named": Measure("leakage.target_named", 1.0, text="default")},
        Verdict.FAIL,
    ),
    Example("too good to be true", {**_CLEAN, "leakage.performance_gain": 0.22}, Verdict.WARN),
    Example(
        "rows that cannot be compared",
        {**_CLEAN, "leakage.overlap_rows": Measure("leakage.overlap_rows", None, reason="No evaluation file shares columns.")},
        Verdict.NOT_ASSESSED,
    ),
    Example(
        "rows that cannot be compared, where a person reads it",
        {**_CLEAN, "leakage.overlap_rows": Measure("leakage.overlap_rows", None, reason="No evaluation file shares columns.")},
        Verdict.WARN,
        {"unknown": "warn"},
    ),
    Example("not measured", {}, Verdict.NOT_ASSESSED),
)
