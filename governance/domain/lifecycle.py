"""The lifecycle of a submission: one table decides every move, every button and every API action.

`refusal` says why a move is not allowed, or None; `allowed_actions` draws buttons and fills the API's `actions`;
`governance.services.lifecycle.advance` enforces the same function and is the only writer of the state.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from governance.domain.errors import Conflict, DomainError, Forbidden, SegregationOfDuties
from governance.domain.vocabulary import Role, State, Track


class Action(StrEnum):
    """A move somebody (or the policy) can make."""

    SUBMIT = "submit"
    REVISE = "revise"
    WITHDRAW = "withdraw"
    PASS_CHECKS = "pass_checks"
    FAIL_CHECKS = "fail_checks"
    RECHECK = "recheck"
    PASS_WITH_WAIVER = "pass_with_waiver"
    LAPSE = "lapse"
    APPROVE_BY_POLICY = "approve_by_policy"
    COMPLETE_REVIEW = "complete_review"
    REQUEST_CHANGES = "request_changes"
    REJECT = "reject"
    SUPERSEDE = "supersede"
    REVOKE = "revoke"
    EXPIRE = "expire"


class By(StrEnum):
    """Who may make a move."""

    SUBMITTER = "submitter"
    REVIEWER = "reviewer"
    POLICY = "policy"


@dataclass(frozen=True, slots=True)
class Transition:
    """One allowed move. `label` is the button, `details` what happens next."""

    to: State
    by: frozenset[By]
    label: str
    details: str


def _t(to: State, by: By | tuple[By, ...], label: str, details: str) -> Transition:
    return Transition(to, frozenset(by if isinstance(by, tuple) else (by,)), label, details)


_SUBMIT = _t(State.IN_CHECKS, By.SUBMITTER, "Submit", "The gates run now; you see each result as it arrives.")
_REVISE = _t(
    State.IN_CHECKS,
    By.SUBMITTER,
    "Submit the revision",
    "The gates run again on what changed; reviewers see both revisions side by side.",
)
_WITHDRAW = _t(
    State.WITHDRAWN,
    By.SUBMITTER,
    "Withdraw",
    "Nobody will review it. You can submit the version again; its strictest track is remembered for 90 days.",
)

TRANSITIONS: Mapping[tuple[State, Action], Transition] = {
    (State.DRAFT, Action.SUBMIT): _SUBMIT,
    (State.DRAFT, Action.WITHDRAW): _WITHDRAW,
    (State.IN_CHECKS, Action.PASS_CHECKS): _t(State.IN_REVIEW, By.POLICY, "Checks passed", "The case goes to its reviewers."),
    (State.IN_CHECKS, Action.FAIL_CHECKS): _t(
        State.CHECKS_FAILED, By.POLICY, "Checks failed", "It is the submitter's turn: mend and revise."
    ),
    (State.IN_CHECKS, Action.APPROVE_BY_POLICY): _t(
        State.APPROVED, By.POLICY, "Approved by policy", "Every rule held and every gate passed."
    ),
    (State.IN_CHECKS, Action.WITHDRAW): _WITHDRAW,
    (State.CHECKS_FAILED, Action.REVISE): _REVISE,
    (State.CHECKS_FAILED, Action.RECHECK): _t(
        State.IN_CHECKS, (By.SUBMITTER, By.REVIEWER), "Run the checks again", "For checks that stopped with an error."
    ),
    (State.CHECKS_FAILED, Action.PASS_WITH_WAIVER): _t(
        State.IN_REVIEW, By.POLICY, "Waived", "Every gate that failed is waived for a time; the case goes to its reviewers."
    ),
    (State.CHECKS_FAILED, Action.WITHDRAW): _WITHDRAW,
    (State.IN_REVIEW, Action.LAPSE): _t(
        State.CHECKS_FAILED, By.POLICY, "Waiver ended", "The gate fails again: mend it, or ask for a new waiver."
    ),
    (State.APPROVED, Action.LAPSE): _t(
        State.REVOKED, By.POLICY, "Lapsed", "What the approval rested on ended; so does the permit."
    ),
    (State.IN_REVIEW, Action.COMPLETE_REVIEW): _t(
        State.APPROVED, By.REVIEWER, "Approve", "The last required step approves the case and issues the permit."
    ),
    (State.IN_REVIEW, Action.REQUEST_CHANGES): _t(
        State.CHANGES_REQUESTED, By.REVIEWER, "Request changes", "The submitter gets your list, item by item."
    ),
    (State.IN_REVIEW, Action.REJECT): _t(
        State.REJECTED, By.REVIEWER, "Reject", "This version will not be deployed; say what would be accepted."
    ),
    (State.IN_REVIEW, Action.WITHDRAW): _WITHDRAW,
    (State.CHANGES_REQUESTED, Action.REVISE): _REVISE,
    (State.CHANGES_REQUESTED, Action.WITHDRAW): _WITHDRAW,
    (State.APPROVED, Action.REVOKE): _t(State.REVOKED, By.REVIEWER, "Revoke", "The permit ends at once."),
    (State.APPROVED, Action.SUPERSEDE): _t(
        State.SUPERSEDED, By.POLICY, "Superseded", "A later version was approved for the same environment."
    ),
    (State.APPROVED, Action.EXPIRE): _t(State.EXPIRED, By.POLICY, "Expired", "The approval reached its age limit."),
}


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks. `person` is None for the policy itself; `token` is set when an API token speaks for the person."""

    person: int | None
    roles: frozenset[Role] = frozenset()
    token: bool = False
    reference: str = ""

    @property
    def is_policy(self) -> bool:
        return self.person is None


POLICY = Actor(person=None, reference="policy")


@dataclass(frozen=True, slots=True)
class Case:
    """What the rules about moves need to know of a submission.

    `contributors`: people who submitted, co-authored, trained, or evidenced it, with why.
    `decided`: steps already decided on this dossier, role -> person.
    `step`: the role whose turn it is, if any; where several steps are open, the one the caller could decide; `step_id`: its row.
    `open_steps`: the roles of every open step. `signed_now`: people who signed another step of this revision. `conflicts`: people
    who declared a conflict of interest. `marked`: people who judged its columns as data steward. `outside_team`: nobody of the
    submitter's team decides `step`; `team` is how the caller stands to it (same, other or unknown).
    `must_fix`: what stands at “must fix” in a thread.
    `stands_for`: people whose role the caller holds only because they handed it on.
    `waived`: people who asked for or signed a waiver of it, with what they did.
    `attested`: people who attested something on it, with the role they did it in. `missing`: labels of what must be there before
    submitting.
    """

    state: State
    submitter: int
    track: Track | None = None
    contributors: Mapping[int, str] = field(default_factory=dict)
    decided: Mapping[Role, int] = field(default_factory=dict)
    step: Role | None = None
    steps_left: int = 0
    step_id: int | None = None
    open_steps: tuple[Role, ...] = ()
    signed_now: frozenset[int] = frozenset()
    conflicts: frozenset[int] = frozenset()
    marked: frozenset[int] = frozenset()
    outside_team: bool = False
    team: str = "other"
    stands_for: frozenset[int] = frozenset()
    must_fix: tuple[str, ...] = ()
    waived: Mapping[int, str] = field(default_factory=dict)
    attested: Mapping[int, Role] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    unlearnt: tuple[str, ...] = ()


_HUMAN_ONLY = frozenset({Action.COMPLETE_REVIEW, Action.REQUEST_CHANGES, Action.REJECT, Action.REVOKE})


def transition(state: State, action: Action) -> Transition | None:
    """The move `action` makes from `state`, or None."""
    return TRANSITIONS.get((state, action))


def refusal(case: Case, action: Action, actor: Actor) -> DomainError | None:
    """Why `actor` may not make this move now, or None when it is allowed."""
    move = transition(case.state, action)
    if move is None:
        return Conflict(f"A submission that is {words(case.state)} cannot be {_PAST[action]}.", code="wrong_state")
    if actor.is_policy:
        if By.POLICY in move.by:
            return None
        return Forbidden("The policy cannot make this move; a person has to.", code="person_needed")
    if By.SUBMITTER in move.by and actor.person in {case.submitter, *case.contributors}:
        if action in (Action.SUBMIT, Action.REVISE) and case.missing:
            return Conflict("Still missing: " + "; ".join(case.missing) + ".", code="incomplete")
        return None
    if By.REVIEWER in move.by:
        if action is Action.RECHECK:
            return None if actor.roles & {Role.PLATFORM_ENGINEER, Role.ANALYST} else _not_yours(move)
        if action is Action.REVOKE:
            return _revoke_refusal(actor)
        return decision_refusal(case, actor, last=action is Action.COMPLETE_REVIEW)
    if move.by == {By.POLICY}:
        return Forbidden("Only the policy makes this move, from rules and measurements.", code="policy_only")
    return _not_yours(move)


def decision_refusal(case: Case, actor: Actor, *, last: bool = False) -> DomainError | None:
    """Why `actor` may not decide the step whose turn it is, or None. `last`: the move ends the review."""
    if case.state is not State.IN_REVIEW or case.step is None:
        return Conflict(f"Nothing waits for a decision: the submission is {words(case.state)}.", code="no_open_step")
    if actor.token or actor.is_policy:
        return Forbidden("A token cannot decide. A person has to sign in and decide.", code="person_needed")
    if case.step not in actor.roles:
        return Forbidden(f"This step belongs to the {case.step.label}. You do not hold that role here.", code="role_needed")
    if actor.person is not None and actor.person in case.conflicts:
        return SegregationOfDuties("You declared a conflict of interest on this case, so somebody else decides on it.")
    if actor.person == case.submitter:
        return SegregationOfDuties("You submitted this version, so somebody else decides on it.")
    if actor.person is not None and actor.person in case.contributors:
        return SegregationOfDuties(f"You {case.contributors[actor.person]}, so somebody else decides on it.")
    if actor.person is not None and actor.person in case.waived:
        return SegregationOfDuties(f"You {case.waived[actor.person]}, so somebody else decides on it.")
    earlier = next((role for role, person in case.decided.items() if person == actor.person and role is not case.step), None)
    if earlier is not None:
        return SegregationOfDuties(f"You already decided this case as {earlier.label}; the {case.step.label} is somebody else.")
    if actor.person in case.signed_now:
        return SegregationOfDuties(f"You already signed as {case.step.label}; the second signature is somebody else's.")
    if case.step is Role.RISK_OFFICER and actor.person in case.marked:
        return SegregationOfDuties("You judged its columns as data steward, so somebody else signs its risk.")
    if any(_barred(case, person) for person in case.stands_for):
        return SegregationOfDuties("The person you stand in for must not decide on this case, so neither do you.")
    if case.outside_team and case.team == "same":
        return SegregationOfDuties("You belong to the submitter's team, so somebody outside of it decides this step.")
    if case.outside_team and case.team != "other":
        return Conflict(
            "It is not on record whom the submitter reports to, so nobody can tell who is outside of the team. "
            "An administrator enters the submitter's manager.",
            code="team_unknown",
        )
    if (spoke := case.attested.get(actor.person or 0, case.step)) is not case.step:
        return SegregationOfDuties(f"You attested something on it as {spoke.label}, so somebody else decides on it.")
    if case.unlearnt:
        return Forbidden(
            f"Before you decide as {case.step.label}, pass {_lessons(case.unlearnt)}. They are under Learn and take minutes.",
            code="learning_needed",
        )
    if last and case.steps_left > 1:
        return Conflict(f"{case.steps_left - 1} more review step(s) follow before the case is approved.", code="steps_left")
    return None


def approval_refusal(case: Case, actor: Actor) -> DomainError | None:
    """Why `actor` may not approve the step whose turn it is, or None: as for any decision, and nothing stands at “must fix”."""
    if (refused := decision_refusal(case, actor)) is not None:
        return refused
    if case.must_fix:
        return Conflict(
            f"Somebody said that this must be fixed: {', '.join(case.must_fix)}. See the threads; whoever reviews resolves it.",
            code="must_fix",
        )
    return None


def _lessons(titles: tuple[str, ...]) -> str:
    named = ", ".join(f"“{title}”" for title in titles)
    return f"the lesson{'' if len(titles) == 1 else 's'} {named}"


def _barred(case: Case, person: int) -> bool:
    """Whether somebody worked or spoke on the case, so that nobody they chose decides it in their place."""
    spoken = {*case.contributors, *case.waived, *case.conflicts, case.submitter}
    return person in spoken or any(by == person and role is not case.step for role, by in case.decided.items())


def allowed_actions(case: Case, actor: Actor) -> tuple[Action, ...]:
    """Every action `actor` may take now, in the order of the table."""
    return tuple(action for (state, action) in TRANSITIONS if state is case.state and refusal(case, action, actor) is None)


def words(state: State) -> str:
    """The state as it reads in a sentence."""
    return state.value.replace("_", " ")


def _not_yours(move: Transition) -> DomainError:
    who = " or ".join(sorted(by.value for by in move.by))
    return Forbidden(f"Only the {who} can do this.", code="not_your_move")


def _revoke_refusal(actor: Actor) -> DomainError | None:
    if actor.token:
        return Forbidden("A token cannot revoke. A person has to sign in.", code="person_needed")
    if not actor.roles & {Role.RISK_OFFICER, Role.ANALYST, Role.PLATFORM_ENGINEER}:
        return Forbidden("Only a reviewer can revoke an approval.", code="role_needed")
    return None


_PAST = {
    Action.SUBMIT: "submitted",
    Action.REVISE: "revised",
    Action.WITHDRAW: "withdrawn",
    Action.PASS_CHECKS: "passed",
    Action.FAIL_CHECKS: "failed",
    Action.RECHECK: "checked again",
    Action.PASS_WITH_WAIVER: "passed on by a waiver",
    Action.LAPSE: "lapsed",
    Action.APPROVE_BY_POLICY: "approved",
    Action.COMPLETE_REVIEW: "approved",
    Action.REQUEST_CHANGES: "sent back for changes",
    Action.REJECT: "rejected",
    Action.SUPERSEDE: "superseded",
    Action.REVOKE: "revoked",
    Action.EXPIRE: "expired",
}
