"""Findings of people: raised, fixed with evidence, verified by somebody else, carried until closed."""

from __future__ import annotations

from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from governance.domain.errors import Conflict, DomainError, Forbidden, InvalidInput, NotFound, SegregationOfDuties
from governance.domain.lifecycle import Actor
from governance.domain.remedies import Remedy, fix_refusal, verify_refusal
from governance.domain.vocabulary import Role, State
from governance.models import AuditEvent, Contributor, Person, Submission
from reviews.models import Finding, Notification
from reviews.selectors.case_page import case_page
from reviews.selectors.findings import FindingFilters, findings
from reviews.services.remedying import NewFinding, assign, raise_finding, report_fix, verify
from tests.reviews import making

pytestmark = pytest.mark.django_db(transaction=True)


def signed_in(who: Person) -> Client:
    client = Client()
    client.force_login(who, backend="django.contrib.auth.backends.ModelBackend")
    return client


def raised(row: Submission, **given: Any) -> Finding:
    new = {
        "about": "GF101",
        "severity": "high",
        "says": "Young applicants are refused more often.",
        "fix": "A ratio of at least 0.8.",
        "owner": row.submitter_id,
        "due_on": None,
        **given,
    }
    return raise_finding(caller=making.call(making.everybody()["amir"]), submission_id=row.pk, new=NewFinding(**new))


def fixed(finding: Finding, by: Person) -> Finding:
    return report_fix(
        caller=making.call(by), finding_id=finding.pk, remediation="Reweighed the training data.", evidence="S-2, GF101"
    )


class TestTheWayToItsEnd:
    def test_somebody_else_than_the_fixer_closes_it(self) -> None:
        people, row = making.everybody(), making.in_review()
        dana, amir = people["dana"], people["amir"]
        finding = raised(row)
        assert Notification.objects.filter(person=dana, kind="remedy").count() == 1
        assert fixed(finding, dana).state == "fixed"
        assert Notification.objects.filter(person=amir, kind="remedy").get().why == "You raised it."
        for worker in (dana,):
            with pytest.raises(Forbidden):
                verify(caller=making.call(worker), finding_id=finding.pk, good=True, why="I looked at it again.")
        again = verify(caller=making.call(amir), finding_id=finding.pk, good=False, why="The interval still reaches 0.7.")
        assert again.state == "open"
        fixed(finding, dana)
        closed = verify(caller=making.call(people["ruth"]), finding_id=finding.pk, good=True, why="Looked at GF101 of S-2.")
        assert (closed.state, closed.verified_by, closed.fixed_by) == ("closed", people["ruth"], dana)
        actions = AuditEvent.objects.filter(action__startswith="finding.").order_by("seq").values_list("action", flat=True)
        assert list(actions) == [f"finding.{word}" for word in ("opened", "fixed", "reopened", "fixed", "verified")]

    def test_neither_the_fixer_nor_a_contributor_verifies_and_the_database_holds_the_same(self) -> None:
        people, row = making.everybody(), making.in_review()
        both = making.person("bea", Role.SUBMITTER, Role.ANALYST)
        finding = fixed(raised(row), both)
        with pytest.raises(SegregationOfDuties, match="You reported the fix"):
            verify(caller=making.call(both), finding_id=finding.pk, good=True, why="I looked at it again.")
        Contributor.objects.create(submission=row, person=people["pia"], why="trained it")
        with pytest.raises(SegregationOfDuties, match="You worked on this version"):
            verify(caller=making.call(people["pia"]), finding_id=finding.pk, good=True, why="I looked at it again.")
        close = {"state": "closed", "closed_at": timezone.now(), "closed_why": "x"}
        for verifier in (both, people["pia"], row.submitter, None):
            with pytest.raises(IntegrityError), transaction.atomic():
                Finding.objects.filter(pk=finding.pk).update(**close, verified_by=verifier)
        with pytest.raises(IntegrityError), transaction.atomic():
            Finding.objects.filter(pk=finding.pk).update(says="nothing")

    def test_what_says_too_little_is_refused_by_field(self) -> None:
        people, row = making.everybody(), making.in_review()
        with pytest.raises(InvalidInput) as refused:
            raised(row, about="", severity="huge", says="x", fix="", owner=0, due_on=timezone.now().date() - timedelta(days=1))
        assert {e.pointer for e in refused.value.errors} == {"/about", "/severity", "/says", "/fix", "/owner", "/due_on"}
        finding = raised(row)
        with pytest.raises(InvalidInput) as refused:
            report_fix(caller=making.call(people["dana"]), finding_id=finding.pk, remediation="done", evidence="")
        assert {e.pointer for e in refused.value.errors} == {"/remediation", "/evidence"}
        other = making.person("gus", Role.ANALYST, at=making.unit("shop"))
        with pytest.raises(NotFound):
            verify(caller=making.call(other), finding_id=finding.pk, good=True, why="I looked at it again.")
        with pytest.raises(InvalidInput):
            assign(caller=making.call(people["amir"]), finding_id=finding.pk, owner_id=other.pk, due_on=None)
        mine = assign(caller=making.call(people["amir"]), finding_id=finding.pk, owner_id=people["amir"].pk, due_on=None)
        assert mine.owner == people["amir"]

    @pytest.mark.parametrize(
        ("state", "by_person", "case", "who", "roles", "fix", "check"),
        [
            ("open", True, State.IN_REVIEW, 1, {Role.SUBMITTER}, None, Conflict),
            ("open", True, State.IN_REVIEW, 9, {Role.AUDITOR}, Forbidden, Conflict),
            ("open", False, State.IN_REVIEW, 1, {Role.SUBMITTER}, Conflict, Conflict),  # the gate measures it again
            ("open", False, State.APPROVED, 1, {Role.SUBMITTER}, None, Conflict),
            ("fixed", True, State.APPROVED, 2, {Role.ANALYST}, Conflict, SegregationOfDuties),
            ("fixed", True, State.APPROVED, 3, {Role.ANALYST}, Conflict, None),
            ("fixed", True, State.APPROVED, 3, {Role.AUDITOR}, Conflict, Forbidden),
            ("closed", True, State.APPROVED, 3, {Role.ANALYST}, Conflict, Conflict),
        ],
    )
    def test_the_rules(
        self,
        state: str,
        by_person: bool,
        case: State,
        who: int,
        roles: set[Role],
        fix: type[DomainError] | None,
        check: type[DomainError] | None,
    ) -> None:
        remedy = Remedy(state, by_person, case, owner=1, fixed_by=2, workers={1})
        actor = Actor(who, frozenset(roles))
        for refused, expected in ((fix_refusal(remedy, actor), fix), (verify_refusal(remedy, actor), check)):
            assert refused is None if expected is None else isinstance(refused, expected)
        token = Actor(who, frozenset(Role), token=True)
        assert isinstance(fix_refusal(remedy, token), Forbidden) and isinstance(verify_refusal(remedy, token), Forbidden)


def test_it_stays_with_later_versions_until_closed() -> None:
    people = making.everybody()
    first, other = making.in_review(), making.in_review(system="basket")
    finding, machine = raised(first), Finding.objects.create(submission=first, revision=1, about="GP1", severity="low", says="s")
    later = making.in_review()
    amir = making.call(people["amir"])
    assert [row.id for row in case_page(later.pk, amir).carried] == [finding.pk]
    assert not case_page(first.pk, amir).carried and not case_page(other.pk, amir).carried
    Submission.objects.filter(pk=first.pk).update(state="approved")
    assert [row.id for row in case_page(later.pk, amir).carried] == [machine.pk, finding.pk]
    page = unescape(signed_in(people["amir"]).get(f"/submissions/{later.number}").content.decode())
    assert "Carried over from earlier versions" in page and finding.says in page
    assert finding.says in unescape(signed_in(people["amir"]).get(f"/systems/{first.system_id}").content.decode())
    fixed(finding, people["dana"])
    verify(caller=amir, finding_id=finding.pk, good=True, why="Looked at it in S-3.")
    assert [row.id for row in case_page(later.pk, amir).carried] == [machine.pk]


def test_list_and_board_by_filter_of_the_own_units_only() -> None:
    people, row = making.everybody(), making.in_review()
    mine, late = raised(row, owner=people["amir"].pk), raised(row, severity="low", due_on=timezone.now().date())
    Finding.objects.filter(pk=late.pk).update(due_on=timezone.now().date() - timedelta(days=1))
    elsewhere = making.in_review(at=making.unit("shop"), submitter=making.person("sue", Role.SUBMITTER, at=making.unit("shop")))
    Finding.objects.create(submission=elsewhere, revision=1, about="GP1", severity="low", says="s")
    only_lending = making.person("zoe", Role.ANALYST)
    for filters, expected in (
        (FindingFilters(), [late.pk, mine.pk]),
        (FindingFilters(due="overdue"), [late.pk]),
        (FindingFilters(owner="amir"), [mine.pk]),
        (FindingFilters(severity="high", state="open"), [mine.pk]),
        (FindingFilters(state="closed"), []),
    ):
        assert [each.id for each in findings(making.call(only_lending), filters=filters)[0]] == expected, filters
    zoe, counts = signed_in(only_lending), []
    for _ in range(2):
        raised(row, about="GX101")
        with CaptureQueriesContext(connection) as caught:
            board = unescape(zoe.get("/findings?view=board").content.decode())
        counts.append(len(caught))
    assert "overdue since" in board and "Fix reported" in board and elsewhere.number not in board
    assert counts[0] == counts[1]
    assert "A filter was left out" in zoe.get("/findings?state=gone").content.decode()


def test_raising_fixing_and_verifying_on_the_pages() -> None:
    people, row = making.everybody(), making.in_review()
    amir, dana = signed_in(people["amir"]), signed_in(people["dana"])
    form = {
        "about": "GP101",
        "severity": "medium",
        "says": "The smallest segment lost five points.",
        "fix": "Less than two points.",
    }
    refused = amir.post(f"/submissions/{row.number}/findings/new", {**form, "owner": ""})
    assert refused.status_code == 422 and "Choose who sees to it." in refused.content.decode()
    assert dana.get(f"/submissions/{row.number}/findings/new").status_code == 409
    made = amir.post(f"/submissions/{row.number}/findings/new", {**form, "owner": people["dana"].pk, "due_on": "2999-01-01"})
    where = made["Location"]
    assert dana.post(where, {"do": "fix", "remediation": "x", "evidence": ""}).status_code == 422
    sent = {"do": "fix", "remediation": "Trained on more rows of that segment.", "evidence": "S-9, GP104"}
    assert dana.post(where, sent).status_code == 302
    assert "A reviewer verifies the fix." in unescape(dana.get(where).content.decode())
    assert amir.post(where, {"do": "verify", "why": "The slice holds in S-9."}).status_code == 302
    assert "verified by Amir" in unescape(amir.get(where).content.decode())
    assert amir.post(where, {"do": "erase"}).status_code == 422
