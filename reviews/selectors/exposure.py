"""Exposure: up to which share a permit holds, what speaks for and against more, and who may ask and decide."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Exists, Min, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from governance.domain.canonical import digest as digest_of
from governance.domain.errors import Conflict, DomainError, Forbidden, NotFound, SegregationOfDuties
from governance.domain.lifecycle import Case, words
from governance.domain.vocabulary import Role, Scope, State, Track
from governance.models import Contributor, Submission
from governance.policy.exposure import ExposurePlan, ExposureStep, SignalStanding, not_automatic, step_for
from governance.selectors.access import Caller, visible
from governance.selectors.policy import pack_of
from reviews.models import Condition, Deployment, ExposureRequest, Finding, Incident, MonitoringReading, Permit, Waiver
from reviews.selectors.barred import bars
from reviews.selectors.case import live_grants, stands_for
from reviews.selectors.waiving import live, rests_on_gone


def holding(rows: QuerySet[Permit]) -> QuerySet[Permit]:
    """Permits that hold at this moment, by the database clock."""
    return (
        rows.annotate(is_barred=bars("version_id", "artifact_digest", "unit_id"))
        .filter(revoked_at__isnull=True, expires_at__gt=Now(), is_barred=False)
        .exclude(rests_on_gone())
    )


def present_permit(submission: Submission) -> Permit | None:
    """The permit of the case that holds now and allows most, or None."""
    return holding(Permit.objects.filter(submission=submission)).order_by("-exposure", "-issued_at").first()


def plan_of(submission: Submission) -> ExposurePlan | None:
    """What the pack that the case was approved under says about exposure."""
    return pack_of(submission.policy).document.exposure if submission.policy is not None else None


@dataclass(frozen=True)
class Standing:
    """What is known of a version in use when more exposure is asked for or decided: this is what a decision is bound to.

    `signals`: readings since it runs at its present exposure, by how they were judged. `running_days` is shown and not part of
    the digest: time alone makes nobody look again.
    """

    permit: str
    present: int
    wanted: int
    dossier: str
    policy: str
    until: str
    deployments: tuple[tuple[str, int], ...]
    signals: Mapping[str, SignalStanding]
    findings: tuple[tuple[str, str], ...]
    incidents: tuple[str, ...]
    waivers: tuple[str, ...]
    conditions: tuple[int, ...]
    monitor_findings: int
    running_days: Mapping[int, float]

    def document(self) -> dict[str, Any]:
        """What the digest is taken of: one more reading within its limits changes nothing, anything worse does."""
        content = asdict(self)
        del content["running_days"]
        content["signals"] = {
            name: {"within": row.within > 0, "over": row.over, "unknown": row.unknown, "unjudged": row.unjudged > 0}
            for name, row in sorted(self.signals.items())
        }
        return {name: list(value) if isinstance(value, tuple) else value for name, value in content.items()}

    @property
    def digest(self) -> str:
        return digest_of(self.document())


def standing_of(submission: Submission, permit: Permit, wanted: int) -> Standing:
    """Read what is known now. Seven queries."""
    running = Deployment.objects.filter(
        version_id=permit.version_id, environment=permit.environment, unit_id=permit.unit_id, state=Deployment.LIVE
    ).order_by("target", "id")
    rows = list(running.values_list("target", "exposure", "at"))
    now = Submission.objects.filter(pk=submission.pk).annotate(now=Now()).values_list("now", flat=True).get()
    days: dict[int, float] = {}
    for _, exposure, at in rows:
        days[exposure] = max(days.get(exposure, 0.0), (now - at).total_seconds() / 86_400)
    opened = Finding.objects.filter(submission=submission, state__in=["open", "fixed"]).order_by("id")
    seen = list(opened.annotate(by_monitor=Exists(MonitoringReading.objects.filter(finding=OuterRef("pk")))))
    return Standing(
        permit=str(permit.pk),
        present=permit.exposure,
        wanted=wanted,
        dossier=permit.dossier_digest,
        policy=permit.policy_digest,
        until=permit.expires_at.isoformat(),
        deployments=tuple((target, exposure) for target, exposure, _ in rows),
        signals=_signals(permit, running.filter(exposure=permit.exposure).aggregate(since=Min("at"))["since"]),
        findings=tuple((row.number, row.severity) for row in seen),
        incidents=tuple(
            row.number for row in Incident.objects.filter(submission=submission).exclude(state="closed").order_by("id")
        ),
        waivers=tuple(row.number for row in live(Waiver.objects.filter(submission=submission)).order_by("id")),
        conditions=tuple(
            Condition.objects.filter(submission=submission, met_at__isnull=True).order_by("id").values_list("pk", flat=True)
        ),
        monitor_findings=sum(row.by_monitor for row in seen),
        running_days=days,
    )


def _signals(permit: Permit, since: datetime | None) -> dict[str, SignalStanding]:
    if since is None:
        return {}
    rows = MonitoringReading.objects.filter(
        event__version_id=permit.version_id,
        event__environment=permit.environment,
        event__received_at__gte=since,
        event__at__gte=since,
    )
    found: dict[str, dict[str, int]] = {}
    for signal, verdict, count in rows.values_list("signal", "verdict").annotate(count=Count("id")):
        found.setdefault(signal, {})[verdict] = count
    return {signal: SignalStanding(**counts) for signal, counts in sorted(found.items())}


def not_by_policy(step: ExposureStep, track: Track, standing: Standing) -> tuple[str, ...]:
    """Why the policy does not authorise the step by itself, in words; empty when it does."""
    return not_automatic(
        step,
        track,
        present=standing.present,
        running_days=standing.running_days,
        signals=standing.signals,
        incidents=len(standing.incidents),
        findings=standing.monitor_findings,
    )


def asking_refusal(
    submission: Submission, permit: Permit | None, caller: Caller, *, contributors: Iterable[int]
) -> DomainError | None:
    """Why the caller cannot ask for more exposure of this case now, or None. A program may ask; it never decides."""
    if caller.token is not None and Scope.SUBMIT.value not in caller.token.scopes:
        return Forbidden("This token lacks the scope “submit”. Ask an administrator for one that has it.", code="scope_needed")
    me = caller.person.pk if caller.person is not None else 0
    if me not in {submission.submitter_id, submission.system.owner_id, *contributors}:
        return Forbidden("More exposure is asked for by those who submitted the version or own the system.", code="role_needed")
    if submission.state != State.APPROVED or permit is None:
        return Conflict(
            f"{submission.number} is {words(State(submission.state))} and has no permit that could allow more. "
            "Exposure is raised under an approval that stands.",
            code="no_permit",
        )
    if ExposureRequest.objects.filter(submission=submission, outcome="").exists():
        return Conflict("A request for more exposure waits already. Take it back to ask differently.", code="asked_already")
    step = step_for(plan_of(submission), Track(submission.track), permit.exposure, permit.exposure + 1)
    return Conflict(step, code="no_more") if isinstance(step, str) else None


def deciding_refusal(request: ExposureRequest, case: Case, caller: Caller, permit: Permit | None) -> DomainError | None:
    """Why the caller may not decide this request now, or None. `permit`: the one that holds now."""
    if request.outcome:
        return Conflict(f"{request.number} was {request.outcome} already.", code="wrong_state")
    if case.state is not State.APPROVED or permit is None or permit.pk != request.permit_id:
        return Conflict("The permit it was asked under does not hold any more, so there is nothing to raise.", code="no_permit")
    if caller.token is not None or caller.person is None:
        return Forbidden("A token cannot decide. A person has to sign in and decide.", code="person_needed")
    role = Role(request.role)
    if role not in caller.roles_in(request.unit_id):
        return Forbidden(f"This is decided by the {role.label}. You do not hold that role here.", code="role_needed")
    me = caller.person.pk
    if (why := _part_of(request, case, me)) is not None:
        return SegregationOfDuties(f"You {why}, so somebody else decides how far it goes.")
    if any(_part_of(request, case, other) for other in stands_for(live_grants(me), role, request.unit_id)):
        return SegregationOfDuties("The person you stand in for must not decide this, so neither do you.")
    return None


def _part_of(request: ExposureRequest, case: Case, person: int) -> str | None:
    """What somebody has to do with the case that keeps them from deciding."""
    if person == request.requested_by_id:
        return "asked for it"
    if person == case.submitter:
        return "submitted this version"
    if person == request.submission.system.owner_id:
        return "own this system"
    if person in case.conflicts:
        return "declared a conflict of interest on this case"
    return case.contributors.get(person) or case.waived.get(person)


def withdrawing_refusal(request: ExposureRequest, caller: Caller) -> DomainError | None:
    """Why the caller cannot take the request back, or None."""
    if request.outcome:
        return Conflict(f"{request.number} was {request.outcome} already.", code="wrong_state")
    if caller.person is None or caller.person.pk != request.requested_by_id:
        return Forbidden("Whoever asked takes it back.", code="role_needed")
    return None


def find_request(*, caller: Caller, request_id: int) -> ExposureRequest:
    """A request by number, or `NotFound`."""
    rows = ExposureRequest.objects.select_related(
        "submission__system__owner", "submission__version", "submission__policy", "permit", "requested_by", "decided_by", "unit"
    )
    row = visible(rows, caller).filter(pk=request_id).first()
    if row is None:
        raise NotFound(f"There is no request E-{request_id} in your business unit.")
    return row


def contributors_of(submission: Submission) -> set[int]:
    """Everybody who has a part in the case."""
    return set(Contributor.objects.filter(submission=submission).values_list("person_id", flat=True))


SCOPES = {"": "All", "mine": "Waiting for me", "waiting": "Waiting", "decided": "Decided"}


def waiting_for(caller: Caller) -> QuerySet[ExposureRequest]:
    """Requests that the caller could decide by role, asked under a permit that holds, and not their own."""
    me = caller.person.pk if caller.person is not None and caller.token is None else 0
    mine = Q(pk__in=())
    for unit_id, roles in caller.roles.items():
        mine |= Q(role__in=sorted(roles)) & (Q() if unit_id is None else Q(unit_id=unit_id))
    own = Q(requested_by_id=me) | Q(submission__submitter_id=me) | Q(submission__system__owner_id=me)
    return requests_page(caller, scope="waiting").filter(mine).exclude(own)


def requests_page(caller: Caller, *, scope: str = "") -> QuerySet[ExposureRequest]:
    """Requests the caller may see. `waiting`: asked under a permit that still holds, and not decided."""
    rows = visible(
        ExposureRequest.objects.select_related("submission__system", "submission__version", "requested_by", "decided_by"), caller
    )
    rows = rows.annotate(holds=Exists(holding(Permit.objects.filter(pk=OuterRef("permit_id")))))
    if scope == "mine":
        return waiting_for(caller)
    if scope == "waiting":
        return rows.filter(outcome="", holds=True, submission__state=State.APPROVED)
    return rows.exclude(outcome="") if scope == "decided" else rows


def state_of(row: ExposureRequest, *, holds: bool) -> str:
    """waiting, lapsed (its permit ended before anybody decided), granted, refused or withdrawn."""
    return row.outcome or ("waiting" if holds else "lapsed")
