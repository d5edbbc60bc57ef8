"""Waivers at the screen: what stands on the pages, what a form leads to, and that a signature asks who it is."""

from __future__ import annotations

from html import unescape
from typing import Any

import pytest
from django.test import Client

from governance.domain.vocabulary import State
from governance.models import Person
from reviews.models import Waiver, WaiverSignature
from tests.reviews import making
from tests.reviews.making import Gate
from tests.reviews.test_waivers import asked, granted, new, people, stopped, waivers_in_the_pack

__all__ = ["people", "waivers_in_the_pack"]
pytestmark = pytest.mark.django_db(transaction=True)


def client_of(who: Person) -> Client:
    """Signed in by link: that proves nothing."""
    client = Client()
    client.force_login(who, backend="django.contrib.auth.backends.ModelBackend")
    return client


def proved(who: Person) -> Client:
    """Signed in with the password, now."""
    who.set_password("a-long-password-1")
    who.save()
    client = Client()
    assert client.post("/account/login/", {"login": who.username, "password": "a-long-password-1"}).status_code == 302
    return client


def text_of(answer: Any) -> str:
    return unescape(answer.content.decode())


def form(people: dict[str, Person], **more: str) -> dict[str, str]:
    given = new(people)
    assert given.expires_on is not None and given.audit_due_on is not None
    return {
        "reason": given.reason,
        "compensating_control": given.compensating_control,
        "owner": str(given.owner),
        "expires_on": given.expires_on.isoformat(),
        "audit_owner": str(given.audit_owner),
        "audit_due_on": given.audit_due_on.isoformat(),
        "read_risk": "on",
        **more,
    }


def test_the_card_of_a_gate_that_stopped_the_case_leads_to_the_form_or_says_why_not(people: dict[str, Person]) -> None:
    row = stopped(Gate("GF101", "fail", says="ratio 0.61"), Gate("GR101", "fail", says="pickle"), Gate("GP101"))
    page = text_of(client_of(people["dana"]).get(f"/submissions/{row.number}"))
    assert f"/submissions/{row.number}/waivers/GF101" in page or "/waivers/GF101" in page
    assert "/waivers/GR101" not in page and "GR101 cannot be waived: it runs code" in page
    assert "/waivers/GP101" not in page


def test_the_form_shows_the_risk_and_who_signs_and_leads_to_the_waiver(people: dict[str, Person]) -> None:
    row = stopped()
    client = client_of(people["dana"])
    page = text_of(client.get(f"/submissions/{row.number}/waivers/GF101"))
    assert "What the gate guards against" in page and "Mona, your manager, signs" in page
    answer = client.post(f"/submissions/{row.number}/waivers/GF101", form(people))
    waiver = Waiver.objects.get()
    assert answer.headers["Location"] == f"/waivers/{waiver.pk}"
    assert waiver.risk in page


def test_what_is_wrong_stands_at_its_field_and_nothing_typed_is_lost(people: dict[str, Person]) -> None:
    row = stopped()
    answer = client_of(people["dana"]).post(
        f"/submissions/{row.number}/waivers/GF101", form(people, expires_on="2031-01-01", owner="x")
    )
    page = text_of(answer)
    assert answer.status_code == 422
    assert 'href="#f-expires_on"' in page and 'href="#f-owner"' in page
    assert new(people).reason in page and "2031-01-01" in page
    assert not Waiver.objects.exists()


def test_a_second_request_meets_what_was_decided_before(people: dict[str, Person]) -> None:
    earlier = granted(people)
    page = text_of(client_of(people["dana"]).get(f"/submissions/{stopped().number}/waivers/GF101"))
    assert "Decided before on GF101" in page and earlier.number in page


def test_a_sign_in_link_alone_signs_nothing(people: dict[str, Person]) -> None:
    waiver = asked(people)
    client = client_of(people["mona"])
    page = text_of(client.get(f"/waivers/{waiver.pk}"))
    assert waiver.risk in page and "Confirm it is you, then sign" in page and 'value="sign"' not in page
    answer = client.post(f"/waivers/{waiver.pk}/sign", {"do": "sign"})
    assert answer.headers["Location"].startswith("/account/reauthenticate/?next=")
    assert not WaiverSignature.objects.exists()


def test_with_the_password_just_given_both_sign_and_the_case_goes_on(people: dict[str, Person]) -> None:
    waiver = asked(people)
    for name in ("mona", "ruth"):
        answer = proved(people[name]).post(f"/waivers/{waiver.pk}/sign", {"do": "sign", "comment": "seen"})
        assert answer.headers["Location"] == f"/waivers/{waiver.pk}", name
    row = making.fresh(waiver.submission)
    assert row.state == State.IN_REVIEW
    page = text_of(client_of(people["amir"]).get(f"/submissions/{row.number}"))
    card = page[page.index('id="gate-GF101"') :][:2000]
    assert "Waived" in card and waiver.number in card


def test_a_refusal_without_a_reason_is_asked_for_one(people: dict[str, Person]) -> None:
    waiver = asked(people)
    client = proved(people["mona"])
    answer = client.post(f"/waivers/{waiver.pk}/sign", {"do": "refuse", "comment": ""})
    assert answer.status_code == 422 and "Say why" in text_of(answer)
    client.post(f"/waivers/{waiver.pk}/sign", {"do": "refuse", "comment": "The pilot can wait for labels."})
    waiver.refresh_from_db()
    assert waiver.ended_how == "refused"


@pytest.mark.parametrize("name", ["dana", "ada", "pia"])
def test_others_are_told_before_they_click(people: dict[str, Person], name: str) -> None:
    waiver = asked(people)
    page = text_of(client_of(people[name]).get(f"/waivers/{waiver.pk}"))
    assert 'value="sign"' not in page and "Confirm it is you" not in page
    assert "so somebody else signs it" in page or "Mona signs first" in page
    assert proved(people[name]).post(f"/waivers/{waiver.pk}/sign", {"do": "sign"}).status_code == 403


def test_the_audit_and_the_end_are_recorded_at_the_screen(people: dict[str, Person]) -> None:
    waiver = granted(people)
    auditor, officer = client_of(people["ada"]), client_of(people["ruth"])
    end = {"how": "closed", "reason": "The next version passes the gate."}
    assert officer.post(f"/waivers/{waiver.pk}/end", end).status_code == 409, "its audit is open"
    assert auditor.post(f"/waivers/{waiver.pk}/audit", {"held": "true"}).status_code == 422
    found = {"held": "true", "found": "40 refusals looked at, all decided again.", "evidence": "report AR-7"}
    assert auditor.post(f"/waivers/{waiver.pk}/audit", found).status_code == 302
    assert officer.post(f"/waivers/{waiver.pk}/end", end).status_code == 302
    assert "report AR-7" in text_of(auditor.get(f"/waivers/{waiver.pk}"))


def test_the_register_lists_by_unit_and_by_what_waits(people: dict[str, Person]) -> None:
    open_one, running = asked(people), granted(people)

    def listed(name: str, query: str) -> set[str]:
        page = text_of(client_of(people[name]).get(f"/waivers?{query}"))
        return {w.number for w in (open_one, running) if f">{w.number} " in page}

    assert listed("ada", "") == {open_one.number, running.number}
    assert listed("ada", "scope=live") == {running.number}
    assert listed("ada", "scope=open") == listed("mona", "scope=mine") == {open_one.number}
    assert listed("ada", "scope=mine") == {running.number}, "her audit waits"
    assert listed("ada", "unit=shop") == listed("ruth", "scope=mine") == listed("ada", "scope=ended") == set()
    assert listed("ada", "gate=GD103") == set()
    page = text_of(client_of(people["ada"]).get("/waivers"))
    assert "What can never be waived" in page and "GR101" in page
    assert "There is no such list" in text_of(client_of(people["ada"]).get("/waivers?scope=x"))
