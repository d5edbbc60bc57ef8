"""Who may change access, and what each change leaves behind."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from governance.domain.errors import Conflict, DomainError, Forbidden, InvalidInput, NotFound, ReauthenticationNeeded
from governance.domain.vocabulary import Role, Scope
from governance.models import AuditEvent, Person, RoleGrant, Unit
from governance.selectors.access import SYSTEM, Caller, caller_for
from governance.services import administration
from governance.services.tokens import find_token, issue_token, revoke_token
from tests.governance import making

pytestmark = pytest.mark.django_db(transaction=True)
NEW = {"username": "noor", "first_name": "Noor", "last_name": "Aziz", "email": "noor@example.org"}


def now() -> datetime:
    return timezone.now()


def administrator(name: str = "adm", *, everywhere: bool = True) -> Caller:
    return caller_for(making.person(name, Role.ADMIN, everywhere=everywhere))


def actions() -> list[str]:
    return list(AuditEvent.objects.order_by("seq").values_list("action", flat=True))


def test_a_person_comes_in_gets_a_role_for_a_time_and_leaves() -> None:
    adm, unit = administrator(), making.unit()
    person, password = administration.add_person(caller=adm, unit=unit, known_as=["noor.aziz", " "], proved_at=now(), **NEW)
    assert person.check_password(password) and len(password) >= 20
    assert person.known_as == ["noor.aziz"]
    assert caller_for(person).any_roles == frozenset(), "nobody may do anything before a role is granted"
    until = now() + timedelta(days=1)
    grant = administration.grant_role(
        caller=adm, person_id=person.pk, role=Role.SUBMITTER, unit=unit, until=until, reason="covers for Dana", proved_at=now()
    )
    assert isinstance(grant, RoleGrant)
    assert caller_for(Person.objects.get(pk=person.pk)).roles == {unit.pk: frozenset({Role.SUBMITTER})}
    assert grant.granted_by == adm.person
    with pytest.raises(Conflict):
        administration.grant_role(
            caller=adm, person_id=person.pk, role=Role.SUBMITTER, unit=unit, until=None, reason="again", proved_at=now()
        )
    administration.end_grant(caller=adm, grant_id=grant.pk, proved_at=now())
    assert caller_for(Person.objects.get(pk=person.pk)).any_roles == frozenset()
    assert RoleGrant.objects.filter(pk=grant.pk).exists(), "it stays on record"
    assert actions()[-3:] == ["person.added", "role.granted", "role.ended"]


def test_closing_an_account_stops_sessions_and_tokens() -> None:
    adm, dana = administrator(), making.person("dana")
    _, secret = issue_token(caller=adm, person=dana, unit=making.unit(), name="ci", scopes=[Scope.READ], proved_at=now())
    client = making.browser(dana)
    assert (client.get("/").status_code, find_token(secret) is not None) == (200, True)
    administration.set_active(caller=adm, person_id=dana.pk, active=False, proved_at=now())
    assert (client.get("/").status_code, find_token(secret)) == (302, None)
    administration.set_active(caller=adm, person_id=dana.pk, active=False, proved_at=now())
    assert actions().count("person.deactivated") == 1, "nothing changed the second time"


def test_a_new_password_ends_the_old_session_and_is_told(settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    adm, dana = administrator(), making.person("dana")
    client = making.browser(dana)
    _, password = administration.new_password(caller=adm, person_id=dana.pk, proved_at=now())
    assert client.get("/").status_code == 302
    assert Client().login(username="dana", password=password)
    (message,) = mail.outbox
    assert message.to == ["dana@example.org"] and "Adm" in message.body and password not in message.body


def test_nobody_changes_their_own_access() -> None:
    adm = administrator()
    assert adm.person is not None
    own = RoleGrant.objects.get(person=adm.person)
    attempts = (
        lambda: administration.grant_role(
            caller=adm, person_id=adm.person.pk, role=Role.ANALYST, unit=None, until=None, reason="me", proved_at=now()
        ),
        lambda: administration.end_grant(caller=adm, grant_id=own.pk, proved_at=now()),
        lambda: administration.set_active(caller=adm, person_id=adm.person.pk, active=True, proved_at=now()),
        lambda: administration.new_password(caller=adm, person_id=adm.person.pk, proved_at=now()),
    )
    for attempt in attempts:
        with pytest.raises(Forbidden) as refused:
            attempt()
        assert refused.value.code == "own_access"


def changes(caller: Caller, proved_at: datetime | None, about: Person, unit: Unit) -> dict[str, Any]:
    """Every change, as a function of nothing."""
    grant, token = about.grants.get(), issue_token(caller=SYSTEM, person=about, unit=unit, name="t", scopes=[Scope.READ])[0]
    common: dict[str, Any] = {"caller": caller, "proved_at": proved_at}
    return {
        "add": lambda: administration.add_person(unit=unit, **NEW, **common),
        "password": lambda: administration.new_password(person_id=about.pk, **common),
        "close": lambda: administration.set_active(person_id=about.pk, active=False, **common),
        "grant": lambda: administration.grant_role(
            person_id=about.pk, role=Role.ETHICS, unit=unit, until=None, reason="r", **common
        ),
        "end": lambda: administration.end_grant(grant_id=grant.pk, **common),
        "token": lambda: issue_token(person=about, unit=unit, name="n", scopes=[Scope.READ], **common),
        "revoke": lambda: revoke_token(token=token, **common),
    }


def refused(attempts: dict[str, Any]) -> dict[str, str]:
    found = {}
    for name, attempt in attempts.items():
        try:
            attempt()
        except DomainError as problem:
            found[name] = type(problem).__name__
    return found


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMIN])
def test_no_other_role_changes_access(role: Role) -> None:
    attempts = changes(caller_for(making.person("x", role, everywhere=True)), now(), making.person("dana"), making.unit())
    before = actions()
    assert refused(attempts) == dict.fromkeys(attempts, "Forbidden")
    assert actions() == before


@pytest.mark.parametrize("ago", [None, timedelta(minutes=6), timedelta(minutes=-1)])
def test_it_needs_a_fresh_sign_in(ago: timedelta | None) -> None:
    attempts = changes(administrator(), now() - ago if ago is not None else None, making.person("dana"), making.unit())
    assert refused(attempts) == dict.fromkeys(attempts, "ReauthenticationNeeded")


def test_an_administrator_of_one_unit_reaches_neither_others_nor_people_with_roles_beyond() -> None:
    here, shop = administrator(everywhere=False), making.unit("shop")
    elsewhere = changes(here, now(), making.person("sam", of=shop), shop)
    assert refused(elsewhere) == dict.fromkeys(elsewhere, "Forbidden")
    ruth = making.person("ruth", Role.RISK_OFFICER, everywhere=True)
    attempts = changes(here, now(), ruth, making.unit())
    reached = set(attempts) - set(refused(attempts))
    assert reached == {"add", "token", "revoke"}, "whoever sets her password could sign for every unit"
    with pytest.raises(Forbidden):
        administration.grant_role(
            caller=here, person_id=making.person("dana").pk, role=Role.ANALYST, unit=None, until=None, reason="r", proved_at=now()
        )
    with pytest.raises(Forbidden):
        administration.add_unit(caller=here, slug="new", name="New", proved_at=now())
    inside = changes(here, now(), making.person("eli"), making.unit())
    del inside["add"]  # done above
    assert refused(inside) == {}


def test_a_token_administers_nothing() -> None:
    adm = making.person("adm", Role.ADMIN, everywhere=True)
    token, _ = issue_token(caller=SYSTEM, person=adm, unit=making.unit(), name="t", scopes=list(Scope))
    attempts = changes(caller_for(adm, token=token), now(), making.person("dana"), making.unit())
    assert refused(attempts) == dict.fromkeys(attempts, "Forbidden")


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"username": "N!"}, "/username"),
        ({"username": "dana"}, "/username"),
        ({"email": "nobody"}, "/email"),
        ({"email": "DANA@example.org"}, "/email"),
        ({"last_name": " "}, "/last_name"),
    ],
)
def test_each_mistake_is_named(given: dict[str, str], field: str) -> None:
    making.person("dana")
    with pytest.raises(InvalidInput) as problem:
        administration.add_person(caller=administrator(), unit=making.unit(), proved_at=now(), **{**NEW, **given})
    assert field in {error.pointer for error in problem.value.errors}
    assert not Person.objects.filter(username="noor").exists()


@pytest.mark.parametrize(("first", "second"), [(Role.ANALYST, Role.ADMIN), (Role.ADMIN, Role.RISK_OFFICER)])
def test_nobody_both_administers_and_reviews(first: Role, second: Role) -> None:
    """Whoever can make a token for somebody else could hand in with it and approve it themselves."""
    person, unit = making.person("x", first), making.unit("shop")
    for caller in (administrator(), SYSTEM):
        with pytest.raises(Conflict) as kept:
            administration.grant_role(
                caller=caller, person_id=person.pk, role=second, unit=unit, until=None, reason="r", proved_at=now()
            )
        assert kept.value.code == "kept_apart"
    assert person.grants.count() == 1
    administration.grant_role(
        caller=SYSTEM, person_id=person.pk, role=Role.SUBMITTER, unit=unit, until=None, reason="r", proved_at=now()
    )


def test_odd_grants_and_tokens_are_refused() -> None:
    adm, dana, unit = administrator(), making.person("dana"), making.unit()
    past = datetime(2020, 1, 1, tzinfo=UTC)
    for until, reason in ((past, "r"), (None, "  ")):
        with pytest.raises(InvalidInput):
            administration.grant_role(
                caller=adm, person_id=dana.pk, role=Role.LEGAL, unit=unit, until=until, reason=reason, proved_at=now()
            )
    usual: dict[str, Any] = {"caller": adm, "person": dana, "unit": unit, "name": "n", "scopes": [Scope.READ], "proved_at": now()}
    for odd in ({"name": " "}, {"scopes": []}, {"days": 0}, {"days": 366}):
        with pytest.raises(InvalidInput):
            issue_token(**{**usual, **odd})
    with pytest.raises(NotFound):
        administration.set_active(caller=adm, person_id=0, active=False, proved_at=now())


def test_the_first_administrator_comes_in_by_command() -> None:
    out = StringIO()
    words = ["--first-name", "Noor", "--last-name", "Aziz", "--email", "noor@example.org", "--unit", "risk", "--role", "admin"]
    call_command("people", "add", "noor", *words, "--all-units", stdout=out)
    found = re.search(r"shown only now: (\S+)", out.getvalue())
    assert found is not None and Client().login(username="noor", password=found[1])
    assert caller_for(Person.objects.get(username="noor")).roles == {None: frozenset({Role.ADMIN})}
    with pytest.raises(CommandError, match="Somebody has this user name"):
        call_command("people", "add", "noor", *words, stdout=out)


def test_reauthentication_is_its_own_refusal() -> None:
    with pytest.raises(ReauthenticationNeeded):
        administration.add_unit(caller=administrator(), slug="x1", name="X", proved_at=None)
