"""Unstable explanations (GX101)

## What it checks
How far the reasons behind the scores moved since the champion: both versions are explained on the same rows, with the
same method and the same background. Four figures decide. *Largest share change*: the share of all attribution that one
feature gained or lost. *Total variation*: half the sum of all share changes. *Row cosine*: how alike the two explanations
of one row are, as the 10th percentile over rows. *Sign flips*: among features that hold over 5 % of a row, the part whose
direction differs; an attribution that vanished counts. Rank correlation (Spearman and weighted Kendall), overlap of the
top five, agreement on the first reason and the part of the people whose reasons differ are shown, but do not decide: the
ranks hardly notice real changes. Beside the limit stands the noise floor: the champion explained again on other rows, or
with another background, and compared with itself.

## Why it matters
A model can keep its accuracy and change its reasons. Dropping `relationship` from an income model moved AUC by 0.0001 and
one feature's share by 13 points; re-mapped occupation codes cost 1.5 % of AUC, stayed inside every rank measure, and
turned the sign of 8 % of the reasons. People who were told why they were declined would now be told something else.

## What good enough looks like
Pass: largest share change at most 0.05, total variation at most 0.125, row cosine (10th percentile) at least 0.80, sign
flips at most 0.06. Fail beyond 0.10, 0.20, 0.60 or 0.10. On three public data sets none of 105 retrains of an unchanged
model was flagged, and 37 of 48 real changes were. 500 rows settle a verdict, 1,000 are comfortable; below 200 there is
none. With fewer than 500 rows, a pass whose interval reaches past a limit is a warning.

## How to fix
Look at the feature that moved most: was it dropped, re-coded, scaled, or filled differently? Compare the training queries
of both versions. If the change is wanted, say so in the business context, and have the reasons read again by the people
who explain decisions. If you know how much your own retrains move, hand in the attributions of 5 to 10 retrains of the
champion (role retrain_attributions, a column `run`): their extremes become the limits of a warning. Three traps: another
background moves the explanations of the same model; so does another algorithm
(path-dependent against interventional); and early stopping makes the library explain a different number of trees than the
one that scored.

## Tools
XGBoost `pred_contribs`, LightGBM `pred_contrib` (exact, seconds for 1,000 rows); the exact weights of linear models
(scikit-learn or ONNX) and `PermutationExplainer` for the rest. You may upload attributions from your own pipeline
instead of models: a row key, one column per feature, a base value.
"""

from __future__ import annotations

from dataclasses import replace

from gates.judging import over, stated, strictest, under
from gates.spec import Example, GateResult, Limits, Measure, Measured, Mode, not_applicable, not_assessed
from governance.domain.vocabulary import Kind, Role, Verdict

CODE = "GX101"
NAME = "explanation-stability"
COLLECTORS = ("explanations",)
NEEDS = (
    "explanation.max_share_change",
    "explanation.total_variation",
    "explanation.row_cosine_p10",
    "explanation.sign_flips",
    "explanation.rows",
    "explanation.additivity_error",
    "explanation.score_mismatch",
    "explanation.first_version",
    "explanation.noise.max_share_change",
    "explanation.noise.total_variation",
    "explanation.noise.row_cosine_p10",
    "explanation.noise.sign_flips",
    "explanation.retrains.max_share_change",
    "explanation.retrains.total_variation",
    "explanation.retrains.row_cosine_p10",
    "explanation.retrains.sign_flips",
    "explanation.top1_agreement",
    "explanation.spearman",
    "explanation.weighted_kendall",
    "explanation.top5_jaccard",
    "explanation.reason_change_rate",
    "explanation.first_reason_change_rate",
    "explanation.changed_case",
    "explanation.share_error",
)
KINDS = frozenset({Kind.ML_MODEL})
READ_BY = Role.ANALYST
MODE = Mode.AUTOMATIC_WITH_READING
RISK = "People are given reasons that no longer hold, while every accuracy figure looks the same."
LIMITS = {
    "max_share_change_warn": 0.05,
    "max_share_change_fail": 0.10,
    "total_variation_warn": 0.125,
    "total_variation_fail": 0.20,
    "row_cosine_p10_warn": 0.80,
    "row_cosine_p10_fail": 0.60,
    "sign_flips_warn": 0.06,
    "sign_flips_fail": 0.10,
    "min_rows": 200,
    "settled_rows": 500,
    "max_additivity_error": 1e-3,
}
_FIX = "Find what was done to the feature that moved most; if the change is wanted, say why in the business context."
_ATTACH = "Attach the champion's model and an explanation sample, or attributions of both versions on the same rows."
_SCORE = "Explain the model that was scored: the same file, the same number of trees, log-odds for a classifier."


def judge(measured: Measured, limits: Limits) -> GateResult:
    """The strictest of the four figures; nothing to judge when the explanations do not belong to the submitted scores."""
    for metric, what in (
        ("explanation.additivity_error", "Base value plus attributions differ from the score"),
        ("explanation.score_mismatch", "The attached model's scores differ from the submitted ones"),
    ):
        row = measured.one(metric)
        if row is not None and row.value is not None and row.value > limits["max_additivity_error"]:
            why = row.text or "they explain another model than the one submitted"
            return not_assessed(f"{what} by up to {row.value:.3g}: {why}.", fix=_SCORE)
        if row is not None and row.value is None and row.reason:
            return not_assessed(f"Nobody can tell whether the attributions belong to the scores. {row.reason}", fix=_SCORE)
    first = measured.one("explanation.first_version")
    if first is not None and first.value:
        return not_applicable(first.text or "There is no champion yet.")
    rows = measured.one("explanation.rows")
    if rows is None or rows.value is None:
        return not_assessed(measured.not_measured.get("explanations", "Explanations were not compared."), fix=_ATTACH)
    share = measured.one("explanation.max_share_change")
    if share is None or share.value is None:
        return not_assessed((share.reason if share else "") or "There is no champion to compare with.", fix=_ATTACH)
    if rows.value < limits["min_rows"]:
        return not_assessed(
            f"Only {rows.value:.0f} rows were explained; a verdict needs {limits['min_rows']}, 500 settle it.",
            fix="Attach more rows.",
        )
    feature = f" ({share.text})" if share.text else ""
    results = [
        _figure(
            measured,
            "max_share_change",
            f"The largest share change{feature}",
            limits,
            "one feature carries much more or less of the score",
        ),
        _figure(measured, "total_variation", "Total variation of shares", limits, "the weights of many features moved"),
        _figure(measured, "row_cosine_p10", "Row cosine (10th percentile)", limits, "a tenth of the people get other reasons"),
        _figure(measured, "sign_flips", "Material sign flips", limits, "reasons turned from for to against"),
    ]
    found = strictest([_unsettled(result, rows.value, measured, limits) for result in results])
    return replace(found, notes=(*found.notes, *_beside(measured, found)))


def _figure(measured: Measured, name: str, says: str, limits: Limits, because: str) -> GateResult:
    row = measured.one(f"explanation.{name}") or Measure(f"explanation.{name}")
    compare = under if name == "row_cosine_p10" else over
    warn, fail = _warn(measured, name, limits), limits[f"{name}_fail"]
    return compare(row, warn=warn, fail=fail, says=says, because=because, fix=_FIX, fmt=".3f")


def _warn(measured: Measured, name: str, limits: Limits) -> float:
    """The limit of a warning: what the champion's own retrains reached where some were handed in, never beyond the failing
    limit.
    """
    row = measured.one(f"explanation.retrains.{name}")
    if row is None or row.value is None:
        return float(limits[f"{name}_warn"])
    fail = float(limits[f"{name}_fail"])
    return max(row.value, fail) if name == "row_cosine_p10" else min(row.value, fail)


def _beside(measured: Measured, found: GateResult) -> list[str]:
    """What belongs beside the limit: the noise floor of the deciding figure, where the limit comes from, and the ranks."""
    name = found.metric.removeprefix("explanation.")
    said = []
    noise, retrains = measured.one(f"explanation.noise.{name}"), measured.one(f"explanation.retrains.{name}")
    if retrains is not None and retrains.value is not None:
        said.append(f"The limit of a warning comes from {retrains.text}; at worst they reached {retrains.value:.3f}.")
    if noise is not None and noise.value is not None:
        said.append(f"Noise floor of this figure: {noise.value:.3f} at worst in {noise.n} runs ({noise.text}).")
    elif noise is not None and noise.reason:
        said.append(f"The noise floor was not measured. {noise.reason}")
    shown = (
        ("spearman", "rank correlation", ".3f"),
        ("weighted_kendall", "weighted Kendall", ".3f"),
        ("top5_jaccard", "overlap of the top five", ".2f"),
        ("top1_agreement", "rows whose first reason is the same", ".0%"),
        ("reason_change_rate", "people declined by both whose reasons differ", ".0%"),
        ("first_reason_change_rate", "whose first reason differs", ".0%"),
    )
    parts = [
        f"{label} {row.value:{fmt}}"
        for metric, label, fmt in shown
        if (row := measured.one(f"explanation.{metric}")) and row.value is not None
    ]
    said += [f"For information: {'; '.join(parts)}."] if parts else []
    return said + [row.text for row in measured.all("explanation.changed_case")[:4]]


def _unsettled(result: GateResult, rows: float, measured: Measured, limits: Limits) -> GateResult:
    """With few rows a pass only stands when its interval stays within the limit too."""
    if result.verdict is not Verdict.PASS or rows >= limits["settled_rows"]:
        return result
    edge = result.low if result.metric.endswith("row_cosine_p10") else result.high
    warn = _warn(measured, result.metric.removeprefix("explanation."), limits)
    reaches = edge is not None and (edge < warn if result.metric.endswith("row_cosine_p10") else edge > warn)
    if not reaches:
        return result
    row = Measure(result.metric, result.observed, low=result.low, high=result.high, n=result.n)
    says = f"{result.says[:-1]}, but with {rows:.0f} rows the interval reaches past it ({result.low:.3f} to {result.high:.3f})."
    return stated(Verdict.WARN, says, row, fix="Explain 500 rows or more.", limit=result.limit)


_SAME = {
    "explanation.rows": 1000.0,
    "explanation.additivity_error": 1e-6,
    "explanation.max_share_change": 0.02,
    "explanation.total_variation": 0.04,
    "explanation.row_cosine_p10": 0.93,
    "explanation.sign_flips": 0.01,
}
EXAMPLES = (
    Example("a retrain with another seed", _SAME, Verdict.PASS),
    Example(
        "exactly at every limit",
        {
            **_SAME,
            "explanation.max_share_change": 0.05,
            "explanation.total_variation": 0.125,
            "explanation.row_cosine_p10": 0.80,
            "explanation.sign_flips": 0.06,
        },
        Verdict.PASS,
    ),
    Example("one share just over", {**_SAME, "explanation.max_share_change": 0.051}, Verdict.WARN),
    Example("marital status dropped, AUC unchanged", {**_SAME, "explanation.max_share_change": 0.162}, Verdict.FAIL),
    Example(
        "occupation codes re-mapped", {**_SAME, "explanation.row_cosine_p10": 0.659, "explanation.sign_flips": 0.08}, Verdict.WARN
    ),
    Example(
        "few rows, interval past the limit",
        {
            **_SAME,
            "explanation.rows": 250.0,
            "explanation.row_cosine_p10": Measure("explanation.row_cosine_p10", 0.82, low=0.75, high=0.88, n=250),
        },
        Verdict.WARN,
    ),
    Example(
        "inside what the champion's own retrains reached",
        {
            **_SAME,
            "explanation.max_share_change": 0.07,
            "explanation.retrains.max_share_change": Measure(
                "explanation.retrains.max_share_change", 0.08, n=6, text="6 retrains"
            ),
        },
        Verdict.PASS,
    ),
    Example(
        "wild retrains do not lift the failing limit",
        {
            **_SAME,
            "explanation.max_share_change": 0.162,
            "explanation.retrains.max_share_change": Measure(
                "explanation.retrains.max_share_change", 0.5, n=6, text="6 retrains"
            ),
        },
        Verdict.FAIL,
    ),
    Example("too few rows", {**_SAME, "explanation.rows": 199.0}, Verdict.NOT_ASSESSED),
    Example("attributions of another model", {**_SAME, "explanation.additivity_error": 0.4}, Verdict.NOT_ASSESSED),
    Example("first version", {"explanation.rows": 1000.0, "explanation.first_version": 1.0}, Verdict.NOT_APPLICABLE),
    Example("not measured", {}, Verdict.NOT_ASSESSED),
)
