"""Administration in the browser: confirm who you are, add somebody, grant, make a token, and sign in with what was shown."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from governance.domain.vocabulary import Role
from governance.models import ApiToken, AuditEvent, GrantRequest, Person, RoleGrant
from tests.governance import making

pytestmark = pytest.mark.django_db(transaction=True)
PASSWORD = "a-long-one-for-tests"


def signed_in(who: Person) -> Client:
    """A session that has just proved who it is, by password."""
    who.set_password(PASSWORD)
    who.save(update_fields=["password"])
    client = Client()
    answer = client.post("/account/login/", {"login": who.username, "password": PASSWORD})
    assert answer.status_code == 302, answer.content[:300]
    return client


@pytest.fixture
def adm() -> Client:
    return signed_in(making.person("adm", Role.ADMIN, everywhere=True))


def text_of(answer: Any) -> str:
    return str(answer.content.decode())


def test_from_an_empty_unit_to_somebody_who_works(adm: Client) -> None:
    unit = making.unit()
    form = {"first_name": "Noor", "last_name": "Aziz", "username": "noor", "email": "noor@example.org", "unit": unit.pk}
    made = adm.post("/administration/people/new", form)
    assert made.status_code == 200, text_of(made)
    password = re.findall(r"<dt>Password</dt> <dd><code>([^<]+)", text_of(made))[0]
    assert made["Cache-Control"].count("no-store") == 1, "the password stays in no cache"
    noor = Person.objects.get(username="noor")
    granted = adm.post(
        f"/administration/people/{noor.pk}/change",
        {"what": "grant", "role": "analyst", "unit": unit.pk, "until": "2031-01-31", "reason": "joins the team"},
        follow=True,
    )
    assert "Asked for." in text_of(granted) and "Waiting for a second person" in text_of(granted)
    asked = GrantRequest.objects.get(person=noor)
    own = adm.post(f"/administration/requests/{asked.pk}", {"answer": "approve"}, follow=True)
    assert (
        "You asked for it, so somebody else approves it." in text_of(own) and not RoleGrant.objects.filter(person=noor).exists()
    )
    ruth = signed_in(making.person("ruth", Role.RISK_OFFICER, everywhere=True))
    assert "/administration/requests" in text_of(ruth.get("/"))
    assert "Noor Aziz" in text_of(ruth.get("/administration/requests"))
    said = ruth.post(f"/administration/requests/{asked.pk}", {"answer": "approve"}, follow=True)
    assert "Approved: the role holds from now on." in text_of(said)
    client = Client()
    assert client.login(username="noor", password=password)
    assert "Review queue" in text_of(client.get("/"))
    grant = RoleGrant.objects.get(person=noor)
    ended = adm.post(f"/administration/people/{noor.pk}/change", {"what": "end", "grant": grant.pk}, follow=True)
    assert "The role has ended" in text_of(ended) and "Earlier roles" in text_of(ended)


def test_a_token_is_shown_once_and_works_until_it_is_revoked(adm: Client) -> None:
    dana, unit = making.person("dana"), making.unit()
    form = {"name": "pipeline", "person": dana.pk, "unit": unit.pk, "scopes": ["read", "submit"], "days": "30"}
    made = adm.post("/administration/tokens", form)
    secret = re.findall(r"<code>(grl_[^<]+)</code>", text_of(made))[0]
    assert "secrets.GUIDERAIL_TOKEN" in text_of(made) and "no-store" in made["Cache-Control"]
    headers = {"Authorization": f"Bearer {secret}"}
    assert Client().get("/api/v1/submissions", headers=headers).status_code == 200
    listed = text_of(adm.get("/administration/tokens"))
    assert "pipeline" in listed and secret not in listed
    row = ApiToken.objects.get(name="pipeline")
    adm.post(f"/administration/tokens/{row.pk}/revoke")
    assert Client().get("/api/v1/submissions", headers=headers).status_code == 401


def test_mistakes_stand_at_their_fields(adm: Client) -> None:
    making.person("dana")
    form = {"first_name": "D", "last_name": "O", "username": "dana", "email": "dana@example.org", "unit": making.unit().pk}
    answer = adm.post("/administration/people/new", form)
    assert answer.status_code == 422
    assert "Somebody has this user name" in text_of(answer) and "One person has one account" in text_of(answer)
    empty = adm.post("/administration/tokens", {"name": ""})
    assert empty.status_code == 422 and "Fill in “What is it for?”" in text_of(empty)


def test_a_session_that_proved_nothing_is_asked_first() -> None:
    client = making.browser(making.person("adm", Role.ADMIN, everywhere=True))
    dana = making.person("dana")
    before = AuditEvent.objects.count()
    for answer in (
        client.get("/administration/people/new"),
        client.post("/administration/people/new", {}),
        client.post(f"/administration/people/{dana.pk}/change", {"what": "out", "page": f"/administration/people/{dana.pk}"}),
        client.post("/administration/tokens", {"name": "x"}),
    ):
        assert answer.status_code == 302 and answer["Location"].startswith("/account/reauthenticate/?next=%2Fadministration")
    foreign = client.post(f"/administration/people/{dana.pk}/change", {"what": "out", "page": "https://evil.example"})
    assert foreign["Location"] == "/account/reauthenticate/?next=%2Fadministration"
    assert AuditEvent.objects.count() == before


@pytest.mark.parametrize("role", [Role.SUBMITTER, Role.ANALYST, Role.RISK_OFFICER, Role.AUDITOR])
def test_others_read_at_most(role: Role) -> None:
    client, dana = signed_in(making.person("x", role, everywhere=True)), making.person("dana")
    reads = 200 if role is Role.AUDITOR else 403
    for path in ("/administration", "/administration/tokens", f"/administration/people/{dana.pk}"):
        answer = client.get(path)
        assert answer.status_code == reads, path
        assert '<form method="post" action="/administration' not in text_of(answer)
    for path, form in (
        ("/administration/people/new", {}),
        (f"/administration/people/{dana.pk}/change", {"what": "out"}),
        ("/administration/tokens", {"name": "x"}),
        ("/administration/units", {"name": "x", "slug": "x"}),
    ):
        assert client.post(path, form).status_code == 403, path
    dana.refresh_from_db()
    assert dana.is_active


def test_an_administrator_of_one_unit_sees_that_unit() -> None:
    client = signed_in(making.person("adm", Role.ADMIN))
    sam = making.person("sam", of=making.unit("shop"))
    assert "Sam" not in text_of(client.get("/administration"))
    assert client.get(f"/administration/people/{sam.pk}").status_code == 404
    assert client.post(f"/administration/people/{sam.pk}/change", {"what": "out"}).status_code == 404
