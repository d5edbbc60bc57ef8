"""Decisions through the service: the red and yellow journeys, what a decision must say, and when it is stale."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from governance.domain.errors import (
    Conflict,
    Forbidden,
    InvalidInput,
    NotFound,
    ReauthenticationNeeded,
    SegregationOfDuties,
    StaleDossier,
)
from governance.domain.vocabulary import DecisionKind, Role, State, StepState, Track
from governance.models import ApiToken, AuditEvent, Contributor, Evidence, EvidenceFile, Person, RoleGrant, Submission
from governance.selectors.access import caller_for
from reviews.models import ChangeItem, Condition, Permit, SignOff
from reviews.services.claiming import claim, release
from reviews.services.deciding import decide
from reviews.services.decision_input import NewChange, NewCondition, NewDecision
from reviews.services.permits import revoke
from reviews.services.refreshing import refresh_now
from tests.reviews import making
from tests.reviews.making import Gate, approve

pytestmark = pytest.mark.django_db(transaction=True)


def say(row: Submission, who: Person, decision: NewDecision | None = None, digest: str = "") -> Any:
    return decide(
        caller=making.call(who), submission_id=row.pk, dossier_digest=digest or row.dossier_digest, decision=decision or approve()
    )


def actions(row: Submission) -> list[str]:
    return list(AuditEvent.objects.filter(object=f"submission:{row.pk}").order_by("seq").values_list("action", flat=True))


def test_red_goes_from_the_analyst_to_the_risk_officer_and_ends_with_a_permit() -> None:
    people, row = making.everybody(), making.in_review()
    say(row, people["amir"])
    row = making.fresh(row)
    assert (row.state, row.turn) == (State.IN_REVIEW, Role.RISK_OFFICER)
    assert row.due_at is not None and row.due_at > timezone.now()
    assert not Permit.objects.exists()
    say(row, people["ruth"])
    row = making.fresh(row)
    assert (row.state, row.turn) == (State.APPROVED, "")
    permit = Permit.objects.get()
    assert permit.dossier_digest == row.dossier_digest
    assert timedelta(days=89) < permit.expires_at - timezone.now() <= timedelta(days=90)
    assert actions(row)[-6:] == [
        "review.requested",
        "sign_off.recorded",
        "review.requested",
        "sign_off.recorded",
        "submission.complete_review",
        "permit.issued",
    ]


def test_yellow_needs_one_platform_engineer() -> None:
    people, row = making.everybody(), making.in_review(Track.YELLOW)
    say(row, people["pia"])
    assert making.fresh(row).state == State.APPROVED


def test_a_rule_adds_the_data_steward_before_the_risk_officer() -> None:
    people = making.everybody()
    row = making.in_review(facts=making.facts_for(Track.RED, data__contains_pii=True))
    for name, role in (("amir", Role.ANALYST), ("priya", Role.PRIVACY), ("ruth", Role.RISK_OFFICER)):
        assert making.fresh(row).turn == role
        say(row, people[name])
    assert making.fresh(row).state == State.APPROVED


def test_an_approval_supersedes_the_version_in_force_and_leaves_its_permit_for_the_way_back() -> None:
    people, first = making.everybody(), making.in_review(Track.YELLOW)
    say(first, people["pia"])
    other_environment = making.in_review(Track.YELLOW)
    Submission.objects.filter(pk=other_environment.pk).update(environment="staging")
    refresh_now(submission_id=other_environment.pk)
    say(making.fresh(other_environment), people["pia"])
    second = making.in_review(Track.YELLOW)
    say(second, people["pia"])
    assert making.fresh(first).state == State.SUPERSEDED
    assert making.fresh(other_environment).state == State.APPROVED
    assert making.fresh(second).state == State.APPROVED
    assert Permit.objects.get(submission=first).revoked_at is None


class TestWhoMayDecide:
    def test_not_the_submitter(self) -> None:
        row = making.in_review()
        RoleGrant.objects.create(person=row.submitter, role=Role.ANALYST, reason="test")
        with pytest.raises(SegregationOfDuties, match="You submitted"):
            say(row, row.submitter)

    def test_not_a_contributor(self) -> None:
        people, row = making.everybody(), making.in_review()
        Contributor.objects.create(submission=row, person=people["amir"], why="trained it")
        with pytest.raises(SegregationOfDuties, match="trained it"):
            say(row, people["amir"])

    def test_not_the_analyst_as_risk_officer(self) -> None:
        people, row = making.everybody(), making.in_review()
        RoleGrant.objects.create(person=people["amir"], role=Role.RISK_OFFICER, reason="test")
        say(row, people["amir"])
        with pytest.raises(SegregationOfDuties, match="already decided"):
            say(making.fresh(row), people["amir"])

    def test_what_was_voided_bars_nobody_but_what_stands_does(self) -> None:
        people, row = making.everybody(), making.in_review()
        other = making.person("aisha", Role.ANALYST, everywhere=True)
        RoleGrant.objects.create(person=people["amir"], role=Role.RISK_OFFICER, reason="test")
        step = making.open_step(row)
        first = say(row, people["amir"]).sign_off
        assert first.step == step
        # the case comes back to the analysts and another one decides
        SignOff.objects.update(voided_at=timezone.now(), voided_why="test")
        Submission.objects.filter(pk=row.pk).update(dossier_digest="sha256:old")
        refresh_now(submission_id=row.pk)
        row = making.fresh(row)
        say(row, other)
        # what was voided does not bar; what stands does
        RoleGrant.objects.create(person=other, role=Role.RISK_OFFICER, reason="test")
        with pytest.raises(SegregationOfDuties):
            say(making.fresh(row), other)
        say(making.fresh(row), people["amir"])

    @pytest.mark.parametrize("name", ["dana2", "pia", "ruth", "ada", "root"])
    def test_not_without_the_role(self, name: str) -> None:
        people, row = making.everybody(), making.in_review()
        people["dana2"] = making.person("dana2", Role.SUBMITTER)
        people["root"] = Person.objects.create_superuser("root", "root@example.org", "x" * 12, unit=making.unit())
        with pytest.raises(Forbidden, match="belongs to the ML Governance Analyst"):
            say(row, people[name])

    def test_not_a_token_even_of_a_person_with_the_role(self) -> None:
        people, row = making.everybody(), making.in_review()
        token = ApiToken.objects.create(
            name="ci",
            person=people["amir"],
            unit=row.unit,
            sha256="c" * 64,
            shown="grl_",
            scopes=["submit", "read"],
            expires_at=timezone.now() + timedelta(1),
        )
        caller = caller_for(people["amir"], token=token)
        with pytest.raises(Forbidden, match="token cannot decide"):
            decide(caller=caller, submission_id=row.pk, dossier_digest=row.dossier_digest, decision=approve())

    def test_nobody_of_another_unit_finds_the_case(self) -> None:
        row, shop = making.in_review(), making.unit("shop")
        stranger = making.person("sam", Role.ANALYST, at=shop)
        with pytest.raises(NotFound):
            say(row, stranger)
        with pytest.raises(NotFound):
            claim(caller=making.call(stranger), submission_id=row.pk)

    def test_a_grant_that_ended_counts_no_more(self) -> None:
        people, row = making.everybody(), making.in_review()
        RoleGrant.objects.filter(person=people["amir"]).update(valid_until=timezone.now() - timedelta(seconds=1))
        with pytest.raises((Forbidden, NotFound)):
            say(row, people["amir"])


class TestWhatADecisionMustSay:
    def errors(self, row: Submission, who: Person, decision: NewDecision) -> dict[str, str]:
        with pytest.raises(InvalidInput) as caught:
            say(row, who, decision)
        assert not SignOff.objects.filter(submission=row, by=who).exists()
        assert making.fresh(row).state == State.IN_REVIEW
        return {error.pointer: error.code for error in caught.value.errors}

    def test_an_approval_reads_each_gate_that_is_not_green(self) -> None:
        people = making.everybody()
        gates = (
            Gate("GP101"),
            Gate("GF101", "warn", says="The interval reaches past the limit."),
            Gate("GD301", "fail", False, "Two columns drift."),
            Gate("GM101", "not_applicable"),
        )
        row = making.in_review(gates=gates)
        assert self.errors(row, people["amir"], approve()) == {"/readings/GF101": "missing", "/readings/GD301": "missing"}
        said = {
            "GF101": "Few cases in the oldest band; the point itself is well above the limit.",
            "GD301": "Both columns follow the season.",
        }
        say(row, people["amir"], approve(readings=said))
        assert SignOff.objects.get().readings == said
        # the risk officer writes their own
        row = making.fresh(row)
        assert self.errors(row, people["ruth"], approve(readings=said)) == {
            "/readings/GF101": "copied",
            "/readings/GD301": "copied",
        }

    @pytest.mark.parametrize(
        ("text", "code"),
        [
            ("", "missing"),
            ("   \n", "missing"),
            ("ok", "missing"),
            ("." * 40, "missing"),
            ("fine fine fine fine fine", "missing"),
            ("The interval reaches past the limit by a little.", "copied"),
            ("the INTERVAL reaches past the limit, by a little!", "copied"),
        ],
    )
    def test_an_empty_or_copied_reading_is_refused(self, text: str, code: str) -> None:
        people = making.everybody()
        row = making.in_review(gates=(Gate("GF101", "warn", says="The interval reaches past the limit by a little."),))
        assert self.errors(row, people["amir"], approve(readings={"GF101": text})) == {"/readings/GF101": code}

    def test_the_same_words_for_two_gates_are_refused(self) -> None:
        people = making.everybody()
        row = making.in_review(gates=(Gate("GF101", "warn", says="One."), Gate("GF102", "warn", says="Two.")))
        words = "I looked at it and accept what it says here."
        assert self.errors(row, people["amir"], approve(readings={"GF101": words, "GF102": words})) == {
            "/readings/GF102": "copied"
        }

    def test_changes_are_bound_to_a_gate_or_a_question(self) -> None:
        people, row = making.everybody(), making.in_review()
        asks, good = "Show the groups by age.", "A ratio above 0.8 in each band."

        def request(*items: NewChange) -> NewDecision:
            return NewDecision(DecisionKind.REQUEST_CHANGES, change_items=items)

        assert self.errors(row, people["amir"], request()) == {"/change_items": "missing"}
        assert self.errors(row, people["amir"], request(NewChange(asks, good))) == {"/change_items/0": "unbound"}
        assert self.errors(row, people["amir"], request(NewChange(asks, good, "GP101", "decision.domain"))) == {
            "/change_items/0": "unbound"
        }
        assert self.errors(row, people["amir"], request(NewChange(asks, good, "GZ999"))) == {
            "/change_items/0/about_gate": "unknown"
        }
        assert self.errors(row, people["amir"], request(NewChange(asks, good, "", "no.such"))) == {
            "/change_items/0/about_question": "unknown"
        }
        assert self.errors(row, people["amir"], request(NewChange("", "", "GP101"))) == {
            "/change_items/0/asks": "missing",
            "/change_items/0/good_enough": "missing",
        }
        say(row, people["amir"], request(NewChange(asks, good, "GP101"), NewChange(asks, good, "", "rollout.rollback_target")))
        row = making.fresh(row)
        assert (row.state, row.turn) == (State.CHANGES_REQUESTED, "submitter")
        assert ChangeItem.objects.count() == 2
        assert set(row.steps.values_list("state", flat=True)) == {StepState.DONE, StepState.VOID}

    def test_a_rejection_says_why_and_what_would_be_accepted(self) -> None:
        people, row = making.everybody(), making.in_review()
        assert self.errors(row, people["amir"], NewDecision(DecisionKind.REJECT)) == {
            "/comment": "missing",
            "/accepted_instead": "missing",
        }
        say(
            row,
            people["amir"],
            NewDecision(
                DecisionKind.REJECT,
                comment="It was trained on the outcome itself.",
                accepted_instead="A model without the repayment columns.",
            ),
        )
        assert making.fresh(row).state == State.REJECTED
        assert not Permit.objects.exists()

    def test_conditions_have_text_owner_and_due_date(self) -> None:
        people, row = making.everybody(), making.in_review(Track.YELLOW)
        stranger = making.person("sam", at=making.unit("shop"))
        soon = (timezone.now() + timedelta(days=30)).date()

        def under(*items: NewCondition) -> NewDecision:
            return NewDecision(DecisionKind.APPROVE_WITH_CONDITIONS, conditions=items)

        assert self.errors(row, people["pia"], under()) == {"/conditions": "missing"}
        bad = NewCondition("", stranger.pk, timezone.now().date())
        assert set(self.errors(row, people["pia"], under(bad))) == {
            "/conditions/0/text",
            "/conditions/0/owner",
            "/conditions/0/due_on",
        }
        say(row, people["pia"], under(NewCondition("Watch the drift of income.", people["dana"].pk, soon)))
        assert Condition.objects.get().owner == people["dana"]
        assert making.fresh(row).state == State.APPROVED

    def test_a_risk_sign_off_is_a_fresh_signature_with_the_residual_risk_in_words(self) -> None:
        people, row = making.everybody(), making.in_review()
        say(row, people["amir"])
        row = making.fresh(row)
        assert self.errors(row, people["ruth"], approve(residual_risk="none")) == {"/residual_risk": "missing"}
        now = timezone.now()
        for when in (None, now - timedelta(seconds=301), now + timedelta(seconds=60)):
            with pytest.raises(ReauthenticationNeeded):
                say(row, people["ruth"], approve(reauthenticated_at=when))
        assert making.fresh(row).state == State.IN_REVIEW
        say(row, people["ruth"], approve(reauthenticated_at=timezone.now() - timedelta(seconds=290)))
        assert making.fresh(row).state == State.APPROVED


class TestBeforeAnythingIsApproved:
    @pytest.mark.parametrize(
        ("target", "fine"),
        [(None, False), ("", False), ("  ", False), ("first version", True), ("First Version ", True), ("2.2.0", True)],
    )
    def test_there_is_a_way_back(self, target: str | None, fine: bool) -> None:
        people = making.everybody()
        row = making.in_review(Track.YELLOW, facts=making.facts_for(Track.YELLOW, rollout__rollback_target=target))
        if fine:
            say(row, people["pia"])
        else:
            with pytest.raises(Conflict, match="rollback target"):
                say(row, people["pia"])
        assert (making.fresh(row).state == State.APPROVED) is fine

    def test_first_version_does_not_count_where_another_is_in_force(self) -> None:
        people, champion = making.everybody(), making.in_review(Track.YELLOW)
        say(champion, people["pia"])
        row = making.in_review(Track.YELLOW)
        Submission.objects.filter(pk=row.pk).update(champion=champion)
        refresh_now(submission_id=row.pk)
        with pytest.raises(Conflict, match="another version is in force"):
            say(making.fresh(row), people["pia"])

    @pytest.mark.parametrize("verdict", ["fail", "not_assessed"])
    def test_blocking_gates_pass(self, verdict: str) -> None:
        people = making.everybody()
        row = making.in_review(Track.YELLOW, gates=(Gate("GF101", verdict, says="The ratio is too low."),))
        with pytest.raises(Conflict, match="GF101"):
            say(row, people["pia"], approve(readings={"GF101": "It is what it is, we deploy all the same."}))
        assert not Permit.objects.exists()


def change_evidence(row: Submission, sha: str = "e") -> None:
    file, _ = EvidenceFile.objects.get_or_create(
        unit=row.unit, sha256=sha * 64, defaults={"size": 1, "name": "x", "media_type": "x", "uploaded_by": row.submitter}
    )
    Evidence.objects.filter(submission=row, role="candidate_predictions").update(file=file)


class TestStale:
    def test_a_decision_on_changed_evidence_is_refused_and_says_what_changed(self) -> None:
        people, row = making.everybody(), making.in_review()
        change_evidence(row)
        with pytest.raises(StaleDossier, match=r"candidate predictions: sha256 bbbbbbbbbbbb….*→ sha256 eeeeeeeeeeee…"):
            say(row, people["amir"])
        assert not SignOff.objects.exists()
        row = making.fresh(row)
        say(row, people["amir"])  # on the case as it is now

    def test_the_analysts_decision_is_void_when_the_evidence_changes_and_the_turn_comes_back(self) -> None:
        people, row = making.everybody(), making.in_review()
        say(row, people["amir"])
        row = making.fresh(row)
        change_evidence(row)
        with pytest.raises((StaleDossier, Forbidden)):
            say(row, people["ruth"])
        sign_off, row = SignOff.objects.get(), making.fresh(row)
        assert sign_off.voided_at is not None
        assert sign_off.voided_why
        assert (row.turn, row.state) == (Role.ANALYST, State.IN_REVIEW)
        assert "submission.dossier_changed" in actions(row)
        say(row, people["amir"])
        say(making.fresh(row), people["ruth"])
        assert making.fresh(row).state == State.APPROVED

    def test_a_refresh_by_itself_voids_too_and_twice_does_nothing_more(self) -> None:
        people, row = making.everybody(), making.in_review()
        say(row, people["amir"])
        assert refresh_now(submission_id=row.pk) is False
        change_evidence(row)
        assert refresh_now(submission_id=row.pk) is True
        assert refresh_now(submission_id=row.pk) is False
        assert actions(row).count("submission.dossier_changed") == 1

    def test_what_the_pack_calls_immaterial_voids_nothing(self) -> None:
        people, row = making.everybody(), making.in_review()
        say(row, people["amir"])
        row = making.fresh(row)
        row.answers.create(
            question="business.context", value="Pre-screens applications, spelling mended.", provenance="typed", by=row.submitter
        )
        file = EvidenceFile.objects.create(
            unit=row.unit, sha256="d" * 64, size=1, name="note.pdf", media_type="x", uploaded_by=row.submitter
        )
        Evidence.objects.create(submission=row, role="document", file=file, added_by=row.submitter)
        say(row, people["ruth"])
        assert making.fresh(row).state == State.APPROVED

    def test_an_answer_to_a_material_question_does(self) -> None:
        people, row = making.everybody(), making.in_review()
        row.answers.update(value="fraud")
        with pytest.raises(StaleDossier, match=r"decision\.domain: credit → fraud"):
            say(row, people["amir"])

    def test_deciding_twice_is_refused(self) -> None:
        people, row = making.everybody(), making.in_review()
        say(row, people["amir"])
        with pytest.raises(Forbidden):
            say(making.fresh(row), people["amir"])
        say(making.fresh(row), people["ruth"])
        with pytest.raises(Conflict):
            say(making.fresh(row), people["ruth"])
        assert SignOff.objects.count() == 2


def test_claiming_is_for_those_who_may_decide_and_by_one_at_a_time() -> None:
    people, row = making.everybody(), making.in_review()
    aisha = making.person("aisha", Role.ANALYST, everywhere=True)
    with pytest.raises(Forbidden):
        claim(caller=making.call(people["pia"]), submission_id=row.pk)
    claim(caller=making.call(people["amir"]), submission_id=row.pk)
    claim(caller=making.call(people["amir"]), submission_id=row.pk)
    with pytest.raises(Conflict, match="Amir is already on it"):
        claim(caller=making.call(aisha), submission_id=row.pk)
    release(caller=making.call(people["amir"]), submission_id=row.pk)
    assert claim(caller=making.call(aisha), submission_id=row.pk).claimed_by == aisha
    say(making.fresh(row), people["amir"])  # a claim takes nobody's right
    assert making.fresh(row).claimed_by is None
    assert actions(row).count("review.claimed") == 2


def test_revoking_ends_the_permit_at_once() -> None:
    people, row = making.everybody(), making.in_review(Track.YELLOW)
    say(row, people["pia"])
    with pytest.raises(Forbidden):
        revoke(caller=making.call(people["dana"]), submission_id=row.pk, reason="I do not like it any more.")
    with pytest.raises(InvalidInput):
        revoke(caller=making.call(people["ruth"]), submission_id=row.pk, reason="no")
    revoke(caller=making.call(people["ruth"]), submission_id=row.pk, reason="Customers were refused by mistake.")
    permit = Permit.objects.get()
    assert permit.revoked_at is not None
    assert making.fresh(row).state == State.REVOKED
    with pytest.raises(Conflict):
        revoke(caller=making.call(people["ruth"]), submission_id=row.pk, reason="Customers were refused by mistake.")
