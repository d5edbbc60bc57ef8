"""Explanations read by people: nothing passes without a reader, answers bind to what was shown, and nobody reads their own."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.utils import timezone

from gates.models import GateOutcome, GateRun, Measurement
from governance.domain.errors import Conflict, Forbidden, InvalidInput, SegregationOfDuties
from governance.domain.vocabulary import DecisionKind, Role, RunStatus, Scope, State, Track
from governance.models import ApiToken, AuditEvent, Contributor, PolicyPack, RoleGrant, Submission
from governance.policy import load_pack
from governance.selectors.access import caller_for
from reviews.models import Attested, Finding, Notification, Permit, SignOff
from reviews.selectors.attesting import Asked, asked_of
from reviews.selectors.decision_view import decision_view
from reviews.selectors.dossier import current_digest, dossier, material_of
from reviews.services.attesting import NewAnswer, attest
from reviews.services.deciding import decide
from reviews.services.decision_input import NewDecision
from reviews.services.settling import settle
from tests.reviews import making

pytestmark = pytest.mark.django_db(transaction=True)

GATE = {"gate": "GX105", "why": "Somebody reads.", "tracks": ["red"], "blocking": True, "note": "convention"}
READS = {
    "id": "explanations_read",
    "role": "analyst",
    "title": "Reading sampled explanations",
    "asks": "Could the person understand this?",
    "statement": "I read these as the person would.",
    "reads": 4,
}


def pack_row(role: str) -> PolicyPack:
    source = json.dumps({**making.PACK, "gates": [GATE], "attestations": [{**READS, "role": role}]})
    questions = json.dumps(making.QUESTIONNAIRE)
    pack = load_pack(source, questions)
    making.policy()
    row = PolicyPack.objects.filter(digest=pack.digest).first()
    return row or PolicyPack.objects.create(
        name=pack.name, kind=pack.kind, version="2026.11.2", digest=pack.digest, source=source, questionnaire=questions
    )


def measured(row: Submission, digest: str = "sha256:one", score: float = 0.8) -> None:
    """What the collector stored: six worked examples of single decisions."""
    run = GateRun.objects.create(
        submission=row,
        revision=row.revision,
        collector="explanations",
        heavy=True,
        inputs={},
        input_digest=digest,
        status=RunStatus.DONE,
    )
    Measurement.objects.create(run=run, submission=row, metric="explanation.rows", value=1000.0)
    for number in range(6):
        detail = {
            "case": str(1040 + number),
            "decision": "declined",
            "adverse": True,
            "group": "sex=female",
            "features": [{"feature": "income", "words": "your income", "value": 1200, "contribution": 0.4, "share": 0.5}],
            "reasons": [{"code": "R01", "words": "Your income is low for the amount"}],
            "before": "",
        }
        Measurement.objects.create(
            run=run, submission=row, metric="explanation.example", value=score, group=f"case={1040 + number}", detail=detail
        )


def waiting(digest: str = "sha256:one", role: str = "analyst") -> Submission:
    """A red case whose checks are through and whose explanations wait for a reader."""
    row = making.in_checks(Track.RED)
    Submission.objects.filter(pk=row.pk).update(policy=pack_row(role))
    row.refresh_from_db()
    measured(row, digest)
    settle(submission_id=row.pk)
    return making.fresh(row)


def asked(row: Submission) -> Asked:
    material = material_of(row)
    (found,) = asked_of(row, material.pack, material.outcomes)
    return found


def answer(row: Submission, who: Any, yes: int, no: int = 0, **more: Any) -> Asked:
    """Answer that many of what is left."""
    one = asked(row)
    said = [True] * yes + [False] * no
    given = {
        item.key: NewAnswer(ok, "" if ok else "Nobody says “utilisation”.") for item, ok in zip(one.left, said, strict=False)
    }
    values: dict[str, Any] = {"what": "explanations_read", "subject": one.subject, "answers": given, **more}
    return attest(caller=making.call(who) if not hasattr(who, "actor") else who, submission_id=row.pk, **values)


def outcome(row: Submission) -> GateOutcome:
    return GateOutcome.objects.filter(submission=row, code="GX105").order_by("-round")[0]


def approve(row: Submission, who: Any) -> None:
    decide(
        caller=making.call(who),
        submission_id=row.pk,
        dossier_digest=current_digest(row.pk),
        decision=NewDecision(
            DecisionKind.APPROVE,
            comment="Read with the evidence beside it.",
            rationale="It is at least as good for every group.",
            alternatives="Keeping the champion for another quarter.",
            readings={"GX105": "One word has to change, small."},
        ),
    )


def sign(row: Submission, who: Any) -> None:
    """The risk officer's decision."""
    new = making.approve(readings={"GX105": "One word has to change, and the letter says it."})
    decide(caller=making.call(who), submission_id=row.pk, dossier_digest=current_digest(row.pk), decision=new)


def test_checks_alone_send_it_to_its_reader_and_never_pass_it() -> None:
    people, row = making.everybody(), waiting()
    assert row.state == State.IN_REVIEW
    assert outcome(row).verdict == "not_assessed" and outcome(row).metric == "person.explanations_read"
    assert not Finding.objects.filter(submission=row).exists()
    with pytest.raises(Conflict, match=r"GX105.*wait"):
        approve(row, people["amir"])
    view = decision_view(row.pk, making.call(people["amir"]))
    assert [(one.id, one.waits, one.yours) for one in view.attestations] == [("explanations_read", True, True)]
    assert not SignOff.objects.exists()


def test_ten_answers_are_judged_at_once_and_stand_in_the_dossier_that_is_signed() -> None:
    people, row = making.everybody(), waiting()
    before = current_digest(row.pk)
    answer(row, people["amir"], 2)
    assert "2 of 4" in outcome(row).says and outcome(row).verdict == "not_assessed"
    half = current_digest(row.pk)
    answer(row, people["amir"], 2)
    assert outcome(row).verdict == "pass" and "4 of 4" in outcome(row).says and "Amir" in outcome(row).says
    content = dossier(making.fresh(row)).content
    assert [(one["item"], one["yes"], one["by"]) for one in content["attested"]] == [
        (str(1040 + number), True, people["amir"].pk) for number in range(4)
    ]
    assert len({before, half, current_digest(row.pk)}) == 3
    assert making.fresh(row).dossier_digest == current_digest(row.pk)
    events = AuditEvent.objects.filter(object=f"submission:{row.pk}", action="attestation.recorded")
    assert [json.loads(event.payload)["data"]["yes"] for event in events.order_by("seq")] == [2, 2]
    approve(row, people["amir"])
    assert making.fresh(row).turn == Role.RISK_OFFICER


def test_a_no_warns_and_too_many_fail_and_stop_the_approval() -> None:
    people, row = making.everybody(), waiting()
    answer(row, people["amir"], 3, 1)
    assert outcome(row).verdict == "fail", "three of four is under 80 %"
    assert Finding.objects.get(submission=row).about == "GX105"
    approve(row, people["amir"])
    assert Attested.objects.filter(yes=False).get().comment.startswith("Nobody says")
    with pytest.raises(Conflict, match="Blocking gates do not pass: GX105"):
        sign(row, people["ruth"])


def test_what_changed_on_the_page_is_not_recorded_and_an_answer_stays() -> None:
    people, row = making.everybody(), waiting()
    with pytest.raises(Conflict, match="changed since you opened"):
        answer(row, people["amir"], 1, subject="sha256:old")
    with pytest.raises(InvalidInput, match="answer at least one"):
        answer(row, people["amir"], 0)
    first = asked(row)
    answer(row, people["amir"], 1)
    again = {first.items[0].key: NewAnswer(False)}
    with pytest.raises(Conflict, match="answered already"):
        attest(
            caller=making.call(people["amir"]),
            submission_id=row.pk,
            what="explanations_read",
            subject=first.subject,
            answers=again,
        )
    assert Attested.objects.count() == 1


def test_another_measurement_asks_again_and_the_same_one_does_not() -> None:
    people, row = making.everybody(), waiting()
    answer(row, people["amir"], 4)
    one = asked(row)
    assert one.done
    GateRun.objects.filter(submission=row).update(current=False)
    measured(row, "sha256:two", 0.81)
    row = making.fresh(row)
    material = material_of(row)
    GateOutcome.objects.create(
        submission=row, revision=row.revision, round=9, code="GX105", name="x", verdict="not_assessed", blocking=True,
        says="waits", metric="person.explanations_read",
    )  # fmt: skip
    material = material_of(row)
    (two,) = asked_of(row, material.pack, material.outcomes)
    assert two.subject != one.subject and len(two.left) == 4 and not two.answers


def test_the_owner_of_the_product_is_told_and_the_approval_waits_for_that_answer() -> None:
    product = making.person("mona", Role.PRODUCT, everywhere=True)
    people = making.everybody()
    row = waiting(role="product")
    told = Notification.objects.get(person=product)
    assert told.path == f"/submissions/{row.number}/attest" and "Nobody can approve it" in told.says
    assert not Notification.objects.filter(person=people["amir"], path=told.path).exists()
    with pytest.raises(Conflict, match="GX105"):
        approve(row, people["amir"])
    answer(row, product, 4)
    approve(row, people["amir"])
    assert making.fresh(row).turn == Role.RISK_OFFICER


class TestWhoMayRead:
    def test_nobody_reads_their_own(self) -> None:
        row = waiting()
        RoleGrant.objects.create(person=row.submitter, role=Role.ANALYST, reason="test")
        with pytest.raises(SegregationOfDuties, match="You submitted"):
            answer(row, row.submitter, 1)

    def test_no_contributor(self) -> None:
        people, row = making.everybody(), waiting()
        Contributor.objects.create(submission=row, person=people["amir"], why="trained it")
        with pytest.raises(SegregationOfDuties, match="trained it"):
            answer(row, people["amir"], 1)

    @pytest.mark.parametrize("name", ["pia", "ruth", "ada", "priya"])
    def test_not_without_the_role(self, name: str) -> None:
        people, row = making.everybody(), waiting()
        with pytest.raises(Forbidden, match="attested by the ML Governance Analyst"):
            answer(row, people[name], 1)

    def test_no_token_whatever_its_scopes(self) -> None:
        people, row = making.everybody(), waiting()
        token = ApiToken.objects.create(
            person=people["amir"], unit=row.unit, name="ci", sha256="c" * 64, shown="grl_", scopes=list(Scope),
            expires_at=timezone.now() + timedelta(days=1),
        )  # fmt: skip
        caller = caller_for(people["amir"], token=token)
        with pytest.raises(Forbidden, match="token cannot attest"):
            answer(row, caller, 1)

    def test_whoever_attested_in_one_role_decides_in_no_other(self) -> None:
        people, row = making.everybody(), waiting()
        answer(row, people["amir"], 4)
        other = making.person("aisha", Role.ANALYST, everywhere=True)
        approve(row, other)
        RoleGrant.objects.create(person=people["amir"], role=Role.RISK_OFFICER, reason="test")
        with pytest.raises(SegregationOfDuties, match="attested something on it as ML Governance Analyst"):
            sign(row, people["amir"])


class TestFences:
    def raw(self, row: Submission, who: Any, role: str = "analyst") -> None:
        with transaction.atomic():
            Attested.objects.create(
                submission=row, revision=row.revision, what="explanations_read", item="1", subject="s", role=role, by=who,
                yes=True, asked="?", shown={},
            )  # fmt: skip

    def test_the_database_refuses_what_the_service_refuses(self) -> None:
        people, row = making.everybody(), waiting()
        for who, role in ((row.submitter, "analyst"), (people["pia"], "analyst"), (people["ruth"], "analyst")):
            with pytest.raises(IntegrityError):
                self.raw(row, who, role)
        self.raw(row, people["amir"])
        RoleGrant.objects.create(person=people["amir"], role=Role.RISK_OFFICER, reason="test")
        with pytest.raises(IntegrityError, match="another role"):
            self.raw(row, people["amir"], "risk_officer")

    def test_not_outside_of_a_review(self) -> None:
        people, row = making.everybody(), waiting()
        Submission.objects.filter(pk=row.pk).update(state=State.CHECKS_FAILED)
        with pytest.raises(IntegrityError, match="in review"):
            self.raw(row, people["amir"])

    @pytest.mark.parametrize("sql", ["UPDATE reviews_attested SET yes = false", "DELETE FROM reviews_attested"])
    def test_what_was_said_stays(self, sql: str) -> None:
        people, row = making.everybody(), waiting()
        answer(row, people["amir"], 1)
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql)

    def test_no_permit_without_a_reader_even_by_hand(self) -> None:
        row = waiting()
        with pytest.raises(IntegrityError), transaction.atomic():
            Permit.objects.create(
                submission=row, version=row.version, environment=row.environment, unit=row.unit,
                dossier_digest=row.dossier_digest,
                policy_digest="sha256:p", expires_at="2099-01-01T00:00Z",
            )  # fmt: skip


class TestPage:
    def test_reading_without_a_script(self) -> None:
        people, row = making.everybody(), waiting()
        client = Client()
        client.force_login(people["amir"])
        case = client.get(f"/submissions/S-{row.pk}").content.decode()
        assert f"/submissions/S-{row.pk}/attest" in case
        page = client.get(f"/submissions/{row.pk}/attest").content.decode()
        assert "Case 1040: declined" in page and "Your income is low for the amount" in page and "<script>" not in page
        sent = {
            "what": "explanations_read",
            "subject": asked(row).subject,
            "explanations_read-1": "true",
            "explanations_read-3": "false",
        }
        done = client.post(f"/submissions/{row.pk}/attest", sent)
        assert done.status_code == 302
        assert [(one.item, one.yes) for one in Attested.objects.order_by("id")] == [("1040", True), ("1042", False)]
        stale = client.post(f"/submissions/{row.pk}/attest", {**sent, "subject": "sha256:old"})
        assert stale.status_code == 422 and "changed since you opened the page" in stale.content.decode()

    def test_others_read_along_and_cannot_answer(self) -> None:
        people, row = making.everybody(), waiting()
        client = Client()
        client.force_login(people["ruth"])
        page = client.get(f"/submissions/{row.pk}/attest").content.decode()
        assert "Record under my name" not in page and "attested by the ML Governance Analyst" in page

    def test_rest_has_no_way_to_it(self) -> None:
        row = waiting()
        client = Client()
        for path in ("attest", "attestations", "readings"):
            assert client.post(f"/api/v1/submissions/{row.pk}/{path}", "{}", content_type="application/json").status_code in (
                401,
                404,
            )
