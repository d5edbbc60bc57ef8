"""What was measured for a revision, as gates and policy read it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gates.models import GateRun, Measurement
from gates.spec import Measure, Measured
from governance.domain.facts import Fact
from governance.domain.vocabulary import Assurance, RunStatus


def current_runs(submission_id: int, revision: int) -> list[GateRun]:
    """The runs of a revision that count, by collector, without their inputs. One query."""
    return list(_runs(submission_id, revision))


def measured_of(submission_id: int, revision: int, *, runs: Sequence[GateRun] | None = None) -> Measured:
    """Every measurement of a revision, and per collector without one the reason. Two queries, one where `runs` are known.

    A run that stopped with an error, was cancelled or has not finished is "not measured": it never passes for a result.
    """
    runs = current_runs(submission_id, revision) if runs is None else runs
    rows = Measurement.objects.filter(run__in=[run.pk for run in runs if run.status == RunStatus.DONE]).order_by("id")
    measures = tuple(
        Measure(row.metric, row.value, row.group, row.low, row.high, row.n, row.text, row.reason, row.detail) for row in rows
    )
    # whole before groups; otherwise as stored
    ordered = tuple(sorted(measures, key=lambda measure: measure.group != ""))
    return Measured(
        ordered,
        not_measured={run.collector: why for run in runs if (why := why_not_measured(run))},
        not_applicable={run.collector: run.not_applicable for run in runs if run.status == RunStatus.DONE and run.not_applicable},
    )


def measured_facts(submission_id: int, revision: int, *, runs: Sequence[GateRun] | None = None) -> tuple[Fact, ...]:
    """The facts collectors established, with the highest assurance and the digest of what they were measured on.

    One query, none where `runs` are known.
    """
    return tuple(
        Fact(
            name=row["name"],
            value=row["value"],
            assurance=Assurance.MEASURED,
            origin=f"measured:{run.collector}",
            locator=row.get("locator", ""),
            digest=run.input_digest,
            low=row.get("low"),
            high=row.get("high"),
        )
        for run in (_runs(submission_id, revision) if runs is None else runs)
        if run.status == RunStatus.DONE
        for row in run.facts
    )


def why_not_measured(run: GateRun) -> str:
    """Why a run has no result, or "" when it has one (or nothing to measure)."""
    if run.status == RunStatus.DONE:
        return run.not_measured
    if run.status == RunStatus.ERROR:
        return run.error or "The check stopped with an error."
    if run.status == RunStatus.CANCELLED:
        return run.error or "The check was cancelled before it finished."
    return "The check has not finished."


def _runs(submission_id: int, revision: int) -> Iterable[GateRun]:
    rows = GateRun.objects.filter(submission_id=submission_id, revision=revision, current=True)
    return rows.defer("inputs").order_by("collector")
