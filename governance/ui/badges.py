"""Word, icon, tone and short explanation for every closed set the screens show.

One place, so that a state never has two names on two pages, and so that no meaning rests on colour alone: each badge has
a word and an icon of its own shape.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Badge:
    """What a badge shows. `tone` names a colour pair of the style sheet; `says` is the sentence behind the word."""

    word: str
    tone: str
    icon: str
    says: str = ""

    @property
    def css(self) -> str:
        """Class that colours an icon on its own."""
        return f"tone-{self.tone}"


TRACKS: Mapping[str, Badge] = {
    "green": Badge("Green track", "green", "circle-check", "The policy approves it when every gate passes."),
    "yellow": Badge("Yellow track", "yellow", "alert-triangle", "An ML platform engineer approves it."),
    "red": Badge("Red track", "red", "alert-octagon", "The ML Governance Analyst reviews it, then the risk officer signs."),
}
NO_TRACK = Badge("No track yet", "grey", "circle-dashed", "The track appears as soon as the first facts are known.")

STATES: Mapping[str, Badge] = {
    "draft": Badge("Draft", "grey", "pencil", "Not submitted yet. Only its contributors see it."),
    "in_checks": Badge("In checks", "blue", "loader-2", "The gates are running."),
    "checks_failed": Badge("Checks failed", "red", "circle-x", "The submitter mends it and revises, or asks for a waiver."),
    "in_review": Badge("In review", "blue", "eye", "A person decides the next step."),
    "changes_requested": Badge("Changes requested", "yellow", "arrow-back-up", "The submitter works through the list."),
    "approved": Badge("Approved", "green", "shield-check", "It may be deployed while its permit is valid."),
    "rejected": Badge("Rejected", "red", "ban", "This version will not be deployed."),
    "withdrawn": Badge("Withdrawn", "grey", "circle-minus", "The submitter took it back."),
    "superseded": Badge("Superseded", "grey", "versions", "A later version was approved for the same environment."),
    "revoked": Badge("Revoked", "red", "hand-stop", "The approval was taken back; the permit ended at once."),
    "expired": Badge("Expired", "yellow", "clock-pause", "The approval reached its age limit: a re-review is due."),
}

VERDICTS: Mapping[str, Badge] = {
    "pass": Badge("Pass", "green", "circle-check", "Within the limit."),
    "warn": Badge("Warn", "yellow", "alert-triangle", "Within the limit, but not safely."),
    "fail": Badge("Fail", "red", "circle-x", "Outside the limit."),
    "not_assessed": Badge("Not assessed", "purple", "help-circle", "No verdict was possible. It blocks like a failure."),
    "not_applicable": Badge("Not applicable", "grey", "circle-minus", "There is nothing to check here."),
    "waived": Badge(
        "Waived", "purple", "clock-pause", "It failed. People accepted that for a time, with a control in its place."
    ),
    "measured": Badge("Measured", "green", "check", "The measurement is there; the gates judge it next."),
    "running": Badge("Running", "blue", "loader-2", "A worker is measuring now."),
    "queued": Badge("Queued", "grey", "clock", "Waiting for a worker."),
    "error": Badge("Stopped with an error", "red", "alert-octagon", "The check did not finish. It blocks like a failure."),
    "cancelled": Badge("Cancelled", "grey", "circle-minus", "The check is no longer needed."),
}

REQUIREMENTS: Mapping[str, Badge] = {
    "not_applicable": Badge("Not applicable", "grey", "circle-minus", "Nothing is asked here."),
    "unsatisfied": Badge("Unsatisfied", "red", "circle-x", "What the gate asks for is not met, or nobody could tell."),
    "satisfied": Badge("Satisfied", "green", "circle-check", "What the gate asks for is met."),
    "waived": Badge("Waived", "purple", "clock-pause", "Not met; people accepted that for a time."),
    "error": Badge("Error", "red", "alert-octagon", "The check stopped, so nobody knows. It counts as not met."),
    "running": Badge("Running", "blue", "loader-2", "It is being measured now."),
}

STEPS: Mapping[str, Badge] = {
    "waiting": Badge("Waiting", "grey", "clock", "An earlier step comes first."),
    "open": Badge("Open", "blue", "user-check", "This is the step whose turn it is."),
    "done": Badge("Done", "green", "check", "Decided."),
    "void": Badge("Void", "purple", "refresh", "The dossier changed after the decision, so the turn came back."),
}

SEVERITIES: Mapping[str, Badge] = {
    "low": Badge("Low", "grey", "flag"),
    "medium": Badge("Medium", "yellow", "flag"),
    "high": Badge("High", "red", "flag"),
    "critical": Badge("Critical", "red", "alert-octagon"),
}

PROVENANCES: Mapping[str, Badge] = {
    "prefilled": Badge("Prefilled", "blue", "file-text", "Read from your files. Confirm it or correct it."),
    "confirmed": Badge("Confirmed", "green", "check", "Read from a file and confirmed by a person."),
    "edited": Badge("Corrected", "yellow", "edit", "A person corrected what the file says, with a reason."),
    "typed": Badge("Typed", "grey", "user", "Typed by a person."),
    "unknown": Badge("Not known", "purple", "help-circle", "Somebody who knows is asked; until then the stricter side counts."),
    "carried_over": Badge("Carried over", "blue", "history", "What the last approved version answered."),
    "1": Badge("Typed by a person", "grey", "user"),
    "2": Badge("Read from a file", "blue", "file-text"),
    "3": Badge("From a register", "blue", "database"),
    "4": Badge("Measured here", "green", "chart-histogram"),
}

DECISIONS: Mapping[str, Badge] = {
    "approve": Badge("Approved", "green", "check"),
    "approve_with_conditions": Badge("Approved with conditions", "green", "list-check"),
    "request_changes": Badge("Changes requested", "yellow", "arrow-back-up"),
    "reject": Badge("Rejected", "red", "ban"),
}

TASKS: Mapping[str, Badge] = {
    "done": Badge("Completed", "green", "check"),
    "todo": Badge("To do", "blue", "circle"),
    "partly": Badge("In progress", "yellow", "circle-dashed"),
    "blocked": Badge("Cannot start yet", "grey", "lock"),
    "optional": Badge("Optional", "grey", "circle"),
    "error": Badge("There is a problem", "red", "circle-x"),
}

WAIVERS: Mapping[str, Badge] = {
    "requested": Badge("Manager signs next", "blue", "clock", "Waits for the manager of whoever asked."),
    "countersigned": Badge("Risk officer signs next", "blue", "clock", "The manager signed; the second signature is missing."),
    "live": Badge("Runs", "purple", "clock-pause", "The failure is accepted until the date given."),
    "expired": Badge("Expired", "grey", "clock-pause", "Its time ran out; the gate fails again."),
    "withdrawn": Badge("Taken back", "grey", "circle-minus", "Whoever asked took the request back."),
    "refused": Badge("Refused", "red", "ban", "A signature was refused."),
    "revoked": Badge("Revoked", "red", "hand-stop", "Ended before its time; the gate fails again."),
    "closed": Badge("Closed", "grey", "check", "Ended after its audit."),
    "audit_missed": Badge("Audit missed", "red", "alert-octagon", "Its audit was not done in time, so it does not hold."),
    "audit_failed": Badge("Control did not work", "red", "circle-x", "The audit found that the control did not work."),
}

EXPOSURES: Mapping[str, Badge] = {
    "waiting": Badge("Waits", "blue", "clock", "Waits for the role that the policy names."),
    "granted": Badge("Granted", "green", "check", "There is a permit for the higher share."),
    "refused": Badge("Refused", "red", "ban", "The permit holds for the share it held for."),
    "withdrawn": Badge("Taken back", "grey", "circle-minus", "Whoever asked took the request back."),
    "lapsed": Badge("Lapsed", "grey", "clock-pause", "The permit it was asked under ended before anybody decided."),
}

READINGS: Mapping[str, Badge] = {
    "over": Badge("Over a limit", "red", "alert-triangle", "A finding was opened, or the one that is open was joined."),
    "within": Badge("Within its limits", "green", "circle-check"),
    "unknown": Badge("Not measured", "purple", "help-circle", "What could not be measured is not known to be fine."),
    "unjudged": Badge("No limit", "grey", "circle-dashed", "Recorded. The policy has no limit for it."),
    "incident": Badge("Incident", "red", "alert-octagon", "The monitor reported an incident."),
}

INCIDENTS: Mapping[str, Badge] = {
    "open": Badge("Open", "red", "alert-octagon", "The playbook is being worked through."),
    "resolved": Badge("Resolved", "yellow", "hourglass", "Customers are safe again; the post-mortem is missing."),
    "closed": Badge("Closed", "green", "check", "Closed by its post-mortem."),
}

SETS: Mapping[str, Mapping[str, Badge]] = {
    "track": TRACKS,
    "state": STATES,
    "verdict": VERDICTS,
    "requirement": REQUIREMENTS,
    "step": STEPS,
    "severity": SEVERITIES,
    "provenance": PROVENANCES,
    "decision": DECISIONS,
    "task": TASKS,
    "waiver": WAIVERS,
    "exposure": EXPOSURES,
    "reading": READINGS,
    "incident": INCIDENTS,
}


def badge(kind: str, value: object) -> Badge:
    """Return the badge of `value` in the set `kind`.

    An unknown value is shown as it is, in grey: a screen must not fail because a word is new. KeyError for an unknown set.
    """
    members = SETS[kind]
    key = str(int(value)) if isinstance(value, int) else str(value or "")
    if key in members:
        return members[key]
    if kind == "track" and not key:
        return NO_TRACK
    return Badge(key.replace("_", " ").capitalize() or "Not known", "grey", "help-circle")
