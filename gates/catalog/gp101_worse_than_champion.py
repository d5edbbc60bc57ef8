"""Performance changed against the champion (GP101)

## What it checks
Candidate and champion are compared on exactly the same cases, joined by id. The change is relative to the champion and signed
so that positive is better, for the metric the policy names. AUC uses DeLong's paired interval, log loss and Brier the delta
method, metrics from the confusion matrix a paired bootstrap on counts.

## Why it matters
A new version that is worse than the one in production needs a reason (simpler, fairer, cheaper, safer), and somebody has to
accept it. A version that is suddenly *much better* needs a look too: a gain of 15 % or more usually means that the label has
leaked into a feature, and the gain will vanish in production. Which metric decides matters: two equally good models differ by
more than 5 % in F1 in 43 % of comparisons on 500 rows with 20 % positives, but hardly ever in AUC.

## What good enough looks like
- **Passes** with a change under 5 % either way, shown by the interval.
- **Warns** at a change of 5 % or more, or when the interval reaches that far: the stricter reading counts. The warning asks
  for a justification.
- **Fails** at a drop of 20 % or more.
- **Not assessed** when the two files cannot be compared (ids or labels differ, one file uploaded twice) or AUC rests on fewer
  than 100 positives or negatives. **Not applicable** when no version is in production yet.

The edge belongs to the stricter side: a drop of exactly 20 % fails.

## How to fix
1. Check that both files come from the same cases and the same code for the features.
2. If performance fell: was data lost, a feature renamed, a category re-coded, the training window moved? Compare attributions
   (GX gates) next.
3. If the drop is the price of something else, write that down as the justification; the reviewer sees it.
4. If performance jumped: list for each new feature when it becomes known, and re-measure without the suspicious ones.

## Tools
scikit-learn metrics; pROC (`roc.test`) gives the same DeLong interval; MLflow or your tracker for the runs of both versions.
"""

from __future__ import annotations

from gates.spec import Example, GateResult, Limits, Measure, Measured, Mode, not_applicable, not_assessed
from governance.domain.vocabulary import Kind, Role, Verdict

CODE = "GP101"
NAME = "worse-than-champion"
COLLECTORS = ("performance",)
NEEDS = ("performance.relative_change", "performance.candidate", "performance.baseline", "performance.mcnemar_p")
KINDS = frozenset({Kind.ML_MODEL})
READ_BY = Role.ANALYST
MODE = Mode.AUTOMATIC_WITH_READING
RISK = "A version that is worse than the one in production, or too good to be true, replaces it without anybody having said why."
LIMITS = {"warn_change": 0.05, "max_drop": 0.20, "leak_gain": 0.15}

EDGE = 1e-9
FIX_DROP = "Provide a justification, or look for lost data, re-coded features or a moved training window."
FIX_GAIN = "Show for each new feature when it becomes known, and that none of them carries the label."


def judge(measured: Measured, limits: Limits) -> GateResult:
    """Verdict on the relative change of the deciding metric."""
    exists = measured.one("performance.champion_exists")
    row = measured.one(NEEDS[0])
    if row is None or row.value is None:
        if exists is not None and exists.value == 0:
            return not_applicable("No version is in production yet: there is nothing to compare with.")
        comparable = measured.one("performance.comparable")
        why = (
            (row.reason if row else "")
            or (comparable.reason if comparable else "")
            or "The change against the champion was not measured."
        )
        return not_assessed(why, fix="Upload the predictions of the version in production on the same cases, with the same ids.")
    change, low, high = row.value, row.low, row.high
    metric = row.text or "performance"
    shown = f"change under {limits['warn_change']:.0%} either way, drop under {limits['max_drop']:.0%}"
    notes = _notes(measured)

    def result(verdict: Verdict, says: str, fix: str = "") -> GateResult:
        return GateResult(verdict, says, fix, change, low, high, row.n, shown, metric=NEEDS[0], notes=notes)

    details = f"{metric}{_sides(measured)}: change {change:+.1%}{_interval(low, high)} on {row.n or 0:,} cases; limit: {shown}."
    if change <= -limits["warn_change"] + EDGE:
        opening = f"Model performance is {-change:.0%} worse than current production model. Provide justification."
        verdict = Verdict.FAIL if change <= -limits["max_drop"] + EDGE else Verdict.WARN
        return result(verdict, f"{opening} {details}", FIX_DROP)
    if change >= limits["leak_gain"] - EDGE:
        opening = (
            f"Model performance is {change:.0%} better than current production model. A jump this large "
            "usually means that the label leaks."
        )
        return result(Verdict.WARN, f"{opening} {details}", FIX_GAIN)
    if change >= limits["warn_change"] - EDGE:
        return result(
            Verdict.WARN, f"Model performance is {change:.0%} better than current production model. {details}", FIX_GAIN
        )
    identical = measured.one("performance.identical")
    if identical is not None and identical.value == 1:
        says = f"Every score and decision equals the champion's. {details}"
        return result(Verdict.WARN, says, "If the model was meant to change, upload its own predictions.")
    if low is not None and high is not None and (low <= -limits["warn_change"] or high >= limits["warn_change"]):
        says = (
            f"The change is small, but the interval reaches {limits['warn_change']:.0%} or more, and the "
            f"stricter reading counts. {details}"
        )
        return result(Verdict.WARN, says, "Evaluate on more cases, or justify the change as if it were that large.")
    return result(Verdict.PASS, f"About as good as the version in production. {details}")


def _sides(measured: Measured) -> str:
    candidate, champion = measured.one("performance.candidate"), measured.one("performance.baseline")
    if candidate is None or champion is None or candidate.value is None or champion.value is None:
        return ""
    return f" {candidate.value:.3f} against {champion.value:.3f}"


def _interval(low: float | None, high: float | None) -> str:
    return f" (95 % interval {low:+.1%} to {high:+.1%})" if low is not None and high is not None else ""


def _notes(measured: Measured) -> tuple[str, ...]:
    constant = measured.one("performance.constant_scores")
    area = measured.one("performance.candidate.roc_auc")
    notes = []
    if constant is not None and constant.value == 1:
        notes.append("Every score of the candidate is the same: it does not tell cases apart, or the wrong column is mapped.")
    if area is not None and area.value is not None and area.value < 0.5:
        notes.append("AUC is below 0.5: labels or scores are probably the wrong way round.")
    return tuple(notes)


def _change(value: float, low: float, high: float) -> dict[str, object]:
    return {NEEDS[0]: Measure(NEEDS[0], value, low=low, high=high, n=10_000, text="AUC")}


EXAMPLES = (
    Example("about as good", _change(-0.01, -0.02, 0.0), Verdict.PASS),
    Example("just under five percent worse", _change(-0.049, -0.0499, -0.048), Verdict.PASS),
    Example("exactly five percent worse", _change(-0.05, -0.06, -0.04), Verdict.WARN),
    Example("small change, wide interval", _change(-0.02, -0.08, 0.04), Verdict.WARN),
    Example("twelve percent worse", _change(-0.12, -0.14, -0.10), Verdict.WARN),
    Example("exactly twenty percent worse, at the limit", _change(0.64 / 0.80 - 1, -0.22, -0.18), Verdict.FAIL),
    Example("a third worse", _change(-0.33, -0.36, -0.30), Verdict.FAIL),
    Example("eight percent better", _change(0.08, 0.06, 0.10), Verdict.WARN),
    Example("twenty percent better: a leak?", _change(0.20, 0.18, 0.22), Verdict.WARN),
    Example("not measured", {}, Verdict.NOT_ASSESSED),
    Example(
        "first version",
        {"performance.champion_exists": 0.0, NEEDS[0]: Measure(NEEDS[0], None, reason="No champion predictions were uploaded.")},
        Verdict.NOT_APPLICABLE,
    ),
)
