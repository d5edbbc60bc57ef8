"""What approvals leave to be done: scheduled in the approval's transaction, recorded once with evidence, late ones stand out."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from governance.domain.errors import Conflict, DomainError, InvalidInput, NotFound, SegregationOfDuties
from governance.domain.vocabulary import DecisionKind, State, Track
from governance.models import AuditEvent, Person, Submission
from reviews.models import Condition, Evaluation, Finding, Notification, Permit
from reviews.selectors.following_up import follow_up
from reviews.selectors.permits import permit_answer
from reviews.services.deciding import decide
from reviews.services.decision_input import NewCondition
from reviews.services.following_up import lapse_missed, meet_condition, record_evaluation
from reviews.services.reminding import remind
from tests.reviews import making
from tests.reviews.test_waivers import shift

pytestmark = pytest.mark.django_db(transaction=True)
PLAN = {"after_days": 30, "looks_at": ["live performance", "complaints"]}
FOUND = {"found": "Live AUC is 0.80 over 9,000 cases, against 0.81 approved.", "evidence": "dashboard ML-7, week 49"}


@pytest.fixture(autouse=True)
def evaluations_in_the_pack(monkeypatch: pytest.MonkeyPatch) -> None:
    tracks = making.PACK["tracks"]
    assert isinstance(tracks, dict)
    planned = {
        name: {**plan, "evaluation": {**PLAN, "after_days": days}}
        for (name, plan), days in zip(tracks.items(), (60, 30, 14), strict=True)
    }
    monkeypatch.setitem(making.PACK, "tracks", planned)


@pytest.fixture
def people() -> dict[str, Person]:
    return making.everybody()


def approved(people: dict[str, Person], *conditions: NewCondition) -> Submission:
    row = making.in_review(Track.YELLOW)
    decision = making.approve()
    if conditions:
        decision = type(decision)(DecisionKind.APPROVE_WITH_CONDITIONS, conditions=conditions)
    decide(caller=making.call(people["pia"]), submission_id=row.pk, dossier_digest=row.dossier_digest, decision=decision)
    row = making.fresh(row)
    assert row.state == State.APPROVED
    return row


def condition(people: dict[str, Person], **more: object) -> NewCondition:
    given = {
        "text": "Watch the smallest group weekly.",
        "owner": people["dana"].pk,
        "due_on": timezone.now().date() + timedelta(days=5),
    }
    return NewCondition(**{**given, **more})  # type: ignore[arg-type]


class TestTheEvaluation:
    def test_an_approval_schedules_it_with_the_date_of_its_track(self, people: dict[str, Person]) -> None:
        row = approved(people)
        kept = Evaluation.objects.get(submission=row)
        assert kept.due_on == timezone.now().date() + timedelta(days=30)
        assert kept.owner == row.system.owner and kept.looks_at == ["live performance", "complaints"]
        actions = list(AuditEvent.objects.order_by("seq").values_list("action", flat=True))
        assert actions[actions.index("permit.issued") :] == ["permit.issued", "evaluation.scheduled"]

    def test_one_is_recorded_with_evidence_by_somebody_and_stays(self, people: dict[str, Person]) -> None:
        row = approved(people)
        record_evaluation(caller=making.call(people["pia"]), submission_id=row.pk, result="as_expected", **FOUND)
        kept = Evaluation.objects.get()
        assert (kept.result, kept.recorded_by) == ("as_expected", people["pia"])
        with pytest.raises(Conflict, match="recorded already"):
            record_evaluation(caller=making.call(people["pia"]), submission_id=row.pk, result="worse", **FOUND)
        with pytest.raises(IntegrityError), transaction.atomic():
            Evaluation.objects.update(found="something else")

    def test_without_result_finding_or_evidence_it_is_not_recorded(self, people: dict[str, Person]) -> None:
        row = approved(people)
        with pytest.raises(InvalidInput) as caught:
            record_evaluation(caller=making.call(people["pia"]), submission_id=row.pk, result="", found="fine", evidence="")
        assert {error.pointer for error in caught.value.errors} == {"/result", "/found", "/evidence"}

    def test_worse_than_approved_opens_a_finding_and_tells_reviewers(self, people: dict[str, Person]) -> None:
        row = approved(people)
        record_evaluation(caller=making.call(people["pia"]), submission_id=row.pk, result="worse", **FOUND)
        assert Finding.objects.get(submission=row).severity == "high"
        told = set(Notification.objects.filter(kind="follow_up").values_list("person__username", flat=True))
        assert told == {"dana", "amir", "ruth"}

    @pytest.mark.parametrize("name", ["ada", "otto"])
    def test_who_neither_owns_nor_reviews_does_not_record(self, people: dict[str, Person], name: str) -> None:
        who = people.get(name) or making.person(name)
        row = approved(people)
        with pytest.raises(DomainError):
            record_evaluation(caller=making.call(who), submission_id=row.pk, result="as_expected", **FOUND)

    def test_overdue_shows_and_is_escalated_once(self, people: dict[str, Person]) -> None:
        row = approved(people)
        late = Evaluation.objects.get(submission=row)
        _move(late, timezone.now().date() - timedelta(days=1))
        task = next(t for t in follow_up(making.call(people["amir"])) if t.kind == "evaluation")
        assert task.overdue and task.owner == "Dana"
        remind()
        remind()
        told = list(Notification.objects.filter(kind="follow_up").values_list("person__username", flat=True))
        assert sorted(told) == ["dana", "pia", "ruth"]


class TestConditions:
    def test_somebody_else_confirms_with_evidence(self, people: dict[str, Person]) -> None:
        approved(people, condition(people))
        row = Condition.objects.get()
        with pytest.raises(SegregationOfDuties):
            meet_condition(caller=making.call(people["dana"]), condition_id=row.pk, evidence="I did it, see my notebook.")
        with pytest.raises(InvalidInput):
            meet_condition(caller=making.call(people["pia"]), condition_id=row.pk, evidence="ok")
        meet_condition(caller=making.call(people["pia"]), condition_id=row.pk, evidence="Weekly report 47, group table.")
        row.refresh_from_db()
        assert row.confirmed_by == people["pia"] and AuditEvent.objects.filter(action="condition.met").exists()

    def test_a_missed_one_ends_the_permit_as_it_says(self, people: dict[str, Person]) -> None:
        row = approved(people, condition(people))
        _move(Condition.objects.get(), timezone.now().date() - timedelta(days=1))
        assert lapse_missed() == 1 and lapse_missed() == 0
        assert making.fresh(row).state == State.REVOKED
        assert Permit.objects.get().revoked_why.startswith("The condition “Watch the smallest group weekly.” was due")
        assert not permit_answer(making.call(people["dana"]), system=row.system.slug, version=row.version.version).allowed

    def test_one_that_says_otherwise_or_is_met_or_is_due_today_does_not(self, people: dict[str, Person]) -> None:
        row = approved(people, condition(people, if_missed="The board is told."), condition(people), condition(people))
        other, met, today = Condition.objects.order_by("id")
        meet_condition(caller=making.call(people["pia"]), condition_id=met.pk, evidence="Weekly report 47, group table.")
        _move(other, timezone.now().date() - timedelta(days=1))
        _move(met, timezone.now().date() - timedelta(days=1))
        _move(today, timezone.now().date())
        assert lapse_missed() == 0
        assert making.fresh(row).state == State.APPROVED


def test_another_unit_finds_nothing(people: dict[str, Person]) -> None:
    row = approved(people, condition(people))
    gus = making.call(making.person("gus", making.Role.ANALYST, at=making.unit("shop")))
    assert follow_up(gus) == ()
    with pytest.raises(NotFound):
        record_evaluation(caller=gus, submission_id=row.pk, result="as_expected", **FOUND)
    with pytest.raises(NotFound):
        meet_condition(caller=gus, condition_id=Condition.objects.get().pk, evidence="Weekly report 47.")


def _move(row: Evaluation | Condition, day: date) -> None:
    """As if that day had come; the table's own fence is put back as it was."""
    shift(row._meta.db_table, row.pk, due_on=day)
