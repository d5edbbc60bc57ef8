"""Waivers: who asks, who signs, until when, what they let through, and what happens when they end."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models.functions import Now
from django.utils import timezone

from governance.domain.errors import (
    Conflict,
    DomainError,
    Forbidden,
    InvalidInput,
    NotFound,
    ReauthenticationNeeded,
    SegregationOfDuties,
)
from governance.domain.vocabulary import Role, State, Track
from governance.models import AuditEvent, Contributor, Person, Submission
from governance.policy.errors import PackError
from governance.policy.loading import load_pack
from governance.selectors.access import Caller
from reviews.models import Notification, Permit, SignOff, Waiver, WaiverAudit, WaiverSignature
from reviews.selectors.decision_view import decision_view
from reviews.selectors.permits import permit_answer
from reviews.selectors.queue import review_queue
from reviews.selectors.verdict import verdict_document
from reviews.selectors.verdict_texts import junit, sarif
from reviews.services.deciding import decide
from reviews.services.reminding import remind
from reviews.services.settling import settle
from reviews.services.waiving import (
    NewWaiver,
    end_waiver,
    lapse_due,
    record_audit,
    refuse_waiver,
    request_waiver,
    sign_waiver,
)
from tests.governance.making import browser
from tests.reviews import making
from tests.reviews.making import Gate

pytestmark = pytest.mark.django_db(transaction=True)

PLAN = {"why": "A gate may not fit.", "max_days": 60, "audit_within_days": 20}
_USE = {"why": "w", "tracks": ["green", "yellow", "red"], "blocking": True, "note": "convention"}
USES = (
    {**_USE, "gate": "GF101", "waivable": True, "max_days": 30},
    {**_USE, "gate": "GD103", "waivable": True},
    {**_USE, "gate": "GR101", "never_because": "it runs code"},
)


@pytest.fixture(autouse=True)
def waivers_in_the_pack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(making.PACK, "waivers", PLAN)  # type: ignore[arg-type]
    plain = making.policy
    monkeypatch.setattr(making, "policy", lambda *gates: plain(*(gates or USES)))


@pytest.fixture
def people() -> dict[str, Person]:
    found = making.everybody()
    found["mona"] = making.person("mona", Role.PRODUCT, everywhere=True)
    found["rosa"] = making.person("rosa", Role.RISK_OFFICER, everywhere=True)
    found["otto"] = making.person("otto", Role.SUBMITTER)
    found["dana"].manager = found["mona"]
    found["dana"].save(update_fields=["manager"])
    return found


def stopped(*gates: Gate, track: Track = Track.RED, **given: Any) -> Submission:
    """A case that settling stopped at its gates."""
    gates = gates or (Gate("GF101", "fail", says="the ratio is 0.61, limit >= 0.80."), Gate("GP101"))
    row = making.in_checks(track, gates=gates, **given)
    return making.fresh(row) if _settled(row) else row


def _settled(row: Submission) -> bool:
    import reviews.services.settling as settling  # noqa: PLC0415 (judging is not what is tested: outcomes are given)

    kept = settling.judge
    settling.judge = lambda work, *, submission, **_: list(submission.outcomes.all())  # type: ignore[assignment]
    try:
        return settle(submission_id=row.pk) is State.CHECKS_FAILED
    finally:
        settling.judge = kept


def new(people: dict[str, Person], **more: Any) -> NewWaiver:
    today = timezone.now().date()
    given: dict[str, Any] = {
        "gate": "GF101",
        "reason": "The labels of this pilot are corrected by hand, so the measured ratio is of the old process.",
        "compensating_control": "Every refusal in the pilot is decided again by a person within a day.",
        "owner": people["otto"].pk,
        "expires_on": today + timedelta(days=30),
        "audit_owner": people["ada"].pk,
        "audit_due_on": today + timedelta(days=10),
        "read_risk": True,
    }
    return NewWaiver(**{**given, **more})


def asked(people: dict[str, Person], row: Submission | None = None, **more: Any) -> Waiver:
    row = row or stopped()
    return request_waiver(caller=making.call(people["dana"]), submission_id=row.pk, new=new(people, **more))


def sign(waiver: Waiver, who: Person, **more: Any) -> Waiver:
    given: dict[str, Any] = {"reauthenticated_at": timezone.now(), **more}
    return sign_waiver(caller=making.call(who), waiver_id=waiver.pk, **given)


def granted(people: dict[str, Person], row: Submission | None = None, **more: Any) -> Waiver:
    waiver = asked(people, row, **more)
    sign(waiver, people["mona"])
    return sign(waiver, people["ruth"])


def approved(people: dict[str, Person], waiver: Waiver) -> Submission:
    """The analyst and a risk officer who did not sign the waiver approve the case."""
    for name in ("amir", "rosa"):
        row = making.fresh(waiver.submission)
        reading = {"GF101": f"{name.capitalize()} read it: the pilot's labels explain the gap, a person decides again."}
        decide(
            caller=making.call(people[name]),
            submission_id=row.pk,
            dossier_digest=row.dossier_digest,
            decision=making.approve(readings=reading),
        )
    return making.fresh(row)


@contextmanager
def past_triggers(table: str) -> Iterator[Any]:
    """A cursor on a table whose triggers are off until the end, and then as they were: what waiting would do."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgname, tgenabled::text FROM pg_trigger WHERE tgrelid = %s::regclass AND NOT tgisinternal", [table]
        )
        kept = cursor.fetchall()
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        try:
            yield cursor
        finally:
            for name, how in kept:
                cursor.execute(f"ALTER TABLE {table} ENABLE {'ALWAYS' if how == 'A' else ''} TRIGGER {name}")


def shift(table: str, pk: int, **values: Any) -> None:
    """Move a row in time."""
    with past_triggers(table) as cursor:
        for column, value in values.items():
            cursor.execute(f"UPDATE {table} SET {column} = %s WHERE id = %s", [value, pk])


class TestAsking:
    def test_the_submitter_asks_and_the_manager_is_told(self, people: dict[str, Person]) -> None:
        waiver = asked(people)
        assert waiver.risk, "the gate's own risk sentence stands in the request"
        assert waiver.says == "the ratio is 0.61, limit >= 0.80."
        told = people["mona"].notifications.get()
        assert told.kind == "waiver_to_sign" and told.why == "You are the manager of Dana."
        assert AuditEvent.objects.filter(action="waiver.requested").count() == 1
        assert making.fresh(waiver.submission).state == State.CHECKS_FAILED, "asking changes nothing"

    @pytest.mark.parametrize("days", [None, 0, -1, 31])
    def test_without_an_end_or_beyond_the_longest_it_is_refused(self, people: dict[str, Person], days: int | None) -> None:
        end = None if days is None else timezone.now().date() + timedelta(days=days)
        with pytest.raises(InvalidInput) as caught:
            asked(people, expires_on=end)
        assert "/expires_on" in [error.pointer for error in caught.value.errors]
        assert not Waiver.objects.exists()

    @pytest.mark.parametrize("days", [1, 30])
    def test_the_edges_are_allowed(self, people: dict[str, Person], days: int) -> None:
        end = timezone.now().date() + timedelta(days=days)
        assert asked(people, expires_on=end, audit_due_on=timezone.now().date() + timedelta(days=1)).pk

    def test_the_database_refuses_more_than_ninety_days_whatever_the_pack_says(self, people: dict[str, Person]) -> None:
        waiver = asked(people)
        late = waiver.requested_at + timedelta(days=90, seconds=1)
        with past_triggers("reviews_waiver") as cursor, pytest.raises(IntegrityError), transaction.atomic():
            cursor.execute("UPDATE reviews_waiver SET expires_at = %s WHERE id = %s", [late, waiver.pk])

    def test_every_field_that_says_too_little_is_named(self, people: dict[str, Person]) -> None:
        nothing = NewWaiver("GF101", "", "", 0, None, 0, None)
        with pytest.raises(InvalidInput) as caught:
            request_waiver(caller=making.call(people["dana"]), submission_id=stopped().pk, new=nothing)
        wanted = "reason compensating_control expires_on audit_due_on read_risk owner audit_owner"
        assert {error.pointer for error in caught.value.errors} == {f"/{name}" for name in wanted.split()}

    @pytest.mark.parametrize("who", ["dana", "otto"])
    def test_nobody_audits_what_they_asked_for_or_run(self, people: dict[str, Person], who: str) -> None:
        with pytest.raises(InvalidInput) as caught:
            asked(people, audit_owner=people[who].pk)
        assert caught.value.errors[0].code == "same_person"

    def test_the_manager_has_no_other_part_in_the_request(self, people: dict[str, Person]) -> None:
        for field in ("owner", "audit_owner"):
            with pytest.raises(InvalidInput, match="has to sign"):
                asked(people, **{field: people["mona"].pk})

    def test_what_can_never_be_waived_says_so(self, people: dict[str, Person]) -> None:
        row = stopped(Gate("GR101", "fail", says="pickle runs code"))
        with pytest.raises(Conflict, match="GR101 cannot be waived: it runs code"):
            asked(people, row, gate="GR101")
        view = decision_view(row.pk, making.call(people["dana"]))
        gate = view.gate("GR101")
        assert gate is not None and not gate.waivable and "it runs code" in gate.not_waivable

    def test_what_was_not_assessed_is_not_waived(self, people: dict[str, Person]) -> None:
        row = stopped(Gate("GF101", "not_assessed", says="no protected column"))
        with pytest.raises(Conflict, match="could not be assessed"):
            asked(people, row)

    @pytest.mark.parametrize("gate", ["GP101", "GX999"])
    def test_what_did_not_fail_is_not_waived(self, people: dict[str, Person], gate: str) -> None:
        with pytest.raises(Conflict, match="stops nothing"):
            asked(people, gate=gate)

    @pytest.mark.parametrize("who", ["otto", "pia", "ruth", "mona", "ada"])
    def test_others_do_not_ask(self, people: dict[str, Person], who: str) -> None:
        with pytest.raises(Forbidden):
            request_waiver(caller=making.call(people[who]), submission_id=stopped().pk, new=new(people))

    def test_an_analyst_may_ask_and_then_does_not_review(self, people: dict[str, Person]) -> None:
        people["amir"].manager = people["mona"]
        people["amir"].save()
        row = stopped()
        waiver = request_waiver(caller=making.call(people["amir"]), submission_id=row.pk, new=new(people))
        sign(waiver, people["mona"])
        sign(waiver, people["ruth"])
        row = making.fresh(row)
        assert row.state == State.IN_REVIEW
        with pytest.raises(SegregationOfDuties, match="asked for the waiver"):
            decide(
                caller=making.call(people["amir"]),
                submission_id=row.pk,
                dossier_digest=row.dossier_digest,
                decision=making.approve(),
            )
        assert review_queue(making.call(people["amir"])).rows == ()

    def test_another_unit_sees_nothing(self, people: dict[str, Person]) -> None:
        waiver = asked(people)
        gus = making.call(making.person("gus", Role.RISK_OFFICER, at=making.unit("shop")))
        for act in (
            lambda: request_waiver(caller=gus, submission_id=waiver.submission_id, new=new(people)),
            lambda: sign_waiver(caller=gus, waiver_id=waiver.pk, reauthenticated_at=timezone.now()),
            lambda: end_waiver(caller=gus, waiver_id=waiver.pk, how="revoked", reason="because I can do so"),
            lambda: record_audit(caller=gus, waiver_id=waiver.pk, held=True, found="x" * 30 + " y", evidence="a report"),
        ):
            with pytest.raises((NotFound, InvalidInput)):
                act()


class TestSigning:
    def test_two_signatures_send_the_case_to_its_reviewers(self, people: dict[str, Person]) -> None:
        waiver = asked(people)
        sign(waiver, people["mona"])
        assert making.fresh(waiver.submission).state == State.CHECKS_FAILED
        assert not WaiverAudit.objects.exists()
        sign(waiver, people["ruth"])
        row = making.fresh(waiver.submission)
        assert (row.state, row.turn) == (State.IN_REVIEW, "analyst")
        audit = WaiverAudit.objects.get()
        assert (audit.owner, audit.due_on) == (people["ada"], waiver.audit_due_on), "scheduled in the same transaction"
        events = list(AuditEvent.objects.order_by("seq").values_list("action", flat=True))
        begin = events.index("waiver.granted")
        assert events[begin : begin + 3] == ["waiver.granted", "submission.pass_with_waiver", "review.requested"]

    def test_a_waived_gate_is_not_shown_as_passed(self, people: dict[str, Person]) -> None:
        waiver = granted(people)
        view = decision_view(waiver.submission_id, making.call(people["amir"]))
        gate = view.gate("GF101")
        assert gate is not None and (gate.verdict, gate.shown) == ("fail", "waived")
        assert gate.waiver is not None and gate.waiver.live and gate.waiver.owner == "Otto"
        assert [(s.part, s.by) for s in gate.waiver.signatures] == [("manager", "Mona"), ("risk_officer", "Ruth")]
        assert gate.needs_reading, "reviewers still say what they make of the failure"

    def test_programs_read_that_it_failed_and_is_waived(self, people: dict[str, Person]) -> None:
        waiver = granted(people)
        document = verdict_document(decision_view(waiver.submission_id, making.call(people["amir"])))
        gate = next(row for row in document["gates"] if row["code"] == "GF101")
        assert (gate["verdict"], gate["waived"]["waiver"]) == ("fail", waiver.number)
        result = next(row for row in sarif(document)["runs"][0]["results"] if row["ruleId"] == "GF101")
        assert result["suppressions"][0]["status"] == "accepted"
        assert "Waived until" in junit(document) and "<failure" not in junit(document)
        end_waiver(caller=making.call(people["ruth"]), waiver_id=waiver.pk, how="revoked", reason="Complaints about the pilot.")
        document = verdict_document(decision_view(waiver.submission_id, making.call(people["amir"])))
        assert document["reason_code"] == "gate:GF101" and "<failure" in junit(document)

    def test_the_manager_signs_first(self, people: dict[str, Person]) -> None:
        with pytest.raises(Forbidden, match="Mona signs first, as manager of Dana"):
            sign(asked(people), people["ruth"])

    @pytest.mark.parametrize("who", ["dana", "otto", "ada"])
    def test_nobody_named_in_the_request_signs(self, people: dict[str, Person], who: str) -> None:
        making.RoleGrant.objects.create(person=people[who], role=Role.RISK_OFFICER, reason="test")
        waiver = asked(people)
        sign(waiver, people["mona"])
        with pytest.raises(SegregationOfDuties):
            sign(waiver, people[who])

    def test_a_manager_who_is_risk_officer_does_not_sign_twice(self, people: dict[str, Person]) -> None:
        making.RoleGrant.objects.create(person=people["mona"], role=Role.RISK_OFFICER, reason="test")
        waiver = asked(people)
        sign(waiver, people["mona"])
        with pytest.raises(SegregationOfDuties, match="the other signature is somebody else's"):
            sign(waiver, people["mona"])

    def test_without_a_manager_the_role_of_the_policy_signs(self, people: dict[str, Person]) -> None:
        Person.objects.filter(username="dana").update(manager=None)
        waiver = asked(people)
        with pytest.raises(Forbidden, match="no manager on record"):
            sign(waiver, people["pia"])
        sign(waiver, people["mona"])  # she holds the role product
        assert WaiverSignature.objects.get().part == "manager"

    @pytest.mark.parametrize("age", [None, timedelta(minutes=6), timedelta(minutes=-2)])
    def test_a_signature_needs_a_fresh_sign_in(self, people: dict[str, Person], age: timedelta | None) -> None:
        waiver = asked(people)
        with pytest.raises(ReauthenticationNeeded):
            sign(waiver, people["mona"], reauthenticated_at=None if age is None else timezone.now() - age)

    def test_a_token_neither_asks_nor_signs(self, people: dict[str, Person]) -> None:
        waiver = asked(people)
        token = replace(making.call(people["mona"]), token=object())  # type: ignore[arg-type]
        with pytest.raises(Forbidden, match="A token cannot sign"):
            sign_waiver(caller=token, waiver_id=waiver.pk, reauthenticated_at=timezone.now())
        dana: Caller = replace(making.call(people["dana"]), token=object())  # type: ignore[arg-type]
        with pytest.raises(Forbidden, match="A token cannot ask"):
            request_waiver(caller=dana, submission_id=stopped(version="9.9").pk, new=new(people))

    def test_a_refusal_ends_the_request_with_its_reason(self, people: dict[str, Person]) -> None:
        waiver = asked(people)
        refuse_waiver(
            caller=making.call(people["mona"]),
            waiver_id=waiver.pk,
            comment="The pilot can wait for new labels.",
            reauthenticated_at=timezone.now(),
        )
        waiver.refresh_from_db()
        assert (waiver.ended_how, waiver.ended_why) == ("refused", "The pilot can wait for new labels.")
        assert people["dana"].notifications.get(kind="waiver_decided").says == "The pilot can wait for new labels."
        assert asked(people, making.fresh(waiver.submission)).pk, "something better may be asked for"

    def test_who_signed_a_waiver_does_not_decide_the_case(self, people: dict[str, Person]) -> None:
        waiver = granted(people)
        row = making.fresh(waiver.submission)
        reading = {"GF101": "The labels of the pilot explain the gap, and a person decides again."}
        decide(
            caller=making.call(people["amir"]),
            submission_id=row.pk,
            dossier_digest=row.dossier_digest,
            decision=making.approve(readings=reading),
        )
        with pytest.raises(SegregationOfDuties, match="signed the waiver of GF101"):
            decide(
                caller=making.call(people["ruth"]),
                submission_id=row.pk,
                dossier_digest=row.dossier_digest,
                decision=making.approve(),
            )
        assert review_queue(making.call(people["ruth"])).rows == ()
        assert len(review_queue(making.call(people["rosa"])).rows) == 1

    def test_one_of_two_failures_waived_is_not_enough(self, people: dict[str, Person]) -> None:
        row = stopped(Gate("GF101", "fail", says="ratio 0.6"), Gate("GD103", "fail", says="e-mail addresses"))
        granted(people, row)
        assert making.fresh(row).state == State.CHECKS_FAILED
        granted(people, row, gate="GD103")
        assert making.fresh(row).state == State.IN_REVIEW


class TestWhatRestsOnIt:
    def test_an_approval_is_bound_to_the_waiver_and_its_permit_ends_with_it(self, people: dict[str, Person]) -> None:
        waiver = granted(people)
        row = approved(people, waiver)
        assert row.state == State.APPROVED
        assert (
            Permit.objects.get().expires_at
            == waiver.expires_at
            == datetime.combine(new(people).expires_on or date.max, time(), UTC)
        )
        dossier = row.dossiers.get(digest=row.dossier_digest).content
        assert dossier["waivers"][waiver.number]["gate"] == "GF101"

    def test_revoking_it_ends_the_permit_at_once(self, people: dict[str, Person]) -> None:
        waiver = granted(people)
        row = approved(people, waiver)
        ask = {"system": row.system.slug, "version": row.version.version}
        assert permit_answer(making.call(people["dana"]), **ask).allowed
        end_waiver(caller=making.call(people["ruth"]), waiver_id=waiver.pk, how="revoked", reason="Complaints about the pilot.")
        assert not permit_answer(making.call(people["dana"]), **ask).allowed
        assert making.fresh(row).state == State.REVOKED
        gate = decision_view(row.pk, making.call(people["amir"])).gate("GF101")
        assert gate is not None and gate.shown == "fail"

    @pytest.mark.parametrize("how", ["expired", "audit missed"])
    def test_its_end_is_judged_when_it_is_asked_before_any_task_ran(self, people: dict[str, Person], how: str) -> None:
        waiver = granted(people)
        row = approved(people, waiver)
        yesterday = timezone.now() - timedelta(days=1)
        if how == "expired":
            shift("reviews_waiver", waiver.pk, requested_at=yesterday - timedelta(days=5), expires_at=yesterday)
        else:
            shift("reviews_waiveraudit", waiver.audit.pk, due_on=yesterday.date())
        shift("reviews_waiver", waiver.pk, granted_at=yesterday - timedelta(days=2))
        with past_triggers("reviews_permit") as cursor:
            cursor.execute("UPDATE reviews_permit SET issued_at = %s", [yesterday - timedelta(days=1)])
        answer = permit_answer(making.call(people["dana"]), system=row.system.slug, version=row.version.version)
        assert not answer.allowed and "waiver" in answer.reasons[0]
        view = decision_view(row.pk, making.call(people["amir"]))
        assert view.permit is not None and not view.permit.valid
        gate = view.gate("GF101")
        assert gate is not None and gate.shown == "fail"
        assert lapse_due() == 1 and lapse_due() == 0, "written down once"
        assert making.fresh(row).state == State.REVOKED
        assert Permit.objects.get().revoked_at is not None
        waiver.refresh_from_db()
        assert waiver.ended_how == how.replace(" ", "_")

    def test_expiring_under_review_takes_the_case_back_and_voids_decisions(self, people: dict[str, Person]) -> None:
        waiver = granted(people)
        row = making.fresh(waiver.submission)
        reading = {"GF101": "The labels of the pilot explain the gap, and a person decides again."}
        decide(
            caller=making.call(people["amir"]),
            submission_id=row.pk,
            dossier_digest=row.dossier_digest,
            decision=making.approve(readings=reading),
        )
        past = timezone.now() - timedelta(hours=1)
        shift("reviews_waiver", waiver.pk, requested_at=past - timedelta(days=5), expires_at=past)
        with pytest.raises(DomainError):
            decide(
                caller=making.call(people["rosa"]),
                submission_id=row.pk,
                dossier_digest=row.dossier_digest,
                decision=making.approve(readings={"GF101": "An exposure that the pilot bounds to four weeks."}),
            )
        assert not Permit.objects.exists()
        lapse_due()
        row = making.fresh(row)
        assert (row.state, row.turn) == (State.CHECKS_FAILED, "submitter")
        assert not SignOff.objects.filter(voided_at__isnull=True).exists()
        again = granted(people, row)
        assert making.fresh(row).state == State.IN_REVIEW, "a new waiver brings the case back to its reviewers"
        assert approved(people, again).state == State.APPROVED

    def test_another_failure_of_the_same_gate_is_not_covered(self, people: dict[str, Person]) -> None:
        waiver = granted(people)
        row = making.fresh(waiver.submission)
        making.GateOutcome.objects.create(
            submission=row, revision=1, round=2, code="GF101", name="x", verdict="fail", blocking=True, says="the ratio is 0.20"
        )
        with pytest.raises(DomainError):
            approved(people, waiver)
        assert not Permit.objects.exists()

    def test_green_is_not_approved_by_the_policy_with_a_waived_gate(self, people: dict[str, Person]) -> None:
        row = stopped(Gate("GF101", "fail", says="ratio 0.6"), track=Track.GREEN)
        granted(people, row)
        assert making.fresh(row).state == State.CHECKS_FAILED
        assert not Permit.objects.exists()


class TestEnding:
    def test_it_cannot_be_closed_while_its_audit_is_open(self, people: dict[str, Person]) -> None:
        waiver = granted(people)
        close: Callable[[], Waiver] = lambda: end_waiver(  # noqa: E731
            caller=making.call(people["ruth"]), waiver_id=waiver.pk, how="closed", reason="The next version passes the gate."
        )
        with pytest.raises(Conflict, match="Its audit is open"):
            close()
        with pytest.raises(IntegrityError), transaction.atomic():
            Waiver.objects.filter(pk=waiver.pk).update(ended_at=Now(), ended_how="closed", ended_why="raw")
        self._audit(people, waiver)
        assert close().ended_how == "closed"

    @pytest.mark.parametrize("who", ["dana", "otto"])
    def test_whoever_asked_or_runs_the_control_does_not_audit_it(self, people: dict[str, Person], who: str) -> None:
        waiver = granted(people)
        with pytest.raises(SegregationOfDuties):
            record_audit(
                caller=making.call(people[who]),
                waiver_id=waiver.pk,
                held=True,
                found="All was well, 40 looked at.",
                evidence="report AR-9",
            )
        with pytest.raises(IntegrityError), transaction.atomic():
            WaiverAudit.objects.update(done_at=Now(), held=True, found="f", evidence="e", recorded_by=people[who])

    def test_an_audit_that_finds_the_control_wanting_ends_the_waiver(self, people: dict[str, Person]) -> None:
        waiver = granted(people)
        row = approved(people, waiver)
        self._audit(people, waiver, held=False)
        waiver.refresh_from_db()
        assert waiver.ended_how == "audit_failed"
        assert making.fresh(row).state == State.REVOKED

    def test_the_result_says_what_was_found(self, people: dict[str, Person]) -> None:
        waiver = granted(people)
        with pytest.raises(InvalidInput) as caught:
            record_audit(caller=making.call(people["ada"]), waiver_id=waiver.pk, held=None, found="", evidence="")
        assert {error.pointer for error in caught.value.errors} == {"/held", "/found", "/evidence"}

    def test_a_request_is_taken_back_by_whoever_asked_only(self, people: dict[str, Person]) -> None:
        waiver = asked(people)
        for name in ("mona", "ruth"):
            with pytest.raises(DomainError):
                end_waiver(caller=making.call(people[name]), waiver_id=waiver.pk, how="withdrawn", reason="not needed any more")
        ended = end_waiver(caller=making.call(people["dana"]), waiver_id=waiver.pk, how="withdrawn", reason="not needed any more")
        assert ended.ended_how == "withdrawn"

    def _audit(self, people: dict[str, Person], waiver: Waiver, *, held: bool = True) -> None:
        record_audit(
            caller=making.call(people["ada"]),
            waiver_id=waiver.pk,
            held=held,
            found="40 refusals were looked at; each was decided again within a day.",
            evidence="audit report AR-7",
        )


class TestTheDatabaseItself:
    def raw(self, waiver: Waiver, by: Person, part: str = "manager", **more: Any) -> None:
        given = {
            "waiver": waiver,
            "submission": waiver.submission,
            "part": part,
            "by": by,
            "signed": True,
            "meaning": "m",
            "reauthenticated_at": timezone.now(),
            **more,
        }
        with transaction.atomic():
            WaiverSignature.objects.create(**given)

    @pytest.mark.parametrize(
        ("who", "part", "state"),
        [
            ("dana", "manager", "23G01"),
            ("otto", "manager", "23G01"),
            ("ada", "manager", "23G01"),
            ("ruth", "manager", "23G03"),
            ("ruth", "risk_officer", "23G02"),
        ],
    )
    def test_a_raw_signature_by_the_wrong_person_is_refused(
        self, people: dict[str, Person], who: str, part: str, state: str
    ) -> None:
        waiver = asked(people)
        with pytest.raises(IntegrityError) as caught:
            self.raw(waiver, people[who], part)
        assert getattr(caught.value.__cause__, "sqlstate", "") == state

    def test_a_contributor_is_refused(self, people: dict[str, Person]) -> None:
        waiver = asked(people)
        Contributor.objects.create(submission=waiver.submission, person=people["mona"], why="trained it")
        with pytest.raises(IntegrityError) as caught:
            self.raw(waiver, people["mona"])
        assert getattr(caught.value.__cause__, "sqlstate", "") == "23G01"

    def test_a_stale_sign_in_is_refused(self, people: dict[str, Person]) -> None:
        with pytest.raises(IntegrityError):
            self.raw(asked(people), people["mona"], reauthenticated_at=timezone.now() - timedelta(hours=1))

    def test_granting_without_signatures_is_refused(self, people: dict[str, Person]) -> None:
        waiver = asked(people)
        with pytest.raises(IntegrityError), transaction.atomic():
            Waiver.objects.filter(pk=waiver.pk).update(granted_at=Now())

    def test_a_waiver_of_a_gate_that_passed_is_refused(self, people: dict[str, Person]) -> None:
        waiver = asked(people)
        kept = {f.attname: getattr(waiver, f.attname) for f in Waiver._meta.concrete_fields if f.attname != "id"}
        for gate, says in (("GP101", "auc is 0.81, limit >= 0.80."), ("GF101", "another failure")):
            with pytest.raises(IntegrityError), transaction.atomic():
                Waiver.objects.create(**{**kept, "gate": gate, "says": says})

    @pytest.mark.parametrize("change", [{"reason": "x"}, {"expires_at": Now() + timedelta(days=80)}, {"gate": "GP101"}])
    def test_what_was_asked_for_never_changes(self, people: dict[str, Person], change: dict[str, Any]) -> None:
        waiver = asked(people)
        with pytest.raises(IntegrityError), transaction.atomic():
            Waiver.objects.filter(pk=waiver.pk).update(**change)

    def test_neither_waivers_nor_signatures_are_deleted_or_changed(self, people: dict[str, Person]) -> None:
        granted(people)
        for model in (WaiverSignature, WaiverAudit, Waiver):
            with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(f"DELETE FROM {model._meta.db_table}")
        with pytest.raises(IntegrityError), transaction.atomic():
            WaiverSignature.objects.update(comment="later")

    def test_a_permit_past_a_failed_gate_is_refused(self, people: dict[str, Person]) -> None:
        waiver = granted(people)
        row = approved(people, waiver)
        kept = Permit.objects.get()
        values = {f.attname: getattr(kept, f.attname) for f in Permit._meta.concrete_fields if f.attname != "id"}
        with past_triggers("reviews_permit") as cursor:
            cursor.execute("DELETE FROM reviews_permit")
        with pytest.raises(IntegrityError, match="no waiver that runs as long"), transaction.atomic():
            Permit.objects.create(**{**values, "expires_at": waiver.expires_at + timedelta(days=1)})
        with transaction.atomic():
            Permit.objects.create(**values)
        assert row.permits.count() == 1

    def test_a_raw_decision_by_who_signed_the_waiver_is_refused(self, people: dict[str, Person]) -> None:
        waiver = granted(people)
        making.RoleGrant.objects.create(person=people["ruth"], role=Role.ANALYST, reason="test")
        step = making.open_step(waiver.submission)
        with pytest.raises(IntegrityError) as caught, transaction.atomic():
            SignOff.objects.create(
                submission=waiver.submission,
                step=step,
                revision=1,
                role="analyst",
                by=people["ruth"],
                decision="approve",
                meaning="m",
                dossier_digest=making.fresh(waiver.submission).dossier_digest,
                policy_digest="sha256:p",
            )
        assert getattr(caught.value.__cause__, "sqlstate", "") == "23G01"


class TestThePack:
    @pytest.mark.parametrize(
        ("use", "says"),
        [
            ({"waivable": True, "never_because": "no"}, "never_because"),
            ({"max_days": 10}, "is not waivable"),
            ({"waivable": True, "max_days": 91}, "max_days"),
        ],
    )
    def test_what_makes_no_sense_is_refused(self, use: dict[str, Any], says: str) -> None:
        import json  # noqa: PLC0415

        gate = {"gate": "GF101", "why": "w", "tracks": ["red"], "blocking": True, "note": "convention", **use}
        with pytest.raises(PackError, match=says):
            load_pack(json.dumps({**making.PACK, "gates": [gate]}))


class TestWaitingTooLong:
    """Exceptions took three weeks once: what waits for signatures longer than two days reaches who answers for rules."""

    def told(self) -> list[str]:
        rows = Notification.objects.filter(kind="overdue", key__endswith=":stuck")
        return sorted(rows.values_list("person__username", flat=True))

    @pytest.mark.parametrize(("hours", "told"), [(47, []), (49, ["gwen", "rosa", "ruth"])])
    def test_a_request_over_its_limit_escalates_once(self, people: dict[str, Person], hours: int, told: list[str]) -> None:
        making.person("gwen", Role.POLICY_AUTHOR, everywhere=True)
        waiver = asked(people)
        shift("reviews_waiver", waiver.pk, requested_at=timezone.now() - timedelta(hours=hours))
        remind()
        remind()
        assert self.told() == told

    @pytest.mark.parametrize("how", ["granted", "refused"])
    def test_what_was_answered_does_not(self, people: dict[str, Person], how: str) -> None:
        waiver = granted(people) if how == "granted" else asked(people)
        if how == "refused":
            refuse_waiver(
                caller=making.call(people["mona"]),
                waiver_id=waiver.pk,
                comment="The control does not reach the cases it should.",
                reauthenticated_at=timezone.now(),
            )
        shift("reviews_waiver", waiver.pk, requested_at=timezone.now() - timedelta(days=9))
        remind()
        assert self.told() == []


def test_through_the_api_it_is_asked_for_audited_and_ended_but_never_signed(people: dict[str, Person]) -> None:
    row = stopped()
    given = {name: value.isoformat() if isinstance(value, date) else value for name, value in vars(new(people)).items()}
    body = {**given, "owner": "otto", "audit_owner": "ada"}
    at = f"/api/v1/submissions/{row.number}/waivers"

    def call(who: str, path: str, sent: dict[str, Any], **more: Any) -> Any:
        return browser(people[who]).post(path, json.dumps(sent), content_type="application/json", **more)

    assert call("otto", at, body).status_code == 403
    assert call("dana", at, {**body, "owner": "gus"}).json()["errors"][0]["pointer"] == "/owner"
    told = call("dana", at, body, HTTP_IDEMPOTENCY_KEY="w")
    assert told.status_code == 201 and told.json()["waits_for"] == "Mona"
    assert call("dana", at, body, HTTP_IDEMPOTENCY_KEY="w").status_code == 200 and Waiver.objects.count() == 1
    waiver = Waiver.objects.get()
    one = f"/api/v1/waivers/{waiver.pk}"
    sign_action = browser(people["mona"]).get(one).json()["actions"][0]
    assert sign_action["available"] and "no program" in sign_action["details"]
    assert call("mona", f"{one}/sign", {}).status_code == 404, "there is no such operation"
    sign(waiver, people["mona"])
    sign(waiver, people["ruth"])
    live = browser(people["ada"]).get("/api/v1/waivers?scope=live").json()["results"]
    assert [entry["waiver"]["number"] for entry in live] == [waiver.number]
    audit = {"held": True, "found": "Ten refusals were read; each had been decided again.", "evidence": "The audit's report."}
    assert call("dana", f"{one}/audit", audit).json()["code"] == "segregation_of_duties"
    assert call("ada", f"{one}/audit", audit).json()["waiver"]["audit_held"] is True
    end = {"how": "closed", "reason": "The pilot is over."}
    assert call("dana", f"{one}/end", end).status_code == 403
    assert call("ruth", f"{one}/end", end).json()["waiver"]["state"] == "closed"
    gus = making.person("gus", Role.ANALYST, at=making.unit("shop"))
    assert browser(gus).get(one).status_code == 404
