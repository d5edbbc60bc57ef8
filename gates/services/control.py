"""What people may do with runs: cancel one, run one again, run again everything that stopped.

What has ended is not changed: running again adds a row that takes its place, the earlier one keeps what it measured and says.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings
from django.db.models.functions import Now

from gates import registry
from gates.models import GateRun
from gates.selectors.control import Standing, again_refusal, cancel_refusal, standing
from gates.services.finishing import SETTLE, finished
from gates.services.inputs import input_digest
from gates.services.planning import PRIORITY, TAKEN_WITHIN, cancel_unfinished, wake
from governance.domain.errors import Conflict, NotFound
from governance.domain.lifecycle import Action, Case
from governance.domain.vocabulary import Role, RunStatus, Scope, State
from governance.models import Contributor, Submission
from governance.selectors.access import Caller, visible
from governance.services.lifecycle import advance
from governance.services.work import Work, unit_of_work

__all__ = ["cancel_run", "cancel_unfinished", "repeat_run", "run_again"]


def cancel_run(*, caller: Caller, submission_id: int, collector: str) -> GateRun:
    """Cancel one queued or running check. Its gates are then not assessed, which blocks where they block.

    A running child stops within seconds. Raises `NotFound`, `Forbidden`, or `Conflict` when it has ended already.
    """
    caller.require_scope(Scope.SUBMIT)
    with unit_of_work(caller) as work:
        submission, run = _locked(caller, submission_id, collector)
        if (refused := cancel_refusal(standing(caller, submission), run)) is not None:
            raise refused
        said = f"Cancelled by {_who(caller, submission)}. It can be run again."
        GateRun.objects.filter(pk=run.pk).update(
            status=RunStatus.CANCELLED, error=said, finished_at=Now(), lease_until=None, doing=""
        )
        work.note("gate_run.cancelled", submission, _about(run))
        if finished(submission.pk, submission.revision):
            work.enqueue(SETTLE, submission.pk)
    run.refresh_from_db()
    return run


def repeat_run(*, caller: Caller, submission_id: int, collector: str) -> GateRun:
    """Run one ended check again on the same inputs. Returns the new run.

    From "checks failed" the submission goes back into its checks. Raises `NotFound`, `Forbidden`, or `Conflict`: it has not
    ended, the evidence changed, the case is decided, or it was run again too often.
    """
    caller.require_scope(Scope.SUBMIT)
    with unit_of_work(caller) as work:
        submission, run = _locked(caller, submission_id, collector)
        at = standing(caller, submission)
        if (refused := again_refusal(at, run)) is not None:
            raise refused
        if at.state is State.CHECKS_FAILED:
            people = Contributor.objects.filter(submission=submission).values_list("person_id", "why")
            case = Case(state=at.state, submitter=submission.submitter_id, contributors=dict(people))
            advance(work, submission, Action.RECHECK, case=case, actor=caller.actor(submission.unit_id), turn="machine")
        (again,) = _repeat([run])
        work.note("gate_run.queued_again", submission, {**_about(run), "as": again.pk})
        wake(work, submission, [again])
    return again


def run_again(work: Work, *, submission: Submission) -> list[GateRun]:
    """Queue the current revision's runs that ended in an error or were cancelled once more, as new rows.

    For the transaction that moves the submission back into checks (the row is locked by the caller, who may do that). Raises
    `Conflict` when nothing stopped, when the evidence changed, or when each was run again too often.
    """
    stopped = list(
        GateRun.objects.filter(
            submission=submission,
            revision=submission.revision,
            current=True,
            status__in=[RunStatus.ERROR, RunStatus.CANCELLED],
        )
        .order_by("id")
        .select_for_update()
    )
    if not stopped:
        raise Conflict("No check of this revision stopped with an error: there is nothing to run again.", code="nothing_to_run")
    known = standing(work.caller, submission)
    at = Standing(State.IN_CHECKS, submission.number, True, known.evidence_changed, known.again)
    refusals = [again_refusal(at, run) for run in stopped]
    wanted = [run for run, refused in zip(stopped, refusals, strict=True) if refused is None]
    if not wanted:
        raise next(refused for refused in refusals if refused is not None)
    runs = _repeat(wanted)
    work.note(
        "gate_runs.queued_again",
        submission,
        {"revision": submission.revision, "runs": [run.pk for run in wanted], "as": [run.pk for run in runs]},
    )
    wake(work, submission, runs)
    return runs


def _locked(caller: Caller, submission_id: int, collector: str) -> tuple[Submission, GateRun]:
    rows = Submission.objects.select_for_update(of=("self",)).select_related("system", "version")
    submission = visible(rows, caller).filter(pk=submission_id).first()
    run = (
        GateRun.objects.filter(submission=submission, revision=submission.revision, collector=collector, current=True)
        .select_for_update()
        .first()
        if submission is not None
        else None
    )
    if submission is None or run is None:
        raise NotFound(f"There is no check “{collector}” of S-{submission_id}, or it belongs to a business unit you cannot see.")
    return submission, run


def _repeat(runs: Iterable[GateRun]) -> list[GateRun]:
    """A new row for each, with the same frozen inputs; the earlier ones give up their place first."""
    earlier = list(runs)
    GateRun.objects.filter(pk__in=[run.pk for run in earlier]).update(current=False)
    within = {PRIORITY[track]: wait for track, wait in TAKEN_WITHIN.items()}
    known = registry.collectors()
    return GateRun.objects.bulk_create(
        GateRun(
            submission_id=run.submission_id,
            revision=run.revision,
            collector=run.collector,
            edition=_edition(known.get(run.collector), run),
            heavy=run.heavy,
            priority=run.priority,
            due_at=Now() + within[run.priority] if run.priority in within else Now(),
            inputs=run.inputs,
            # the collector may have a new version since
            input_digest=input_digest(known[run.collector], run.inputs) if run.collector in known else run.input_digest,
            max_attempts=settings.GATE_MAX_ATTEMPTS,
            dispatched_at=Now(),
            again_of=run,
        )
        for run in earlier
    )


def _edition(collector: registry.Collector | None, run: GateRun) -> str:
    """That of today's collector, which the new digest covers as well; a plug-in's files stay those that were planned with."""
    return registry.edition_of(run.collector, collector.version, run.inputs.get("plugin")) if collector else run.edition


def _about(run: GateRun) -> dict[str, object]:
    return {"run": run.pk, "collector": run.collector, "revision": run.revision, "attempt": run.attempt, "status": run.status}


def _who(caller: Caller, submission: Submission) -> str:
    """The part somebody has in the case, not the name: runs are shown to everybody in the unit."""
    if caller.person is not None and caller.person.pk == submission.submitter_id:
        return "the submitter"
    held = [role for role in (Role.ANALYST, Role.PLATFORM_ENGINEER) if role in caller.roles_in(submission.unit_id)]
    return f"the {held[0].label.lower()}" if held else "somebody who worked on it"
