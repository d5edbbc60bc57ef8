"""Three panels for those who answer for the whole: the policy, what went wrong and how it was mended, what is proven.

Counted from stored rows of the units the caller may see. Where there is nothing to count, there is no share: an empty panel
says so instead of showing a hundred percent.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, F, Min, Q, QuerySet
from django.db.models.functions import Now, TruncMonth
from django.utils import timezone

from governance.domain.vocabulary import OPEN_STATES, Severity
from governance.models import PolicyDraft, PolicyPack, ReplayRun, Submission
from governance.selectors.access import Caller, visible
from reviews.models import (
    Condition,
    Deployment,
    Evaluation,
    Finding,
    Incident,
    IncidentStep,
    Permit,
    PostMortem,
    Waiver,
    WaiverAudit,
)
from reviews.selectors.deployments import covered_now
from reviews.selectors.record_counts import CASE
from reviews.selectors.waiving import live

MONTHS = 6
LATEST = 10


@dataclass(frozen=True)
class PackLine:
    """One version of a pack. `since`: from when it is in force. `cases`: submissions judged by it that the caller sees."""

    id: int
    name: str
    kind: str
    version: str
    digest: str
    since: datetime
    cases: int


@dataclass(frozen=True)
class DraftLine:
    """A version somebody works on. `state`: open or proposed."""

    id: int
    name: str
    state: str
    why: str
    author: str
    changed_at: datetime


@dataclass(frozen=True)
class PolicyPanel:
    """Which policy judges now, which will, and what is being written. `replay`: the last check that decisions come out alike."""

    in_force: tuple[PackLine, ...]
    upcoming: tuple[PackLine, ...]
    drafts: tuple[DraftLine, ...]
    replay: ReplayRun | None


@dataclass(frozen=True)
class IncidentLine:
    """One incident with how long each part took; None while it lasts."""

    id: int
    number: str
    title: str
    severity: str
    state: str
    system: str
    began_at: datetime
    opened_at: datetime
    noticed_after: timedelta
    resolved_after: timedelta | None
    learnt_after: timedelta | None
    steps_done: int
    steps: int
    steps_late: int


@dataclass(frozen=True)
class MonthLine:
    """What came and went in a month."""

    month: datetime
    incidents: int
    resolved: int
    findings: int
    closed: int
    rollbacks: int
    revoked: int


@dataclass(frozen=True)
class Remediation:
    """Findings by severity: how many are open, how many of those late, since when the oldest, and how long closing took."""

    severity: str
    open: int
    late: int
    oldest: datetime | None
    closed: int
    median_days: float | None


@dataclass(frozen=True)
class IncidentPanel:
    """What went wrong and how it was mended."""

    latest: tuple[IncidentLine, ...]
    open: int
    months: tuple[MonthLine, ...]
    remediation: tuple[Remediation, ...]


@dataclass(frozen=True)
class Late:
    """Something past its day: what, how many, where to look."""

    label: str
    number: int
    url: str


@dataclass(frozen=True)
class EvidencePanel:
    """What is proven. `serving`: live deployments; `covered`: those a valid permit, so a valid decision, stands behind."""

    serving: int
    covered: int
    waivers: int
    next_end: datetime | None
    overdue: tuple[Late, ...]

    @property
    def share(self) -> float | None:
        """Covered of serving; None where nothing serves."""
        return self.covered / self.serving if self.serving else None

    @property
    def late(self) -> int:
        return sum(item.number for item in self.overdue)


@dataclass(frozen=True)
class Oversight:
    """The three panels."""

    policy: PolicyPanel
    incidents: IncidentPanel
    evidence: EvidencePanel


def oversight(caller: Caller) -> Oversight:
    """The three panels for what the caller may see. Some twenty-five statements, whatever the number of rows."""
    return Oversight(_policy(caller), _incidents(caller), _evidence(caller))


def _policy(caller: Caller) -> PolicyPanel:
    known = PolicyPack.objects.only("id", "name", "kind", "version", "digest", "active_from")
    in_force = list(known.filter(active_from__lte=Now()).order_by("kind", "-active_from", "-id").distinct("kind"))
    upcoming = list(known.filter(active_from__gt=Now()).order_by("active_from", "id"))
    ids = [row.pk for row in (*in_force, *upcoming)]
    judged = visible(Submission.objects.filter(policy__in=ids, revision__gt=0), caller).order_by()
    cases: dict[int, int] = dict(judged.values_list("policy").annotate(how_many=Count("pk")))
    drafts = PolicyDraft.objects.filter(state__in=[PolicyDraft.OPEN, PolicyDraft.PROPOSED]).select_related("author")
    return PolicyPanel(
        tuple(_pack(row, cases) for row in in_force),
        tuple(_pack(row, cases) for row in upcoming),
        tuple(
            DraftLine(
                row.pk, row.name, row.state, row.why, row.author.name if row.author is not None else row.origin, row.changed_at
            )
            for row in drafts.defer("source", "questionnaire").order_by("-changed_at")[:LATEST]
        ),
        ReplayRun.objects.order_by("-id").first(),
    )


def _pack(row: PolicyPack, cases: dict[int, int]) -> PackLine:
    assert row.active_from is not None
    return PackLine(row.pk, row.name, row.kind, row.version, row.digest, row.active_from, cases.get(row.pk, 0))


def _incidents(caller: Caller) -> IncidentPanel:
    mine = visible(Incident.objects.all(), caller)
    late = Q(steps__done_at__isnull=True, steps__due_at__lt=Now())
    latest = (
        mine.select_related("system", "post_mortem")
        .annotate(
            all_steps=Count("steps"),
            done_steps=Count("steps", filter=Q(steps__done_at__isnull=False)),
            late_steps=Count("steps", filter=late),
        )
        .order_by("-id")
    )
    lines = []
    for row in latest[:LATEST]:
        post_mortem: PostMortem | None = getattr(row, "post_mortem", None)
        lines.append(
            IncidentLine(
                id=row.pk,
                number=row.number,
                title=row.title,
                severity=row.severity,
                state=row.state,
                system=row.system.slug,
                began_at=row.began_at,
                opened_at=row.opened_at,
                noticed_after=row.opened_at - row.began_at,
                resolved_after=row.resolved_at - row.began_at if row.resolved_at is not None else None,
                learnt_after=post_mortem.at - row.began_at if post_mortem is not None else None,
                steps_done=row.done_steps,
                steps=row.all_steps,
                steps_late=row.late_steps,
            )
        )
    findings = visible(Finding.objects.all(), caller, CASE)
    return IncidentPanel(
        tuple(lines),
        mine.exclude(state=Incident.CLOSED).count(),
        tuple(_months(caller, mine, findings)),
        tuple(_remediation(findings)),
    )


def _months(caller: Caller, incidents: QuerySet[Incident], findings: QuerySet[Finding]) -> Iterable[MonthLine]:
    this = timezone.localtime().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    months = [this]
    while len(months) < MONTHS:
        months.append((months[-1] - timedelta(days=1)).replace(day=1))
    first = months[-1]
    rollbacks = visible(Deployment.objects.filter(state=Deployment.ROLLED_BACK), caller)
    counted = {
        "incidents": _by_month(incidents, "opened_at", first),
        "resolved": _by_month(incidents, "resolved_at", first),
        "findings": _by_month(findings, "opened_at", first),
        "closed": _by_month(findings, "closed_at", first),
        "rollbacks": _by_month(rollbacks, "ended_at", first),
        "revoked": _by_month(visible(Permit.objects.all(), caller), "revoked_at", first),
    }
    for month in months:
        yield MonthLine(month, **{name: found.get(month.date().isoformat(), 0) for name, found in counted.items()})


def _by_month(
    rows: QuerySet[Incident] | QuerySet[Finding] | QuerySet[Deployment] | QuerySet[Permit], at: str, first: datetime
) -> dict[str, int]:
    found = rows.filter(**{f"{at}__gte": first}).annotate(in_month=TruncMonth(at)).order_by()
    counted = found.values_list("in_month").annotate(how_many=Count("pk"))
    return {month.date().isoformat(): number for month, number in counted}


def _remediation(findings: QuerySet[Finding]) -> Iterable[Remediation]:
    today = timezone.localdate()
    is_open = ~Q(state="closed")
    rows = findings.order_by().values("severity").annotate(
        open=Count("pk", filter=is_open),
        late=Count("pk", filter=is_open & Q(due_on__lt=today)),
        oldest=Min("opened_at", filter=is_open),
    )  # fmt: skip
    took: dict[str, list[float]] = {}
    closed = findings.filter(state="closed", closed_at__gte=timezone.now() - timedelta(days=31 * MONTHS)).order_by("-closed_at")
    for severity, opened, ended in closed.values_list("severity", "opened_at", F("closed_at"))[:5_000]:
        took.setdefault(severity, []).append((ended - opened).total_seconds() / 86_400)
    by_severity = {row["severity"]: row for row in rows}
    for severity in reversed(Severity):
        row, days = by_severity.get(severity.value), sorted(took.get(severity.value, []))
        if row is not None:
            middle = (days[(len(days) - 1) // 2] + days[len(days) // 2]) / 2 if days else None
            yield Remediation(severity.value, row["open"], row["late"], row["oldest"], len(days), middle)


def _evidence(caller: Caller) -> EvidencePanel:
    today = timezone.localdate()
    serving = visible(Deployment.objects.filter(state=Deployment.LIVE), caller)
    waivers = live(visible(Waiver.objects.all(), caller)).aggregate(number=Count("pk"), first=Min("expires_at"))
    steps = IncidentStep.objects.filter(done_at__isnull=True, due_at__lt=Now()).exclude(incident__state=Incident.CLOSED)
    audits = WaiverAudit.objects.filter(done_at__isnull=True, due_on__lt=today, waiver__ended_at__isnull=True)
    conditions = Condition.objects.filter(met_at__isnull=True, due_on__lt=today, sign_off__voided_at__isnull=True)
    cases = Submission.objects.filter(due_at__lt=Now(), state__in=sorted(OPEN_STATES))
    evaluations = Evaluation.objects.filter(done_at__isnull=True, due_on__lt=today)
    findings = Finding.objects.filter(due_on__lt=today).exclude(state="closed")
    overdue = (
        Late("cases waiting for a decision", visible(cases, caller).count(), "/compliance?only=overdue"),
        Late("conditions of approvals", visible(conditions, caller, CASE).count(), "/follow-up?kind=condition"),
        Late("post-release evaluations", visible(evaluations, caller).count(), "/follow-up?kind=evaluation"),
        Late("audits of waivers", visible(audits, caller, CASE).count(), "/follow-up?kind=audit"),
        Late("findings", visible(findings, caller, CASE).count(), "/findings"),
        Late("steps of incidents", visible(steps, caller, "incident__unit_id").count(), "/incidents?scope=late"),
    )
    return EvidencePanel(
        serving.count(),
        serving.filter(covered_now()).count(),
        waivers["number"],
        waivers["first"],
        overdue,
    )
