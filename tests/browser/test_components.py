"""The components in a real browser: both themes, wide and narrow, with and without scripts, on screen and paper."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.looking import EVERY, violations

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
"""Without the best practices: the gallery shows the same component several times, which is no landmark's fault."""
THEMES = ("light", "dark")


@pytest.fixture
def site(live_server: Any, settings: Any) -> Iterator[str]:
    settings.ROOT_URLCONF = "tests.browser.gallery_urls"
    yield live_server.url


def opened(browser: Browser, site: str, **options: Any) -> Page:
    page = browser.new_context(base_url=site, reduced_motion="reduce", **options).new_page()
    page.goto("/_gallery/")
    return page


def test_axe_finds_nothing_in_any_look(browser: Browser, site: str) -> None:
    page = opened(browser, site)
    try:
        page.evaluate("document.querySelectorAll('details:not(.menu)').forEach(part => part.open = true)")
        for width, theme in EVERY:
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
            assert violations(page, runOnly=RULES) == [], (width, theme)
    finally:
        page.context.close()


def test_axe_would_find_something(browser: Browser, site: str) -> None:
    page = opened(browser, site)
    try:
        page.evaluate("document.querySelector('.tag-red').style.color = '#f7baba'")
        assert any("color-contrast" in line for line in violations(page))
    finally:
        page.context.close()


def test_nothing_scrolls_sideways(browser: Browser, site: str) -> None:
    page = opened(browser, site)
    try:
        for width in (320, 390, 768, 1024, 1440):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0, width
    finally:
        page.context.close()


def test_high_contrast_and_reduced_motion_are_respected(browser: Browser, site: str) -> None:
    """With the system's own colours what only a background said is said by a border; nothing moves for who asked for that."""
    page = opened(browser, site)
    try:
        page.emulate_media(forced_colors="active")
        for part in (".btn-primary", ".tag", ".gate", ".notice"):
            width = page.locator(part).first.evaluate("part => getComputedStyle(part).borderTopWidth")
            assert float(width.removesuffix("px")) > 0, f"{part} has no edge in high contrast"
        page.locator(".btn-primary").first.focus()
        page.keyboard.press("Tab")
        page.keyboard.press("Shift+Tab")
        outline = page.evaluate(
            "[getComputedStyle(document.activeElement).outlineStyle, getComputedStyle(document.activeElement).outlineWidth]"
        )
        assert outline[0] != "none" and outline[1] != "0px", "focus is seen"
        moving = page.evaluate(
            "document.getAnimations().filter(each => each.playState === 'running' && each.effect.getTiming().duration > 1).length"
        )
        assert moving == 0
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
        table = page.locator("figure details.referred").first
        assert table.locator("table").is_hidden() and table.locator("summary").is_visible()
        said = table.locator("summary").evaluate("part => getComputedStyle(part, '::after').content")
        assert "in the evidence pack" in said, "numbers that nobody opened are named by where they are"
        table.evaluate("part => part.open = true")
        assert table.locator("table").is_visible()
        shown = "document.querySelector('img.picture-%s').checkVisibility()"
        assert not page.evaluate(shown % "dark") and page.evaluate(shown % "light")
        assert page.get_by_text("sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08").first.is_visible()
        with page.expect_request("**/?drawing=light"):  # a picture that was never on screen is fetched for paper
            assert page.pdf().startswith(b"%PDF")
    finally:
        page.context.close()
