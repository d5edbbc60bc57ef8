"""The browser of the tests itself: a real page of the running site, with its style sheet and without script errors."""

from __future__ import annotations

from playwright.sync_api import Page


def test_the_sign_in_page_comes_with_its_style(page: Page) -> None:
    answers: dict[str, int] = {}
    page.on("response", lambda answer: answers.__setitem__(answer.url, answer.status))
    page.goto("/account/login/")
    page.get_by_role("heading").first.wait_for()
    styles = [status for url, status in answers.items() if url.endswith(".css")]
    assert styles
    assert set(styles) <= {200, 304}
