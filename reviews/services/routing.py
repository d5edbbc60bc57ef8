"""Findings go to the role that the policy's decision matrix names, and on to the next one when they stay open too long."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db.models import CharField, Exists, OuterRef, Value
from django.db.models.functions import Cast, Concat

from governance.domain.duetime import Calendar, due_at
from governance.domain.vocabulary import Role, Severity
from governance.models import Submission
from governance.policy import Pack, route
from governance.selectors.access import SYSTEM
from governance.selectors.policy import pack_of
from governance.services.work import Work, unit_of_work
from reviews.models import Finding, Notification
from reviews.selectors.notices import Notice
from reviews.services.telling import holders, tell

MOST = 300


def tell_responsible(work: Work, submission: Submission, pack: Pack, opened: Iterable[Finding]) -> None:
    """Tell the roles that answer for what was just found, each once with all that is theirs."""
    theirs: dict[Role, list[Finding]] = {}
    for finding in opened:
        row = route(pack.document.matrix, finding.about, Severity(finding.severity))
        if row is not None:
            theirs.setdefault(row.responsible, []).append(finding)
    for role, findings in theirs.items():
        more = f" and {len(findings) - 1} more" if len(findings) > 1 else ""
        tell(
            work,
            submission,
            Notice.FINDING,
            holders(submission.unit_id, role),
            key=f"{submission.number}:r{submission.revision}:{role.value}:{findings[0].pk}",
            title=f"{submission.number} {submission.system.slug} {submission.version.version}: {findings[0].about}{more}",
            says=f"{findings[0].says} The policy makes your role responsible for it.",
            path=f"/submissions/{submission.number}#findings",
        )


def escalate(now: datetime) -> int:
    """Tell whoever the matrix names of findings that stayed open beyond their row's working time. Said once for each.

    Returns how many were told of. The matrix of the policy that judged the case counts.
    """
    said = Notification.objects.filter(
        kind=Notice.ESCALATED, key=Concat(Value(f"{Notice.ESCALATED}:"), Cast(OuterRef("pk"), CharField()))
    )
    waiting = Finding.objects.filter(~Exists(said), state="open", submission__policy__isnull=False, opened_at__lt=now)
    related = waiting.select_related("submission__system", "submission__version", "submission__unit", "submission__policy")
    told = 0
    for finding in related.order_by("opened_at")[:MOST]:
        submission = finding.submission
        assert submission.policy is not None
        row = route(pack_of(submission.policy).document.matrix, finding.about, Severity(finding.severity))
        if row is None or due_at(finding.opened_at, row.after, Calendar.from_json(submission.unit.calendar)) > now:
            continue
        with unit_of_work(SYSTEM) as work:
            tell(
                work,
                submission,
                Notice.ESCALATED,
                holders(submission.unit_id, row.responsible, row.accountable, row.escalates_to),
                key=str(finding.pk),
                title=f"{submission.number}: {finding.about} is open for longer than {row.after}",
                says=f"{row.issue}: {finding.says} {row.responsible.label.capitalize()} is responsible ({row.id}).",
                path=f"/submissions/{submission.number}#findings",
            )
            work.note("finding.escalated", submission, {"finding": finding.pk, "row": row.id, "to": row.escalates_to.value})
        told += 1
    return told
