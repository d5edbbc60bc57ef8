"""Every page, as somebody who may see it: light and dark, narrow and wide, by axe, by ruler and by what the console says.

The list is checked against the URLs of the product: a new page has to be added here, or named as no page with the reason.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from gates.models import Chart
from gates.simulator.models import train
from gates.simulator.populations import lender
from governance.domain.vocabulary import DecisionKind
from governance.models import Person, Submission, System, Unit
from governance.selectors.access import caller_for
from governance.ui.demo_sign_in import sign_in_path
from reviews.demo.handing_in import Version, build, hand_in, settled
from reviews.demo.people import PASSWORD, load_people
from reviews.demo.stories import FIRST, Cast, readings_of, standard_facts
from reviews.models import ReviewStep
from reviews.selectors.dossier import current_digest
from reviews.services.deciding import decide
from reviews.services.decision_input import NewChange, NewDecision
from reviews.services.intake import revise
from tests.stack import Running

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
LOOKS = [(1440, "light"), (1440, "dark"), (390, "light"), (390, "dark"), (320, "light")]

NO_PAGES = {
    **dict.fromkeys(
        ["draft_drop_file", "draft_drop_evidence", "draft_accept_all", "claim", "release"], "POST only, leads to a page"
    ),
    "draft_live_track": "a part of a page, for htmx",
    "audit_verify": "POST only; looked at in its own test",
    "demo_sign_in": "signs in and leads home",
    "submit": "GET leads to the check page",
    "recheck": "offered only after a check stopped with an error; otherwise it is the refusal page, looked at as such",
    "chart_svg": "a picture",
    "chart_csv": "a file",
    "schema": "a file",
    "healthz": "for probes",
    "readyz": "for probes",
}

CLOSED = {
    "account_signup": "/account/signup/",
    "account_email": "/account/email/",
    "account_email_verification_sent": "/account/confirm-email/",
    "account_confirm_email": "/account/confirm-email/abc/",
    "account_confirm_login_code": "/account/login/code/confirm/",
    "account_set_password": "/account/password/set/",
    "account_reset_password": "/account/password/reset/",
    "account_reset_password_done": "/account/password/reset/done/",
    "account_reset_password_from_key": "/account/password/reset/key/abc-def/",
    "account_reset_password_from_key_done": "/account/password/reset/key/done/",
}
"""Pages of the account library that nobody needs here: an administrator adds people and sends new passwords."""


def names(patterns: list[Any], inside: str = "") -> Iterator[str]:
    """Every URL name outside the API."""
    for pattern in patterns:
        where = inside + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from names(pattern.url_patterns, where)
        elif isinstance(pattern, URLPattern) and pattern.name and not where.startswith("api/"):
            yield pattern.name


@dataclass
class Looking:
    """Opens pages as a person, in every look, and keeps what is wrong."""

    browser: Browser
    url: str
    people: dict[str, Person]
    seen: set[str] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)
    pages: dict[str, Page] = field(default_factory=dict)

    def page_of(self, who: str) -> Page:
        """The person's own browser; "" is a visitor."""
        if who not in self.pages:
            context = self.browser.new_context(base_url=self.url, reduced_motion="reduce")
            context.set_default_timeout(30_000)
            page = context.new_page()
            page.on("pageerror", lambda error: self.wrong.append(f"{page.url}: script error {error}"))
            page.on("console", lambda message: self._heard(page, message.type, message.text))
            if who:
                page.goto(sign_in_path(self.people[who]))
            self.pages[who] = page
        return self.pages[who]

    def _heard(self, page: Page, kind: str, text: str) -> None:
        if kind == "error" and "the server responded with a status of 4" not in text:
            self.wrong.append(f"{page.url}: console {text}")

    def look(self, name: str, who: str, path: str, status: int = 200) -> None:
        """Open the page and judge it in every look."""
        page = self.page_of(who)
        answer = page.goto(path)
        assert answer is not None
        self.seen.add(name)
        if answer.status != status:
            self.wrong.append(f"{name} {path} as {who}: status {answer.status}, expected {status}")
            return
        self.judge(name, page)

    def judge(self, name: str, page: Page) -> None:
        """The page as it is shown now, with everything that folds open."""
        page.evaluate("document.querySelectorAll('details:not(.menu)').forEach(part => part.open = true)")
        if page.locator("h1").count() != 1:
            self.wrong.append(f"{name}: {page.locator('h1').count()} main headings")
        for width, theme in LOOKS:
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
            over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            if over > 0:
                self.wrong.append(f"{name} at {width} px: {over} px too wide")
            if width == 320:
                continue
            found = Axe().run(page, options={"runOnly": RULES, "resultTypes": ["violations"]}).response["violations"]
            self.wrong += [
                f"{name} {width} {theme}: {item['id']} ({item['impact']}) {node['target']} {node['failureSummary'][:200]}"
                for item in found
                if item["impact"] in ("serious", "critical")
                for node in item["nodes"][:3]
            ]

    def close(self) -> None:
        for page in self.pages.values():
            page.context.close()


@pytest.fixture
def looking(browser: Browser, worker: Running, live_server: Any, settings: Any) -> Iterator[Looking]:
    settings.PUBLIC_URL, settings.DEMO = live_server.url, True
    looking = Looking(browser, live_server.url, load_people())
    yield looking
    looking.close()


def version(number: str) -> Version:
    training, evaluation = lender(2_500, seed=71), lender(2_500, seed=72)
    return build(
        system="limit-increase",
        version=number,
        candidate=train(training, seed=1, trees=25, depth=3),
        champion=None,
        training=training,
        evaluation=evaluation,
        source="s3://lake/credit/applications/2026q3.parquet",
        intended_use="Decides on limit increases for existing customers of the lender.",
        limitations="Trained on customers with six months of history.",
        owner="credit-risk",
        governance=standard_facts("credit", **{"data.consent_basis": "contract"}),
        answers=FIRST,
    )


def cast_of(looking: Looking) -> Cast:
    return Cast(looking.people, {unit.slug: unit for unit in Unit.objects.all()}, lambda text: None)


def sign_until(cast: Cast, case: Submission, last: str) -> None:
    """Approve step by step, up to but without the step of the role `last` ("" for all)."""
    by_role = {"analyst": "amir", "privacy": "priya", "risk_officer": "ruth"}
    while case.state == "in_review":
        step = ReviewStep.objects.get(submission=case, revision=case.revision, state="open")
        if step.role == last:
            return
        who = by_role[step.role]
        risk = {"residual_risk": "Wrong refusals remain; they can appeal.", "reauthenticated_at": timezone.now()}
        cast.sign(case, who, readings=readings_of(case, who), **(risk if step.role == "risk_officer" else {}))


def test_every_page_in_every_look(looking: Looking) -> None:
    cast = cast_of(looking)
    dana, lending = looking.people["dana"], cast.units["lending"]
    look = looking.look

    draft = hand_in(dana, lending, version("1.1.0"), draft=True)
    at = f"/submissions/{draft.number}"
    look("draft_tasks", "dana", f"{at}/prepare")
    look("draft_files", "dana", f"{at}/files")
    look("draft_evidence", "dana", f"{at}/evidence")
    look("draft_check", "dana", f"{at}/check")
    for topic in ("use", "impact", "data", "model", "performance", "origin", "rollout"):
        look("draft_topic", "dana", f"{at}/questions/{topic}")
    look("withdraw", "dana", f"{at}/withdraw")

    case = hand_in(dana, lending, version("1.0.0"))
    at = f"/submissions/{case.number}"
    look("submission_progress", "dana", f"{at}/progress")
    settled(case)
    assert case.state == "in_review", case.state
    look("home", "amir", "/")
    look("queue", "amir", "/queue")
    look("submissions", "ada", "/submissions")
    look("case", "amir", at)
    assert Chart.objects.filter(submission=case).count() > 5
    for kind in ("approve", "conditions", "changes", "reject"):
        look(f"decide_{kind}", "amir", f"{at}/decide/{kind}")
    look("decide_approve", "dana", f"{at}/decide/approve", status=409)  # the refusal
    decide(
        caller=caller_for(looking.people["amir"]),
        submission_id=case.pk,
        dossier_digest=current_digest(case.pk),
        decision=NewDecision(
            DecisionKind.REQUEST_CHANGES,
            comment="One question.",
            change_items=(NewChange("Say who is left out.", "One sentence with a number.", about_question="model.limitations"),),
        ),
    )
    look("revise", "dana", f"{at}/revise")
    replies = {item.pk: "Said in the limitations." for item in case.change_items.all()}
    revise(caller=caller_for(dana), submission_id=case.pk, note="Limitations say more.", replies=replies)
    settled(case)
    sign_until(cast, case, "risk_officer")
    page = looking.page_of("ruth")
    look("account_reauthenticate", "ruth", f"{at}/decide/approve")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    page.get_by_role("heading", name="Sign: approve").wait_for()
    looking.judge("sign", page)
    sign_until(cast, case, "")
    assert case.state == "approved"
    look("case", "ruth", at)
    look("revoke", "ruth", f"{at}/revoke")

    look("new_submission", "dana", "/submissions/new")
    look("systems", "dana", "/systems")
    look("system", "dana", f"/systems/{System.objects.get(slug='limit-increase').pk}")
    look("policies", "gwen", "/policies")
    look("what_if", "gwen", "/what-if")
    look("learn", "dana", "/learn/high-risk-decisions")
    look("learn_question", "dana", "/learn/questions/decision.domain")
    look("gates", "pia", "/gates")
    look("gate", "pia", "/gates/GF101")
    look("audit", "ada", "/audit")
    looking.page_of("ada").get_by_role("button", name="Verify the chain").click()
    looking.page_of("ada").get_by_text("The chain is whole").wait_for()
    looking.judge("audit_verify", looking.page_of("ada"))
    look("not found", "dana", "/nowhere", status=404)
    look("forbidden", "dana", "/audit", status=403)
    look("account_logout", "dana", "/account/logout/")
    look("account_change_password", "dana", "/account/password/change/")
    look("account_login", "", "/account/login/")
    look("account_inactive", "", "/account/inactive/")
    for name, path in CLOSED.items():
        answer = looking.page_of("").goto(path)
        assert answer is not None
        assert answer.status in (404, 405), (name, answer.status)

    assert looking.wrong == []
    everything = set(names(get_resolver().url_patterns))
    assert len(everything) > 40
    assert everything - looking.seen - set(NO_PAGES) - set(CLOSED) == set(), "a page nobody looks at"
    assert not (set(NO_PAGES) | set(CLOSED)) - everything, "named here, gone there"
