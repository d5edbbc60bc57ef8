"""Waivers as they stand at this moment: which hold, which outcome they cover, and who may do what with them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import DateField, Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Cast, Now

from gates.models import GateOutcome
from governance.domain.errors import Conflict, DomainError, Forbidden, SegregationOfDuties
from governance.domain.vocabulary import Role, State, Verdict
from governance.models import Contributor, Person, Submission
from governance.policy import Pack
from governance.policy.gate_use import GateUse
from governance.policy.waiver_plan import WaiverPlan
from governance.selectors.access import Caller
from reviews.models import Waiver, WaiverAudit, WaiverSignature
from reviews.selectors.barred import bar_of, words_of

PARTS = {WaiverSignature.MANAGER: "manager", WaiverSignature.RISK: "risk officer"}


def live(rows: QuerySet[Waiver]) -> QuerySet[Waiver]:
    """Those that hold now, by the database clock: granted, not ended, not expired, and no audit missed."""
    today = Cast(Now(), DateField())
    missed = WaiverAudit.objects.filter(waiver=OuterRef("pk"), done_at__isnull=True, due_on__lt=today)
    return rows.filter(granted_at__isnull=False, ended_at__isnull=True, expires_at__gt=Now()).exclude(Exists(missed))


def rests_on_gone() -> Exists:
    """For permits: a waiver that held when the permit was issued does not hold any more, so neither does the permit."""
    then = Waiver.objects.filter(
        Q(ended_at__isnull=True) | Q(ended_at__gt=OuterRef("issued_at")),
        submission=OuterRef("submission"),
        granted_at__lte=OuterRef("issued_at"),
        expires_at__gt=OuterRef("issued_at"),
    )
    return Exists(then.exclude(pk__in=live(Waiver.objects.all()).values("pk")))


def holds(waiver: Waiver, audit: WaiverAudit | None, now: datetime) -> bool:
    """The same for a row already loaded."""
    missed = audit is not None and audit.done_at is None and audit.due_on < now.date()
    return waiver.granted_at is not None and waiver.ended_at is None and waiver.expires_at > now and not missed


def covering(submission: Submission, outcomes: Iterable[GateOutcome]) -> dict[str, Waiver]:
    """Gate code -> the waiver that covers its failure now: the very outcome it was signed for, and failures only."""
    found = {(row.gate, row.says): row for row in live(Waiver.objects.filter(submission=submission))}
    return cover(found.values(), outcomes)


def cover(waivers: Iterable[Waiver], outcomes: Iterable[GateOutcome]) -> dict[str, Waiver]:
    """The same for waivers already known to hold."""
    found = {(row.gate, row.says): row for row in waivers}
    return {o.code: found[o.code, o.says] for o in outcomes if o.verdict == Verdict.FAIL and (o.code, o.says) in found}


def state_of(waiver: Waiver, signed_parts: Iterable[str], audit: WaiverAudit | None, now: datetime) -> str:
    """requested, countersigned (the manager signed), live, expired, or how it ended."""
    if waiver.ended_at is not None:
        return waiver.ended_how
    if holds(waiver, audit, now):
        return "live"
    if waiver.granted_at is not None and waiver.expires_at > now:
        return "audit_missed"
    if waiver.expires_at <= now:
        return "expired"
    return "countersigned" if WaiverSignature.MANAGER in signed_parts else "requested"


@dataclass(frozen=True)
class Terms:
    """What the pack says about waiving one gate."""

    plan: WaiverPlan
    use: GateUse

    @property
    def max_days(self) -> int:
        return min(self.plan.max_days, self.use.max_days or self.plan.max_days)

    def latest(self, today: date) -> date:
        """The last day a waiver asked for today may end on."""
        return today + timedelta(days=self.max_days)

    def latest_audit(self, today: date) -> date:
        return today + timedelta(days=self.plan.audit_within_days)


def terms_of(pack: Pack, gate: str) -> Terms | str:
    """The terms, or why the gate cannot be waived, in words."""
    use = next((row for row in pack.gates if row.gate == gate), None)
    if use is None:
        return f"The policy of this case does not know {gate}."
    if not use.waivable or pack.document.waivers is None:
        return f"{gate} cannot be waived: {use.never_because or 'the policy does not allow it for this gate'}."
    return Terms(pack.document.waivers, use)


def request_refusal(
    submission: Submission, outcome: GateOutcome | None, caller: Caller, pack: Pack, *, contributors: Iterable[int]
) -> DomainError | None:
    """Why the caller cannot ask for a waiver of this outcome now, or None."""
    if caller.token is not None or caller.person is None:
        return Forbidden("A token cannot ask for a waiver. A person has to sign in and ask.", code="person_needed")
    mine = caller.person.pk in {submission.submitter_id, *contributors}
    if not mine and Role.ANALYST not in caller.roles_in(submission.unit_id):
        return Forbidden(
            "A waiver is asked for by those who submitted the version, or by an ML Governance Analyst.", code="role_needed"
        )
    if submission.state != State.CHECKS_FAILED:
        return Conflict("A waiver is asked for while a case stands at a failed check.", code="wrong_state")
    if outcome is None or not outcome.blocking or outcome.verdict not in (Verdict.FAIL, Verdict.NOT_ASSESSED):
        return Conflict("Only a blocking gate that failed can be waived; this one stops nothing.", code="not_failed")
    if outcome.verdict == Verdict.NOT_ASSESSED:
        return Conflict(
            f"{outcome.code} could not be assessed, so nobody would know what is accepted. Hand in what it needs.",
            code="not_assessed",
        )
    if (bar := bar_of(submission)) is not None:
        return Conflict(words_of(bar), code="barred")
    terms = terms_of(pack, outcome.code)
    return Conflict(terms, code="never_waived") if isinstance(terms, str) else None


def people_in(waiver: Waiver) -> dict[int, str]:
    """Everybody named in the request, with how: none of them signs it."""
    people = {
        waiver.audit_owner_id: "will audit this waiver",
        waiver.owner_id: "run its compensating control",
        waiver.submission.submitter_id: "submitted this version",
        waiver.requested_by_id: "asked for this waiver",
    }
    for row in Contributor.objects.filter(submission_id=waiver.submission_id):
        people.setdefault(row.person_id, row.why)
    return people


def signing_part(waiver: Waiver, signatures: Iterable[WaiverSignature]) -> str:
    """Whose signature is due: the manager's, the risk officer's, or "" when none is."""
    if waiver.ended_at is not None or waiver.granted_at is not None:
        return ""
    parts = {row.part for row in signatures}
    return next((part for part in PARTS if part not in parts), "")


def signing_refusal(
    waiver: Waiver, signatures: Iterable[WaiverSignature], caller: Caller, now: datetime, manager: Person | None
) -> DomainError | None:
    """Why the caller cannot give the signature that is due now, or None. `manager`: of whoever asked."""
    signatures = tuple(signatures)
    part = signing_part(waiver, signatures)
    if not part or waiver.expires_at <= now:
        return Conflict("This waiver does not wait for a signature.", code="wrong_state")
    if caller.token is not None or caller.person is None:
        return Forbidden("A token cannot sign a waiver. A person has to sign in.", code="person_needed")
    me, roles = caller.person.pk, caller.roles_in(waiver.unit_id)
    if (why := people_in(waiver).get(me)) is not None:
        return SegregationOfDuties(f"You {why}, so somebody else signs it.")
    if any(row.by_id == me for row in signatures):
        return SegregationOfDuties("You signed this waiver already; the other signature is somebody else's.")
    if part == WaiverSignature.MANAGER:
        if manager is not None and manager.pk != me:
            return Forbidden(f"{manager.name} signs first, as manager of {waiver.requested_by.name}.", code="role_needed")
        if manager is None and Role(waiver.stands_in) not in roles:
            label = Role(waiver.stands_in).label
            return Forbidden(
                f"{waiver.requested_by.name} has no manager on record, so somebody of “{label}” signs first.", code="role_needed"
            )
    elif Role.RISK_OFFICER not in roles:
        return Forbidden("Only a risk officer can give the second signature.", code="role_needed")
    return None


ENDING_ROLES = frozenset({Role.RISK_OFFICER, Role.ANALYST})


def ending_refusal(waiver: Waiver, caller: Caller, how: str) -> DomainError | None:
    """Why the caller cannot end the waiver that way, or None. `how`: withdrawn (by whoever asked), revoked or closed."""
    if waiver.ended_at is not None:
        return Conflict("This waiver has ended already.", code="wrong_state")
    if caller.token is not None or caller.person is None:
        return Forbidden("A token cannot end a waiver. A person has to sign in.", code="person_needed")
    if how == "withdrawn":
        if waiver.granted_at is not None:
            return Conflict("It was granted already: it can be revoked, or closed after its audit.", code="wrong_state")
        return None if caller.person.pk == waiver.requested_by_id else Forbidden("Only who asked for it takes it back.")
    if waiver.granted_at is None:
        return Conflict("It was not granted yet: refuse it instead.", code="wrong_state")
    if not caller.roles_in(waiver.unit_id) & ENDING_ROLES and not (how == "closed" and caller.person.pk == waiver.owner_id):
        return Forbidden("Only a risk officer or an analyst ends a waiver.", code="role_needed")
    return None


def audit_refusal(waiver: Waiver, audit: WaiverAudit | None, caller: Caller) -> DomainError | None:
    """Why the caller cannot record the audit's result, or None."""
    if audit is None or waiver.granted_at is None:
        return Conflict("The audit is scheduled when the waiver is granted.", code="wrong_state")
    if audit.done_at is not None:
        return Conflict("The result of this audit is recorded already.", code="wrong_state")
    if caller.token is not None or caller.person is None:
        return Forbidden("A token cannot record an audit. A person has to sign in.", code="person_needed")
    me = caller.person.pk
    if me in {waiver.requested_by_id, waiver.owner_id, waiver.submission.submitter_id}:
        return SegregationOfDuties("You asked for this waiver or run its control, so somebody else audits it.")
    if me == audit.owner_id or caller.roles_in(waiver.unit_id) & {Role.ANALYST, Role.RISK_OFFICER, Role.AUDITOR}:
        return None
    return Forbidden(f"{audit.owner.name} audits this waiver.", code="role_needed")
