"""Judging again what rests on people: only gates that read what people attest get another verdict, the others are kept word for
word.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from gates import registry
from gates.models import GateOutcome
from gates.people import PREFIX
from gates.selectors.measured import current_runs, measured_of
from gates.selectors.outcomes import outcomes_of
from gates.services.judging import verdict_of
from gates.spec import Measure
from governance.domain.vocabulary import Verdict
from governance.models import Submission
from governance.policy import Pack
from governance.services.work import Work

_COPIED = (
    "code", "name", "verdict", "blocking", "says", "fix", "observed", "low", "high", "n", "limit", "limits", "metric", "group",
    "notes",
)  # fmt: skip


def judge_people(work: Work, *, submission: Submission, pack: Pack, people: Iterable[Measure]) -> list[GateOutcome]:
    """Store the next round of the present revision after somebody attested. Needs the row lock.

    A gate that had no object here (not applicable) keeps saying so. Returns the outcomes of the round; without any outcome yet,
    none.
    """
    before = outcomes_of(submission.pk, submission.revision)
    if not before:
        return []
    current = current_runs(submission.pk, submission.revision)
    measured = measured_of(submission.pk, submission.revision, runs=current)
    measured = replace(measured, rows=(*measured.rows, *people))
    runs = {run.collector: run.status for run in current}
    uses = {use.gate: use for use in pack.gates}
    rows, changed = [], []
    for old in before:
        row = GateOutcome(
            submission=submission,
            revision=submission.revision,
            round=old.round + 1,
            **{name: getattr(old, name) for name in _COPIED},
        )
        gate = registry.gates().get(old.code)
        reads_people = gate is not None and any(name.startswith(PREFIX) for name in gate.needs)
        if reads_people and old.code in uses and old.verdict != Verdict.NOT_APPLICABLE:
            _, result = verdict_of(uses[old.code], pack.gate_kind, old.limits, measured, runs)
            row.verdict, row.says, row.fix, row.limit = result.verdict, result.says, result.fix, result.limit[:60]
            row.observed, row.low, row.high, row.n = result.observed, result.low, result.high, result.n
            row.metric, row.group, row.notes = result.metric[:120], result.group[:300], list(result.notes)
            changed.append({"code": row.code, "before": old.verdict, "verdict": row.verdict})
        rows.append(row)
    outcomes = GateOutcome.objects.bulk_create(rows)
    work.note("gates.judged", submission, {"revision": submission.revision, "round": rows[0].round, "people": changed})
    return outcomes
