"""The second person of a role grant, and roles handed on for a while."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from governance.domain.errors import Conflict, Forbidden, InvalidInput, NotFound, ReauthenticationNeeded
from governance.domain.vocabulary import REVIEWING_ROLES, SECOND_PERSON_ROLES, Role
from governance.models import AuditEvent, GrantRequest, Person, RoleGrant
from governance.selectors.access import SYSTEM, Caller, caller_for
from governance.services import administration, granting
from tests.governance import making

pytestmark = pytest.mark.django_db(transaction=True)


def somebody(name: str, *roles: Role, everywhere: bool = True) -> Caller:
    return caller_for(making.person(name, *roles, everywhere=everywhere))


def ask(adm: Caller, who: Person, role: Role = Role.ANALYST, **more: Any) -> GrantRequest:
    given = {"unit": making.unit(), "until": None, "reason": "joins the team", **more}
    asked = administration.grant_role(caller=adm, person_id=who.pk, role=role, proved_at=timezone.now(), **given)
    assert isinstance(asked, GrantRequest)
    return asked


def answer(caller: Caller, asked: GrantRequest, *, approve: bool = True, why: str = "") -> GrantRequest:
    return granting.answer_request(caller=caller, request_id=asked.pk, approve=approve, why=why, proved_at=timezone.now())


def roles(who: Person) -> frozenset[Role]:
    """What somebody holds beside being a data scientist, which everybody is in these tests."""
    return caller_for(Person.objects.get(pk=who.pk)).any_roles - {Role.SUBMITTER}


class TestSecondPerson:
    @pytest.mark.parametrize("second", [Role.ADMIN, Role.RISK_OFFICER])
    def test_it_holds_once_another_administrator_or_a_risk_officer_approves(self, second: Role) -> None:
        adm, eli = somebody("adm", Role.ADMIN), making.person("eli")
        asked = ask(adm, eli)
        assert roles(eli) == frozenset()
        done = answer(somebody("second", second), asked)
        assert roles(eli) == {Role.ANALYST} and done.grant is not None
        assert (done.grant.granted_by, done.grant.approved_by) == (adm.person, done.answered_by)
        assert list(AuditEvent.objects.order_by("seq").values_list("action", flat=True))[-2:] == ["role.asked", "role.granted"]

    def test_nobody_else_is_the_second_person(self) -> None:
        adm, eli = somebody("adm", Role.ADMIN), making.person("eli")
        asked = ask(adm, eli, Role.ADMIN, unit=None)
        somebody("eli2", Role.ADMIN)
        here = making.person("here", Role.RISK_OFFICER)
        for who in (adm, somebody("amir", Role.ANALYST), somebody("ada", Role.AUDITOR), caller_for(here), caller_for(eli)):
            with pytest.raises((Forbidden, NotFound)):
                answer(who, asked)
        with pytest.raises(ReauthenticationNeeded):
            granting.answer_request(caller=somebody("two", Role.ADMIN), request_id=asked.pk, approve=True)
        assert roles(eli) == frozenset() and asked.answered_at is None

    def test_a_refusal_says_why_and_nothing_is_answered_twice_or_too_late(self) -> None:
        adm, second, eli = somebody("adm", Role.ADMIN), somebody("second", Role.ADMIN), making.person("eli")
        asked = ask(adm, eli)
        with pytest.raises(Conflict, match="waits for a second person"):
            ask(adm, eli)
        with pytest.raises(InvalidInput):
            answer(second, asked, approve=False)
        answer(second, asked, approve=False, why="She moved to another team.")
        with pytest.raises(Conflict):
            answer(second, asked)
        old = GrantRequest.objects.create(
            person=eli, role="legal", reason="r", asked_by=adm.person, asked_at=timezone.now() - timedelta(days=15)
        )
        with pytest.raises(Conflict, match="asked for anew"):
            answer(second, old)
        answer(second, old, approve=False, why="Too old.")
        assert roles(eli) == frozenset()

    def test_what_became_impossible_meanwhile_is_not_granted(self) -> None:
        adm, second, eli = somebody("adm", Role.ADMIN), somebody("second", Role.ADMIN), making.person("eli")
        asked = ask(adm, eli)
        RoleGrant.objects.create(person=eli, role=Role.ADMIN, unit=making.unit(), reason="set up on the server")
        with pytest.raises(Conflict, match="cannot both administer access and review"):
            answer(second, asked)

    def test_the_server_grants_at_once_and_so_does_an_administrator_what_judges_nothing(self) -> None:
        adm, eli, unit = somebody("adm", Role.ADMIN), making.person("eli"), making.unit()
        common: dict[str, Any] = {"person_id": eli.pk, "unit": unit, "until": None, "reason": "r", "proved_at": timezone.now()}
        administration.grant_role(caller=adm, role=Role.AUDITOR, **common)
        administration.grant_role(caller=SYSTEM, role=Role.ANALYST, **common)
        assert roles(eli) == {Role.AUDITOR, Role.ANALYST}
        assert REVIEWING_ROLES | {Role.ADMIN, Role.POLICY_AUTHOR} == SECOND_PERSON_ROLES

    def test_the_database_holds_it_too(self) -> None:
        adm, second, eli = somebody("adm", Role.ADMIN), somebody("second", Role.ADMIN), making.person("eli")
        assert adm.person is not None
        with pytest.raises(IntegrityError, match="second person"), transaction.atomic():
            RoleGrant.objects.create(person=eli, role=Role.ANALYST, reason="r", granted_by=adm.person)
        with pytest.raises(IntegrityError), transaction.atomic():
            RoleGrant.objects.create(person=eli, role=Role.ANALYST, reason="r", granted_by=adm.person, approved_by=adm.person)
        asked = ask(adm, eli)
        with pytest.raises(IntegrityError), transaction.atomic():
            GrantRequest.objects.filter(pk=asked.pk).update(role="admin")
        with pytest.raises(IntegrityError), transaction.atomic():
            GrantRequest.objects.filter(pk=asked.pk).update(answered_by=adm.person, answered_at=timezone.now(), approved=True)
        grant = answer(second, asked).grant
        assert grant is not None
        for change in ({"role": "admin"}, {"unit": None}, {"person": second.person}):
            with pytest.raises(IntegrityError), transaction.atomic():
                RoleGrant.objects.filter(pk=grant.pk).update(**change)


class TestStandingIn:
    def hand_on(self, who: Caller, to: Person, *, days: float = 7, reason: str = "on leave") -> RoleGrant:
        assert who.person is not None
        grant = RoleGrant.objects.filter(person=who.person).order_by("id").first()
        until = timezone.now() + timedelta(days=days)
        return granting.delegate(
            caller=who, grant_id=grant.pk if grant else 0, to=to, until=until, reason=reason, proved_at=timezone.now()
        )

    def test_a_colleague_holds_the_role_until_the_day_or_until_either_ends_it(self) -> None:
        amir, noor = somebody("amir", Role.ANALYST), making.person("noor")
        grant = self.hand_on(amir, noor)
        assert roles(noor) == {Role.ANALYST}
        event = AuditEvent.objects.get(action="role.delegated")
        assert f"person:{noor.pk}" in event.payload and "on leave" not in event.payload
        with pytest.raises(NotFound):
            granting.end_delegation(caller=somebody("adm", Role.ADMIN), grant_id=grant.pk)
        granting.end_delegation(caller=caller_for(noor), grant_id=grant.pk)
        assert roles(noor) == frozenset()
        again = self.hand_on(amir, noor)
        granting.end_delegation(caller=amir, grant_id=again.pk)
        assert roles(noor) == frozenset()

    def test_only_an_own_reviewing_role_for_a_month_to_an_open_colleague_who_does_not_administer(self) -> None:
        amir, noor = somebody("amir", Role.ANALYST), making.person("noor")
        for odd in ({"days": -1}, {"days": 32}, {"reason": " "}):
            with pytest.raises(InvalidInput):
                self.hand_on(amir, noor, **odd)  # type: ignore[arg-type]
        for other in (making.person("gus", of=making.unit("shop")), amir.person):
            with pytest.raises(InvalidInput):
                self.hand_on(amir, other)  # type: ignore[arg-type]
        with pytest.raises(Conflict):
            self.hand_on(amir, making.person("adm", Role.ADMIN))
        with pytest.raises(Forbidden):
            self.hand_on(somebody("dana", Role.SUBMITTER), noor)
        self.hand_on(amir, noor)
        with pytest.raises(Forbidden):
            self.hand_on(caller_for(noor), making.person("lee"))
        with pytest.raises(IntegrityError), transaction.atomic():
            RoleGrant.objects.create(
                person=making.person("lee"), role="analyst", reason="r", delegated_by=noor, valid_until=timezone.now()
            )

    @pytest.mark.parametrize("how", ["the role ends", "the account is closed"])
    def test_it_ends_with_what_it_rests_on(self, how: str) -> None:
        adm, amir, noor = somebody("adm", Role.ADMIN), somebody("amir", Role.ANALYST), making.person("noor")
        assert amir.person is not None
        self.hand_on(amir, noor)
        if how == "the role ends":
            own = RoleGrant.objects.get(person=amir.person)
            administration.end_grant(caller=adm, grant_id=own.pk, proved_at=timezone.now())
        else:
            administration.set_active(caller=adm, person_id=amir.person.pk, active=False, proved_at=timezone.now())
        assert roles(noor) == frozenset()


class TestPlace:
    def test_manager_and_unit_change_with_an_audit_event_and_without_circles(self) -> None:
        adm, dana, mona = somebody("adm", Role.ADMIN), making.person("dana"), making.person("mona")

        def place(who: Person, boss: Person | None) -> Person:
            return administration.change_person(
                caller=adm, person_id=who.pk, unit=making.unit(), manager=boss, known_as=["d.o"], proved_at=timezone.now()
            )

        assert place(dana, mona).manager == mona
        event = AuditEvent.objects.get(action="person.changed")
        assert f"person:{mona.pk}" in event.payload and "d.o" not in event.payload
        place(dana, mona)
        assert AuditEvent.objects.filter(action="person.changed").count() == 1, "nothing changed the second time"
        with pytest.raises(InvalidInput, match="reports to this person"):
            place(mona, dana)
        with pytest.raises(Forbidden):
            here = caller_for(making.person("local", Role.ADMIN))
            administration.change_person(
                caller=here, person_id=dana.pk, unit=making.unit("shop"), manager=None, known_as=[], proved_at=timezone.now()
            )
