"""Findings of people and the way to their end: raised, owned, fixed with evidence, verified by somebody else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from governance.domain.errors import FieldError, InvalidInput
from governance.domain.remedies import assign_refusal, fix_refusal, raise_refusal, verify_refusal
from governance.domain.vocabulary import REVIEWING_ROLES, Severity, State
from governance.models import Person
from governance.selectors.access import Caller
from governance.services.work import Work, unit_of_work
from reviews.models import Finding
from reviews.selectors.findings import actor_on, find, remedy_of
from reviews.selectors.notices import Notice
from reviews.services.decision_input import says_something
from reviews.services.fences import fences
from reviews.services.locking import locked
from reviews.services.telling import holders, may_see, tell


@dataclass(frozen=True)
class NewFinding:
    """What a reviewer found. `about`: a gate, a question or a few words; `fix`: what good enough looks like."""

    about: str
    severity: str
    says: str
    fix: str
    owner: int
    due_on: date | None


def raise_finding(*, caller: Caller, submission_id: int, new: NewFinding) -> Finding:
    """Record a finding on a case. Raises `NotFound`, `Forbidden`, `Conflict`, `InvalidInput` naming each field."""
    with unit_of_work(caller) as work:
        submission = locked(caller, submission_id)
        if (refused := raise_refusal(State(submission.state), caller.actor(submission.unit_id))) is not None:
            raise refused
        owner = _owner(new.owner, submission.unit_id)
        problems = _due(new.due_on)
        if new.severity not in set(Severity):
            problems.append(FieldError("/severity", "unknown", "Choose how severe it is."))
        if not new.about.strip():
            problems.append(FieldError("/about", "missing", "Say what it is about: a gate, a question, a part."))
        if not says_something(new.says, 15):
            problems.append(FieldError("/says", "missing", "Say in a sentence what is wrong."))
        if not says_something(new.fix, 10):
            problems.append(FieldError("/fix", "missing", "Say what good enough looks like."))
        if owner is None:
            problems.append(FieldError("/owner", "unknown", "Choose who sees to it."))
        if problems or owner is None:
            raise InvalidInput("The finding does not say enough yet.", errors=tuple(problems))
        finding = Finding.objects.create(
            submission=submission,
            revision=submission.revision,
            about=new.about.strip()[:100],
            severity=new.severity,
            says=new.says.strip(),
            fix=new.fix.strip(),
            owner=owner,
            due_on=new.due_on,
            raised_by=caller.person,
        )
        work.gives(finding.pk)
        work.note(
            "finding.opened",
            submission,
            {"finding": finding.pk, "about": finding.about, "severity": finding.severity, "by": "person"},
        )
        _tell(work, finding, {owner.pk: "It is yours to see to."}, "raised", "a finding to see to", finding.says)
    return finding


def report_fix(*, caller: Caller, finding_id: int, remediation: str, evidence: str) -> Finding:
    """Say what was done, and where it can be seen. Somebody else verifies it."""
    with unit_of_work(caller) as work:
        finding = _locked(caller, finding_id)
        if (refused := fix_refusal(remedy_of(finding), actor_on(caller, finding))) is not None:
            raise refused
        problems = []
        if not says_something(remediation, 15):
            problems.append(FieldError("/remediation", "missing", "Say in a sentence what was done."))
        if len(evidence.strip()) < 5:
            problems.append(
                FieldError("/evidence", "missing", "Name where it can be seen: a submission such as S-12, a file, an address.")
            )
        if problems:
            raise InvalidInput("The fix cannot be looked at yet.", errors=tuple(problems))
        assert caller.person is not None
        Finding.objects.filter(pk=finding.pk).update(
            state="fixed",
            remediation=remediation.strip(),
            evidence=evidence.strip()[:500],
            fixed_by=caller.person,
            fixed_at=Now(),
        )
        work.note("finding.fixed", finding.submission, {"finding": finding.pk, "about": finding.about})
        verifiers = holders(finding.submission.unit_id, *REVIEWING_ROLES)
        if finding.raised_by_id is not None:
            verifiers = {finding.raised_by_id: "You raised it."}
        _tell(work, finding, verifiers, f"fixed:{timezone.now():%Y%m%d%H%M%S}", "a fix to verify", remediation.strip())
    return find(caller, finding_id)


def verify(*, caller: Caller, finding_id: int, good: bool, why: str) -> Finding:
    """Close the finding, or open it again, with what was seen. Never by who fixed it or worked on the version."""
    with fences(), unit_of_work(caller) as work:
        finding = _locked(caller, finding_id)
        if (refused := verify_refusal(remedy_of(finding), actor_on(caller, finding))) is not None:
            raise refused
        if not says_something(why, 10):
            raise InvalidInput(
                "Say what you looked at.", errors=(FieldError("/why", "missing", "Say in a sentence what you looked at."),)
            )
        owner = {finding.owner_id: "It is yours to see to."} if finding.owner_id is not None else {}
        if good:
            Finding.objects.filter(pk=finding.pk).update(
                state="closed", verified_by=caller.person, closed_at=Now(), closed_why=why.strip()[:300]
            )
            work.note("finding.verified", finding.submission, {"finding": finding.pk, "about": finding.about})
        else:
            Finding.objects.filter(pk=finding.pk).update(state="open")
            work.note("finding.reopened", finding.submission, {"finding": finding.pk, "about": finding.about})
            _tell(work, finding, owner, f"again:{timezone.now():%Y%m%d%H%M%S}", "a fix that is not enough yet", why.strip())
    return find(caller, finding_id)


def assign(*, caller: Caller, finding_id: int, owner_id: int, due_on: date | None) -> Finding:
    """Say whose it is and until when."""
    with unit_of_work(caller) as work:
        finding = _locked(caller, finding_id)
        if (refused := assign_refusal(remedy_of(finding), actor_on(caller, finding))) is not None:
            raise refused
        owner, problems = _owner(owner_id, finding.submission.unit_id), _due(due_on)
        if owner is None:
            problems.append(FieldError("/owner", "unknown", "Choose who sees to it."))
        if problems or owner is None:
            raise InvalidInput("That cannot be set.", errors=tuple(problems))
        Finding.objects.filter(pk=finding.pk).update(owner=owner, due_on=due_on)
        work.note(
            "finding.assigned",
            finding.submission,
            {
                "finding": finding.pk,
                "about": finding.about,
                "owner": owner.reference,
                "due_on": due_on.isoformat() if due_on is not None else None,
            },
        )
        if owner.pk != finding.owner_id:
            _tell(work, finding, {owner.pk: "It is yours to see to."}, f"owner:{owner.pk}", "a finding to see to", finding.says)
    return find(caller, finding_id)


def people_of(unit_id: int) -> list[tuple[int, str]]:
    """Who can own a finding of the unit: whoever can see it."""
    rows = Person.objects.filter(may_see(unit_id) | Q(unit_id=unit_id), is_active=True).order_by("first_name", "username")
    return [(row.pk, row.name) for row in rows[:200]]


def _locked(caller: Caller, finding_id: int) -> Finding:
    """The finding, its case locked first as every other change of a case does."""
    found = find(caller, finding_id)
    locked(caller, found.submission_id)
    Finding.objects.select_for_update().get(pk=found.pk)
    return find(caller, finding_id)


def _owner(owner_id: int, unit_id: int) -> Person | None:
    return Person.objects.filter(may_see(unit_id), pk=owner_id, is_active=True).first()


def _due(due_on: date | None) -> list[FieldError]:
    if due_on is not None and due_on < timezone.now().date():
        return [FieldError("/due_on", "past", "The date has to be today or later.")]
    return []


def _tell(work: Work, finding: Finding, people: dict[int, str], event: str, what: str, says: str) -> None:
    submission = finding.submission
    tell(
        work,
        submission,
        Notice.REMEDY,
        people,
        key=f"{finding.number}:{event}",
        title=f"{finding.number} of {submission.system.slug} {submission.version.version}: {what}",
        says=says,
        path=f"/findings/{finding.pk}",
    )
