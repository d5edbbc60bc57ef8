"""Reports of monitors: bound to a deployed version, judged against the limits of its policy, recorded whatever they say.

Beyond a limit a finding is opened, with the system's owner and a due date; further reports of the same kind join it. In the high
band the policy may open an incident too, whose playbook starts at once; further reports join that as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from governance.domain import canonical
from governance.domain.errors import Conflict, FieldError, Forbidden, InvalidInput, NotFound
from governance.domain.facts import FactSet
from governance.domain.vocabulary import Role, Scope, Severity
from governance.models import Submission, System, SystemVersion
from governance.policy.monitoring import INCIDENT_KINDS, SIGNALS, Judgement, MonitoringPlan, Reading, SignalLimit, judge
from governance.selectors.access import Caller
from governance.selectors.champions import decided_facts
from governance.selectors.policy import pack_in_force, pack_of
from governance.services.work import Work, unit_of_work
from reviews.models import Deployment, Finding, Incident, IncidentNote, MonitoringEvent, MonitoringReading
from reviews.selectors.notices import Notice
from reviews.services.incidents import NewIncident, start
from reviews.services.telling import answerable, holders, tell

_RANK = {Severity.LOW: 0, Severity.MEDIUM: 1, Severity.HIGH: 2, Severity.CRITICAL: 3}
_SHOWN = 3
AHEAD = timedelta(minutes=10)
"""How far a monitor's clock may be ahead of ours."""


@dataclass(frozen=True)
class NewSignal:
    """What a monitor sends. `key`: its own name for this report. An `incident` is said by `incident_kind`, `severity`, `note`."""

    key: str
    system: str
    version: str
    signal: str
    environment: str = "production"
    readings: tuple[Reading, ...] = ()
    at: datetime | None = None
    since: datetime | None = None
    source: str = ""
    link: str = ""
    note: str = ""
    incident_kind: str = ""
    severity: str = ""

    def digest(self) -> str:
        """Of the content, so that a key used again for something else is noticed."""
        plain = {name: getattr(self, name) for name in ("system", "version", "signal", "environment", "source", "link", "note")}
        plain |= {"incident_kind": self.incident_kind, "severity": self.severity}
        plain |= {name: value.isoformat() if value else "" for name, value in (("at", self.at), ("since", self.since))}
        return canonical.digest({**plain, "readings": [vars(row) for row in self.readings]})


@dataclass
class _Place:
    """What the report is about."""

    deployment: Deployment
    submission: Submission
    system: System
    version: SystemVersion


@dataclass
class _Judged:
    """Readings of one metric, judged by one limit."""

    limit: SignalLimit
    rows: list[tuple[Reading, Judgement]] = field(default_factory=list)

    @property
    def worst(self) -> Judgement:
        return max((judged for _, judged in self.rows), key=lambda judged: _RANK[judged.severity or Severity.LOW])


def report_signal(*, caller: Caller, unit_id: int, new: NewSignal) -> tuple[MonitoringEvent, bool]:
    """Record a report. Returns the row and whether it is new: the same key with the same content is the same report.

    Raises `NotFound` for a version nobody handed in, `Conflict` `not_deployed` for one that was never reported as deployed there,
    `idempotency_key_reused` for a key used with other content, and `InvalidInput` naming each field.
    """
    _may_report(caller, unit_id)
    _check(new)
    digest = new.digest()
    with unit_of_work(caller) as work:
        # one report of a system at a time: two that arrive together open one finding
        system = System.objects.select_for_update(no_key=True).filter(unit_id=unit_id, slug=new.system).first()
        known = MonitoringEvent.objects.filter(unit_id=unit_id, key=new.key).first()
        if known is not None:
            if known.content_digest != digest:
                raise Conflict(
                    f"The key {new.key} was used for report {known.pk} with other content. Send a new key for a new report.",
                    code="idempotency_key_reused",
                )
            return known, False
        place = _place(system, new)
        return _record(work, place, new, digest), True


def _may_report(caller: Caller, unit_id: int) -> None:
    caller.require_scope(Scope.MONITOR)
    if caller.token is None and Role.PLATFORM_ENGINEER not in caller.roles_in(unit_id):
        raise Forbidden("Monitors report with a token of scope “monitor”, or an ML platform engineer does.", code="role_needed")


def _check(new: NewSignal) -> None:
    problems = []
    if new.signal not in (*SIGNALS, "incident"):
        problems.append(FieldError("/kind", "unknown", f"One of {', '.join((*SIGNALS, 'incident'))}."))
    elif new.signal == "incident":
        if new.incident_kind not in INCIDENT_KINDS:
            problems.append(FieldError("/incident", "unknown", f"The kind of incident: {', '.join(INCIDENT_KINDS)}."))
        if new.severity not in set(Severity):
            problems.append(FieldError("/severity", "unknown", f"One of {', '.join(Severity)}."))
        if len(new.note.strip()) < 15:
            problems.append(FieldError("/note", "missing", "Say what was seen, since when, and how it was noticed."))
    elif not new.readings:
        problems.append(FieldError("/readings", "missing", "At least one reading: metric and value."))
    if len({(row.metric, row.subject) for row in new.readings}) < len(new.readings):
        problems.append(FieldError("/readings", "twice", "Each metric and subject once; send another report for another time."))
    if new.at is not None and new.at > timezone.now() + AHEAD:
        problems.append(FieldError("/at", "future", "A report is about the past. Look at the monitor's clock."))
    if new.since is not None and new.at is not None and new.since > new.at:
        problems.append(FieldError("/since", "invalid", "It begins before it ends."))
    if problems:
        raise InvalidInput("The report was not recorded: " + " ".join(p.detail for p in problems), errors=tuple(problems))


def _place(system: System | None, new: NewSignal) -> _Place:
    version = None
    if system is not None:
        version = SystemVersion.objects.filter(system=system, version=new.version).first()
    if system is None or version is None:
        raise NotFound(
            f"Version {new.version} of {new.system} is not known in this business unit. Look at the spelling; a version is "
            "known once it was handed in with POST /api/v1/submissions.",
            code="unknown_version",
        )
    rows = Deployment.objects.filter(version=version, environment=new.environment).select_related("permit")
    row = rows.filter(state=Deployment.LIVE).order_by("-id").first() or rows.order_by("-id").first()
    if row is None:
        raise Conflict(
            f"{new.system} {new.version} was never reported as deployed to {new.environment}. Report the deployment first, with "
            "POST /api/v1/deployments; one that was only seen running is reported with “observed”.",
            code="not_deployed",
        )
    about = Submission.objects.select_related("system", "version", "submitter", "policy").filter(version=version, revision__gt=0)
    decided = about.filter(pk=row.permit.submission_id) if row.permit is not None else about.filter(environment=new.environment)
    submission = decided.order_by("-id").first() or about.order_by("-id").first()
    if submission is None:
        raise Conflict(f"{new.system} {new.version} runs, but nobody handed it in. Submit it first.", code="never_submitted")
    return _Place(row, submission, system, version)


def _plan(submission: Submission) -> tuple[MonitoringPlan | None, str]:
    """The limits of the policy the version was decided under; of the one in force where that had none yet."""
    if submission.policy is not None:
        pack = pack_of(submission.policy)
        if pack.document.monitoring is not None:
            return pack.document.monitoring, submission.policy.digest
    row, pack = pack_in_force(submission.kind)
    return pack.document.monitoring, row.digest if pack.document.monitoring is not None else ""


def _record(work: Work, place: _Place, new: NewSignal, digest: str) -> MonitoringEvent:
    plan, policy_digest = _plan(place.submission)
    facts = _values(decided_facts(place.submission.pk)) if new.readings else {}
    judged = [(row, judge(plan, new.signal, row, facts)) for row in new.readings]
    assert work.caller.person is not None
    event = MonitoringEvent.objects.create(
        unit_id=place.system.unit_id,
        system=place.system,
        version=place.version,
        environment=new.environment,
        submission=place.submission,
        deployment=place.deployment,
        key=new.key,
        content_digest=digest,
        signal=new.signal,
        at=new.at or timezone.now(),
        since=new.since,
        source=new.source,
        link=new.link,
        note=new.note.strip(),
        verdict=_verdict(judged) if new.signal != "incident" else "incident",
        policy_digest=policy_digest if new.readings else "",
        reported_by=work.caller.person,
    )
    found = _findings(work, place, new, event, judged, plan)
    MonitoringReading.objects.bulk_create(
        MonitoringReading(
            event=event,
            unit_id=event.unit_id,
            system_id=event.system_id,
            signal=event.signal,
            metric=row.metric,
            subject=row.subject,
            value=row.value,
            baseline=row.baseline,
            against=says.against,
            n=row.n,
            limit=says.limit[:60],
            verdict=says.verdict,
            severity=says.severity or "",
            says=says.says[:500],
            finding=found.get(row.metric) if says.verdict == "over" else None,
        )
        for row, says in judged
    )
    if new.signal == "incident":
        _incident(work, place, event, new.incident_kind, Severity(new.severity), new.note.strip(), None)
    over = sorted({row.metric for row, says in judged if says.verdict == "over"})
    work.note(
        "monitoring.reported",
        place.submission,
        {"event": event.pk, "signal": event.signal, "verdict": event.verdict, "over": over, "readings": len(judged)},
    )
    return event


def _values(facts: FactSet) -> Mapping[str, Any]:
    return {fact.name: facts.value(fact.name) for fact in facts}


def _verdict(judged: list[tuple[Reading, Judgement]]) -> str:
    """The worst of a report: what could not be told is never shown as within."""
    found = {says.verdict for _, says in judged}
    return next(verdict for verdict in ("over", "unknown", "unjudged", "within") if verdict in found)


def _findings(
    work: Work,
    place: _Place,
    new: NewSignal,
    event: MonitoringEvent,
    judged: list[tuple[Reading, Judgement]],
    plan: MonitoringPlan | None,
) -> dict[str, Finding]:
    """One finding a metric, for all the features it is over in: opened, or joined where one is open."""
    by_metric: dict[str, _Judged] = {}
    for row, says in judged:
        limit = plan.limit_for(new.signal, row.metric) if plan is not None else None
        if says.verdict == "over" and limit is not None:
            by_metric.setdefault(row.metric, _Judged(limit)).rows.append((row, says))
    return {metric: _finding(work, place, new, event, metric, group) for metric, group in by_metric.items()}


def _finding(work: Work, place: _Place, new: NewSignal, event: MonitoringEvent, metric: str, group: _Judged) -> Finding:
    about, worst = f"monitoring.{new.signal}.{metric}", group.worst
    assert worst.severity is not None
    says = _words(group, new)
    row = Finding.objects.select_for_update().filter(submission=place.submission, about=about, state="open").first()
    if row is not None and _RANK[Severity(row.severity)] >= _RANK[worst.severity]:
        work.note("finding.joined", place.submission, {"finding": row.pk, "event": event.pk})
        _maybe_incident(work, place, event, group, row, says)
        return row
    due = timezone.now().date() + timedelta(days=group.limit.due_days)
    if row is not None:
        due = min(due, row.due_on) if row.due_on is not None else due
        why = f"It got worse: {worst.severity.value} now, by report {event.pk}. Opened anew."
        Finding.objects.filter(pk=row.pk).update(state="closed", closed_at=timezone.now(), closed_why=why)
        work.note("finding.closed", place.submission, {"finding": row.pk, "about": about, "revision": row.revision})
    owner = place.system.owner_id or place.submission.submitter_id
    row = Finding.objects.create(
        submission=place.submission,
        revision=place.submission.revision,
        about=about,
        severity=worst.severity,
        says=says,
        fix=group.limit.fix,
        owner_id=owner,
        due_on=due,
    )
    work.note(
        "finding.opened", place.submission, {"finding": row.pk, "about": about, "severity": row.severity, "event": event.pk}
    )
    tell(
        work,
        place.submission,
        Notice.MONITORING,
        answerable(place.submission) | holders(place.system.unit_id, Role.PLATFORM_ENGINEER),
        key=f"finding:{row.pk}",
        title=f"{place.system.slug} {place.version.version}: {new.signal.replace('_', ' ')} over its limit",
        says=f"F-{row.pk}, due {due:%d %B %Y}: {says} {group.limit.fix}",
        path=f"/monitoring/{event.pk}",
    )
    _maybe_incident(work, place, event, group, row, says)
    return row


def _words(group: _Judged, new: NewSignal) -> str:
    """The worst readings first, the others counted, and where the evidence lies."""
    rows = sorted(group.rows, key=lambda pair: (-_RANK[pair[1].severity or Severity.LOW], -abs(pair[0].value or 0.0)))
    words = " ".join(says.says for _, says in rows[:_SHOWN])
    more = f" {len(rows) - _SHOWN} more are over it." if len(rows) > _SHOWN else ""
    where = f" Evidence: {new.link}" if new.link else f" Reported by {new.source}." if new.source else ""
    return words + more + where


def _maybe_incident(work: Work, place: _Place, event: MonitoringEvent, group: _Judged, finding: Finding, says: str) -> None:
    severity = group.worst.severity
    if group.limit.incident is not None and severity in (Severity.HIGH, Severity.CRITICAL):
        _incident(work, place, event, group.limit.incident, severity, says, finding)


def _incident(
    work: Work, place: _Place, event: MonitoringEvent, kind: str, severity: Severity, says: str, finding: Finding | None
) -> None:
    """Open an incident by signal, or write the report into the one that is open."""
    running = Incident.objects.filter(submission=place.submission, kind=kind, opened_by__isnull=True).exclude(state="closed")
    row = running.first()
    if row is not None:
        IncidentNote.objects.create(incident=row, what="signal", says=f"Report {event.pk}: {says}")
        work.note("incident.joined", place.submission, {"incident": row.pk, "event": event.pk})
        return
    title = f"{place.system.slug} {place.version.version}: {says}"
    new = NewIncident(kind, severity, title, says, began_at=event.since or min(event.at, timezone.now()))
    if len(title) > 160:
        new = replace(new, title=title[:157] + "…")
    start(work, place.submission, new, deployment=place.deployment, finding=finding, event=event)
