"""Waivers: asked for, signed twice, audited, ended. The one path by which a case goes on although a blocking gate failed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from django.db.models.functions import Now
from django.utils import timezone

from gates.registry import gates as all_gates
from gates.selectors.outcomes import outcomes_of
from governance.domain.errors import Conflict, DomainError, FieldError, InvalidInput, NotFound, ReauthenticationNeeded
from governance.domain.freshness import fresh
from governance.domain.lifecycle import POLICY, Action
from governance.domain.vocabulary import Role, State
from governance.models import Contributor, Person, Submission
from governance.selectors.access import SYSTEM, Caller, visible
from governance.services.lifecycle import advance
from governance.services.work import Work, unit_of_work
from reviews.models import Permit, SignOff, Waiver, WaiverAudit, WaiverSignature
from reviews.selectors.case import case_of
from reviews.selectors.dossier import material_of
from reviews.selectors.notices import Notice
from reviews.selectors.waiving import (
    Terms,
    audit_refusal,
    ending_refusal,
    holds,
    live,
    request_refusal,
    rests_on_gone,
    signing_part,
    signing_refusal,
    terms_of,
)
from reviews.services.decision_input import says_something
from reviews.services.fences import fences
from reviews.services.going_on import go_on_with_waivers
from reviews.services.locking import locked
from reviews.services.refreshing import WHY_WAIVER_ENDED
from reviews.services.steps import take_back
from reviews.services.telling import answerable, holders, may_see, tell


@dataclass(frozen=True)
class NewWaiver:
    """What somebody who asks for a waiver says. `read_risk`: that they read what the gate guards against."""

    gate: str
    reason: str
    compensating_control: str
    owner: int
    expires_on: date | None
    audit_owner: int
    audit_due_on: date | None
    read_risk: bool = False


def request_waiver(*, caller: Caller, submission_id: int, new: NewWaiver) -> Waiver:
    """Ask to proceed despite one failed gate. Raises `InvalidInput` naming each field that says too little or too much.

    `Forbidden` and `Conflict` say who could ask, and which gates can never be waived.
    """
    with fences(), unit_of_work(caller) as work:
        submission = locked(caller, submission_id)
        _end_expired(work, submission)
        material = material_of(submission, lock=True)
        if material.pack is None or material.decision is None:
            raise Conflict("Nothing was checked yet, so there is nothing to waive.", code="wrong_state")
        outcome = next((row for row in material.outcomes if row.code == new.gate), None)
        contributors = Contributor.objects.filter(submission=submission).values_list("person_id", flat=True)
        if (refused := request_refusal(submission, outcome, caller, material.pack, contributors=contributors)) is not None:
            raise refused
        if Waiver.objects.filter(submission=submission, gate=new.gate, ended_at__isnull=True).exists():
            raise Conflict(f"A waiver of {new.gate} is open already. Take it back first.", code="already_open")
        terms = terms_of(material.pack, new.gate)
        assert isinstance(terms, Terms) and outcome is not None and caller.person is not None
        _check(submission, caller.person, new, terms)
        assert new.expires_on is not None and new.audit_due_on is not None
        gate = all_gates().get(new.gate)
        waiver = Waiver.objects.create(
            unit_id=submission.unit_id,
            submission=submission,
            revision=submission.revision,
            gate=new.gate,
            says=outcome.says,
            risk=gate.risk if gate is not None else terms.use.why,
            reason=new.reason.strip(),
            compensating_control=new.compensating_control.strip(),
            owner_id=new.owner,
            requested_by=caller.person,
            expires_at=datetime.combine(new.expires_on, time(), UTC),
            audit_owner_id=new.audit_owner,
            audit_due_on=new.audit_due_on,
            stands_in=terms.plan.stands_in.value,
            policy_digest=material.decision.policy.digest,
        )
        work.gives(waiver.pk)
        work.note(
            "waiver.requested",
            submission,
            {
                "waiver": waiver.pk,
                "gate": waiver.gate,
                "revision": waiver.revision,
                "until": waiver.expires_at.isoformat(),
                "audit_due": new.audit_due_on.isoformat(),
                "policy": waiver.policy_digest,
            },
        )
        _tell_signers(work, submission, waiver, WaiverSignature.MANAGER)
    return waiver


def sign_waiver(*, caller: Caller, waiver_id: int, comment: str = "", reauthenticated_at: datetime | None) -> Waiver:
    """Give the signature that is due: the manager's, then the risk officer's, which grants it and schedules the audit.

    Where no other failure is left, the case goes on to its reviewers in the same transaction. Raises as `decide` does.
    """
    return _sign(caller, waiver_id, comment, reauthenticated_at, signed=True)


def refuse_waiver(*, caller: Caller, waiver_id: int, comment: str, reauthenticated_at: datetime | None) -> Waiver:
    """Refuse the signature that is due, with the reason: the request has ended."""
    if not says_something(comment, 10):
        raise InvalidInput(
            "Say why, so that whoever asked knows what would be accepted.",
            errors=(FieldError("/comment", "missing", "Say why, in a sentence: whoever asked reads it."),),
        )
    return _sign(caller, waiver_id, comment, reauthenticated_at, signed=False)


def meaning_of(waiver: Waiver, part: str) -> str:
    """What a signature under the waiver means, as it is shown before signing and stored with it."""
    who = "As manager of whoever asks" if part == WaiverSignature.MANAGER else "As risk officer"
    return (
        f"{who} I accept, until {waiver.expires_at:%d %B %Y}, that {waiver.gate} fails here and what it guards against: "
        f"{waiver.risk} The control in its place is: {waiver.compensating_control}"
    )


def end_waiver(*, caller: Caller, waiver_id: int, how: str, reason: str) -> Waiver:
    """Take a request back (`withdrawn`), or end a granted waiver: `revoked` at once, or `closed` after its audit.

    The gate fails again and every permit that rests on the waiver ends in the same transaction.
    """
    if how not in ("withdrawn", "revoked", "closed"):
        raise InvalidInput(
            "A waiver is withdrawn, revoked or closed.", errors=(FieldError("/how", "unknown", "One of the three."),)
        )
    if not says_something(reason, 10):
        raise InvalidInput(
            "Say why the waiver ends: everybody concerned reads it.",
            errors=(FieldError("/reason", "missing", "Say why, in a sentence: everybody concerned reads it."),),
        )
    with fences(), unit_of_work(caller) as work:
        waiver, submission = _locked(caller, waiver_id)
        if (refused := ending_refusal(waiver, caller, how)) is not None:
            raise refused
        audit = WaiverAudit.objects.filter(waiver=waiver).first()
        if how == "closed" and (audit is None or audit.done_at is None):
            raise Conflict(
                f"Its audit is open: {waiver.audit_owner.name} records the result first. Revoke the waiver if it must end now.",
                code="audit_open",
            )
        _end(work, submission, waiver, how, reason.strip())
    return waiver


def record_audit(*, caller: Caller, waiver_id: int, held: bool | None, found: str, evidence: str) -> WaiverAudit:
    """Record what the audit of a waiver found. A control that did not work ends the waiver at once."""
    problems = []
    if held is None:
        problems.append(FieldError("/held", "missing", "Say whether the control did what it should."))
    if not says_something(found, 20):
        problems.append(FieldError("/found", "missing", "Say what was looked at and what was found."))
    if not says_something(evidence, 5):
        problems.append(FieldError("/evidence", "missing", "Name where it can be looked up: a report, a query, a ticket."))
    if problems:
        raise InvalidInput("The audit was not recorded: " + " ".join(p.detail for p in problems), errors=tuple(problems))
    with fences(), unit_of_work(caller) as work:
        waiver, submission = _locked(caller, waiver_id)
        audit = WaiverAudit.objects.select_for_update(of=("self",)).select_related("owner").filter(waiver=waiver).first()
        if (refused := audit_refusal(waiver, audit, caller)) is not None:
            raise refused
        assert audit is not None
        WaiverAudit.objects.filter(pk=audit.pk).update(
            done_at=Now(), held=held, found=found.strip(), evidence=evidence.strip(), recorded_by=caller.person
        )
        work.note("waiver.audited", submission, {"waiver": waiver.pk, "gate": waiver.gate, "held": bool(held)})
        if not held and waiver.ended_at is None:
            _end(work, submission, waiver, "audit_failed", "The audit found that the compensating control did not work.")
        audit.refresh_from_db()
    return audit


def lapse_due(*, limit: int = 200) -> int:
    """End waivers whose time or audit date has passed, and what rests on them. Returns how many. Harmless when run twice.

    They stopped to hold at that moment already; this writes it down, tells people and moves the cases.
    """
    open_ones = Waiver.objects.filter(ended_at__isnull=True)
    gone = open_ones.exclude(pk__in=live(open_ones).values("pk")).exclude(granted_at__isnull=True, expires_at__gt=Now())
    ended = 0
    for pk in list(gone.order_by("pk").values_list("pk", flat=True)[:limit]):
        with fences(), unit_of_work(SYSTEM) as work:
            waiver, submission = _locked(SYSTEM, pk)
            audit = WaiverAudit.objects.filter(waiver=waiver).first()
            now = timezone.now()
            if (
                waiver.ended_at is not None
                or holds(waiver, audit, now)
                or (waiver.granted_at is None and waiver.expires_at > now)
            ):
                continue
            if waiver.expires_at <= now:
                _end(work, submission, waiver, "expired", "Its time ran out.")
            else:
                _end(
                    work, submission, waiver, "audit_missed", f"Its audit was due on {waiver.audit_due_on:%d %B %Y} and not done."
                )
            ended += 1
    return ended


def _check(submission: Submission, requester: Person, new: NewWaiver, terms: Terms) -> None:
    """Raise `InvalidInput` naming every field that does not say enough, or asks for more than the pack allows."""
    today, problems = timezone.now().date(), []

    def wrong(field: str, code: str, detail: str) -> None:
        problems.append(FieldError(f"/{field}", code, detail))

    if not says_something(new.reason, 20):
        wrong("reason", "missing", "Say why the gate does not fit this case, and what waiting would cost.")
    if not says_something(new.compensating_control, 20):
        wrong("compensating_control", "missing", "Say which control takes the gate's place while the waiver runs.")
    latest, latest_audit = terms.latest(today), terms.latest_audit(today)
    if new.expires_on is None:
        wrong("expires_on", "missing", f"A waiver has an end. Give a date up to {latest:%d %B %Y}.")
    elif not today < new.expires_on <= latest:
        wrong("expires_on", "too_long" if new.expires_on > latest else "past", f"From tomorrow up to {latest:%d %B %Y}.")
    if new.audit_due_on is None:
        wrong("audit_due_on", "missing", "Say until when somebody looks whether the control works.")
    elif not today < new.audit_due_on <= min(latest_audit, new.expires_on or latest_audit):
        wrong("audit_due_on", "out_of_range", f"While the waiver runs, and up to {latest_audit:%d %B %Y}.")
    if not new.read_risk:
        wrong("read_risk", "missing", "Confirm that you read what this gate guards against.")
    can_see = set(
        Person.objects.filter(may_see(submission.unit_id), pk__in=[new.owner, new.audit_owner], is_active=True).values_list(
            "pk", flat=True
        )
    )
    if new.owner not in can_see:
        wrong("owner", "unknown", "Choose somebody of this business unit who runs the control.")
    if new.audit_owner not in can_see:
        wrong("audit_owner", "unknown", "Choose somebody of this business unit who will audit it.")
    elif new.audit_owner in {requester.pk, new.owner, submission.submitter_id}:
        wrong("audit_owner", "same_person", "Somebody else audits: not who asks, submitted, or runs the control.")
    manager = requester.manager
    if manager is not None:
        if manager.pk in {new.owner, new.audit_owner}:
            wrong("owner" if manager.pk == new.owner else "audit_owner", "signer", f"{manager.name} has to sign this waiver.")
        if not Person.objects.filter(may_see(submission.unit_id), pk=manager.pk, is_active=True).exists():
            raise Conflict(
                f"{manager.name}, who would sign as your manager, cannot see this business unit. Ask an administrator.",
                code="manager_cannot_see",
            )
    if problems:
        raise InvalidInput("The waiver was not asked for: " + " ".join(p.detail for p in problems), errors=tuple(problems))


def _sign(caller: Caller, waiver_id: int, comment: str, proved_at: datetime | None, *, signed: bool) -> Waiver:
    with fences(), unit_of_work(caller) as work:
        waiver, submission = _locked(caller, waiver_id)
        signatures = list(WaiverSignature.objects.filter(waiver=waiver))
        now = timezone.now()
        refused: DomainError | None = signing_refusal(waiver, signatures, caller, now, waiver.requested_by.manager)
        if refused is not None:
            raise refused
        if not fresh(proved_at, now):
            raise ReauthenticationNeeded("A signature under a waiver needs a fresh sign-in. Confirm it is you, then sign.")
        part = signing_part(waiver, signatures)
        assert caller.person is not None and proved_at is not None
        WaiverSignature.objects.create(
            waiver=waiver,
            submission=submission,
            part=part,
            by=caller.person,
            signed=signed,
            meaning=meaning_of(waiver, part),
            comment=comment.strip(),
            reauthenticated_at=proved_at,
        )
        work.note(
            "waiver.signed" if signed else "waiver.signature_refused",
            submission,
            {"waiver": waiver.pk, "gate": waiver.gate, "part": part},
        )
        if not signed:
            _end(work, submission, waiver, "refused", comment.strip())
        elif part == WaiverSignature.MANAGER:
            _tell_signers(work, submission, waiver, WaiverSignature.RISK)
        else:
            _grant(work, submission, waiver)
    return waiver


def _grant(work: Work, submission: Submission, waiver: Waiver) -> None:
    audit = WaiverAudit.objects.create(
        waiver=waiver, submission=submission, owner_id=waiver.audit_owner_id, due_on=waiver.audit_due_on
    )
    Waiver.objects.filter(pk=waiver.pk).update(granted_at=Now())
    waiver.refresh_from_db(fields=["granted_at"])
    work.note(
        "waiver.granted",
        submission,
        {
            "waiver": waiver.pk,
            "gate": waiver.gate,
            "until": waiver.expires_at.isoformat(),
            "audit": audit.pk,
            "audit_due": audit.due_on.isoformat(),
        },
    )
    until = f"{waiver.expires_at:%d %B %Y}"
    tell(
        work,
        submission,
        Notice.WAIVER_DECIDED,
        {
            waiver.audit_owner_id: f"You audit {waiver.number}, until {waiver.audit_due_on:%d %B %Y}.",
            waiver.owner_id: f"You run the control of {waiver.number}.",
            waiver.requested_by_id: f"You asked for {waiver.number}.",
        },
        key=f"{waiver.number}:granted",
        title=f"{waiver.gate} is waived for {submission.number} until {until}",
        says=f"Both signatures stand. Its audit is due on {waiver.audit_due_on:%d %B %Y}; if it is missed the waiver ends.",
        path=f"/waivers/{waiver.pk}",
    )
    go_on_with_waivers(work, submission)


def _end(work: Work, submission: Submission, waiver: Waiver, how: str, why: str) -> None:
    """Write the end of a waiver down, end the permits that rest on it, and take the case back."""
    granted = waiver.granted_at is not None
    Waiver.objects.filter(pk=waiver.pk).update(ended_at=Now(), ended_how=how, ended_why=why[:500], ended_by=work.caller.person)
    waiver.refresh_from_db(fields=["ended_at", "ended_how", "ended_why", "ended_by"])
    work.note("waiver.ended", submission, {"waiver": waiver.pk, "gate": waiver.gate, "how": how})
    people = answerable(submission) | {
        waiver.requested_by_id: f"You asked for {waiver.number}.",
        waiver.owner_id: f"You run the control of {waiver.number}.",
    }
    tell(
        work,
        submission,
        Notice.WAIVER_ENDING if granted else Notice.WAIVER_DECIDED,
        people,
        key=f"{waiver.number}:{how}",
        title=f"The waiver of {waiver.gate} for {submission.number} {_ENDED[how]}",
        says=f"{why} The gate fails again." if granted else why,
        path=f"/waivers/{waiver.pk}",
    )
    if granted:
        _take_back(work, submission, waiver)


def _take_back(work: Work, submission: Submission, waiver: Waiver) -> None:
    why = f"The waiver of {waiver.gate} it rests on {_ENDED[waiver.ended_how]}."
    permits = Permit.objects.filter(submission=submission, revoked_at__isnull=True).filter(rests_on_gone())
    ended = list(permits.select_for_update(of=("self",)))
    for permit in ended:
        work.note("permit.revoked", submission, {"permit": str(permit.pk), "waiver": waiver.pk})
    Permit.objects.filter(pk__in=[p.pk for p in ended]).update(revoked_at=Now(), revoked_by=work.caller.person, revoked_why=why)
    if ended:
        tell(
            work,
            submission,
            Notice.PERMIT_ENDED,
            answerable(submission) | holders(submission.unit_id, Role.PLATFORM_ENGINEER),
            key=f"{submission.number}:{waiver.number}",
            title=f"The permit of {submission.system.slug} {submission.version.version} ended",
            says=f"{why} Take the version out of {submission.environment}, or roll back.",
        )
    failing = {row.code for row in outcomes_of(submission.pk, submission.revision) if row.says == waiver.says}
    if waiver.gate not in failing:
        return
    because = f"the waiver of {waiver.gate} {_ENDED[waiver.ended_how]}"
    if submission.state == State.IN_REVIEW:
        SignOff.objects.filter(submission=submission, revision=submission.revision, voided_at__isnull=True).update(
            voided_at=Now(), voided_why=WHY_WAIVER_ENDED
        )
        take_back(submission)
        advance(
            work,
            submission,
            Action.LAPSE,
            case=case_of(submission),
            actor=POLICY,
            turn="submitter",
            data={"waiver": waiver.pk, "because": because},
        )
    elif submission.state == State.APPROVED and ended:
        advance(
            work, submission, Action.LAPSE, case=case_of(submission), actor=POLICY, data={"waiver": waiver.pk, "because": because}
        )


_ENDED = {
    "withdrawn": "was taken back",
    "refused": "was refused",
    "revoked": "was revoked",
    "closed": "was closed",
    "expired": "has expired",
    "audit_missed": "ended because its audit was missed",
    "audit_failed": "ended because its control did not work",
}


def _end_expired(work: Work, submission: Submission) -> None:
    """A request or waiver of this case whose time ran out makes room for a new one."""
    for waiver in Waiver.objects.select_for_update(of=("self",)).filter(
        submission=submission, ended_at__isnull=True, expires_at__lte=Now()
    ):
        _end(work, submission, waiver, "expired", "Its time ran out.")


def _locked(caller: Caller, waiver_id: int) -> tuple[Waiver, Submission]:
    """The waiver and its submission, locked in that order everybody locks in: submission first."""
    found = visible(Waiver.objects.filter(pk=waiver_id), caller).values_list("submission_id", flat=True).first()
    if found is None:
        raise NotFound(f"There is no waiver W-{waiver_id} in your business unit.")
    submission = locked(caller, found)
    rows = Waiver.objects.select_for_update(of=("self",)).select_related(
        "requested_by__manager", "owner", "audit_owner", "submission"
    )
    return rows.get(pk=waiver_id), submission


def _tell_signers(work: Work, submission: Submission, waiver: Waiver, part: str) -> None:
    manager = waiver.requested_by.manager
    if part == WaiverSignature.MANAGER and manager is not None:
        people = {manager.pk: f"You are the manager of {waiver.requested_by.name}."}
    elif part == WaiverSignature.MANAGER:
        people = holders(waiver.unit_id, Role(waiver.stands_in))
    else:
        people = holders(waiver.unit_id, Role.RISK_OFFICER)
    tell(
        work,
        submission,
        Notice.WAIVER_TO_SIGN,
        people,
        key=f"{waiver.number}:{part}",
        title=f"A waiver of {waiver.gate} for {submission.system.slug} {submission.version.version} waits for your signature",
        says=f"{waiver.risk} Read reason, control and audit, then sign or refuse.",
        path=f"/waivers/{waiver.pk}",
    )
