"""Who may do what: the whole matrix of roles, and a case reaches its reviewers only when its checks are through."""

from __future__ import annotations

from dataclasses import replace

import pytest

from governance.domain.errors import DomainError, Forbidden
from governance.domain.vocabulary import DecisionKind, Role, State, Track
from governance.models import Person, Submission
from reviews.models import SignOff
from reviews.selectors.decision_view import decision_view
from reviews.selectors.queue import review_queue
from reviews.services.deciding import decide
from reviews.services.intake import withdraw
from reviews.services.permits import revoke
from reviews.services.settling import settle
from tests.reviews import making
from tests.reviews.test_settling import GATE, finish

pytestmark = pytest.mark.django_db(transaction=True)

# whose signature opens which step; nobody else's does
SIGNS = {
    "platform engineer's step": (Track.YELLOW, Role.PLATFORM_ENGINEER),
    "analyst's step": (Track.RED, Role.ANALYST),
}


def somebody(role: Role) -> Person:
    return making.person(f"only-{role.value}", role, everywhere=True)


@pytest.mark.parametrize("role", list(Role), ids=lambda role: role.value)
@pytest.mark.parametrize("step", SIGNS)
def test_each_step_is_signed_by_its_role_alone(step: str, role: Role) -> None:
    track, signer = SIGNS[step]
    row = making.in_review(track)
    who = making.call(somebody(role))
    act = {"caller": who, "submission_id": row.pk, "dossier_digest": row.dossier_digest, "decision": making.approve()}
    if role is signer:
        decide(**act)
        assert SignOff.objects.get().role == role
        return
    with pytest.raises(Forbidden):
        decide(**act)
    assert not SignOff.objects.exists()
    offered = {action.action for action in decision_view(row.pk, who).actions if action.available}
    assert not offered & {"approve", "approve_with_conditions", "request_changes", "reject"}


@pytest.mark.parametrize("role", list(Role), ids=lambda role: role.value)
def test_the_risk_officer_alone_signs_after_the_analyst(role: Role) -> None:
    row = making.in_review()
    decide(
        caller=making.call(making.person("first", Role.ANALYST, everywhere=True)),
        submission_id=row.pk,
        dossier_digest=row.dossier_digest,
        decision=making.approve(),
    )
    row = making.fresh(row)
    act = {"caller": making.call(somebody(role)), "submission_id": row.pk, "dossier_digest": row.dossier_digest}
    if role is Role.RISK_OFFICER:
        decide(**act, decision=making.approve())
        assert making.fresh(row).state == State.APPROVED
    else:
        with pytest.raises(DomainError):
            decide(**act, decision=making.approve())
        assert making.fresh(row).state == State.IN_REVIEW


def test_an_auditor_reads_every_unit_and_changes_nothing() -> None:
    ada = making.person("ada", Role.AUDITOR, everywhere=True)
    shop = making.unit("shop")
    here = making.in_review()
    there = making.in_review(at=shop, submitter=making.person("sue", Role.SUBMITTER, at=shop))
    who = making.call(ada)
    seen = {row.submission for row in review_queue(who, scope="all").rows}
    assert seen == {here.number, there.number}
    view = decision_view(there.pk, who)
    assert view.gates and view.facts and view.history
    assert not [action.action for action in view.actions if action.available]
    for kind in DecisionKind:
        with pytest.raises(DomainError):
            decide(
                caller=who,
                submission_id=here.pk,
                dossier_digest=here.dossier_digest,
                decision=replace(making.approve(), kind=kind),
            )
    with pytest.raises(DomainError):
        withdraw(caller=who, submission_id=here.pk)
    with pytest.raises(DomainError):
        revoke(caller=who, submission_id=here.pk, reason="because")
    assert Submission.objects.filter(state=State.IN_REVIEW).count() == 2


def test_yellow_reaches_the_platform_engineer_only_when_its_gates_have_finished() -> None:
    pia = making.person("pia", Role.PLATFORM_ENGINEER, everywhere=True)
    making.policy(GATE)
    row = making.handed_in(Track.YELLOW)
    assert review_queue(making.call(pia)).rows == ()
    assert settle(submission_id=row.pk) is None, "its gates are not finished"
    assert review_queue(making.call(pia)).rows == ()
    finish(row)
    assert settle(submission_id=row.pk) is State.IN_REVIEW
    assert [line.submission for line in review_queue(making.call(pia)).rows] == [row.number]


def test_nobody_sees_a_case_in_their_queue_whose_blocking_gate_failed() -> None:
    people = making.everybody()
    making.policy(GATE)
    row = making.handed_in(Track.RED)
    finish(row, safe=0.0)
    assert settle(submission_id=row.pk) is State.CHECKS_FAILED
    for name in ("pia", "amir", "ruth", "priya", "ada"):
        assert review_queue(making.call(people[name])).rows == (), name
    assert [line.submission for line in review_queue(making.call(people["dana"])).rows] == [row.number]
