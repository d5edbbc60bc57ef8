"""A person at the screen: what the browser journeys do on the pages, in the words of the people who do it.

Nobody uses a mouse: everything is focused where the Tab key can take it, and then pressed or typed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import Locator, expect

from governance.domain.vocabulary import EvidenceRole
from governance.models import Person
from governance.ui.demo_sign_in import sign_in_path
from reviews.demo.handing_in import Version, write_sample
from reviews.demo.people import PASSWORD

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

WAIT = 120_000


@dataclass
class Screen:
    """One person's browser: signed in by link; whatever a page says on its console is kept."""

    person: Person
    page: Page
    said: list[str]

    @classmethod
    def open(cls, browser: Browser, url: str, person: Person, *, scripts: bool = True) -> Screen:
        context = browser.new_context(
            base_url=url, viewport={"width": 1280, "height": 900}, reduced_motion="reduce", java_script_enabled=scripts
        )
        context.set_default_timeout(45_000)
        page, said = context.new_page(), []
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
        page.goto(sign_in_path(person))
        return cls(person, page, said)

    def close(self) -> None:
        self.page.context.close()

    def go(self, path: str) -> None:
        answer = self.page.goto(path)
        assert answer is not None and answer.status == 200, (path, answer and answer.status)

    def text(self) -> str:
        return self.page.locator("main").inner_text()

    def press(self, name: str) -> None:
        press(self.page.get_by_role("button", name=name, exact=True))

    def follow(self, name: str, *, exact: bool = False) -> None:
        """Follow the first link of that name."""
        press(self.page.get_by_role("link", name=name, exact=exact).first)

    def say(self, label: str, text: str) -> None:
        """Type into the first field of that label."""
        write(self.page.get_by_label(label).first, text)

    # -- the submitter

    def bring(self, new: Version, folder: Path) -> str:
        """New submission with the metadata files; returns its number."""
        write_sample(new, folder)
        self.go("/")
        self.follow("New submission")
        self.say("Which system is it a version of?", new.system)
        self.say("Which version?", new.version)
        self.page.get_by_label("Which files describe it?").set_input_files([folder / name for name in new.files])
        self.press("Read the files and continue")
        self.page.get_by_role("heading", name="Prepare your submission").wait_for()
        found = re.search(r"/submissions/(S-)?(\d+)/prepare", self.page.url)
        assert found is not None, self.page.url
        return f"S-{found[2]}"

    def walk_the_questions(self, number: str, answers: Mapping[str, str], *, begin: str = "What the model decides") -> int:
        """Go through every topic from the one named, fill in the gaps; returns how many answers were typed."""
        typed, topics = 0, 0
        self.go(f"/submissions/{number}/prepare")
        self.follow(begin)
        while "/questions/" in self.page.url:
            topics += 1
            assert topics < 20, "the questions never end"
            for name, value in answers.items():
                field = self.page.locator(f'[name="{name}"]')
                if field.count():
                    if field.first.get_attribute("type") == "radio":
                        choose(self.page.locator(f'[name="{name}"][value="{value}"]'))
                    else:
                        write(field.first, value)
                    typed += 1
            self.press("Save and continue")
        return typed

    def attach(self, new: Version, folder: Path) -> None:
        """Each evidence file in its role, with the columns that matter."""
        for role, (name, _, columns, _) in new.evidence.items():
            pick(self.page.get_by_label("What is the file for?"), EvidenceRole(role).value)
            self.page.locator("#f-file").set_input_files(folder / name)
            for key, value in columns.items():
                field = self.page.locator(f'[name="column_{key}"]')
                if field.count():
                    write(field, value if isinstance(value, str) else ", ".join(value))
            self.press("Attach")
            expect(self.page.get_by_text("The evidence is attached.")).to_be_visible()

    def hand_in(self, number: str) -> None:
        self.go(f"/submissions/{number}/check")
        self.press("Confirm all prefilled answers")
        self.press("Submit")
        self.page.get_by_text("The gates run now").wait_for()

    def wait_for_the_checks(self, number: str) -> None:
        """The list of checks renews itself; when they are through it leads to the results."""
        link = self.page.get_by_role("link", name="See what follows from them")
        link.wait_for(timeout=WAIT)
        press(link)
        until(lambda: "In checks" not in self.text(), self.page)  # the last measurement is judged a moment later

    # -- reviewers

    def your_move(self) -> str:
        return self.page.get_by_role("complementary", name="Your move and review steps").inner_text()

    def read(self, who: str) -> int:
        """Write a reading of one's own for every gate that is not green."""
        fields = self.page.locator('textarea[name^="reading-"]')
        for index in range(fields.count()):
            code = (fields.nth(index).get_attribute("name") or "").removeprefix("reading-")
            write(fields.nth(index), f"{who} takes {code} as bounded by the canary and the circuit breaker on this release.")
        return fields.count()

    def answer_for_the_step(self) -> None:
        """Yes to every question of the step's checklist, and the three parts of a decision where the page asks for them."""
        for yes in self.page.locator('input[type="radio"][name^="check-"][value="yes"]').all():
            choose(yes)
        parts = {
            "comment": "Read in full. Every group was looked at by itself.",
            "rationale": "It is at least as good as what runs now for every group that was measured.",
            "alternatives": "Keeping the champion; it refuses more of the young for no reason.",
            "residual_plan": "The owner reads the errors by group each week and reports to risk.",
        }
        for name, text in parts.items():
            if self.page.locator(f'textarea[name="{name}"]').count():
                write(self.page.locator(f'textarea[name="{name}"]'), text)
        if self.page.locator('[name="residual_level"]').count():
            self.page.locator('[name="residual_level"]').select_option("medium")
            day = (datetime.now(UTC) + timedelta(days=60)).date().isoformat()
            self.page.locator('[name="residual_review_on"]').fill(day)

    def confirm_it_is_me(self) -> None:
        self.page.get_by_role("heading", name="Confirm it is you").wait_for()
        self.say("Password", PASSWORD)
        self.press("Confirm")


def reach(target: Locator) -> None:
    """Focus what the Tab key can reach. Fails for what only a mouse could."""
    target.wait_for(state="visible")
    target.focus()
    there = target.evaluate("e => e === document.activeElement && e.tabIndex >= 0 && !e.disabled")
    assert there, f"the keyboard cannot reach {target}"


def press(target: Locator) -> None:
    """Press Enter on a link or button."""
    reach(target)
    target.press("Enter")


def write(field: Locator, text: str) -> None:
    """Put a text in place of what stands in a field."""
    reach(field)
    field.press("Control+a")
    field.page.keyboard.insert_text(text)


def choose(option: Locator) -> None:
    """Choose a radio button or tick a box."""
    option.focus()
    if not option.is_checked():
        option.press("Space")
    expect(option).to_be_checked()


def pick(select: Locator, value: str) -> None:
    """Choose from a list with the arrow keys."""
    reach(select)
    select.press("Home")
    for _ in range(select.locator("option").count()):
        if select.input_value() == value:
            return
        select.press("ArrowDown")
    assert select.input_value() == value, f"{value} is not in the list"


def until(condition: Callable[[], bool], page: Page, *, tries: int = 200) -> None:
    """Look again until it holds: for pages that do not renew themselves."""
    for _ in range(tries):
        if condition():
            return
        page.wait_for_timeout(500)
        page.reload()
    raise AssertionError(f"did not happen on {page.url}")
