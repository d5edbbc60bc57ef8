"""The red and the yellow track in a browser, by the demo people: hand in, be checked, be asked, answer, be approved, be signed.

Gunicorn, a worker, PostgreSQL and the broker are real; everything is done with the keyboard. Red with scripts under the shipped
pack; yellow without scripts under a house pack of one gate, as what is measured is not what scripts are about.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from gates.simulator.models import train
from gates.simulator.populations import lender
from governance.domain.vocabulary import EvidenceRole, Role
from governance.models import Person, RoleGrant
from reviews.demo.handing_in import Version, build
from reviews.demo.people import load_people, load_tokens
from reviews.demo.usual import standard_facts
from tests.journeys.at_the_screen import Screen, choose, pick, press, until, write
from tests.journeys.speaking import Pipeline
from tests.reviews import making
from tests.stack import Running, Stack

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="module")
def _web(stack: Stack, database_url: str) -> Iterator[Running]:
    running = stack.start_web(database_url, GUIDERAIL_DEMO="1")
    yield running
    running.stop(seconds=3)


@pytest.fixture
def demo_web(_web: Running, worker: Running, transactional_db: None) -> Running:
    """The web server with the demo's sign-in links, one for both tests."""
    return _web


@pytest.fixture
def people(demo_web: Running) -> dict[str, Person]:
    return load_people()


@pytest.fixture
def version() -> Version:
    use = "Decides on limit increases for existing customers of the lender."
    return build_version("limit-increase", "credit", use, **{"data.consent_basis": "contract"})


def build_version(system: str, domain: str, use: str, **facts: object) -> Version:
    training, evaluation = lender(2_500, seed=71), lender(2_500, seed=72)
    return build(
        system=system,
        version="1.0.0",
        candidate=train(training, seed=1, trees=25, depth=3),
        champion=None,
        training=training,
        evaluation=evaluation,
        source="s3://lake/credit/applications/2026q3.parquet",
        intended_use=use,
        limitations="Trained on customers with six months of history.",
        owner="credit-risk",
        governance=standard_facts(domain, **facts),
    )


def also(person: Person, role: Role) -> None:
    """A second role, so that only segregation of duties can refuse what the role would allow."""
    RoleGrant.objects.create(person=person, role=role, unit=None, reason="stands in for a colleague")


def asked(url: str, people: dict[str, Person]) -> Any:
    ci = Pipeline(url, load_tokens(people)["ci"])
    return ci.get("/api/v1/permits?system=limit-increase&version=1.0.0&environment=production&exposure=5").json


def read_and_attest(reader: Any, case: str) -> None:
    """Answer yes to every explanation and statement that waits, on the page that the case links to."""
    reader.follow("Read and attest")
    while reader.page.get_by_role("button", name="Record under my name").count():
        form = reader.page.locator("form", has=reader.page.get_by_role("button", name="Record under my name")).first
        for yes in form.locator('input[type="radio"][value="true"]').all():
            choose(yes)
        press(form.get_by_role("button", name="Record under my name"))
        expect(reader.page.get_by_text("Recorded under your name").first).to_be_visible()
        reader.go(f"{case}/attest")
    reader.go(case)


def test_the_red_track_from_files_to_permit(
    browser: Browser, demo_web: Running, people: dict[str, Person], version: Version, tmp_path: Path
) -> None:
    also(people["dana"], Role.ANALYST)
    also(people["amir"], Role.RISK_OFFICER)
    dana, amir, ruth = (Screen.open(browser, demo_web.url, people[who]) for who in ("dana", "amir", "ruth"))

    # dana hands it in, and knows the track and why before she does
    number = dana.bring(version, tmp_path)
    track = dana.page.locator("#draft_track")
    expect(track).to_contain_text("Red track")
    expect(track).to_contain_text("credit")
    typed = dana.walk_the_questions(number, {"rollout.rollback_target": "first version"})
    assert typed <= 8
    dana.attach(version, tmp_path)
    expect(dana.page.get_by_text("candidate.parquet")).to_be_visible()
    dana.hand_in(number)
    case = f"/submissions/{number}"
    dana.wait_for_the_checks(number)
    assert "In review" in dana.text()

    # segregation of duties is said before the click
    assert "You submitted this version, so somebody else decides on it." in dana.your_move()
    assert dana.page.get_by_role("link", name="Request changes").count() == 0
    refused = dana.page.goto(f"{case}/decide/approve")
    assert refused is not None and refused.status == 409
    assert "You submitted this version" in dana.text()
    assert not asked(demo_web.url, people)["allowed"]

    # amir finds it in his queue and reads it
    amir.go("/queue")
    amir.follow("limit-increase 1.0.0")
    assert amir.page.locator("img.picture-light").count() > 2
    assert "Fairness by group" in amir.text()
    old = amir.page.context.new_page()
    old.goto(f"{case}/decide/approve")  # a tab left open

    # amir asks for a change, bound to a question
    amir.follow("Request changes")
    amir.press("Request changes")
    expect(amir.page.locator(".error-summary")).to_be_visible()
    pick(amir.page.get_by_label("Change 1 is about"), "question:model.limitations")
    amir.say("What should change", "Say what happens with customers without a bureau record.")
    amir.say("What good enough looks like", "One sentence with their share in the evaluation data.")
    amir.say("Your assessment", "One question before I can recommend it.")
    amir.press("Request changes")
    expect(amir.page.get_by_text("Recorded: request changes.")).to_be_visible()

    # dana sees it is her turn, answers and revises
    dana.go("/")
    dana.follow("limit-increase 1.0.0")
    expect(dana.page.get_by_text("Say what happens with customers without a bureau record.").first).to_be_visible()
    dana.follow("Change answers, files and evidence")
    dana.follow("Model and features")
    more = "Six months of history; 4 in 100 have no bureau record and are scored by tenure."
    write(dana.page.locator('[name="model.limitations"]'), more)
    dana.press("Save and continue")
    expect(dana.page.locator(".error-summary")).to_contain_text("why")  # what a file says is corrected with a reason
    write(dana.page.locator('[name="model.limitations__reason"]'), "The analyst asked for the share.")
    dana.press("Save and continue")
    dana.go(case)
    dana.follow("Submit the revision")
    dana.press("Submit the revision")
    expect(dana.page.locator(".error-summary")).to_be_visible()
    write(dana.page.locator('[name^="reply-"]'), "The share stands in the limitations now.")
    dana.say("What did you change?", "Limitations name the customers without a bureau record.")
    dana.press("Submit the revision")
    until(lambda: "In review" in dana.text(), dana.page)
    assert "The share stands in the limitations now." in dana.text()

    # the tab that amir left open is stale, and says so
    press(old.get_by_role("button", name="Approve", exact=True))
    expect(old.get_by_text("The case changed since you opened it").first).to_be_visible()
    old.close()

    # amir looks at the case as it is and approves with his readings
    amir.go(case)
    assert "What changed" in amir.text()
    read_and_attest(amir, case)
    amir.follow("Approve", exact=True)
    amir.read("Amir")
    amir.answer_for_the_step()
    amir.press("Approve")
    expect(amir.page.get_by_text("Recorded: approve.")).to_be_visible()
    assert "You already decided this case" in amir.your_move()

    # ruth proves who she is, reads what she signs, and signs
    ruth.go("/queue")
    ruth.follow("limit-increase 1.0.0")
    ruth.follow("Approve", exact=True)
    ruth.confirm_it_is_me()
    expect(ruth.page.get_by_role("heading", name="Sign: approve")).to_be_visible()
    assert "What you accept" in ruth.text() and "Read in full." in ruth.text()
    ruth.read("Ruth")
    ruth.answer_for_the_step()
    ruth.press("Sign: approve")
    expect(ruth.page.locator(".error-summary")).to_contain_text("risk remains")
    ruth.say(
        "Residual risk that you accept",
        "Customers without a bureau record may be refused wrongly; they can appeal, and the canary bounds how many.",
    )
    ruth.say("Your assessment", "Bounded and watched.")
    ruth.press("Sign: approve")
    expect(ruth.page.get_by_text("Recorded: approve.")).to_be_visible()

    # everybody sees the same decision, and the permit is open
    assert asked(demo_web.url, people)["allowed"]
    shown = set()
    for screen in (dana, amir, ruth):
        screen.go(case)
        assert "Approved" in screen.text() and "Valid for production, up to" in screen.text()
        words = " ".join(screen.page.locator(f"#{part}").inner_text() for part in ("decisions", "why", "fairness", "history"))
        assert "person:" not in words
        shown.add(re.sub(r"just now|\d+ minutes? ago|\s+", " ", words))
    assert len(shown) == 1
    for screen in (dana, amir, ruth):
        assert [line for line in screen.said if "409" not in line and "422" not in line] == []
        screen.close()


@pytest.fixture
def one_gate(people: dict[str, Person], monkeypatch: pytest.MonkeyPatch) -> None:
    """A house pack in force where personal data asks for the platform engineer, and one gate looks at the predictions."""
    rules = [{**rule, "adds_steps": []} for rule in making.PACK["rules"] if rule["id"] != "TR-030"]  # type: ignore[index]
    monkeypatch.setitem(making.PACK, "rules", rules)  # type: ignore[arg-type]
    looks = {"gate": "GP102", "why": "A floor.", "tracks": ["yellow", "red"], "blocking": True, "note": "convention"}
    making.policy({**looks, "limits": {"floors": {"roc_auc": 0.6}}, "needs": {"candidate_predictions": "to measure it"}})


def test_the_yellow_track_without_scripts(
    browser: Browser, demo_web: Running, people: dict[str, Person], one_gate: None, tmp_path: Path
) -> None:
    new = build_version("churn-offers", "marketing", "Chooses who gets a brochure by post.", **{"data.contains_pii": True})
    new = replace(new, evidence={role: new.evidence[role] for role in (EvidenceRole.CANDIDATE_PREDICTIONS,)})
    dana, pia = (Screen.open(browser, demo_web.url, people[who], scripts=False) for who in ("dana", "pia"))
    number = dana.bring(new, tmp_path)
    dana.walk_the_questions(number, {"rollout.rollback_target": "first version"}, begin="Use")
    dana.attach(new, tmp_path)
    dana.hand_in(number)
    until(lambda: "In review" in dana.text(), dana.page)
    assert "Yellow track" in dana.page.locator(".case-head").inner_text(), dana.page.locator("#why").inner_text()
    refused = dana.page.goto(f"/submissions/{number}/decide/approve")
    assert refused is not None and refused.status == 409

    pia.go("/queue")
    pia.follow("churn-offers 1.0.0")
    assert "Uses personal data" in pia.page.locator("#why").inner_text()
    pia.follow("Approve", exact=True)
    pia.read("Pia")
    pia.answer_for_the_step()
    pia.press("Approve")
    pia.page.get_by_text("Recorded: approve.").wait_for()
    dana.go(f"/submissions/{number}")
    assert "Approved" in dana.text() and "Valid for production, up to" in dana.text()
    dana.close()
    pia.close()
