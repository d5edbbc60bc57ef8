"""The components in a real browser: both themes, wide and narrow, with and without scripts, on screen and paper."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.sync_playwright import Axe

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
THEMES = ("light", "dark")


@pytest.fixture
def site(live_server: Any, settings: Any) -> Iterator[str]:
    settings.ROOT_URLCONF = "tests.browser.gallery_urls"
    yield live_server.url


def opened(browser: Browser, site: str, **options: Any) -> Page:
    page = browser.new_context(base_url=site, reduced_motion="reduce", **options).new_page()
    page.goto("/_gallery/")
    return page


def violations(page: Page) -> list[str]:
    found = Axe().run(page, options={"runOnly": RULES}).response["violations"]
    return [
        f"{item['id']} ({item['impact']}): {node['target']} {node['failureSummary']}" for item in found for node in item["nodes"]
    ]


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("theme", THEMES)
def test_axe_finds_nothing(browser: Browser, site: str, theme: str, width: int) -> None:
    page = opened(browser, site, viewport={"width": width, "height": 900}, color_scheme=theme)
    try:
        page.evaluate("document.querySelectorAll('details:not(.menu)').forEach(part => part.open = true)")
        assert violations(page) == []
    finally:
        page.context.close()


def test_axe_would_find_something(browser: Browser, site: str) -> None:
    page = opened(browser, site)
    try:
        page.evaluate("document.querySelector('.tag-red').style.color = '#f7baba'")
        assert any("color-contrast" in line for line in violations(page))
    finally:
        page.context.close()


@pytest.mark.parametrize("width", [320, 390, 768, 1024, 1440])
def test_nothing_scrolls_sideways(browser: Browser, site: str, width: int) -> None:
    page = opened(browser, site, viewport={"width": width, "height": 900})
    try:
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    finally:
        page.context.close()


def test_the_policy_blocks_nothing_we_ship(browser: Browser, site: str) -> None:
    context = browser.new_context(base_url=site)
    try:
        page = context.new_page()
        said: list[str] = []
        page.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
        page.on("requestfailed", lambda request: said.append(f"failed: {request.url}"))
        answer = page.goto("/_gallery/", wait_until="load")
        assert answer is not None
        assert "script-src 'self'" in answer.headers["content-security-policy"]
        assert "unsafe-inline" not in answer.headers["content-security-policy"]
        assert [line for line in said if line.startswith(("error", "failed"))] == []
        assert page.evaluate("document.querySelector('.tag .icon').getBoundingClientRect().width") > 8
        assert page.evaluate("htmx.config.allowEval") is False
        assert page.evaluate("[htmx.config.allowScriptTags, htmx.config.selfRequestsOnly, htmx.config.historyCacheSize]") == [
            False,
            True,
            0,
        ]
    finally:
        context.close()


@pytest.mark.parametrize("theme", THEMES)
def test_without_scripts_the_device_decides_the_colours(browser: Browser, site: str, theme: str) -> None:
    page = opened(browser, site, color_scheme=theme, java_script_enabled=False, viewport={"width": 390, "height": 800})
    try:
        assert page.locator("[data-theme-switch]").is_hidden()
        assert page.locator("[data-copy]").first.is_hidden()
        assert page.locator("img.picture-dark").first.is_visible() is (theme == "dark")
        assert page.locator("img.picture-light").first.is_visible() is (theme == "light")
        disclosure = page.locator("details.disclose").first
        disclosure.locator("summary").click()
        assert disclosure.get_attribute("open") is not None
    finally:
        page.context.close()


def test_the_chosen_colours_are_kept(browser: Browser, site: str) -> None:
    page = opened(browser, site, color_scheme="light")
    try:
        themes = []
        for _ in range(3):
            page.locator("[data-theme-switch]").click()
            themes.append(page.evaluate("document.documentElement.dataset.bsTheme"))
        assert themes == ["light", "dark", "light"]
        page.locator("[data-theme-switch]").click()
        page.locator("[data-theme-switch]").click()
        page.reload()
        assert page.evaluate("document.documentElement.dataset.bsTheme") == "dark"
        assert page.locator("[data-theme-switch]").get_by_text("dark").count() == 1
        picture = page.locator("img.picture-dark").first
        picture.evaluate("drawing => drawing.parentElement.scrollIntoView()")  # it loads when it is near
        picture.wait_for(state="visible", timeout=10_000)
    finally:
        page.context.close()


def test_the_keyboard_reaches_the_content_first_and_errors_are_announced(browser: Browser, site: str) -> None:
    page = opened(browser, site)
    try:
        assert page.evaluate("document.activeElement.className") == "error-summary"
        page.get_by_role("link", name="Write a whole number, for example 12000.").click()
        assert page.evaluate("document.activeElement.name") == "impact.people_per_month"
        page.evaluate("document.activeElement.blur(); window.scrollTo(0, 0)")
        page.goto("/_gallery/")
        page.evaluate("document.activeElement.blur()")
        page.locator(".skip-link").focus()
        assert page.evaluate("document.querySelector('.skip-link').getBoundingClientRect().top") >= 0
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"
    finally:
        page.context.close()


def test_paper_is_white_open_and_without_furniture(browser: Browser, site: str) -> None:
    page = opened(browser, site, color_scheme="dark")
    try:
        page.emulate_media(media="print", color_scheme="dark")
        assert page.locator(".masthead").is_hidden() and page.locator(".foot").is_hidden()
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert page.locator("figure table").first.is_visible()
        shown = "document.querySelector('img.picture-%s').checkVisibility()"
        assert not page.evaluate(shown % "dark") and page.evaluate(shown % "light")
        assert page.get_by_text("sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08").first.is_visible()
        with page.expect_request("**/?drawing=light"):  # a picture that was never on screen is fetched for paper
            assert page.pdf().startswith(b"%PDF")
    finally:
        page.context.close()
