"""Where people learn: courses made of what is in force, words explained once, and whom to ask taken from grants."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import resolve
from django.utils import timezone

from governance.domain.vocabulary import Role, Track
from governance.models import GrantRequest, Person, RoleGrant
from governance.policy.errors import PackError
from governance.policy.learning import Glossary, RolesGuide, glossary, load, roles_guide
from governance.selectors.access import SYSTEM
from governance.selectors.contacts import contacts
from governance.services.packs import load_shipped_packs
from tests.governance.making import BACKEND
from tests.reviews.making import call, everybody, in_review, person, policy, unit

pytestmark = pytest.mark.django_db(transaction=True)


def signed_in(who: Person) -> Client:
    client = Client()
    client.force_login(who, backend=BACKEND)
    return client


def test_every_role_has_a_guide_whose_pages_exist_and_every_word_is_explained_once() -> None:
    assert {guide.role for guide in roles_guide().roles} == set(Role)
    for guide in roles_guide().roles:
        for step in guide.steps:
            assert resolve(step.page), (guide.role, step.page)
    assert len({term.anchor for term in glossary().terms}) == len(glossary().terms) > 40
    twice = "glossary: g\nversion: 2026.1.1\nowner: admin\nterms:\n  - {term: A, means: x}\n  - {term: a, means: y}"
    with pytest.raises(PackError, match="explained twice"):
        load(twice, "The glossary", Glossary)
    with pytest.raises(PackError, match="every role"):
        load("roles_guide: g\nversion: 2026.1.1\nowner: admin\nroles: []", "The guide", RolesGuide)


def test_a_course_is_made_of_what_is_in_force() -> None:
    load_shipped_packs(caller=SYSTEM)
    people = everybody()
    client = signed_in(people["amir"])
    analyst = client.get("/learn/courses/analyst").content.decode()
    assert "What your signature means" in analyst and "GF101" in analyst and "TR-020" in analyst
    assert "Questions you answer" not in analyst and "/learn/lessons/fairness" in analyst
    assert "/learn/lessons/regime-privacy" in client.get("/controls?regime=gdpr").content.decode()
    submitter = client.get("/learn/courses/submitter").content.decode()
    assert "What does the model decide about?" in submitter and "Questions you answer" in submitter
    for role in Role:
        assert client.get(f"/learn/courses/{role.value}").status_code == 200
    assert client.get("/learn/courses/wizard").status_code == 404
    index = client.get("/learn").content.decode()
    assert "Version" in index and "2026.11.1" in index and "EU AI Act" in index and "Playbook" in index


def test_whom_to_ask_comes_from_grants_that_hold_now_in_the_readers_units() -> None:
    people, elsewhere = everybody(), unit("insurance")
    local = person("lea", Role.POLICY_AUTHOR)
    person("ivo", Role.POLICY_AUTHOR, at=elsewhere)
    RoleGrant.objects.filter(person=people["ruth"]).update(valid_until=timezone.now() - timedelta(hours=1))
    found = contacts(call(people["dana"]))
    assert [contact.name for contact in found[Role.POLICY_AUTHOR]] == [local.name]
    assert found[Role.ANALYST][0].unit == "", "holds it everywhere"
    assert Role.RISK_OFFICER not in found, "a grant that ended gives no contact"
    assert Role.SUBMITTER not in found
    policy()
    page = signed_in(people["dana"]).get("/roles").content.decode()
    assert "lea@example.org" in page and "ivo@example.org" not in page and "Nobody holds this role" in page


def test_roles_queues_and_rules_on_a_page_lead_to_explanation_and_contact() -> None:
    people = everybody()
    case = in_review(Track.RED, submitter=people["dana"])
    client = signed_in(people["amir"])
    page = client.get(f"/submissions/{case.number}").content.decode()
    assert '<a href="/roles#analyst">' in page and "/learn/high-risk-decisions" in page
    assert '<a href="/roles">' in client.get("/queue").content.decode()
    rule = client.get("/learn/high-risk-decisions").content.decode()
    assert "/roles#policy_author" in rule
    load = client.get("/queue/load").content.decode()
    assert '<a href="/roles#analyst">' in load and "?scope=all&amp;turn=analyst" in load
    foot = re.search(r'<nav aria-label="Help">.*?</nav>', page, re.DOTALL)
    assert foot is not None and {"/learn", "/roles", "/glossary"} <= set(re.findall(r'href="([^"]+)"', foot[0]))


def test_roles_on_pages_of_administration_lead_to_what_they_do() -> None:
    boss, noor = person("boss", Role.ADMIN), person("noor", Role.SUBMITTER)
    amir = person("amir", Role.ANALYST)
    RoleGrant.objects.create(
        person=noor, role="analyst", unit=noor.unit, reason="Leave.", granted_by=amir, delegated_by=amir,
        valid_until=timezone.now() + timedelta(days=3),
    )  # fmt: skip
    asked = GrantRequest.objects.create(person=noor, role="privacy", unit=noor.unit, reason="Joins.", asked_by=boss)
    client = signed_in(boss)
    for path, roles in {
        "/administration": {"admin", "analyst", "submitter"},
        f"/administration/people/{noor.pk}": {"analyst", "submitter", "privacy"},
        "/administration/requests": {"privacy", "risk_officer", "admin"},
    }.items():
        page = client.get(path).content.decode()
        assert roles <= set(re.findall(r'<a href="/roles#(\w+)">', page)), path
        assert 'href="/roles"' in page, path
    assert asked.role_label and '<a href="/roles#analyst">' in signed_in(noor).get("/stand-ins").content.decode()
