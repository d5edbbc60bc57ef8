"""Where every version stands against what the policy asks of it: one row a version and environment, in one statement."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Count, Exists, F, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, Now
from django.utils import timezone

from gates.models import GateOutcome
from governance.domain.errors import FieldError, InvalidInput
from governance.domain.lifecycle import words
from governance.domain.vocabulary import OPEN_STATES, State, Track
from governance.models import PolicyPack, Submission
from governance.selectors.access import Caller, visible
from reviews.models import Condition, Deployment, Evaluation, Finding, MonitoringEvent, Permit, SignOff, Waiver
from reviews.selectors.paging import page_of
from reviews.selectors.waiving import live, rests_on_gone

ONLY = {
    "": "everything",
    "no_permit": "approved without a valid permit",
    "running": "running without a valid permit",
    "unmonitored": "running without a monitor that reports",
    "findings": "with open findings",
    "waivers": "with a waiver that runs",
    "overdue": "with something overdue",
    "old_policy": "decided under an older policy",
}
MONITORING = "GM101"
SILENT_AFTER = timedelta(days=14)
"""A monitor that has not reported for so long watches nothing."""


@dataclass(frozen=True)
class ComplianceFilters:
    """What the table is narrowed to; "" leaves it out."""

    unit: str = ""
    system: str = ""
    track: str = ""
    state: str = ""
    only: str = ""

    def check(self) -> None:
        """Raise `InvalidInput` naming each filter that cannot be."""
        known = {"track": {t.value for t in Track}, "state": {s.value for s in State}, "only": set(ONLY)}
        errors = tuple(
            FieldError(f"/{name}", "unknown", f"{name} is one of {', '.join(sorted(filter(None, values)))}.")
            for name, values in known.items()
            if getattr(self, name) and getattr(self, name) not in values
        )
        if errors:
            raise InvalidInput("The table cannot be narrowed like that. " + " ".join(e.detail for e in errors), errors=errors)


@dataclass(frozen=True)
class ComplianceRow:
    """One version in one environment. `missing`: what stands between it and compliance, in words."""

    id: int
    submission: str
    unit: str
    system: str
    version: str
    environment: str
    state: str
    state_words: str
    track: str
    age_days: int | None
    permit_until: datetime | None
    running: int
    findings: int
    waivers: int
    monitoring: str
    evaluation: str
    evaluation_due: date | None
    conditions_open: int
    decided_by: str
    decided_at: datetime | None
    policy: str
    policy_is_current: bool
    missing: tuple[str, ...]


def compliance(
    caller: Caller, *, filters: ComplianceFilters, cursor: str = "", size: int = 50
) -> tuple[tuple[ComplianceRow, ...], str, str]:
    """The latest submission of each version and environment, newest first: rows, next and previous cursor. One statement."""
    page = page_of(_rows(caller, filters), keys=("-id",), cursor=cursor, size=size)
    return tuple(_row(row) for row in page.rows), page.next, page.previous


def every_row(caller: Caller, *, filters: ComplianceFilters, most: int = 20_000) -> Iterator[ComplianceRow]:
    """The same without pages, for an export."""
    for row in _rows(caller, filters).order_by("-id")[:most].iterator(500):
        yield _row(row)


def _number(rows: QuerySet[Finding] | QuerySet[Waiver] | QuerySet[Condition] | QuerySet[Deployment], key: str) -> Coalesce:
    """How many rows belong to the submission, as a sub-query that does not multiply the row."""
    counted = rows.order_by().values(key).annotate(number=Count("pk")).values("number")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)


def _rows(caller: Caller, filters: ComplianceFilters) -> QuerySet[Submission]:
    filters.check()
    later = Submission.objects.filter(
        version=OuterRef("version"), environment=OuterRef("environment"), pk__gt=OuterRef("pk"), revision__gt=0
    )
    mine = {"submission": OuterRef("pk")}
    permits = Permit.objects.filter(**mine, revoked_at__isnull=True, expires_at__gt=Now()).exclude(rests_on_gone())
    monitoring = GateOutcome.objects.filter(**mine, code=MONITORING, revision=OuterRef("revision")).order_by("-round")
    judged = GateOutcome.objects.filter(**mine, revision=OuterRef("revision"))
    decided = SignOff.objects.filter(**mine, voided_at__isnull=True).order_by("-id")
    newest = PolicyPack.objects.filter(kind=OuterRef("kind"), active_from__lte=Now()).order_by("-active_from", "-id")
    running = Deployment.objects.filter(version=OuterRef("version"), environment=OuterRef("environment"), state=Deployment.LIVE)
    reports = MonitoringEvent.objects.filter(
        version=OuterRef("version"), environment=OuterRef("environment"), received_at__gt=Now() - SILENT_AFTER
    )
    today = timezone.now().date()
    open_conditions = Condition.objects.filter(**mine, met_at__isnull=True, sign_off__voided_at__isnull=True)
    rows = (
        visible(Submission.objects.filter(revision__gt=0), caller)
        .exclude(Exists(later))
        .select_related("unit", "system", "version", "policy", "evaluation")
        .defer("search", "policy__source", "policy__questionnaire")
        .annotate(
            permit_until=Subquery(permits.order_by("-expires_at").values("expires_at")[:1]),
            findings_open=_number(Finding.objects.filter(**mine, state="open"), "submission"),
            waivers_live=_number(live(Waiver.objects.filter(**mine)), "submission"),
            monitoring=Subquery(monitoring.values("verdict")[:1]),
            judged=Exists(judged),
            conditions_open=_number(open_conditions, "submission"),
            conditions_late=_number(open_conditions.filter(due_on__lt=today), "submission"),
            decided_at=Subquery(decided.values("at")[:1]),
            decided_role=Subquery(decided.values("role")[:1]),
            running=_number(running, "version"),
            monitored=Exists(reports),
            newest_policy=Subquery(newest.values("pk")[:1]),
        )
    )
    if filters.unit:
        rows = rows.filter(unit__slug=filters.unit)
    if filters.system:
        rows = rows.filter(system__slug=filters.system)
    if filters.track:
        rows = rows.filter(track=filters.track)
    if filters.state:
        rows = rows.filter(state=filters.state)
    narrowed: dict[str, Q] = {
        "no_permit": Q(state=State.APPROVED, permit_until__isnull=True),
        "running": Q(running__gt=0, permit_until__isnull=True),
        "unmonitored": Q(running__gt=0, monitored=False),
        "findings": Q(findings_open__gt=0),
        "waivers": Q(waivers_live__gt=0),
        "overdue": Q(conditions_late__gt=0)
        | Q(Exists(Evaluation.objects.filter(**mine, done_at__isnull=True, due_on__lt=today)))
        | Q(due_at__lt=Now(), state__in=sorted(OPEN_STATES)),
        "old_policy": ~Q(policy=F("newest_policy")),
    }
    return rows.filter(narrowed[filters.only]) if filters.only else rows


def _row(row: Submission) -> ComplianceRow:
    now, evaluation = timezone.now(), getattr(row, "evaluation", None)
    found = row.__dict__
    state = State(row.state)
    gone = found["permit_until"] is None
    # a policy that does not ask for monitors (of applications, say) has judged everything else
    monitoring = found["monitoring"] or ("not_applicable" if found["judged"] else "not_assessed")
    late = evaluation is not None and evaluation.done_at is None and evaluation.due_on < now.date()
    missing = [
        text
        for text, wrong in (
            ("a decision", state in OPEN_STATES),
            ("a valid permit", gone and state is State.APPROVED),
            ("a permit for what runs", gone and found["running"] > 0),
            ("a monitoring plan", monitoring not in ("pass", "warn", "not_applicable")),
            ("a monitor that reports", found["running"] > 0 and not found["monitored"]),
            ("the post-release evaluation", late),
            ("conditions met in time", found["conditions_late"] > 0),
            ("closed findings", found["findings_open"] > 0),
        )
        if wrong
    ]
    return ComplianceRow(
        id=row.pk,
        submission=row.number,
        unit=row.unit.name,
        system=row.system.slug,
        version=row.version.version,
        environment=row.environment,
        state=row.state,
        state_words=words(state),
        track=row.track,
        age_days=(now - row.submitted_at).days if row.submitted_at is not None else None,
        permit_until=found["permit_until"],
        running=found["running"],
        findings=found["findings_open"],
        waivers=found["waivers_live"],
        monitoring=monitoring,
        evaluation="none" if evaluation is None else evaluation.result or ("overdue" if late else "planned"),
        evaluation_due=evaluation.due_on if evaluation is not None else None,
        conditions_open=found["conditions_open"],
        decided_by=found["decided_role"] or ("policy" if state is State.APPROVED else ""),
        decided_at=found["decided_at"] or (row.closed_at if state is State.APPROVED else None),
        policy=f"{row.policy.name} {row.policy.version}" if row.policy is not None else "",
        policy_is_current=row.policy_id == found["newest_policy"],
        missing=tuple(missing),
    )
