"""Threads: drafted alone, published together, and what must be fixed stops approvals until a reviewer resolves it."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from governance.domain.errors import Conflict, Forbidden, InvalidInput, NotFound
from governance.domain.vocabulary import DecisionKind, Role
from governance.models import ApiToken, AuditEvent, Person, Submission
from governance.selectors.access import Caller, caller_for
from reviews.models import Finding, Notification, Remark, SignOff, Thread
from reviews.selectors.decision_view import decision_view
from reviews.services.deciding import decide
from reviews.services.decision_input import NewDecision
from reviews.services.threads import NewRemark, draft_remark, drop_draft, publish
from tests.governance.making import browser
from tests.reviews import making
from tests.reviews.making import approve

pytestmark = pytest.mark.django_db(transaction=True)


def write(row: Submission, who: Person, disposition: str = "question", text: str = "Why does it fall?", **more: Any) -> Remark:
    about = {"about_kind": "gate", "about": "GP101", **more}
    new = NewRemark(text=text, disposition=disposition, **about)
    return draft_remark(caller=making.call(who), submission_id=row.pk, new=new)


def say(row: Submission, who: Person, disposition: str = "question", text: str = "Why does it fall?", **more: Any) -> Thread:
    remark = write(row, who, disposition, text, **more)
    publish(caller=making.call(who), submission_id=row.pk)
    return Thread.objects.get(pk=remark.thread_id)


def sign(row: Submission, who: Person, new: NewDecision | None = None) -> None:
    decide(caller=making.call(who), submission_id=row.pk, dossier_digest=row.dossier_digest, decision=new or approve())


class TestDrafts:
    def test_drafts_are_seen_by_nobody_else_and_come_out_together(self) -> None:
        people, row = making.everybody(), making.in_review()
        write(row, people["amir"])
        other = write(
            row, people["amir"], text="And what of @dana and @ada's view?", about_kind="question", about="decision.domain"
        )
        assert decision_view(row.pk, making.call(people["dana"])).threads == ()
        with pytest.raises(NotFound):
            drop_draft(caller=making.call(people["ruth"]), submission_id=row.pk, remark_id=other.pk)
        dropped = write(row, people["amir"], text="Never mind.")
        drop_draft(caller=making.call(people["amir"]), submission_id=row.pk, remark_id=dropped.pk)
        assert not Notification.objects.filter(kind__in=["remark", "mentioned"]).exists()
        assert len(publish(caller=making.call(people["amir"]), submission_id=row.pk)) == 2
        views = decision_view(row.pk, making.call(people["ada"])).threads
        assert [(view.about, len(view.remarks)) for view in views] == [("GP101", 1), ("decision.domain", 1)]
        mentioned = Notification.objects.filter(kind="mentioned").values_list("person__username", flat=True)
        assert sorted(mentioned) == ["ada", "dana"], "each once, although two remarks came out"
        assert not Notification.objects.filter(kind="remark").exists(), "dana was mentioned, which is enough"
        event = AuditEvent.objects.get(action="remarks.published")
        assert '"remarks":2' in event.payload and "Why does it fall" not in event.payload
        with pytest.raises(InvalidInput):
            publish(caller=making.call(people["amir"]), submission_id=row.pk)

    def test_what_is_published_stays(self) -> None:
        people, row = making.everybody(), making.in_review()
        remark = write(row, people["amir"])
        publish(caller=making.call(people["amir"]), submission_id=row.pk)
        for change in (
            lambda: Remark.objects.filter(pk=remark.pk).update(text="nicer"),
            lambda: Remark.objects.filter(pk=remark.pk).delete(),
            lambda: Thread.objects.filter(pk=remark.thread_id).update(about="GF101"),
        ):
            with pytest.raises(IntegrityError), transaction.atomic():
                change()

    def test_a_remark_is_about_something_that_is_there_and_by_somebody_concerned(self) -> None:
        people, row = making.everybody(), making.in_review()
        found = Finding.objects.create(submission=row, revision=1, about="GP101", severity="medium", says="x")
        say(row, people["dana"], about_kind="finding", about=str(found.pk))
        for odd in ({"about": "GX999"}, {"about_kind": "person", "about": "dana"}, {"about_kind": "finding", "about": "0"}):
            with pytest.raises(InvalidInput):
                write(row, people["amir"], **odd)
        for words in ("  ", "x" * 5_001):
            with pytest.raises(InvalidInput):
                write(row, people["amir"], text=words)
        for outsider in (people["ada"], making.person("eli", Role.SUBMITTER)):
            with pytest.raises(Forbidden):
                write(row, outsider)
        with pytest.raises(NotFound):
            write(row, making.person("gus", Role.ANALYST, at=making.unit("shop")))
        token: Caller = caller_for(people["amir"], token=ApiToken(person=people["amir"], unit=row.unit, scopes=["read"]))
        with pytest.raises(Forbidden):
            draft_remark(caller=token, submission_id=row.pk, new=NewRemark("a b", "question", None, "gate", "GP101"))


class TestMustFix:
    def test_it_stops_approvals_and_nothing_else_until_a_reviewer_resolves_it(self) -> None:
        people, row = making.everybody(), making.in_review()
        digest = row.dossier_digest
        say(row, people["ruth"], "must_fix", "The floor for the young is missing.")
        offered = {a.action: a for a in decision_view(row.pk, making.call(people["amir"])).actions}
        assert "must be fixed: GP101" in offered["approve"].why_not and offered["reject"].available
        with pytest.raises(Conflict) as refused:
            sign(row, people["amir"])
        assert refused.value.code == "must_fix"
        # the answer of who works on it leaves it standing, and they do not resolve it
        assert say(row, people["dana"], "question", "It is in the annex.").disposition == "must_fix"
        assert say(row, people["amir"], "question", "Where?").disposition == "must_fix"
        with pytest.raises(Forbidden, match="says when it is"):
            write(row, people["dana"], "resolved")
        with pytest.raises(Forbidden):
            write(row, people["dana"], "must_fix", about="GP101")
        assert say(row, people["amir"], "resolved", "Seen in the annex.").disposition == "resolved"
        assert making.fresh(row).dossier_digest == digest, "what is said changes no dossier"
        sign(row, people["amir"])

    def test_a_signature_is_not_void_when_something_is_said_but_the_next_waits(self) -> None:
        people, row = making.everybody(), making.in_review()
        sign(row, people["amir"])
        row = making.fresh(row)
        say(row, people["ruth"], "must_fix", "The floor for the young is missing.")
        assert SignOff.objects.get().voided_at is None
        with pytest.raises(Conflict):
            sign(row, people["ruth"])
        why = "The floor for the young is missing, and nobody said why."
        sign(
            row,
            people["ruth"],
            NewDecision(DecisionKind.REJECT, comment=why, accepted_instead=why, reauthenticated_at=timezone.now()),
        )

    def test_the_database_holds_it_too(self) -> None:
        people, row = making.everybody(), making.in_review()
        thread = say(row, people["amir"], "must_fix", "The floor is missing.")
        with pytest.raises(IntegrityError, match="somebody who reviews"), transaction.atomic():
            Thread.objects.filter(pk=thread.pk).update(disposition="resolved")
        step = making.open_step(row)
        with pytest.raises(IntegrityError, match="must be fixed first"), transaction.atomic():
            SignOff.objects.create(
                submission=row,
                step=step,
                revision=1,
                role=step.role,
                by=people["amir"],
                decision="approve",
                meaning="m",
                dossier_digest=row.dossier_digest,
                policy_digest="sha256:p",
            )


def test_the_page_drafts_publishes_and_the_case_shows_what_is_open() -> None:
    people, row = making.everybody(), making.in_review()
    amir, where = browser(people["amir"]), reverse("threads", args=[row.pk])
    form = {"about": "gate:GP101", "disposition": "must_fix", "text": "Say where it must not be used."}
    kept = amir.post(where, form, follow=True).content.decode()
    assert "Publish 1 draft" in kept
    dana = browser(people["dana"])
    assert form["text"] not in dana.get(where).content.decode()
    amir.post(where, {"publish": "1"})
    case = dana.get(reverse("case", args=[row.pk])).content.decode()
    assert form["text"] in case and "must fix" in case
    assert 'value="must_fix"' not in dana.get(where).content.decode(), "who works on it is not offered what is refused"
    assert amir.post(where, {"about": "", "disposition": "question", "text": "x"}).status_code == 422
    assert "People who work on the version" in browser(people["ada"]).get(where).content.decode()
