"""Signing in, signing out, confirming and refusals through the real URLs and middleware."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse

PASSWORD = "a-long-enough-passphrase"

pytestmark = pytest.mark.django_db


@pytest.fixture
def dana(client: Client) -> Client:
    get_user_model().objects.create_user("dana", "dana@example.org", PASSWORD, first_name="Dana", last_name="Weiss")
    return client


def sign_in(client: Client, password: str = PASSWORD, **more: str) -> object:
    return client.post(reverse("account_login"), {"login": "dana", "password": password, **more})


def test_the_sign_in_page_asks_in_our_words(client: Client) -> None:
    page = client.get(reverse("account_login")).content.decode()
    assert "User name or e-mail address" in page
    assert 'autocomplete="current-password"' in page
    assert "Forgot" not in page, "there is no self-service reset, so none is offered"
    assert page.count("<h1") == 1 and "csrfmiddlewaretoken" in page


@pytest.mark.parametrize("login", ["dana", "dana@example.org"])
def test_signing_in_by_name_or_address(dana: Client, login: str) -> None:
    answer = dana.post(reverse("account_login"), {"login": login, "password": PASSWORD, "next": "/account/logout/"})
    assert (answer.status_code, answer["Location"]) == (302, "/account/logout/")


def test_a_wrong_password_keeps_what_was_typed_and_says_so_at_the_top(dana: Client) -> None:
    page = dana.post(reverse("account_login"), {"login": "dana", "password": "wrong-wrong-wrong"}).content.decode()
    assert "You are not signed in yet" in page and 'value="dana"' in page
    assert "wrong-wrong-wrong" not in page


def test_an_empty_form_links_each_question(dana: Client) -> None:
    page = dana.post(reverse("account_login"), {}).content.decode()
    assert re.search(r'<a href="#f-login">Fill in', page) and 'id="f-login"' in page
    assert re.search(r'<a href="#f-password">Fill in', page) and 'id="f-password"' in page


def test_signing_out_takes_a_post_and_says_what_happens(dana: Client) -> None:
    sign_in(dana)
    page = dana.get(reverse("account_logout")).content.decode()
    assert "Sign out?" in page and "Drafts and answers are saved" in page
    assert "_auth_user_id" in dana.session
    dana.post(reverse("account_logout"))
    assert "_auth_user_id" not in dana.session


def test_confirming_says_why_and_needs_the_password(dana: Client) -> None:
    sign_in(dana)
    where = reverse("account_reauthenticate")
    page = dana.get(where, {"next": "/account/logout/"}).content.decode()
    assert "Confirm it is you" in page and "counts as your signature" in page and 'value="/account/logout/"' in page
    wrong = dana.post(where, {"password": "wrong-wrong-wrong", "next": "/account/logout/"})
    assert wrong.status_code == 200 and "Not confirmed" in wrong.content.decode()
    right = dana.post(where, {"password": PASSWORD, "next": "/account/logout/"})
    assert (right.status_code, right["Location"]) == (302, "/account/logout/")


def test_a_page_that_does_not_exist_says_what_to_do_next(dana: Client) -> None:
    sign_in(dana)
    answer = dana.get("/no/such/page")
    page = answer.content.decode()
    assert answer.status_code == 404
    assert "What to do next" in page and "business unit" in page and 'href="/"' in page


def test_an_expired_form_is_explained() -> None:
    strict = Client(enforce_csrf_checks=True)
    answer = strict.post(reverse("account_login"), {"login": "dana"})
    assert answer.status_code == 403
    assert "The form has expired" in answer.content.decode()
