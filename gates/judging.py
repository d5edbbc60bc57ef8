"""Putting several judgements of one gate together. Pure: the strictest decides, the others stay readable as notes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gates.spec import GateResult, Measure
from governance.domain.vocabulary import Verdict

_ORDER = {Verdict.NOT_APPLICABLE: 0, Verdict.PASS: 1, Verdict.WARN: 2, Verdict.NOT_ASSESSED: 3, Verdict.FAIL: 4}


def strictest(results: Sequence[GateResult]) -> GateResult:
    """The strictest result (fail, then not assessed, warn, pass; the first of equals), with what the other non-passing ones
    say as notes.

    ValueError for none: a gate that looked at nothing has no verdict.
    """
    if not results:
        raise ValueError("nothing was judged")
    deciding = max(results, key=lambda result: _ORDER[result.verdict])
    others = tuple(
        result.says
        for result in results
        if result is not deciding and result.verdict not in (Verdict.PASS, Verdict.NOT_APPLICABLE)
    )
    return replace(deciding, notes=(*deciding.notes, *others))


def over(row: Measure, *, warn: float, fail: float, says: str, because: str, fix: str, fmt: str = ".2f") -> GateResult:
    """Judge a measured number that should be small: fail above `fail`, warn above `warn`, pass at a limit and below.

    `says` names the number in words ("The largest share change (income)"); `because` is what it means when it is too large.
    """
    if row.value is None:
        return GateResult(
            Verdict.NOT_ASSESSED, row.reason or f"{says} was not measured.", fix, metric=row.metric, group=row.group
        )
    verdict = Verdict.FAIL if row.value > fail else Verdict.WARN if row.value > warn else Verdict.PASS
    limit = fail if verdict is Verdict.FAIL else warn
    tail = "." if verdict is Verdict.PASS else f": {because}."
    return GateResult(
        verdict, f"{says} is {row.value:{fmt}}, limit <= {limit:{fmt}}{tail}", "" if verdict is Verdict.PASS else fix,
        row.value, row.low, row.high, row.n, f"<= {limit:{fmt}}", row.group, row.metric,
    )  # fmt: skip


def under(row: Measure, *, warn: float, fail: float, says: str, because: str, fix: str, fmt: str = ".2f") -> GateResult:
    """Judge a measured number that should be large: fail below `fail`, warn below `warn`, pass at a limit and above."""
    if row.value is None:
        return GateResult(
            Verdict.NOT_ASSESSED, row.reason or f"{says} was not measured.", fix, metric=row.metric, group=row.group
        )
    verdict = Verdict.FAIL if row.value < fail else Verdict.WARN if row.value < warn else Verdict.PASS
    limit = fail if verdict is Verdict.FAIL else warn
    tail = "." if verdict is Verdict.PASS else f": {because}."
    return GateResult(
        verdict, f"{says} is {row.value:{fmt}}, limit >= {limit:{fmt}}{tail}", "" if verdict is Verdict.PASS else fix,
        row.value, row.low, row.high, row.n, f">= {limit:{fmt}}", row.group, row.metric,
    )  # fmt: skip


def stated(verdict: Verdict, says: str, row: Measure | None = None, *, fix: str = "", limit: str = "") -> GateResult:
    """A result about a fact rather than a number; `row` is the measurement that decided."""
    if row is None:
        return GateResult(verdict, says, fix, limit=limit)
    return GateResult(verdict, says, fix, row.value, row.low, row.high, row.n, limit, row.group, row.metric)
