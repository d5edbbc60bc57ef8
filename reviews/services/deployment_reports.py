"""What deployments that wait are told: first track and why, later approved or rejected. An outbox, tried again with pauses.

Two steps, both harmless when run twice or by two at once. `note_changes` compares what was told with what is so now;
`deliver_due` says it. Nothing is approved that is not allowed at the moment of saying so.
"""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Exists, OuterRef
from django.db.models.functions import Now
from django.utils import timezone

from governance.selectors.access import SYSTEM
from governance.services.work import unit_of_work
from reviews.models import DeploymentGate, DeploymentReport, DeploymentRequest
from reviews.selectors.deployment_outcomes import outcome_of, says_of
from reviews.services import github_app, gitlab_deployments
from reviews.services.code_hosts import CodeHostProblem

MOST_ATTEMPTS = 10
MOST_COMMENTS = github_app.MOST_COMMENTS - 1
WAITS_AT_MOST = timedelta(days=30)
"""GitHub fails a job that waited so long."""
_UNSAID = (DeploymentReport.DUE, DeploymentReport.FAILED)
_HOSTS = {DeploymentGate.GITHUB: github_app.HOST, DeploymentGate.GITLAB: gitlab_deployments.HOST}
_STATE = {DeploymentReport.APPROVE: "approved", DeploymentReport.REJECT: "rejected", DeploymentReport.COMMENT: ""}


def note_changes(*, limit: int = 500) -> int:
    """Note what is to be said about each deployment that waits and was told something else, or nothing. Returns how many."""
    decided = DeploymentReport.objects.filter(request=OuterRef("pk"), state__in=_UNSAID).exclude(kind=DeploymentReport.COMMENT)
    rows = DeploymentRequest.objects.filter(~Exists(decided), state=DeploymentRequest.WAITING, gate__ended_at__isnull=True)
    return sum(_note(pk) for pk in list(rows.order_by("id").values_list("pk", flat=True)[:limit]))


def deliver_due(*, limit: int = 200) -> int:
    """Say what is due, the reports of one request in their order. Returns how many were taken."""
    before = DeploymentReport.objects.filter(request=OuterRef("request"), state=DeploymentReport.DUE, pk__lt=OuterRef("pk"))
    sent = 0
    for _ in range(limit):
        due = DeploymentReport.objects.filter(
            state=DeploymentReport.DUE,
            not_before__lte=Now(),
            request__state=DeploymentRequest.WAITING,
            request__gate__ended_at__isnull=True,
        )
        pk = due.filter(~Exists(before)).order_by("id").values_list("pk", flat=True).first()
        taken = _deliver(pk) if pk is not None else None
        if taken is None:
            break
        sent += taken
    return sent


def _note(pk: int) -> int:
    with unit_of_work(SYSTEM) as work:
        row = _locked(pk)
        # a decision that is still to be said comes first; one that was given up waits for somebody
        if row is None or row.reports.filter(state__in=_UNSAID).exclude(kind=DeploymentReport.COMMENT).exists():
            return 0
        mine = DeploymentRequest.objects.filter(pk=pk)
        if row.received_at < timezone.now() - WAITS_AT_MOST:
            mine.update(state=DeploymentRequest.OVER)
            work.note("deployment_gate.over", row.gate, {"request": pk})
            return 0
        outcome = outcome_of(row)
        if outcome.key == row.told:
            return 0
        mine.update(submission=outcome.submission, told=outcome.key)
        if outcome.kind == DeploymentReport.COMMENT and not _may_comment(row):
            return 0
        # what was not said yet and is not so any more, is not said; one that is going out right now is left alone
        stale = row.reports.select_for_update(skip_locked=True).filter(state=DeploymentReport.DUE)
        DeploymentReport.objects.filter(pk__in=[each.pk for each in stale]).update(
            state=DeploymentReport.DROPPED, problem="Something newer was to be said."
        )
        DeploymentReport.objects.create(request=row, kind=outcome.kind, says=says_of(row.gate, outcome))
    return 1


def _may_comment(row: DeploymentRequest) -> bool:
    """GitLab takes a comment only with a decision; GitHub takes ten."""
    if row.gate.provider == DeploymentGate.GITLAB:
        return False
    return row.reports.filter(kind=DeploymentReport.COMMENT).count() < MOST_COMMENTS


def _locked(pk: int) -> DeploymentRequest | None:
    rows = DeploymentRequest.objects.select_for_update(skip_locked=True, of=("self",))
    return rows.select_related("gate__system").filter(pk=pk, state=DeploymentRequest.WAITING).first()


def _deliver(pk: int) -> int | None:
    """Say one thing while holding its row; 1 when it was taken. None: somebody else is at it."""
    with unit_of_work(SYSTEM) as work:
        rows = DeploymentReport.objects.select_for_update(skip_locked=True, of=("self",))
        row = (
            rows.select_related("request__gate__system", "request__submission").filter(pk=pk, state=DeploymentReport.DUE).first()
        )
        if row is None:
            return None
        request, mine = row.request, DeploymentReport.objects.filter(pk=pk)
        about = request.submission or request.gate
        said: dict[str, str | int] = {
            "deployment": request.deployment,
            "commit": request.commit,
            "host": _HOSTS[request.gate.provider],
        }
        said |= {"report": pk, "answer": _STATE[row.kind] or "a comment"}
        if row.kind != DeploymentReport.COMMENT and outcome_of(request).kind != row.kind:
            # things changed since it was noted: what is so now is noted next
            mine.update(state=DeploymentReport.DROPPED, problem="It was not so any more when it was to be said.")
            DeploymentRequest.objects.filter(pk=request.pk).update(told="")
            work.note("deployment_gate.held_back", about, said)
            return 0
        attempts = row.attempts + 1
        try:
            _say(row)
        except CodeHostProblem as problem:
            given_up = problem.final or attempts >= MOST_ATTEMPTS
            mine.update(
                state=DeploymentReport.FAILED if given_up else DeploymentReport.DUE,
                attempts=attempts,
                problem=str(problem),
                not_before=timezone.now() + timedelta(seconds=min(15 * 2**attempts, 3600)),
            )
            if given_up:
                work.note("deployment_gate.given_up", about, said)
            return 0
        mine.update(state=DeploymentReport.SENT, attempts=attempts, problem="", sent_at=Now())
        if row.kind != DeploymentReport.COMMENT:
            DeploymentRequest.objects.filter(pk=request.pk).update(state=_STATE[row.kind])
        work.note("deployment_gate.told", about, said)
    return 1


def _say(row: DeploymentReport) -> None:
    request, gate = row.request, row.request.gate
    if gate.provider == DeploymentGate.GITLAB:
        gitlab_deployments.answer(gate.project, request.deployment, _STATE[row.kind], row.says)
        return
    github_app.report(
        installation=gate.installation,
        repository=gate.project,
        callback=request.callback,
        environment=gate.environment_there,
        state=_STATE[row.kind],
        comment=row.says,
    )
