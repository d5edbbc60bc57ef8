"""Messages: who is told what, once, why, how it reaches them, and that nothing is told across units."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from governance.domain.duetime import Calendar, working_time_between
from governance.domain.vocabulary import DecisionKind, Role, State, Track
from governance.models import Person, RoleGrant, Submission
from governance.selectors.access import SYSTEM
from governance.services.work import unit_of_work
from reviews.models import Notification, NotificationChoice, ReviewStep
from reviews.selectors.inbox import inbox
from reviews.selectors.notices import PLANS, Notice
from reviews.services.deciding import decide
from reviews.services.decision_input import NewChange, NewDecision
from reviews.services.delivering import deliver_digests, deliver_due
from reviews.services.permits import revoke
from reviews.services.reading import choose, mark_read
from reviews.services.reminding import remind
from reviews.services.settling import settle
from reviews.services.telling import tell
from tests.reviews import making
from tests.reviews.test_settling import GATE, finish

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def post(settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    mail.outbox = []


def told(kind: str) -> dict[str, Notification]:
    return {row.person.username: row for row in Notification.objects.filter(kind=kind).select_related("person")}


def stopped() -> Submission:
    making.policy(GATE)
    row = making.handed_in(Track.RED)
    finish(row, safe=0.0)
    assert settle(submission_id=row.pk) is State.CHECKS_FAILED
    return making.fresh(row)


class TestAFailedGate:
    def test_tells_the_data_scientist_and_the_ml_engineer_and_nobody_else_once_with_the_next_step(self) -> None:
        making.everybody()
        row = stopped()
        rows = told("gate_failed")
        assert set(rows) == {"dana", "pia"}
        assert rows["dana"].why == f"You are the data scientist who submitted {row.number}."
        assert rows["pia"].why == "You are ML platform engineer for Lending."
        assert "Next:" in rows["dana"].says and rows["dana"].path.startswith(f"/submissions/{row.number}#gate-")
        settle(submission_id=row.pk)
        assert Notification.objects.filter(kind="gate_failed").count() == 2, "said once"

    def test_goes_out_at_once_whatever_somebody_prefers(self) -> None:
        people = making.everybody()
        assert "daily" not in PLANS[Notice.GATE_FAILED].choices and "off" not in PLANS[Notice.GATE_FAILED].choices
        NotificationChoice.objects.create(person=people["dana"], kind="gate_failed", how="daily")  # as an older release kept it
        stopped()
        assert deliver_due() == 2
        assert {message.to[0] for message in mail.outbox} == {"dana@example.org", "pia@example.org"}

    def test_a_row_is_there_only_with_its_event(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The event cannot be written, so nothing is: no row, no mail."""
        import governance.services.work as work  # noqa: PLC0415

        making.everybody()
        making.policy(GATE)
        row = making.handed_in(Track.RED)
        finish(row, safe=0.0)
        before = Notification.objects.count()

        def broken(_: object) -> None:
            raise RuntimeError("no audit trail")

        monkeypatch.setattr(work, "_append", broken)
        with pytest.raises(RuntimeError):
            settle(submission_id=row.pk)
        assert Notification.objects.count() == before


class TestTurnsAndDecisions:
    def test_a_step_tells_those_who_may_decide_it(self) -> None:
        people = making.everybody()
        RoleGrant.objects.create(person=people["dana"], role=Role.ANALYST, reason="test")
        row = making.in_review()
        assert set(told("your_turn")) == {"amir"}, "not the submitter, who holds the role as well"
        decide(
            caller=making.call(people["amir"]), submission_id=row.pk, dossier_digest=row.dossier_digest, decision=making.approve()
        )
        assert set(told("your_turn")) == {"amir", "ruth"}

    def test_the_submitter_is_told_of_changes_rejection_approval_and_revocation(self) -> None:
        people = making.everybody()
        row = making.in_review(Track.YELLOW)
        item = NewChange("Say whom it affects.", "A sentence with the group.", "", "business.context")
        self.by(people["pia"], row, NewDecision(DecisionKind.REQUEST_CHANGES, change_items=(item,)))
        assert told("changes_requested")["dana"].title.endswith("was sent back with 1 change to make")
        other = making.in_review(Track.YELLOW)
        self.by(people["pia"], other, making.approve())
        assert told("decided")["dana"].title.endswith("was approved")
        revoke(caller=making.call(people["pia"]), submission_id=other.pk, reason="It answers too slowly.")
        assert set(told("permit_ended")) == {"dana"}, "who revoked it knows"
        third = making.in_review(Track.YELLOW)
        why = NewDecision(
            DecisionKind.REJECT, comment="It cannot be operated like this.", accepted_instead="A smaller model of the same kind."
        )
        self.by(people["pia"], third, why)
        assert "A smaller model" in Notification.objects.get(submission=third, kind="decided").says

    def by(self, who: Person, row: Submission, decision: NewDecision) -> None:
        decide(caller=making.call(who), submission_id=row.pk, dossier_digest=making.fresh(row).dossier_digest, decision=decision)


class TestUnits:
    def test_nobody_is_told_of_a_case_they_cannot_see(self) -> None:
        making.everybody()
        gus = making.person("gus", Role.ANALYST, at=making.unit("shop"))
        row = making.in_review()
        with unit_of_work(SYSTEM) as work:
            people = {gus.pk: "by mistake", row.submitter_id: "x"}
            tell(work, row, Notice.DECIDED, people, key="k", title="Secret name", says="Secret words")
        assert set(told("decided")) == {"dana"}
        assert not Notification.objects.filter(person=gus).exists()

    def test_what_somebody_cannot_see_any_more_is_neither_shown_nor_mailed(self) -> None:
        making.everybody()
        lee = making.person("lee", Role.ANALYST, at=making.unit("shop"))
        grant = RoleGrant.objects.create(person=lee, role=Role.ANALYST, unit=making.unit(), reason="test")
        making.in_review()
        assert len(inbox(making.call(lee))[0]) == 1
        grant.delete()
        assert inbox(making.call(lee))[0] == ()
        deliver_due()
        assert "lee@example.org" not in {message.to[0] for message in mail.outbox}

    def test_a_closed_account_gets_no_mail(self) -> None:
        people = making.everybody()
        making.in_review()
        Person.objects.filter(pk=people["amir"].pk).update(is_active=False)
        deliver_due()
        assert mail.outbox == []


class TestMail:
    def test_it_says_what_where_and_why_and_goes_out_once(self) -> None:
        making.everybody()
        row = making.in_review()
        assert deliver_due() == 1
        assert deliver_due() == 0, "a task that runs twice sends nothing twice"
        message = mail.outbox[0]
        assert message.to == ["amir@example.org"]
        assert f"/submissions/{row.number}" in message.body
        assert "Why you: You are ML Governance Analyst for Lending." in message.body
        assert "/inbox/choices" in message.extra_headers["List-Unsubscribe"]
        assert "\n" not in message.subject
        assert told("your_turn")["amir"].mail == "sent"

    def test_a_daily_mail_gathers_what_was_put_off(self) -> None:
        people = making.everybody()
        choose(caller=making.call(people["amir"]), chosen={"your_turn": "daily"})
        for _ in range(3):
            making.in_review()
        assert deliver_due() == 0
        assert deliver_digests() == 1
        assert mail.outbox[0].subject == "3 messages from Guiderail"
        assert deliver_digests() == 0

    def test_somebody_who_unsubscribed_gets_no_mail_but_keeps_duties_in_the_inbox(self) -> None:
        people = making.everybody()
        choose(caller=making.call(people["amir"]), chosen={"your_turn": "inbox"})
        making.in_review()
        assert deliver_due() == 0 and len(inbox(making.call(people["amir"]))[0]) == 1

    @pytest.mark.parametrize(
        ("kind", "how"), [("your_turn", "off"), ("gate_failed", "daily"), ("made_up", "now"), ("decided", "x")]
    )
    def test_what_cannot_be_chosen_is_refused(self, kind: str, how: str) -> None:
        with pytest.raises(Exception, match="cannot be chosen"):
            choose(caller=making.call(making.everybody()["amir"]), chosen={kind: how})

    def test_a_mail_server_that_is_away_is_a_delay(self, settings: Any) -> None:
        making.everybody()
        making.in_review()
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
        assert deliver_due() == 0
        row = told("your_turn")["amir"]
        assert (row.mail, row.mail_attempts) == ("due", 1) and row.mail_error
        assert row.mail_not_before > timezone.now()


class TestTheInbox:
    def test_every_page_shows_the_number_without_a_statement_of_its_own(self) -> None:
        people = making.everybody()
        client = Client()
        client.force_login(people["amir"], backend="django.contrib.auth.backends.ModelBackend")
        client.get("/gates")
        with CaptureQueriesContext(connection) as without:
            client.get("/gates")
        making.in_review()
        with CaptureQueriesContext(connection) as queries:
            page = client.get("/gates").content.decode()
        assert '1<span class="visually-hidden"> unread' in page
        assert len(queries) == len(without)

    def test_reading_counts_down_and_leads_there(self) -> None:
        people = making.everybody()
        row, _ = making.in_review(), making.in_review()
        client = Client()
        client.force_login(people["amir"], backend="django.contrib.auth.backends.ModelBackend")
        first = Notification.objects.filter(person=people["amir"], submission=row).get()
        answer = client.post("/inbox/read", {"message": first.pk, "go": first.path})
        assert answer.headers["Location"] == first.path
        people["amir"].refresh_from_db()
        assert people["amir"].unread == 1
        client.post("/inbox/read")
        people["amir"].refresh_from_db()
        assert people["amir"].unread == 0
        assert mark_read(caller=making.call(people["amir"])) == 0

    @pytest.mark.parametrize("target", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)"])
    def test_it_leads_nowhere_else(self, target: str) -> None:
        people = making.everybody()
        making.in_review()
        client = Client()
        client.force_login(people["amir"], backend="django.contrib.auth.backends.ModelBackend")
        message = Notification.objects.filter(person=people["amir"]).get()
        assert client.post("/inbox/read", {"message": message.pk, "go": target}).headers["Location"] == "/inbox"

    def test_nobody_reads_for_somebody_else(self) -> None:
        people = making.everybody()
        making.in_review()
        message = Notification.objects.filter(person=people["amir"]).get()
        assert mark_read(caller=making.call(people["ruth"]), notification_id=message.pk) == 0
        message.refresh_from_db()
        assert message.read_at is None


class TestReminders:
    def lie(self, row: Submission, *, used: float) -> None:
        """As if that share of the allowance, all in one working day, had passed: due on a Wednesday, seen from now."""
        now = timezone.now()
        whole = timedelta(days=70)
        step = ReviewStep.objects.get(submission=row, state="open")
        opened, due = now - whole * used, now + whole * (1 - used)
        ReviewStep.objects.filter(pk=step.pk).update(opened_at=opened, due_at=due)
        Submission.objects.filter(pk=row.pk).update(turn_since=opened, due_at=due, soon_at=opened + whole * 0.8)
        Notification.objects.filter(submission=row).update(at=opened)

    def test_before_four_fifths_nothing_is_said(self) -> None:
        making.everybody()
        row = making.in_review()
        self.lie(row, used=0.7)
        remind()
        assert not told("due_soon") and not told("overdue")

    def test_at_four_fifths_whoever_is_on_it_and_who_could_decide_instead_are_told_once(self) -> None:
        people = making.everybody()
        making.person("anna", Role.ANALYST, everywhere=True)
        row = making.in_review()
        Submission.objects.filter(pk=row.pk).update(claimed_by=people["amir"])
        self.lie(row, used=0.95)
        remind()
        remind()
        rows = told("due_soon")
        assert set(rows) == {"amir", "anna"} and not told("overdue")
        assert rows["amir"].why == f"You took {row.number} on." and "Amir is on it." in rows["anna"].says

    @pytest.mark.parametrize(
        ("track", "hours", "minutes"), [(Track.YELLOW, 3, 144), (Track.RED, 24, 1152)], ids=["yellow 3 hours", "red 3 days"]
    )
    def test_the_service_level_counts_the_working_time_of_the_unit(self, track: Track, hours: int, minutes: int) -> None:
        """Yellow has three working hours, red three working days of eight; at 80 % people are told, at 100 % their leads."""
        making.everybody()
        calendar = Calendar(zone="America/New_York", days=frozenset({1, 2, 4}))
        at = making.unit()
        at.calendar = calendar.to_json()
        at.save()
        row = making.in_review(track)
        assert row.turn_since and row.due_at and row.soon_at
        assert working_time_between(row.turn_since, row.due_at, calendar) == timedelta(hours=hours)
        assert working_time_between(row.turn_since, row.soon_at, calendar) == timedelta(minutes=minutes)

    def test_late_it_goes_to_the_others_of_the_role_and_their_lead_once(self) -> None:
        people = making.everybody()
        making.person("anna", Role.ANALYST, everywhere=True)
        people["amir"].manager = making.person("lara")
        people["amir"].save()
        row = making.in_review()
        Submission.objects.filter(pk=row.pk).update(claimed_by=people["amir"])
        self.lie(row, used=1.01)
        remind()
        remind()
        rows = told("overdue")
        assert set(rows) == {"amir", "anna", "lara"}
        assert rows["lara"].why == "You lead Amir, whose role has the turn."
        assert Notification.objects.filter(kind="overdue").count() == 3
