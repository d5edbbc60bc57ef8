"""What a caller may do with one thing, for programs: the refusals of the rules themselves, so that what is offered is allowed."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils import timezone

from governance.domain.decision_review import ActionView
from governance.domain.errors import DomainError
from governance.domain.remedies import assign_refusal, fix_refusal, verify_refusal
from governance.domain.vocabulary import Disposition
from governance.models import GrantRequest, RuleConflict, Submission
from governance.selectors.access import Caller
from governance.selectors.conflicts import may_decide
from governance.selectors.granting import answer_refusal
from reviews.models import Condition, Finding, Waiver, WaiverAudit, WaiverSignature
from reviews.selectors.findings import actor_on, remedy_of
from reviews.selectors.following_up import condition_refusal
from reviews.selectors.threads import remark_refusal
from reviews.selectors.waiving import audit_refusal, ending_refusal, signing_refusal

IN_BROWSER = "On its page, after a fresh sign-in: no program does this."


def offer(action: str, label: str, details: str, refused: DomainError | None, *, danger: bool = False) -> ActionView:
    """One action, with the reason where it is not available."""
    return ActionView(action, label, details, refused is None, refused.detail if refused is not None else "", danger)


def for_thread(submission: Submission, caller: Caller, was: str, *, mine: bool) -> tuple[ActionView, ...]:
    """What the caller may make of a thread that stands at `was`. `mine`: whether they work on the version."""
    details = "A draft until you publish."
    return tuple(
        offer(kind.value, kind.label, details, remark_refusal(submission, caller, kind, was, mine=mine)) for kind in Disposition
    )


def for_finding(finding: Finding, caller: Caller) -> tuple[ActionView, ...]:
    """Reporting the fix, verifying it, saying whose it is."""
    remedy, actor = remedy_of(finding), actor_on(caller, finding)
    return (
        offer("fix", "Report the fix", "What was done, and where it can be seen.", fix_refusal(remedy, actor)),
        offer("verify", "Verify the fix", "By somebody who neither fixed it nor built it.", verify_refusal(remedy, actor)),
        offer("assign", "Say whose it is", "And until when.", assign_refusal(remedy, actor)),
    )


def for_waiver(waiver: Waiver, caller: Caller) -> tuple[ActionView, ...]:
    """Signing (in the browser only), recording the audit, and the ways to end it."""
    signatures: Iterable[WaiverSignature] = waiver.signatures.all()
    audit: WaiverAudit | None = getattr(waiver, "audit", None)
    signing = signing_refusal(waiver, signatures, caller, timezone.now(), waiver.requested_by.manager)
    return (
        offer("sign", "Sign or refuse", IN_BROWSER, signing),
        offer("audit", "Record the audit", "Whether the control worked.", audit_refusal(waiver, audit, caller)),
        offer("withdrawn", "Take it back", "By whoever asked.", ending_refusal(waiver, caller, "withdrawn"), danger=True),
        offer("revoked", "Revoke it", "The gate fails again at once.", ending_refusal(waiver, caller, "revoked"), danger=True),
        offer("closed", "Close it", "After its audit.", ending_refusal(waiver, caller, "closed"), danger=True),
    )


def for_condition(condition: Condition, caller: Caller) -> tuple[ActionView, ...]:
    """Confirming that it is met."""
    return (offer("met", "Confirm", "On named evidence.", condition_refusal(condition, caller)),)


def for_rule_conflict(row: RuleConflict, caller: Caller) -> tuple[ActionView, ...]:
    """Ruling on it, in the browser only."""
    why = "" if may_decide(row, caller) else "A policy author of the unit who did not open it decides, once."
    return (ActionView("rule", "Decide", IN_BROWSER, not why, why),)


def for_grant_request(row: GrantRequest, caller: Caller) -> tuple[ActionView, ...]:
    """Approving or refusing a role, in the browser only."""
    return (offer("answer", "Approve or refuse", IN_BROWSER, answer_refusal(row, caller)),)
