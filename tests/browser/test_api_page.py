"""The interactive page of the API in a real browser: no script or style from elsewhere, both themes, 390 px, and trying works.

The frame is judged by axe. The viewer inside is Swagger UI's own markup, which axe does not find clean (contrast of its method
labels, nested buttons); the plain list above it says the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from axe_playwright_python.sync_playwright import Axe

from governance.domain.vocabulary import Role
from governance.ui.demo_sign_in import sign_in_path
from tests.governance import making

if TYPE_CHECKING:
    from playwright.sync_api import Page


def test_the_api_is_read_and_tried_with_ones_own_session(page: Page, settings: Any) -> None:
    settings.DEMO = True
    making.policy()
    amir = making.person("amir", Role.ANALYST)
    heard: list[str] = []
    page.on("console", lambda message: heard.append(message.text) if message.type == "error" else None)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(sign_in_path(amir))
    page.set_viewport_size({"width": 390, "height": 844})
    page.emulate_media(color_scheme="dark")
    page.goto("/connect")
    page.get_by_role("link", name="Read and try the API").click()
    page.locator("#api-viewer .opblock-tag").first.wait_for()
    assert "dark-mode" in (page.locator("html").get_attribute("class") or "")
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    found = Axe().run(page, context={"exclude": [["#api-viewer"]]}, options={"resultTypes": ["violations"]}).response
    assert not found["violations"], [row["id"] for row in found["violations"]]
    page.emulate_media(color_scheme="light")
    page.wait_for_function("!document.documentElement.classList.contains('dark-mode')")

    page.get_by_text("operations", exact=False).first.click()
    page.get_by_role("link", name="/api/v1/inbox/read").click()
    page.reload()  # a deep link opens its operation
    operation = page.locator("#operations-inbox-mark_messages_read")
    operation.get_by_role("button", name="Try it out").click()
    operation.get_by_role("button", name="Execute").click()
    operation.locator(".live-responses-table .response-col_status").filter(has_text="200").wait_for()
    assert all(url.startswith((page.url.split("/connect")[0], "data:", "blob:")) for url in asked)
    # the viewer takes the underscore in the names of operations for a blank of older links
    assert not [text for text in heard if not text.startswith("Deprecated: escaping deep link")], heard
