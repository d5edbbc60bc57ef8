"""What the lifecycle rules need to know of a submission, and the one question "who may decide this?"."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from governance.domain.errors import DomainError
from governance.domain.lifecycle import Case, decision_refusal
from governance.domain.vocabulary import Disposition, Role, State, StepState, Track
from governance.models import ColumnMark, Contributor, RoleGrant, Submission
from governance.selectors.access import Caller
from reviews.models import Attested, DeclaredConflict, LessonPass, ReviewStep, SignOff, Thread, Waiver
from reviews.selectors.learning import latest_passes, unlearnt
from reviews.selectors.teams import team_of


def case_of(submission: Submission, caller: Caller | None = None) -> Case:
    """Build the case from the rows as they are now. Nine queries; one each about the team and lessons where a step asks."""
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
        conflicts=DeclaredConflict.objects.filter(submission=submission).values_list("by_id", flat=True),
        marked=ColumnMark.objects.filter(submission=submission).values_list("by_id", flat=True),
        team=_team(submission, steps, caller),
        must_fix=Thread.objects.filter(submission=submission, disposition=Disposition.MUST_FIX).values_list("about", flat=True),
        grants=live_grants(caller.person.pk) if caller is not None and caller.person is not None else (),
        caller=caller,
        passes=_passes(steps, caller),
    )


def _passes(steps: Iterable[ReviewStep], caller: Caller | None) -> Iterable[LessonPass]:
    """What the caller has passed, read only where a step asks for lessons."""
    if caller is None or caller.person is None or not any(step.learning for step in steps):
        return ()
    return latest_passes(caller.person.pk)


def _team(submission: Submission, steps: Iterable[ReviewStep], caller: Caller | None) -> str:
    if caller is None or caller.person is None or not any(step.outside_team for step in steps):
        return "other"
    return team_of(submission.submitter_id, caller.person.pk)


def case_from(
    submission: Submission,
    *,
    steps: Sequence[ReviewStep],
    sign_offs: Iterable[SignOff],
    contributors: Iterable[Contributor],
    waived: Mapping[int, str] | None = None,
    attested: Iterable[Attested] = (),
    conflicts: Iterable[int] = (),
    marked: Iterable[int] = (),
    team: str = "other",
    grants: Iterable[RoleGrant] = (),
    must_fix: Iterable[str] = (),
    caller: Caller | None = None,
    passes: Iterable[LessonPass] = (),
) -> Case:
    """Build the case from rows already loaded. `passes`: the latest pass of each lesson by the caller.

    `sign_offs` of all revisions count: the analyst of the first revision is no risk officer of the second. Where several people
    held a role over the revisions, the caller's own decision is the one the rules have to see.
    """
    left = [step for step in steps if step.state in (StepState.OPEN, StepState.WAITING)]
    sign_offs = tuple(sign_offs)
    opened = [step for step in left if step.state == StepState.OPEN]
    mine = _of_caller(submission, opened, sign_offs, caller)
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
        step=Role(mine.role) if mine is not None else None,
        steps_left=len(left),
        step_id=mine.pk if mine is not None else None,
        open_steps=tuple(dict.fromkeys(Role(step.role) for step in opened)),
        signed_now=frozenset(
            row.by_id for row in sign_offs if row.revision == submission.revision and row.voided_at is None and _other(row, mine)
        ),
        conflicts=frozenset(conflicts),
        marked=frozenset(marked),
        outside_team=mine is not None and mine.outside_team,
        team=team,
        must_fix=tuple(dict.fromkeys(must_fix)),
        stands_for=stands_for(grants, mine.role, submission.unit_id) if mine is not None else frozenset(),
        waived=waived or {},
        attested={row.by_id: Role(row.role) for row in attested},
        unlearnt=unlearnt(mine, passes, timezone.now()) if caller is not None else (),
    )


def live_grants(person_id: int) -> QuerySet[RoleGrant]:
    """What somebody holds now, by the database clock."""
    ends = Q(valid_until__isnull=True) | Q(valid_until__gt=Now())
    return RoleGrant.objects.filter(ends, person_id=person_id, valid_from__lte=Now()).order_by("id")


def stands_for(grants: Iterable[RoleGrant], role: str, unit_id: int) -> frozenset[int]:
    """Those whose role somebody holds in a unit because they handed it on; nobody where it is also held in one's own right."""
    here = [grant for grant in grants if grant.role == role and grant.unit_id in (None, unit_id)]
    if any(grant.delegated_by_id is None for grant in here):
        return frozenset()
    return frozenset(grant.delegated_by_id for grant in here if grant.delegated_by_id is not None)


def _of_caller(
    submission: Submission, opened: Sequence[ReviewStep], sign_offs: Iterable[SignOff], caller: Caller | None
) -> ReviewStep | None:
    """Of the steps open at the same time the one the caller could decide: of a role they hold, else the first."""
    if caller is None or len(opened) < 2:
        return opened[0] if opened else None
    held = caller.roles_in(submission.unit_id)
    me = caller.person.pk if caller.person is not None else None
    spoken = {row.role for row in sign_offs if row.by_id == me and row.voided_at is None}
    theirs = [step for step in opened if Role(step.role) in held]
    # who spoke in one role is asked in that role again, so that the refusal names what bars them
    return next((step for step in theirs if step.role in spoken), next(iter(theirs), opened[0]))


def _other(row: SignOff, step: ReviewStep | None) -> bool:
    return step is None or row.step_id != step.pk


def who_may_decide(submission: Submission, caller: Caller, *, case: Case | None = None) -> DomainError | None:
    """Why the caller may not decide the step whose turn it is, or None when they may.

    The one function behind the service, the API's `actions` and the buttons; the database trigger holds the same rules.
    """
    return decision_refusal(case or case_of(submission, caller), caller.actor(submission.unit_id))
