"""Nobody decides on their own: declared conflicts, the submitter's team, steward and risk signer, ways round approval.

The ways round are the self-approval bugs that GitLab had: no rule at all, the rule edited, the author among the approvers, the
author swapped, a second account.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone

from governance.domain.errors import Conflict, DomainError, Forbidden, InvalidInput, NotFound, SegregationOfDuties
from governance.domain.vocabulary import Role, State, StepState, Track
from governance.models import ApiToken, AuditEvent, ColumnMark, Contributor, Person, PolicyPack, RoleGrant, Submission
from governance.policy import load_pack
from governance.selectors.access import caller_for
from governance.services.administration import add_person
from reviews.models import DeclaredConflict, Permit, SignOff
from reviews.selectors.decision_view import decision_view
from reviews.selectors.queue import mine_of
from reviews.selectors.teams import team_of
from reviews.services.deciding import decide
from reviews.services.interests import declare_conflict
from reviews.services.settling import settle
from reviews.services.telling import able_to_decide
from tests.governance.making import browser
from tests.reviews import making
from tests.reviews.making import approve

pytestmark = pytest.mark.django_db(transaction=True)

WHY = "I advised the team on its features."


def say(row: Submission, who: Person) -> None:
    row = making.fresh(row)
    decide(caller=making.call(who), submission_id=row.pk, dossier_digest=row.dossier_digest, decision=approve())


def raw(row: Submission, who: Person) -> None:
    """A signature written past every service."""
    row, step = making.fresh(row), making.open_step(row)
    with transaction.atomic():
        SignOff.objects.create(
            submission=row,
            step=step,
            revision=row.revision,
            role=step.role,
            by=who,
            decision="approve",
            meaning="m",
            dossier_digest=row.dossier_digest,
            policy_digest="sha256:p",
        )


def refused(row: Submission, who: Person, words: str) -> None:
    """Said before the click, by the service, and by the database."""
    approval = next(a for a in decision_view(row.pk, making.call(who)).actions if a.action == "approve")
    assert not approval.available and words in approval.why_not
    with pytest.raises((SegregationOfDuties, Conflict), match=words):
        say(row, who)
    with pytest.raises(IntegrityError) as caught:
        raw(row, who)
    assert getattr(caught.value.__cause__, "sqlstate", "") in ("23G01", "23G02")
    assert not row.sign_offs.filter(by=who, role=making.open_step(row).role).exists()


class TestConflictOfInterest:
    def test_whoever_declares_one_decides_nothing_and_is_asked_nothing_more(self) -> None:
        people, row = making.everybody(), making.in_review()
        amir = making.call(people["amir"])
        assert mine_of(amir).exists() and people["amir"].pk in able_to_decide(row, Role.ANALYST)
        declared = declare_conflict(caller=amir, submission_id=row.pk, why=WHY)
        refused(row, people["amir"], "declared a conflict of interest")
        assert not mine_of(amir).exists() and people["amir"].pk not in able_to_decide(row, Role.ANALYST)
        event = AuditEvent.objects.get(action="conflict.declared")
        assert event.object == f"submission:{row.pk}" and WHY not in event.payload
        view = decision_view(row.pk, making.call(people["ada"]))
        assert [(i.by, i.why) for i in view.interests] == [("Amir", WHY)]
        with pytest.raises(IntegrityError), transaction.atomic():
            DeclaredConflict.objects.filter(pk=declared.pk).delete()
        say(row, making.person("noor", Role.ANALYST))

    def test_it_is_declared_once_with_a_reason_before_deciding_by_somebody_who_could_decide(self) -> None:
        people, row = making.everybody(), making.in_review()

        def attempt(who: Any, why: str = WHY) -> None:
            declare_conflict(caller=who, submission_id=row.pk, why=why)

        with pytest.raises(InvalidInput):
            attempt(making.call(people["amir"]), " no ")
        with pytest.raises(Forbidden):
            attempt(making.call(people["ada"]))
        with pytest.raises(NotFound):
            attempt(making.call(making.person("gus", Role.ANALYST, at=making.unit("shop"))))
        token = ApiToken(person=people["amir"], unit=row.unit, scopes=["read"])
        with pytest.raises(Forbidden):
            attempt(caller_for(people["amir"], token=token))
        say(row, people["amir"])
        with pytest.raises(Conflict, match="have decided"):
            attempt(making.call(people["amir"]))
        attempt(making.call(people["ruth"]))
        with pytest.raises(Conflict, match="already"):
            attempt(making.call(people["ruth"]))

    def test_the_page_asks_why_and_the_case_says_who_stands_aside(self) -> None:
        people, row = making.everybody(), making.in_review()
        client, page = browser(people["amir"]), reverse("declare_conflict", args=[row.pk])
        assert page in client.get(reverse("case", args=[row.pk])).content.decode()
        assert client.post(page, {"why": ""}).status_code == 422
        assert client.post(page, {"why": WHY}).status_code == 302
        case = client.get(reverse("case", args=[row.pk])).content.decode()
        assert WHY in case and page not in case
        assert client.get(page).status_code == 409


class TestTeam:
    def outside(self, monkeypatch: pytest.MonkeyPatch) -> None:
        red = making.PACK["tracks"]["red"]  # type: ignore[index]
        steps = [{**step, "outside_team": True} for step in red["steps"]]
        monkeypatch.setitem(making.PACK, "tracks", {**making.PACK["tracks"], "red": {**red, "steps": steps}})  # type: ignore[dict-item]

    def report(self, who: Person, to: Person | None) -> None:
        Person.objects.filter(pk=who.pk).update(manager=to)

    @pytest.mark.parametrize("how", ["same manager", "leads the submitter", "leads from above", "reports to the submitter"])
    def test_second_line_is_nobody_of_the_submitters_team(self, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
        self.outside(monkeypatch)
        people, row = making.everybody(), making.in_review()
        dana, amir, mona = people["dana"], people["amir"], making.person("mona")
        self.report(dana, mona)
        if how == "same manager":
            self.report(amir, mona)
        elif how == "leads the submitter":
            self.report(dana, amir)
        elif how == "leads from above":
            self.report(mona, amir)
        else:
            self.report(amir, dana)
        refused(row, amir, "belong to the submitter's team")

    def test_somebody_of_another_line_decides_and_without_the_rule_a_colleague_may(self, monkeypatch: pytest.MonkeyPatch) -> None:
        people, mona = making.everybody(), making.person("mona")
        self.report(people["dana"], mona)
        self.report(people["amir"], mona)
        say(making.in_review(), people["amir"])
        self.outside(monkeypatch)
        assert people["amir"].pk not in able_to_decide(making.in_review(), Role.ANALYST), "who may not decide is not asked"
        self.report(people["amir"], making.person("gwen"))
        say(making.in_review(), people["amir"])

    def test_where_the_line_is_not_known_nobody_can_tell(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.outside(monkeypatch)
        people, row = making.everybody(), making.in_review()
        assert team_of(people["dana"].pk, people["amir"].pk) == "unknown"
        refused(row, people["amir"], "not on record whom the submitter reports to")


class TestStewardAndRisk:
    """Holding both roles is not enough to do both on one submission."""

    def both(self) -> Person:
        return making.person("both", Role.PRIVACY, Role.RISK_OFFICER, everywhere=True)

    def test_who_signed_as_data_steward_does_not_sign_the_risk(self) -> None:
        people, both = making.everybody(), self.both()
        row = making.in_review(facts=making.facts_for(Track.RED, data__contains_pii=True))
        say(row, people["amir"])
        say(row, both)
        refused(row, both, "already decided this case")
        say(row, people["ruth"])

    def test_who_judged_its_columns_does_not_sign_the_risk_either(self) -> None:
        people, both, row = making.everybody(), self.both(), making.in_review()
        ColumnMark.objects.create(
            system=row.system, submission=row, column="email", kind="e-mail", mark="expected", reason="Contract.", by=both
        )
        say(row, people["amir"])
        refused(row, both, "judged its columns")
        say(row, people["ruth"])


class TestStandingIn:
    """Whoever stands in decides under every rule, and never what the person they stand in for must not decide."""

    def stand_in(self, who: Person, for_: Person) -> None:
        until = timezone.now() + timedelta(days=7)
        RoleGrant.objects.create(
            person=who, role=Role.ANALYST, reason="on leave", valid_until=until, granted_by=for_, delegated_by=for_
        )

    def test_a_stand_in_decides_what_both_may_decide(self) -> None:
        people, row = making.everybody(), making.in_review()
        noor = making.person("noor")
        self.stand_in(noor, people["amir"])
        say(row, noor)
        assert making.fresh(row).turn == Role.RISK_OFFICER

    @pytest.mark.parametrize("why", ["submitted", "contributed", "declared"])
    def test_what_bars_the_one_bars_the_other(self, why: str) -> None:
        people, row = making.everybody(), making.in_review()
        noor, amir = making.person("noor"), people["amir"]
        if why == "submitted":
            amir = row.submitter
            RoleGrant.objects.create(person=amir, role=Role.ANALYST, reason="test", valid_from=timezone.now() - timedelta(days=1))
        elif why == "contributed":
            Contributor.objects.create(submission=row, person=amir, why="trained it")
        else:
            declare_conflict(caller=making.call(amir), submission_id=row.pk, why=WHY)
        self.stand_in(noor, amir)
        refused(row, noor, "person you stand in for must not decide")

    def test_a_stand_in_who_submitted_it_is_refused_like_anybody(self) -> None:
        people, row = making.everybody(), making.in_review()
        self.stand_in(row.submitter, people["amir"])
        refused(row, row.submitter, "You submitted this version")


class TestWaysRound:
    def test_no_rule_no_step_no_approval(self) -> None:
        """An author cannot approve where no rule asks for anybody: red without steps stays where it is, and gets no permit."""
        row = making.in_review()
        row.steps.update(state=StepState.VOID)
        RoleGrant.objects.create(person=row.submitter, role=Role.ANALYST, reason="test")
        with pytest.raises(DomainError):
            say(row, row.submitter)
        # and if the state were written past the services, the permit's own fence refuses: tests/reviews/test_fences.py
        assert (making.fresh(row).state, Permit.objects.count()) == (State.IN_REVIEW, 0)

    def test_editing_the_rule_frees_nothing_that_is_under_review(self) -> None:
        """A laxer pack, put in force while the case waits, changes neither its steps nor who may sign them."""
        people, row = making.everybody(), making.in_review()
        lax = {**making.PACK, "version": "2026.11.2", "rules": making.PACK["rules"][1:]}  # type: ignore[index]
        source, questions = json.dumps(lax), json.dumps(making.QUESTIONNAIRE)
        pack = load_pack(source, questions)
        PolicyPack.objects.create(
            name=pack.name, kind=pack.kind, version=pack.version, digest=pack.digest, source=source, questionnaire=questions,
            active_from=Now(),
        )  # fmt: skip
        RoleGrant.objects.create(person=people["dana"], role=Role.POLICY_AUTHOR, reason="test")
        assert settle(submission_id=row.pk) is None
        assert (making.fresh(row).track, making.open_step(row).role) == (Track.RED, Role.ANALYST)
        with pytest.raises(Forbidden):
            say(row, people["dana"])

    def test_among_the_approvers_the_author_is_still_the_author(self) -> None:
        row = making.in_review()
        RoleGrant.objects.create(person=row.submitter, role=Role.ANALYST, reason="test")
        refused(row, row.submitter, "You submitted this version")

    def test_another_author_on_paper_leaves_who_worked_on_it_among_the_contributors(self) -> None:
        """The submitter of record cannot be exchanged, and who handed it in stays a contributor even if it could."""
        people, row = making.everybody(), making.in_review()
        dana = people["dana"]
        RoleGrant.objects.create(person=dana, role=Role.ANALYST, reason="test")
        try:
            with transaction.atomic():
                Submission.objects.filter(pk=row.pk).update(submitter=making.person("eli"))
        except IntegrityError:
            pass
        row = making.fresh(row)
        assert Contributor.objects.filter(submission=row, person=dana).exists()
        with pytest.raises(SegregationOfDuties):
            decide(caller=making.call(dana), submission_id=row.pk, dossier_digest=row.dossier_digest, decision=approve())
        with pytest.raises(IntegrityError):
            raw(row, dana)

    def test_one_person_has_one_account(self) -> None:
        adm = making.call(making.person("adm", Role.ADMIN, everywhere=True))
        making.person("dana")
        new = {"username": "dana2", "first_name": "Dana", "last_name": "O", "email": "DANA@example.org", "unit": making.unit()}
        with pytest.raises(InvalidInput, match="One person has one account"):
            add_person(caller=adm, proved_at=timezone.now(), **new)  # type: ignore[arg-type]
