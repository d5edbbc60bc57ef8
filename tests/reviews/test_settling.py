"""From submit to review: what settling does with measurements, and what it leaves alone."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.utils import timezone

from gates.models import GateRun, Measurement
from governance.domain.errors import Conflict, Forbidden, InvalidInput
from governance.domain.lifecycle import Action
from governance.domain.vocabulary import DecisionKind, Role, RunStatus, State, StepState, Track
from governance.models import AuditEvent, Submission, TrackDecision
from governance.services.drafts import NewAnswer, answer, changing
from reviews.models import Dossier, Finding, Permit, SignOff
from reviews.selectors.decision_view import decision_view
from reviews.services import intake
from reviews.services.deciding import decide
from reviews.services.decision_input import NewChange, NewDecision
from reviews.services.settling import due_to_settle, settle
from tests.reviews import making

pytestmark = pytest.mark.django_db(transaction=True)

GATE = {
    "gate": "GR101",
    "why": "Files that run code.",
    "tracks": ["green", "yellow", "red"],
    "blocking": True,
    "note": "convention",
}


def finish(
    row: Submission, *, safe: float | None = 1.0, status: RunStatus = RunStatus.DONE, facts: list[dict[str, Any]] | None = None
) -> None:
    """What a worker leaves behind."""
    for run in GateRun.objects.filter(submission=row, revision=row.revision).exclude(status=RunStatus.DONE):
        GateRun.objects.filter(pk=run.pk).update(
            status=status,
            finished_at=Now(),
            lease_until=None,
            facts=facts or [],
            error="It crashed." if status == RunStatus.ERROR else "",
        )
        if status == RunStatus.DONE:
            Measurement.objects.create(run=run, submission=row, metric="serialization.safe", value=safe, text="A file")


def events(row: Submission, action: str) -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(object=f"submission:{row.pk}", action=action))


def test_a_red_one_goes_to_review_with_its_steps_due_and_its_dossier_kept() -> None:
    making.policy(GATE)
    row = making.handed_in()
    assert (row.state, row.track, row.track_is_final, row.turn) == (State.IN_CHECKS, Track.RED, False, "machine")
    assert settle(submission_id=row.pk) is None  # its run has not finished
    finish(row)
    assert settle(submission_id=row.pk) is State.IN_REVIEW
    row = making.fresh(row)
    assert (row.turn, row.track_is_final) == (Role.ANALYST, True)
    assert list(row.steps.values_list("role", "state")) == [("analyst", StepState.OPEN), ("risk_officer", StepState.WAITING)]
    assert row.due_at is not None and row.due_at > timezone.now() + timedelta(days=2)
    assert Dossier.objects.get(submission=row).digest == row.dossier_digest
    assert TrackDecision.objects.filter(submission=row).count() == 2


def test_settling_twice_or_by_two_at_once_settles_once() -> None:
    making.policy(GATE)
    row = making.handed_in(Track.GREEN)
    finish(row)
    start, results = threading.Barrier(4), []

    def run() -> None:
        try:
            start.wait()
            results.append(settle(submission_id=row.pk))
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, results)) == ["None", "None", "None", "approved"]
    assert Permit.objects.count() == 1
    assert len(events(row, "submission.approve_by_policy")) == 1


def test_green_is_approved_by_the_policy_which_is_named_and_signs_nothing_as_a_person() -> None:
    pack = making.policy(GATE)
    row = making.handed_in(Track.GREEN)
    finish(row)
    assert settle(submission_id=row.pk) is State.APPROVED
    assert not SignOff.objects.exists()
    permit, event = Permit.objects.get(), events(row, "submission.approve_by_policy")[0]
    assert permit.policy_digest == pack.digest
    assert event.actor == "policy"
    assert '"version":"2026.11.1"' in event.payload
    assert '"rules_held":["TR-020","TR-030","TR-060"]' in event.payload
    view = decision_view(row.pk, making.call(row.submitter))
    assert view.history[1].says == "approved by policy ml_model 2026.11.1"
    assert {held.rule for held in view.held} == {"TR-020", "TR-030", "TR-060"}


@pytest.mark.parametrize("target", [None, ""])
def test_nothing_without_a_way_back_is_approved_not_even_green(target: str | None) -> None:
    """The version before was revoked: nothing in force to return to, and not the first version either."""
    making.policy(GATE)
    before = making.draft(Track.GREEN)
    Submission.objects.filter(pk=before.pk).update(state=State.REVOKED)
    row = making.handed_in(Track.GREEN, facts=making.facts_for(Track.GREEN, rollout__rollback_target=target))
    finish(row)
    assert settle(submission_id=row.pk) is State.CHECKS_FAILED
    assert Finding.objects.get().about == "rollout.rollback_target"
    assert not Permit.objects.exists()


@pytest.mark.parametrize("how", ["fails", "says nothing", "stopped with an error"])
def test_a_blocking_gate_that_does_not_pass_is_the_submitters_turn_and_mending_it_closes_the_finding(how: str) -> None:
    making.policy(GATE)
    row = making.handed_in()
    if how == "stopped with an error":
        finish(row, status=RunStatus.ERROR)
    else:
        finish(row, safe=0.0 if how == "fails" else None)
    assert settle(submission_id=row.pk) is State.CHECKS_FAILED
    row, finding = making.fresh(row), Finding.objects.get()
    assert (row.turn, finding.about, finding.severity, finding.state) == ("submitter", "GR101", "high", "open")
    assert finding.says and finding.fix
    assert not row.steps.exists()
    # mended, and handed in again
    with changing(making.call(row.submitter), row.pk) as (work, working):
        answer(work, working, {"business.context": NewAnswer("Pre-screens applications, again.")}, reason_needed=False)
    intake.revise(caller=making.call(row.submitter), submission_id=row.pk, note="Saved as UBJSON.")
    row = making.fresh(row)
    assert (row.revision, row.state) == (2, State.IN_CHECKS)
    for run in GateRun.objects.filter(submission=row, revision=2):
        Measurement.objects.filter(run=run).exists() or finish(row)
    if how != "stopped with an error":
        # its inputs did not change, so what was measured is carried over and says the same
        assert settle(submission_id=row.pk) is State.CHECKS_FAILED
        assert Finding.objects.filter(state="open").count() == 1
        return
    assert settle(submission_id=row.pk) is State.IN_REVIEW
    finding.refresh_from_db()
    assert finding.state == "closed"
    assert "revision 2" in finding.closed_why


def test_what_stopped_with_an_error_can_be_run_again_by_the_submitter_or_the_engineer() -> None:
    people = making.everybody()
    making.policy(GATE)
    row = making.handed_in()
    finish(row, status=RunStatus.ERROR)
    settle(submission_id=row.pk)
    with pytest.raises(Forbidden):
        intake.recheck(caller=making.call(people["ada"]), submission_id=row.pk)
    intake.recheck(caller=making.call(people["pia"]), submission_id=row.pk)
    assert making.fresh(row).state == State.IN_CHECKS
    finish(row)
    assert settle(submission_id=row.pk) is State.IN_REVIEW
    assert Finding.objects.get().state == "closed"


def test_a_failed_check_is_not_run_again_it_needs_a_revision() -> None:
    making.policy(GATE)
    row = making.handed_in()
    finish(row, safe=0.0)
    settle(submission_id=row.pk)
    with pytest.raises(Conflict):
        intake.recheck(caller=making.call(row.submitter), submission_id=row.pk)
    assert making.fresh(row).state == State.CHECKS_FAILED


def test_a_measurement_raises_the_track_and_contradicts_what_was_declared() -> None:
    making.policy(GATE)
    row = making.handed_in(Track.GREEN)
    assert row.track == Track.GREEN
    finish(row, facts=[{"name": "performance.relative_change", "value": -0.2}])
    assert settle(submission_id=row.pk) is State.IN_REVIEW
    row = making.fresh(row)
    assert (row.track, row.turn) == (Track.RED, Role.ANALYST)
    finding = Finding.objects.get()
    assert (finding.about, finding.severity) == ("performance.relative_change", "medium")
    assert "-0.2" in finding.says and "0.01" in finding.says


def test_a_measurement_never_lowers_it() -> None:
    making.policy(GATE)
    row = making.handed_in(Track.YELLOW)
    finish(row, facts=[{"name": "performance.relative_change", "value": 0.0}])
    settle(submission_id=row.pk)
    assert making.fresh(row).track == Track.YELLOW


def test_a_lost_message_is_found() -> None:
    making.policy(GATE)
    rows = [making.handed_in(), making.handed_in()]
    assert due_to_settle() == []
    finish(rows[1])
    assert due_to_settle() == [rows[1].pk]


def test_withdrawing_ends_runs_and_steps_and_leaves_the_record() -> None:
    people = making.everybody()
    making.policy(GATE)
    row = making.handed_in()
    with pytest.raises(Forbidden):
        intake.withdraw(caller=making.call(people["amir"]), submission_id=row.pk)
    intake.withdraw(caller=making.call(row.submitter), submission_id=row.pk)
    assert making.fresh(row).state == State.WITHDRAWN
    assert set(GateRun.objects.values_list("status", flat=True)) == {RunStatus.CANCELLED}
    reviewed = making.in_review()
    intake.withdraw(caller=making.call(reviewed.submitter), submission_id=reviewed.pk)
    assert set(reviewed.steps.values_list("state", flat=True)) == {StepState.VOID}
    with pytest.raises(Conflict):
        decide(
            caller=making.call(people["amir"]),
            submission_id=reviewed.pk,
            dossier_digest=reviewed.dossier_digest,
            decision=making.approve(),
        )


def test_requested_changes_are_answered_in_the_next_revision_and_the_first_review_stays_on_record() -> None:
    people = making.everybody()
    making.policy(GATE)
    row = making.handed_in()
    finish(row)
    settle(submission_id=row.pk)
    row = making.fresh(row)
    item = NewChange("Name the version to return to.", "A version that still serves.", "", "rollout.rollback_target")
    decide(
        caller=making.call(people["amir"]),
        submission_id=row.pk,
        dossier_digest=row.dossier_digest,
        decision=NewDecision(DecisionKind.REQUEST_CHANGES, change_items=(item,)),
    )
    dana = making.call(row.submitter)
    asked = decision_view(row.pk, dana).change_items[0]
    with changing(dana, row.pk) as (work, working):
        answer(work, working, {"rollout.rollback_target": NewAnswer("2.1.0", "It serves until March.")})
    with pytest.raises(InvalidInput):
        intake.revise(caller=dana, submission_id=row.pk, replies={asked.id + 999: "x"})
    intake.revise(caller=dana, submission_id=row.pk, note="A way back.", replies={asked.id: "2.1.0 still serves."})
    finish(making.fresh(row))
    assert settle(submission_id=row.pk) is State.IN_REVIEW
    view = decision_view(row.pk, making.call(people["amir"]))
    assert view.change_items[0].reply == "2.1.0 still serves."
    assert view.change_items[0].replied_in_revision == 2
    assert view.since_last_revision is not None
    assert [(c.label, c.before, c.after) for c in view.since_last_revision.changes] == [
        ("rollout.rollback_target", "first version", "2.1.0")
    ]
    assert [s.decision for s in view.sign_offs] == ["request_changes"]
    assert view.steps[0].state == "open"
    # the same analyst goes on; the sign-off of the first revision stays
    decide(
        caller=making.call(people["amir"]), submission_id=row.pk, dossier_digest=view.dossier_digest, decision=making.approve()
    )
    decide(
        caller=making.call(people["ruth"]),
        submission_id=row.pk,
        dossier_digest=making.fresh(row).dossier_digest,
        decision=making.approve(),
    )
    assert making.fresh(row).state == State.APPROVED
    assert SignOff.objects.count() == 3


def test_every_move_left_its_event() -> None:
    people = making.everybody()
    making.policy(GATE)
    row = making.handed_in(Track.YELLOW)
    finish(row)
    settle(submission_id=row.pk)
    decide(
        caller=making.call(people["pia"]),
        submission_id=row.pk,
        dossier_digest=making.fresh(row).dossier_digest,
        decision=making.approve(),
    )
    moves = [Action.SUBMIT, Action.PASS_CHECKS, Action.COMPLETE_REVIEW]
    assert [len(events(row, f"submission.{move.value}")) for move in moves] == [1, 1, 1]


def test_a_submission_that_no_policy_was_assigned_to_says_so() -> None:
    making.policy(GATE)
    row = making.handed_in(Track.GREEN)
    finish(row)
    Submission.objects.filter(pk=row.pk).update(policy=None)
    with pytest.raises(Conflict, match=f"{row.number} is in checks, but no policy was ever assigned") as raised:
        settle(submission_id=row.pk)
    assert raised.value.code == "judged_by_nothing"
