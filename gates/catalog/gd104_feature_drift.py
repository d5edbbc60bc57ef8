"""Drifted features (GD104)

## What it checks
Every column of the current sample against the reference sample by the population stability index (PSI): deciles of the
reference as bins, a value that holds a bin's mass as its own bin, missing and unseen values as bins, shares floored at
0.0001. A feature counts as drifted above 0.10 and above what chance alone would show at these row numbers. The gate
judges the share of drifted features, weighted by how much each carries of the model's score (equal weights where no
attributions are at hand), and the PSI of the five most important ones. Kolmogorov-Smirnov, Wasserstein over the standard
deviation, Jensen-Shannon and Cramér's V are shown beside it.

## Why it matters
A model is right about the world it was trained on. When the inputs move, its figures on the old evaluation set no longer
describe its decisions. A p-value would not help: with a million rows a shift of a hundredth of a standard deviation is
"significant".

## What good enough looks like
Pass: at most 10 % of the weight has drifted. Fail: over 30 %, or one of the five most important features above 0.25. The
bands 0.10 and 0.25 are Siddiqi's; the shares are conventions. At least 500 rows on each side: with 200, a third of the
cases without any drift exceed 0.10.

## How to fix
Look at the overlay of the feature: one new spike is a changed code or default, a shift of everything is a unit or a
population. Correct the feed, or take newer reference data and retrain. Categories that differ only in case or blanks are
named in the notes: clean them.

## Tools
This gate needs only the two samples. A report of Evidently or Deepchecks handed in as data_quality_report is shown beside
them and named where it says otherwise; it decides nothing, as its methods and limits are others (Evidently's default PSI
uses equal-width bins, its p-values find drift in any large sample).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from gates.judging import over, strictest
from gates.spec import Example, GateResult, Limits, Measure, Measured, Mode, not_assessed
from governance.domain.vocabulary import Kind, Role, Verdict

CODE = "GD104"
NAME = "feature-drift"
COLLECTORS = ("drift",)
NEEDS = ("drift.share", "drift.top5_psi", "drift.max_psi", "drift.rows")
KINDS = frozenset({Kind.ML_MODEL, Kind.DATA_PIPELINE})
READ_BY = Role.PLATFORM_ENGINEER
MODE = Mode.AUTOMATIC
RISK = "The model decides about people unlike those it was trained and tested on."
LIMITS = {"share_warn": 0.10, "share_fail": 0.30, "top5_psi_warn": 0.25, "top5_psi_fail": 0.25, "min_rows": 500}
_MODERATE, _SHOWN = 0.10, 5
_FIX = (
    "Look at the overlay of the named feature: a new code, a unit, a default or another population; "
    "correct the feed or retrain on newer data."
)


def judge(measured: Measured, limits: Limits) -> GateResult:
    """The stricter of the weighted share and the most important features."""
    share = measured.one("drift.share")
    if share is None or share.value is None:
        reason = (share.reason if share else "") or measured.not_measured.get("drift", "Drift was not measured.")
        return not_assessed(reason, fix="Attach a reference sample and a current sample with the same columns.")
    rows = measured.one("drift.rows")
    if rows is not None and rows.value is not None and rows.value < limits["min_rows"]:
        return not_assessed(
            f"PSI needs {limits['min_rows']} rows on each side; there are {rows.value:.0f}.", fix="Draw larger samples."
        )
    weights = "attribution-weighted" if share.detail.get("weights") == "attribution" else "unweighted"
    named = f" ({share.text})" if share.text else ""
    results = [
        over(
            share,
            warn=limits["share_warn"],
            fail=limits["share_fail"],
            says=f"The {weights} share of drifted features{named}",
            because="the model now sees other inputs",
            fix=_FIX,
            fmt=".1%",
        ),
    ]
    top = measured.one("drift.top5_psi")
    if top is not None:
        feature = f" ({top.text})" if top.text else ""
        results.append(
            over(
                top,
                warn=limits["top5_psi_warn"],
                fail=limits["top5_psi_fail"],
                says=f"The largest PSI among the five most important features{feature}",
                because="a feature that carries the score moved",
                fix=_FIX,
            )
        )
    decided = strictest(results)
    return replace(decided, notes=(*decided.notes, *_reported(measured)))


def _reported(measured: Measured) -> Iterator[str]:
    """Where another tool's report says otherwise than what is measured here: for the reader, it decides nothing."""
    rows = measured.all("drift.reported")
    apart = []
    for row in rows:
        own = measured.one("drift.psi", row.group)
        said = row.detail.get("drifted")
        if own is None or own.value is None or said is None:
            continue
        here = own.value > max(_MODERATE, float(own.detail.get("null_point") or 0.0))
        if here is not bool(said):
            apart.append(f"{row.text}; measured here: PSI {own.value:.2f}, {'drift' if here else 'no drift'}.")
    yield from apart[:_SHOWN]
    if len(apart) > _SHOWN:
        yield f"And {len(apart) - _SHOWN} more columns on which the report says otherwise; see the measurements."


EXAMPLES = (
    Example("steady", {"drift.share": 0.02, "drift.top5_psi": 0.04, "drift.rows": 10_000.0}, Verdict.PASS),
    Example("exactly at both limits", {"drift.share": 0.10, "drift.top5_psi": 0.25, "drift.rows": 500.0}, Verdict.PASS),
    Example("a fifth of the weight moved", {"drift.share": 0.20, "drift.rows": 10_000.0}, Verdict.WARN),
    Example("a third of the weight moved", {"drift.share": 0.34, "drift.rows": 10_000.0}, Verdict.FAIL),
    Example(
        "the most important feature moved",
        {"drift.share": 0.05, "drift.top5_psi": Measure("drift.top5_psi", 0.41, text="income")},
        Verdict.FAIL,
    ),
    Example(
        "too few rows",
        {"drift.share": Measure("drift.share", None, reason="PSI needs 500 rows on each side.")},
        Verdict.NOT_ASSESSED,
    ),
    Example("not measured", {}, Verdict.NOT_ASSESSED),
)
