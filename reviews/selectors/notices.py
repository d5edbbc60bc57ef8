"""Kinds of messages: what each is about, how it comes unless a person chose otherwise, and which can be switched off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Notice(StrEnum):
    """What a message is about."""

    GATE_FAILED = "gate_failed"
    YOUR_TURN = "your_turn"
    DUE_SOON = "due_soon"
    OVERDUE = "overdue"
    CHANGES_REQUESTED = "changes_requested"
    DECIDED = "decided"
    PERMIT_ENDED = "permit_ended"
    WAIVER_TO_SIGN = "waiver_to_sign"
    WAIVER_DECIDED = "waiver_decided"
    WAIVER_ENDING = "waiver_ending"
    EXPOSURE_TO_DECIDE = "exposure_to_decide"
    EXPOSURE_DECIDED = "exposure_decided"
    FOLLOW_UP = "follow_up"
    REMEDY = "remedy"
    UNPERMITTED = "unpermitted"
    ROLLED_BACK = "rolled_back"
    MONITORING = "monitoring"
    INCIDENT = "incident"
    CHANGE_NOTE = "change_note"
    WEBHOOK_DEAD = "webhook_dead"
    INFORMED = "informed"
    REMARK = "remark"
    MENTIONED = "mentioned"
    FINDING = "finding"
    ESCALATED = "escalated"
    POLICY = "policy"
    CONFLICT = "conflict"


@dataclass(frozen=True)
class Plan:
    """How a kind comes. `choices`: what a person can choose; a duty always reaches the inbox, an alert is never put off."""

    label: str
    hint: str
    usual: str = "now"
    choices: tuple[str, ...] = ("now", "daily", "inbox", "off")


_DUTY = ("now", "daily", "inbox")
_ALERT = ("now", "inbox")
PLANS: Mapping[Notice, Plan] = {
    Notice.GATE_FAILED: Plan(
        "A gate failed", "a blocking gate of a version you answer for failed or could not tell", "now", _ALERT
    ),
    Notice.YOUR_TURN: Plan("Your turn", "a case reached a step of a role you hold, or you stand in for somebody", "now", _DUTY),
    Notice.DUE_SOON: Plan("Due soon", "four fifths of the time for a step of yours are used", "now", _DUTY),
    Notice.OVERDUE: Plan("Overdue", "the time for a step of your role, or of somebody you lead, is used up", "now", _DUTY),
    Notice.CHANGES_REQUESTED: Plan("Changes requested", "a reviewer sent a version of yours back with a list", "now", _DUTY),
    Notice.DECIDED: Plan("Approved or rejected", "a version of yours was decided on", "now"),
    Notice.PERMIT_ENDED: Plan("Permit ended", "a permit was revoked or what it rested on ended", "now", _ALERT),
    Notice.WAIVER_TO_SIGN: Plan("Waiver to sign", "a waiver waits for your signature", "now", _DUTY),
    Notice.WAIVER_DECIDED: Plan("Waiver decided", "a waiver you asked for, own or audit was signed or refused", "now"),
    Notice.WAIVER_ENDING: Plan("Waiver ending", "a waiver you answer for ends soon", "now", _DUTY),
    Notice.EXPOSURE_TO_DECIDE: Plan("More exposure asked for", "a version should go further; your role decides", "now", _DUTY),
    Notice.EXPOSURE_DECIDED: Plan("Exposure decided", "more exposure of a version you answer for was granted or refused", "now"),
    Notice.FOLLOW_UP: Plan("Follow-up due", "an audit, evaluation or condition of yours is due or overdue", "now", _DUTY),
    Notice.REMEDY: Plan("Findings to mend", "a finding is yours to mend, or its fix to verify", "now", _DUTY),
    Notice.UNPERMITTED: Plan("Running without a permit", "something serves that no decision covers", "now", _ALERT),
    Notice.FINDING: Plan("A finding for your role", "the checks found something your role answers for", "inbox"),
    Notice.ESCALATED: Plan("A finding stays open", "what your role answers for or hears of next is open too long", "now", _DUTY),
    Notice.REMARK: Plan("Remarks", "somebody wrote in a thread of a case of yours", "now"),
    Notice.MENTIONED: Plan("Mentioned", "somebody wrote your user name into a thread", "now"),
    Notice.INFORMED: Plan("Kept informed", "a step was decided on which the policy keeps your role informed", "inbox"),
    Notice.ROLLED_BACK: Plan("Rolled back", "a version you answer for was taken back", "now"),
    Notice.MONITORING: Plan("Monitor over a limit", "a version you answer for is beyond a limit in use", "now", _DUTY),
    Notice.INCIDENT: Plan(
        "Incident", "an incident you have a part in was opened or closed, or a step of it is late", "now", _ALERT
    ),
    Notice.CHANGE_NOTE: Plan("Change note", "a system your team depends on changes", "now", _DUTY),
    Notice.WEBHOOK_DEAD: Plan("Webhook stopped", "a webhook could not be delivered for days and was switched off", "now", _ALERT),
    Notice.POLICY: Plan("Policy", "a version of the policy waits for its ruling, was approved or returned", "now", _DUTY),
    Notice.CONFLICT: Plan("Rule does not fit", "somebody says that a rule does not fit, or that was decided", "now", _DUTY),
}
HOW = {
    "now": "by e-mail at once, and in the inbox",
    "daily": "in one e-mail a day, and in the inbox",
    "inbox": "in the inbox only",
    "off": "not at all",
}


def how_for(kind: Notice, chosen: str | None) -> str:
    """How a person gets a kind: what they chose where that can be chosen, else the usual."""
    plan = PLANS[kind]
    return chosen if chosen in plan.choices else plan.usual
