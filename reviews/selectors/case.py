"""What the lifecycle rules need to know of a submission, and the one question "who may decide this?"."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from governance.domain.errors import DomainError
from governance.domain.lifecycle import Case, decision_refusal
from governance.domain.vocabulary import Role, State, StepState, Track
from governance.models import Contributor, Submission
from governance.selectors.access import Caller
from reviews.models import Attested, ReviewStep, SignOff, Waiver


def case_of(submission: Submission, caller: Caller | None = None) -> Case:
    """Build the case from the rows as they are now. Five queries."""
    steps = list(ReviewStep.objects.filter(submission=submission, revision=submission.revision))
    signed = list(SignOff.objects.filter(submission=submission, voided_at__isnull=True).order_by("id"))
    contributors = list(Contributor.objects.filter(submission=submission).order_by("id"))
    waivers = Waiver.objects.filter(submission=submission).values_list(
        "requested_by_id", "gate", "signatures__by_id", "signatures__signed"
    )
    waived: dict[int, str] = {}
    for asked_by, gate, by, given in waivers:
        waived[asked_by] = f"asked for the waiver of {gate}"
        if given:
            waived[by] = f"signed the waiver of {gate}"
    attested = list(Attested.objects.filter(submission=submission).defer("shown", "asked", "comment").order_by("id"))
    return case_from(
        submission,
        steps=steps,
        sign_offs=signed,
        contributors=contributors,
        waived=waived,
        attested=attested,
        caller=caller,
    )


def case_from(
    submission: Submission,
    *,
    steps: Sequence[ReviewStep],
    sign_offs: Iterable[SignOff],
    contributors: Iterable[Contributor],
    waived: Mapping[int, str] | None = None,
    attested: Iterable[Attested] = (),
    caller: Caller | None = None,
) -> Case:
    """Build the case from rows already loaded.

    `sign_offs` of all revisions count: the analyst of the first revision is no risk officer of the second. Where several people
    held a role over the revisions, the caller's own decision is the one the rules have to see.
    """
    left = [step for step in steps if step.state in (StepState.OPEN, StepState.WAITING)]
    opened = next((step for step in left if step.state == StepState.OPEN), None)
    me = caller.person.pk if caller is not None and caller.person is not None else None
    decided: dict[Role, int] = {}
    for sign_off in sign_offs:
        role = Role(sign_off.role)
        mine_stands = me is not None and decided.get(role) == me
        if sign_off.voided_at is None and not mine_stands:
            decided[role] = sign_off.by_id
    return Case(
        state=State(submission.state),
        submitter=submission.submitter_id,
        track=Track(submission.track) if submission.track else None,
        contributors={row.person_id: row.why for row in contributors},
        decided=decided,
        step=Role(opened.role) if opened is not None else None,
        steps_left=len(left),
        waived=waived or {},
        attested={row.by_id: Role(row.role) for row in attested},
    )


def who_may_decide(submission: Submission, caller: Caller, *, case: Case | None = None) -> DomainError | None:
    """Why the caller may not decide the step whose turn it is, or None when they may.

    The one function behind the service, the API's `actions` and the buttons; the database trigger holds the same rules.
    """
    return decision_refusal(case or case_of(submission, caller), caller.actor(submission.unit_id))
