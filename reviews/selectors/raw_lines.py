"""The lines behind a gate: every measurement it rests on, with its run and the digests of what was read, as CSV."""

from __future__ import annotations

import csv
import io
import json

from gates.models import Measurement
from gates.registry import gates as all_gates
from gates.selectors.chart_table import cell
from gates.selectors.outcomes import outcomes_of
from governance.domain.errors import NotFound
from governance.models import Submission
from governance.selectors.access import Caller, visible

_COLUMNS = ("metric", "group", "value", "low", "high", "n", "text", "reason", "detail")
_RUN = ("run", "collector", "edition", "finished_at", "input_digest", "results_digest", "inputs")


def raw_lines(caller: Caller, submission_id: int, code: str) -> str:
    """Every measurement of the present revision that the gate's collectors made. Raises `NotFound`."""
    submission = visible(Submission.objects.all(), caller).filter(pk=submission_id).first()
    if submission is None:
        raise NotFound(f"There is no submission S-{submission_id} in your business unit.")
    gate = all_gates().get(code)
    if gate is None or all(row.code != code for row in outcomes_of(submission.pk, submission.revision)):
        raise NotFound(f"{submission.number} was not judged by a gate {code}.")
    rows = (
        Measurement.objects.filter(
            submission=submission, run__revision=submission.revision, run__current=True, run__collector__in=gate.collectors
        )
        .select_related("run")
        .order_by("id")
    )
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([*_COLUMNS, *_RUN])
    for row in rows:
        run = row.run
        writer.writerow(
            cell(value)
            for value in (
                row.metric,
                row.group,
                row.value,
                row.low,
                row.high,
                row.n,
                row.text,
                row.reason,
                json.dumps(row.detail, sort_keys=True) if row.detail else "",
                run.pk,
                run.collector,
                run.edition,
                run.finished_at.isoformat() if run.finished_at is not None else "",
                run.input_digest,
                run.results_digest,
                json.dumps(run.inputs, sort_keys=True),
            )
        )
    return out.getvalue()
