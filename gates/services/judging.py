"""Judging stored measurements: pure gates, the pack's limits, one stored outcome per gate."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Max

from gates import registry
from gates.models import GateOutcome, GateRun
from gates.registry import Gate
from gates.selectors.measured import current_runs, measured_facts, measured_of
from gates.spec import GateResult, Measured, not_applicable, not_assessed
from governance.domain.facts import FactSet
from governance.domain.vocabulary import Kind, RunStatus, Track
from governance.models import Revision, Submission
from governance.policy import Pack
from governance.policy.conditions import FALSE
from governance.policy.gate_use import GateUse
from governance.selectors.plugins import pin_problem
from governance.services.work import Work

log = logging.getLogger(__name__)


def judge(
    work: Work,
    *,
    submission: Submission,
    revision: Revision | int,
    pack: Pack,
    track: Track,
    runs: Sequence[GateRun] | None = None,
) -> list[GateOutcome]:
    """Judge every gate the pack asks for on this track and store the outcomes as the revision's next round.

    `runs`: the revision's current runs and, as a `Revision`, its facts spare reading them once more.

    Fails closed: a collector that stopped, is missing or has no measurement leaves its gate not assessed, and so does a gate that
    breaks. Raises nothing for what was measured.
    """
    number = revision.number if isinstance(revision, Revision) else revision
    runs = current_runs(submission.pk, number) if runs is None else runs
    measured = measured_of(submission.pk, number, runs=runs)
    stated = revision.facts if isinstance(revision, Revision) else _facts(submission, number)
    facts = FactSet.from_json(stated).with_facts(measured_facts(submission.pk, number, runs=runs))
    statuses = {run.collector: run.status for run in runs}
    last = GateOutcome.objects.filter(submission=submission, revision=number).aggregate(last=Max("round"))["last"] or 0
    rows = judged_gates(pack, pack.gate_kind, track, facts, measured, statuses)
    for row in rows:
        row.submission, row.revision, row.round = submission, number, last + 1
    outcomes = GateOutcome.objects.bulk_create(rows)
    work.note(
        "gates.judged",
        submission,
        {
            "revision": number,
            "round": last + 1,
            "policy": pack.digest,
            "outcomes": [
                {"code": row.code, "verdict": row.verdict, "blocking": row.blocking, "observed": row.observed} for row in outcomes
            ],
        },
    )
    return outcomes


def judged_gates(
    pack: Pack, kind: Kind, track: Track, facts: FactSet, measured: Measured, runs: Mapping[str, str]
) -> list[GateOutcome]:
    """What every gate the pack asks for on this track says, as rows of no submission yet. `runs`: collector -> status."""
    domain = str(facts.value("decision.domain") or "")
    rows = []
    for use in pack.gates:
        if track not in use.tracks:
            continue
        check = pack.gate_checks.get(use.gate)
        asked_for = check is None or check(facts.by_name, ()) != FALSE
        limits, result = verdict_of(use, kind, use.limits_for(track, domain), measured, runs, asked_for=asked_for)
        rows.append(_row(use, track, limits, result))
    return rows


def verdict_of(
    use: GateUse,
    kind: Kind,
    limits: Mapping[str, Any],
    measured: Measured,
    runs: Mapping[str, str],
    *,
    asked_for: bool = True,
    pinned: bool = True,
) -> tuple[dict[str, Any], GateResult]:
    """One gate's limits and verdict. `limits`: the pack's; `runs`: collector -> status; `asked_for`: its condition may hold;
    `pinned`: a plug-in has to be the one the pack pins."""
    gate = registry.gates().get(use.gate)
    if gate is None:
        return dict(limits), not_assessed(
            f"This installation has no gate {use.gate}, though the policy asks for it.",
            fix="Update Guiderail, or take the gate out of the pack.",
        )
    in_force = gate.limits_with(limits)
    if pinned and (problem := pin_problem(use.gate, use.plugin, gate.plugin)):
        return in_force, not_assessed(problem, fix="An administrator installs the plug-in that the policy pins.")
    if kind not in gate.kinds:
        return in_force, not_applicable(f"{gate.code} is not made for a {kind.value.replace('_', ' ')}.")
    if not asked_for:
        return in_force, not_applicable("The policy asks for this gate only in other cases.")
    return in_force, _judged(gate, measured, in_force, runs)


def _judged(gate: Gate, measured: Measured, limits: dict[str, Any], runs: Mapping[str, str]) -> GateResult:
    # a collector that did not come to an end may hide what would have failed: nothing is judged around it
    broken = [name for name in gate.collectors if runs.get(name) != RunStatus.DONE]
    if broken:
        why = measured.not_measured.get(broken[0]) or f"The collector “{broken[0]}” was not run for this revision."
        return not_assessed(why, fix="Run the check again; if it stops again, mend the evidence file the reason names.")
    reasons = [measured.not_applicable[name] for name in gate.collectors if name in measured.not_applicable]
    if gate.collectors and len(reasons) == len(gate.collectors):
        return not_applicable(reasons[0])
    missing = [measured.not_measured[name] for name in gate.collectors if name in measured.not_measured]
    if gate.collectors and len(missing) + len(reasons) == len(gate.collectors):
        return not_assessed(missing[0], fix=missing[0])
    try:
        result = gate.judge(measured, limits)
        if not isinstance(result, GateResult):
            raise TypeError(f"judge returned {type(result).__name__}")
        return result
    except Exception as exc:  # a gate that breaks must block, not stop the others
        log.exception("%s broke while judging", gate.code)
        return not_assessed(
            f"The gate broke while judging ({type(exc).__name__}). This is a fault of the gate, not of the submission."
        )


def _facts(submission: Submission, number: int) -> list[dict[str, Any]]:
    return list(Revision.objects.filter(submission=submission, number=number).values_list("facts", flat=True).first() or [])


def _row(use: GateUse, track: Track, limits: dict[str, Any], result: GateResult) -> GateOutcome:
    gate = registry.gates().get(use.gate)
    return GateOutcome(
        code=use.gate,
        name=gate.name if gate else use.gate,
        verdict=result.verdict,
        blocking=use.blocks(track),
        says=result.says,
        fix=result.fix,
        observed=result.observed,
        low=result.low,
        high=result.high,
        n=result.n,
        limit=result.limit[:60],
        limits=limits,
        metric=result.metric[:120],
        group=result.group[:300],
        notes=list(result.notes),
    )
