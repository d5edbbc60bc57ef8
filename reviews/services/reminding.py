"""Reminders before something is due and escalation when it is late. Each is a keyed row: said once, however often this runs."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from governance.domain.vocabulary import Role, State, StepState
from governance.models import Person, PolicyPack, RuleConflict, Submission
from governance.selectors.access import SYSTEM
from governance.selectors.policy import pack_of
from governance.services.work import Work, unit_of_work
from reviews.models import Condition, Evaluation, Notification, ReviewStep, Waiver
from reviews.selectors.notices import Notice
from reviews.selectors.waiving import live
from reviews.services.routing import escalate
from reviews.services.steps import SOON
from reviews.services.telling import able_to_decide, answerable, holders, tell, tell_unit

REQUEST_LIMIT = timedelta(days=2)
"""A waiver request that waits longer is brought to those who answer for the policy: nobody should wait three weeks."""
MOST = 300


def remind() -> None:
    """Say what has to be said now."""
    now = timezone.now()
    _steps(now)
    _waivers(now)
    _follow_up(now)
    escalate(now)
    _conflicts(now)


def _untold(rows: QuerySet[Submission], kind: Notice) -> QuerySet[Submission]:
    """Cases for whose present turn that was not said yet."""
    said = Notification.objects.filter(submission=OuterRef("pk"), kind=kind, at__gte=OuterRef("turn_since"))
    return rows.exclude(Exists(said))


def _steps(now: datetime) -> None:
    """At four fifths of the working time whoever is on it and everybody who could decide instead; at its end their leads too."""
    waiting = Submission.objects.filter(state=State.IN_REVIEW, due_at__isnull=False, turn_since__isnull=False)
    related = waiting.select_related("system", "version", "claimed_by").order_by("due_at")
    for row in _untold(related.filter(due_at__gt=now, soon_at__lte=now), Notice.DUE_SOON)[:MOST]:
        with unit_of_work(SYSTEM) as work:
            mine = {row.claimed_by_id: f"You took {row.number} on."} if row.claimed_by_id else {}
            on_it = f" {row.claimed_by.name} is on it." if row.claimed_by is not None else ""
            do = f"Decide it, or hand it over.{on_it}"
            _say(work, row, Notice.DUE_SOON, _able(row) | mine, "is due soon", do)
    for row in _untold(related.filter(due_at__lte=now), Notice.OVERDUE)[:MOST]:
        with unit_of_work(SYSTEM) as work:
            people = _able(row)
            do = "Somebody else of the role can take it on."
            _say(work, row, Notice.OVERDUE, leads(people) | people, "is overdue", do)


def _able(row: Submission) -> dict[int, str]:
    """Everybody who may decide one of the steps that are open."""
    roles = ReviewStep.objects.filter(submission=row, state=StepState.OPEN).values_list("role", flat=True)
    people: dict[int, str] = {}
    for role in dict.fromkeys(roles):
        people |= able_to_decide(row, Role(role))
    return people


def leads(people: dict[int, str]) -> dict[int, str]:
    """The managers of people, with why they are told."""
    rows = Person.objects.filter(pk__in=people, manager__isnull=False).select_related("manager")
    return {row.manager_id: f"You lead {row.name}, whose role has the turn." for row in rows if row.manager_id is not None}


def _say(work: Work, row: Submission, kind: Notice, people: dict[int, str], what: str, do: str) -> None:
    assert row.due_at is not None and row.turn_since is not None
    tell(
        work,
        row,
        kind,
        people,
        key=f"{row.number}:{row.turn}:{row.turn_since.isoformat()}",
        title=f"{row.number} {row.system.slug} {row.version.version} {what}",
        says=f"The step of the {Role(row.turn).label} was due by {row.due_at:%d %B, %H:%M} UTC. {do}",
    )


def _waivers(now: datetime) -> None:
    related = Waiver.objects.select_related("submission__system", "submission__version", "submission", "requested_by")
    running = live(related).filter(expires_at__lte=now + timedelta(days=30))
    packs: dict[str, int] = {}
    for row in running.order_by("expires_at")[:MOST]:
        if row.policy_digest not in packs:
            pack = PolicyPack.objects.defer("source", "questionnaire").get(digest=row.policy_digest)
            plan = pack_of(pack).document.waivers
            packs[row.policy_digest] = plan.remind_days if plan is not None else 14
        if row.expires_at - now <= timedelta(days=packs[row.policy_digest]):
            with unit_of_work(SYSTEM) as work:
                _ending(work, row)
    for row in live(related).filter(audit__done_at__isnull=True).order_by("audit_due_on")[:MOST]:
        assert row.granted_at is not None
        whole = row.audit_due_on - row.granted_at.date()
        if (now.date() - row.granted_at.date()) >= whole * SOON:
            with unit_of_work(SYSTEM) as work:
                _audit(work, row, today=now.date() >= row.audit_due_on)
    stuck = related.filter(granted_at__isnull=True, ended_at__isnull=True, requested_at__lte=now - REQUEST_LIMIT)
    for row in stuck.order_by("requested_at")[:MOST]:
        with unit_of_work(SYSTEM) as work:
            tell(
                work,
                row.submission,
                Notice.OVERDUE,
                holders(row.unit_id, Role.POLICY_AUTHOR, Role.RISK_OFFICER),
                key=f"{row.number}:stuck",
                title=f"{row.number}, a waiver of {row.gate}, has waited for signatures since {row.requested_at:%d %B}",
                says="See who has to sign, or whether the gate fits this kind of case at all.",
                path=f"/waivers/{row.pk}",
            )


def _conflicts(now: datetime) -> None:
    """Conflicts about rules that nobody decides: a manual exception process must not take three weeks again."""
    for row in RuleConflict.objects.filter(ruling=None, at__lte=now - REQUEST_LIMIT).order_by("at")[:MOST]:
        with unit_of_work(SYSTEM) as work:
            tell_unit(
                work,
                row.unit_id,
                Notice.OVERDUE,
                holders(row.unit_id, Role.POLICY_AUTHOR, Role.RISK_OFFICER),
                key=f"{row.number}:stuck",
                title=f"{row.number} about {row.about} has waited for a decision since {row.at:%d %B}",
                says="A policy author who did not open it decides: keep the rule, change it, or say how to go about it.",
                path=f"/conflicts/{row.pk}",
            )


def _ending(work: Work, row: Waiver) -> None:
    people = answerable(row.submission) | {
        row.requested_by_id: f"You asked for {row.number}.",
        row.owner_id: f"You run the control of {row.number}.",
    }
    if not Notification.objects.filter(submission=row.submission, key=f"{Notice.WAIVER_ENDING}:{row.number}:soon").exists():
        work.note("waiver.expiring", row.submission, {"waiver": row.pk, "gate": row.gate, "ends": row.expires_at.isoformat()})
    tell(
        work,
        row.submission,
        Notice.WAIVER_ENDING,
        people,
        key=f"{row.number}:soon",
        title=f"The waiver of {row.gate} for {row.submission.number} ends on {row.expires_at:%d %B %Y}",
        says="Then the gate fails again and the permit ends. Submit a version that passes, or ask for a waiver of the next one.",
        path=f"/waivers/{row.pk}",
    )


def _audit(work: Work, row: Waiver, *, today: bool) -> None:
    people = {row.audit_owner_id: f"You audit {row.number}."}
    if today:
        people = holders(row.unit_id, Role.RISK_OFFICER) | people
    tell(
        work,
        row.submission,
        Notice.FOLLOW_UP,
        people,
        key=f"{row.number}:audit:{'last' if today else 'soon'}",
        title=f"The audit of {row.number} is due {'today' if today else f'on {row.audit_due_on:%d %B %Y}'}",
        says="Look whether the compensating control worked and record it. If it is missed, waiver and permit end.",
        path=f"/waivers/{row.pk}",
    )


def _follow_up(now: datetime) -> None:
    today = now.date()
    evaluations = Evaluation.objects.filter(done_at__isnull=True, due_on__lte=today + timedelta(days=75))
    for row in evaluations.select_related("submission__system", "submission__version").order_by("due_on")[:MOST]:
        whole = row.due_on - row.created_at.date()
        if today - row.created_at.date() >= whole * SOON:
            with unit_of_work(SYSTEM) as work:
                _task(work, row, "post-release evaluation", row.due_on < today, f"/follow-up/evaluations/{row.submission.number}")
    conditions = Condition.objects.filter(
        met_at__isnull=True, due_on__lte=today + timedelta(days=3), sign_off__voided_at__isnull=True
    )
    for condition in conditions.select_related("submission__system", "submission__version").order_by("due_on")[:MOST]:
        with unit_of_work(SYSTEM) as work:
            _task(
                work,
                condition,
                f"condition “{condition.text[:60]}”",
                condition.due_on < today,
                f"/follow-up/conditions/{condition.pk}",
            )


def _task(work: Work, row: Evaluation | Condition, what: str, late: bool, path: str) -> None:
    people = {row.owner_id: "It is yours to see to."}
    if late:
        people = leads(people) | holders(row.submission.unit_id, Role.PLATFORM_ENGINEER, Role.RISK_OFFICER) | people
    tell(
        work,
        row.submission,
        Notice.FOLLOW_UP,
        people,
        key=f"{row._meta.model_name}:{row.pk}:{'late' if late else 'soon'}",
        title=f"{row.submission.system.slug} {row.submission.version.version}: {what} {'is overdue' if late else 'is due soon'}"[
            :200
        ],
        says=f"Due on {row.due_on:%d %B %Y}. Record what you found, with evidence.",
        path=path,
    )
