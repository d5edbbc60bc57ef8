"""Every page, as somebody who may see it: light and dark, narrow and wide, by axe, by ruler and by what the console says.

The list is checked against the URLs of the product: a new page has to be added here, or named as no page with the reason.

Each page is measured at three widths and judged by axe wide and light, and narrow and dark: three of whatever repeats. Every
theme at every width and every row of a page is judged by `.venv/bin/python -m pytest -m nightly tests/browser`.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone
from pypdf import PdfReader

from gates.models import Chart
from gates.simulator.models import train
from gates.simulator.populations import lender
from governance.domain.vocabulary import DecisionKind, Track
from governance.models import DataSource, PolicyPack, Submission, Unit
from governance.selectors.access import caller_for
from governance.services.registers import propose
from reviews.demo.cast import Cast, readings_of
from reviews.demo.handing_in import Version, build, hand_in, settled
from reviews.demo.people import PASSWORD, load_people
from reviews.demo.reading import read_everything
from reviews.demo.usual import FIRST, standard_facts
from reviews.models import Finding, ReviewStep, Waiver
from reviews.services.decision_input import NewChange, NewCondition
from reviews.services.intake import revise
from tests.browser import things as things_of
from tests.browser.looking import DAILY, EVERY, Looking
from tests.journeys.at_the_screen import choose, pick, press, write
from tests.reviews import making as cases
from tests.reviews.test_waivers import PLAN as WAIVER_PLAN
from tests.reviews.test_waivers import USES as WAIVER_USES
from tests.reviews.test_waivers import stopped
from tests.stack import Running

if TYPE_CHECKING:
    from playwright.sync_api import Browser

NO_PAGES = {
    **dict.fromkeys(
        [
            "administration_person_change",
            "administration_request",
            "exposure_decide",
            "exposure_withdraw",
            "administration_token_revoke",
            "administration_registry_end",
            "administration_registry_again",
            "administration_deployment_gate_end",
            "administration_deployment_gate_again",
            "administration_trust_end",
            "run_cancel",
            "run_again",
            "draft_drop_file",
            "draft_drop_evidence",
            "draft_accept_all",
            "draft_advice",
            "draft_interview_start",
            "claim",
            "queue_claim",
            "release",
        ],
        "POST only, leads to a page",
    ),
    **dict.fromkeys(["inbox_read", "waiver_sign", "waiver_end", "waiver_audit"], "POST only, leads to a page"),
    **dict.fromkeys(
        [
            "compliance_csv",
            "lesson_records_csv",
            "lesson_people_csv",
            "lineage_json",
            "controls_csv",
            "controls_markdown",
            "controls_json",
            "document_markdown",
        ],
        "a file",
    ),
    "measurements_csv": "a file",
    "sign_off_record": "a file",
    "api_kubernetes_pipeline": "for clusters",
    **dict.fromkeys(
        [
            "policy_backtest_cancel",
            "administration_webhook_change",
            "downstream_remove",
            "incident_step",
            "incident_change",
            "stand_in_end",
        ],
        "POST only, leads to a page",
    ),
    "seen": "POST only, leads back to the section",
    "connect_api": "holds another product's viewer; looked at in its own test",
    "draft_live_track": "a part of a page, for htmx",
    "audit_verify": "POST only; looked at in its own test",
    "demo_sign_in": "signs in and leads home",
    "submit": "GET leads to the check page",
    "recheck": "offered only after a check stopped with an error; otherwise it is the refusal page, looked at as such",
    "chart_svg": "a picture",
    "chart_csv": "a file",
    "evidence_pack": "a file",
    "healthz": "for probes",
    "readyz": "for probes",
    "permit_keys": "for programs that check permits",
    "api_kubernetes": "for clusters",
    "api_kubernetes_environment": "for clusters",
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


@pytest.fixture(params=[DAILY, pytest.param(EVERY, marks=pytest.mark.nightly)], ids=["daily", "every"])
def looking(
    request: pytest.FixtureRequest, browser: Browser, worker: Running, live_server: Any, settings: Any
) -> Iterator[Looking]:
    settings.PUBLIC_URL, settings.DEMO = live_server.url, True
    looking = Looking(browser, live_server.url, load_people(), request.param)
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
    by_role = {"analyst": "amir", "privacy": "priya", "risk_officer": "ruth", "ethics": "esi", "legal": "lena"}
    while case.state == "in_review":
        step = ReviewStep.objects.filter(submission=case, revision=case.revision, state="open").order_by("order")[0]
        if step.role == last:
            return
        who = by_role[step.role]
        read_everything(cast.people, case)
        risk = {"residual_risk": "Wrong refusals remain; they can appeal.", "reauthenticated_at": timezone.now()}
        cast.sign(case, who, readings=readings_of(case, who), **(risk if step.role == "risk_officer" else {}))


DRAFT = [
    ("draft_tasks", "dana", "{at}/prepare", 200),
    ("draft_files", "dana", "{at}/files", 200),
    ("draft_evidence", "dana", "{at}/evidence", 200),
    ("draft_interview", "dana", "{at}/interview", 200),
    ("draft_check", "dana", "{at}/check", 200),
    *(("draft_topic", "dana", "{at}/questions/" + topic, 200) for topic in ("use", "data", "model", "rollout")),
    ("withdraw", "dana", "{at}/withdraw", 200),
]
ANY_TIME = [
    ("new_submission", "dana", "/submissions/new", 200),
    ("systems", "dana", "/systems", 200),
    ("system", "dana", "/systems/{system}", 200),
    ("policies", "gwen", "/policies", 200),
    ("what_if", "gwen", "/what-if", 200),
    ("learn", "dana", "/learn/high-risk-decisions", 200),
    ("learn_question", "dana", "/learn/questions/decision.domain", 200),
    ("registers", "priya", "/registers", 200),
    ("register", "priya", "/registers/regions", 200),
    ("declared_uses", "priya", "/registers/declared/uses", 200),
    ("register_new", "dana", "/registers/vendors/new", 200),
    ("register_import", "dana", "/registers/architectures/import", 200),
    ("register_entry", "priya", "/registers/sources/{source}", 200),
    ("register_entry_change", "dana", "/registers/sources/{source}/change", 200),
    ("register_change", "priya", "/registers/changes/{change}", 200),
    ("gates", "pia", "/gates", 200),
    ("gate", "pia", "/gates/GF101", 200),
    ("audit", "ada", "/audit", 200),
    ("not found", "dana", "/nowhere", 404),
    ("forbidden", "dana", "/audit", 403),
    ("account_logout", "dana", "/account/logout/", 200),
    ("account_change_password", "dana", "/account/password/change/", 200),
    ("account_login", "", "/account/login/", 200),
    ("account_inactive", "", "/account/inactive/", 200),
]
CHECKS = [("submission_progress", "dana", "{at}/progress", 200)]
REVIEW = [
    ("home", "amir", "/", 200),
    ("queue", "amir", "/queue", 200),
    ("queue_groups", "amir", "/queue?scope=systems", 200),
    ("queue_load", "amir", "/queue/load", 200),
    ("findings", "amir", "/findings?view=board", 200),
    ("findings list", "amir", "/findings", 200),
    ("finding_new", "amir", "{at}/findings/new", 200),
    ("finding", "amir", "/findings/{finding}", 200),
    ("hand_over", "amir", "{at}/hand-over", 200),
    ("inbox", "amir", "/inbox", 200),
    ("inbox_choices", "amir", "/inbox/choices", 200),
    ("lineage", "amir", "{at}/lineage", 200),
    ("document", "amir", "{at}/documents/model-card", 200),
    ("submissions", "ada", "/submissions", 200),
    ("case", "amir", "{at}", 200),
    ("attest", "amir", "{at}/attest", 200),
    ("columns", "priya", "{at}/columns", 200),
    *((f"decide_{kind}", "amir", "{at}/decide/" + kind, 200) for kind in ("approve", "conditions", "changes", "reject")),
    ("refused", "dana", "{at}/decide/approve", 409),
]
AROUND = [
    ("threads", "amir", "{at}/threads", 200),
    ("declare_conflict", "amir", "{at}/conflict-of-interest", 200),
    ("declared_value", "dana", "{at}/value", 200),
    ("incident_new", "ruth", "{at}/incident", 200),
]
CHANGES = [("revise", "dana", "{at}/revise", 200)]
SIGN = [("account_reauthenticate", "ruth", "{at}/decide/approve", 200)]
APPROVED = [
    ("case", "ruth", "{at}", 200),
    ("revoke", "ruth", "{at}/revoke", 200),
    ("compliance", "ada", "/compliance", 200),
    ("learn_index", "amir", "/learn", 200),
    ("course", "amir", "/learn/courses/analyst", 200),
    ("lesson", "amir", "/learn/lessons/fairness", 200),
    ("lesson_quiz", "amir", "/learn/lessons/fairness/quiz", 200),
    ("lesson_records", "amir", "/learn/records/mine", 200),
    ("lesson_people", "ada", "/learn/records/people", 200),
    ("glossary", "amir", "/glossary", 200),
    ("roles", "amir", "/roles", 200),
    ("oversight", "ada", "/oversight", 200),
    ("controls", "ada", "/controls?regime=eu_ai_act", 200),
    ("follow_up", "ada", "/follow-up", 200),
    ("evaluation", "ruth", "/follow-up/evaluations/{number}", 200),
    ("deployments", "ada", "/deployments", 200),
]
ADMINISTRATION = [
    ("administration_registries", "adm", "/administration/registries", 200),
    ("administration_deployment_gates", "adm", "/administration/deployment-gates", 200),
    ("administration_trust", "adm", "/administration/trust", 200),
    ("administration_webhooks", "adm", "/administration/webhooks", 200),
    ("administration_requests", "adm", "/administration/requests", 200),
    ("administration_webhook", "adm", "/administration/webhooks/{hook}", 200),
    ("connect", "adm", "/connect", 200),
    ("administration", "adm", "/administration", 200),
    ("administration_person", "adm", "/administration/people/{dana}", 200),
    ("administration_tokens", "adm", "/administration/tokens", 200),
    ("administration_new_person", "adm", "/administration/people/new", 200),
    ("administration_units", "adm", "/administration/units", 200),
    ("administration_calendar", "adm", "/administration/units/lending/calendar", 200),
]
LATER = [
    ("outcomes", "ada", "/outcomes", 200),
    ("re_reviews", "ada", "/re-reviews", 200),
    ("monitoring", "ada", "/monitoring", 200),
    ("incidents", "ada", "/incidents", 200),
    ("playbooks", "ada", "/incidents/playbooks", 200),
    ("rule_conflicts", "gwen", "/conflicts", 200),
    ("policy_drafts", "gwen", "/policies/drafts", 200),
    ("policy_versions", "gwen", "/policies/versions", 200),
    ("policy_version", "gwen", "/policies/versions/{pack}", 200),
    ("policy_scenarios", "gwen", "/policies/scenarios", 200),
    ("envelopes", "gwen", "/envelopes", 200),
    ("freezes", "gwen", "/freezes", 200),
    ("freeze_new", "gwen", "/freezes/new", 200),
    ("envelope_new", "gwen", "/systems/{system}/envelope", 200),
    ("downstream", "pia", "/systems/{system}/downstream", 200),
    ("stand_ins", "amir", "/stand-ins", 200),
]
POLICY = [
    ("envelope", "gwen", "/envelopes/{envelope}", 200),
    ("freeze", "ruth", "/freezes/{freeze}", 200),
    ("freeze_pass", "dana", "/submissions/{number}/freeze", 200),
    ("policy_compare", "gwen", "/policies/compare?a={before}&b={after}", 200),
    ("policy_draft", "gwen", "/policies/drafts/{draft}", 200),
    ("policy_backtest", "gwen", "/policies/backtests/{backtest}", 200),
    ("rule_conflict_new", "dana", "/conflicts/new?pack=ml_model&about=TR-020&submission={number}", 200),
    ("rule_conflict", "gwen", "/conflicts/{conflict}", 200),
]
RUNNING = [
    ("change_note", "mona", "/change-notes/{note}", 200),
    ("monitoring_event", "pia", "/monitoring/{event}", 200),
    ("incident", "pia", "/incidents/{incident}", 200),
    ("exposure_new", "dana", "{at}/exposure", 200),
    ("authority", "amir", "/authority", 200),
]
LEARNT = [
    ("incident_post_mortem", "pia", "/incidents/{incident}/post-mortem", 200),
    ("exposure_requests", "amir", "/exposure", 200),
    ("exposure_request", "amir", "/exposure/{exposure}", 200),
]
WAIVER = [
    ("waiver_new", "dana", "{at}/waivers/GF101", 200),
    ("waivers", "ada", "/waivers", 200),
    ("waiver", "ada", "{waiver}", 200),
    ("condition", "ada", "{condition}", 200),
]


def test_a_draft_and_what_is_there_at_any_time(looking: Looking) -> None:
    draft = hand_in(looking.people["dana"], cast_of(looking).units["lending"], version("1.1.0"), draft=True)
    source = DataSource.objects.filter(unit=draft.unit).first()
    assert source is not None
    told: dict[str, Any] = {"name": source.name, "values": {"region": "eu-central"}, "why": "It was moved there in spring."}
    change = propose(caller=caller_for(looking.people["dana"]), unit_id=draft.unit_id, **told)
    assert change is not None
    numbers = {"system": draft.system_id, "source": source.pk, "change": change.pk}
    looking.all(DRAFT + ANY_TIME, at=f"/submissions/{draft.number}", **numbers)
    looking.page_of("ada").get_by_role("button", name="Verify the chain").click()
    looking.page_of("ada").get_by_text("The chain is whole").wait_for()
    looking.judge("audit_verify", looking.page_of("ada"))
    pack = PolicyPack.objects.filter(kind="ml_model").values_list("pk", flat=True).latest("pk")
    looking.all(LATER, system=draft.system_id, pack=pack)
    for name, path in CLOSED.items():
        answer = looking.page_of("").goto(path)
        assert answer is not None
        assert answer.status in (404, 405), (name, answer.status)
    assert not looking.wrong, "\n".join(looking.wrong)


@pytest.mark.timeout(900)
def test_a_case_from_checks_to_permit(looking: Looking) -> None:
    cast, dana = cast_of(looking), looking.people["dana"]
    case = hand_in(dana, cast.units["lending"], version("1.0.0"))
    at = f"/submissions/{case.number}"
    looking.all(CHECKS, at=at)
    assert settled(case).state == "in_review"
    assert Chart.objects.filter(submission=case).count() > 5
    found = Finding.objects.create(submission=case, revision=1, about="GP101", severity="low", says="It fell.", raised_by=dana)
    looking.all(REVIEW, at=at, finding=found.pk)
    change = NewChange("Say who is left out.", "One sentence with a number.", about_question="model.limitations")
    cast.sign(case, "amir", kind=DecisionKind.REQUEST_CHANGES, comment="One question.", change_items=(change,))
    looking.all(CHANGES, at=at)
    replies = {item.pk: "Said in the limitations." for item in case.change_items.all()}
    revise(caller=caller_for(dana), submission_id=case.pk, note="Limitations say more.", replies=replies)
    settled(case)
    sign_until(cast, case, "risk_officer")
    looking.all(SIGN, at=at)
    page = looking.page_of("ruth")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    page.get_by_role("heading", name="Sign: approve").wait_for()
    looking.judge("sign", page)
    sign_until(cast, case, "")
    assert case.state == "approved"
    things = things_of.of_the_policy(looking.people, case) | things_of.of_what_runs(looking.people, case)
    looking.all(APPROVED + POLICY + RUNNING, at=at, number=case.number, **things)
    things_of.resolved(looking.people, int(str(things["incident"])))
    looking.all(LEARNT, **things, **things_of.more_exposure(looking.people, case))
    page.goto(at)
    paper = PdfReader(io.BytesIO(page.pdf(format="A4"))).pages
    assert len(paper) <= 40, f"{len(paper)} pages of paper"
    words = [sheet.extract_text() for sheet in paper[:10]]
    assert all(asks in " ".join(words[:2]) for asks in ("At a glance", "Worst group", "What is missing")), words[:2]
    assert "Decisions" in " ".join(words) and "Why this track" in " ".join(words)
    assert not looking.wrong, "\n".join(looking.wrong)


@pytest.fixture
def waivable(monkeypatch: pytest.MonkeyPatch) -> None:
    """The small pack of the review's tests, with gates that can be waived."""
    monkeypatch.setitem(cases.PACK, "waivers", WAIVER_PLAN)  # type: ignore[arg-type]
    plain = cases.policy
    monkeypatch.setattr(cases, "policy", lambda *gates: plain(*(gates or WAIVER_USES)))


def ask(looking: Looking, row: Submission) -> Waiver:
    """Dana fills in the form, by keyboard."""
    page, people = looking.page_of("dana"), looking.people
    page.goto(f"/submissions/{row.number}")
    press(page.get_by_role("link", name="Request a waiver for GF101"))
    choose(page.get_by_label("I read what this gate guards against"))
    write(page.get_by_label("Why does the gate not fit this case?"), "The labels of the pilot are corrected by hand.")
    write(page.get_by_label("Which control takes its place?"), "Every refusal is decided again by a person.")
    pick(page.get_by_label("Who runs that control?"), str(people["pia"].pk))
    pick(page.get_by_label("Who audits afterwards whether the control works?"), str(people["ada"].pk))
    press(page.get_by_role("button", name="Ask for the waiver"))
    page.get_by_text("Asked for.").wait_for()
    return Waiver.objects.get(submission=row)


def test_a_waiver_from_request_to_review_by_keyboard_and_its_pages(looking: Looking, waivable: None) -> None:
    """Dana asks, her manager and a risk officer sign after proving who they are; the case goes to its reviewers."""
    people = looking.people
    row = stopped(submitter=people["dana"])
    waiver = ask(looking, row)
    for who in ("mona", "rosa"):
        page = looking.page_of(who)
        page.goto("/inbox")
        press(page.get_by_role("button", name="Go there").first)
        press(page.get_by_role("link", name="Confirm it is you, then sign"))
        write(page.get_by_label("Password"), PASSWORD)
        press(page.get_by_role("button", name="Confirm"))
        press(page.get_by_role("button", name="Sign as"))
        page.get_by_text("Recorded under your name.").wait_for()
    assert cases.fresh(row).state == "in_review" and waiver.signatures.count() == 2
    page = looking.page_of("amir")
    page.goto(f"/submissions/{row.number}")
    assert "Waived" in page.locator("#gate-GF101").inner_text()

    other = stopped(submitter=people["dana"])
    done = cases.in_review(Track.YELLOW, submitter=people["dana"])
    condition = NewCondition("Watch the smallest group.", people["dana"].pk, timezone.now().date() + timedelta(days=5))
    cast_of(looking).sign(done, "pia", kind=DecisionKind.APPROVE_WITH_CONDITIONS, conditions=(condition,))
    looking.all(
        WAIVER,
        at=f"/submissions/{other.number}",
        waiver=f"/waivers/{waiver.pk}",
        condition=f"/follow-up/conditions/{done.conditions.get().pk}",
    )
    assert not looking.wrong, "\n".join(looking.wrong)


def test_the_pages_of_administration(looking: Looking) -> None:
    page = looking.page_of("adm")
    page.goto("/administration/people/new")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    page.get_by_role("heading", name="Add a person").wait_for()
    looking.all(ADMINISTRATION, dana=looking.people["dana"].pk, **things_of.of_the_organisation(looking.people))
    page.goto("/administration/tokens")
    page.get_by_label("What is it for?").fill("a pipeline")
    page.get_by_role("button", name="Make it").click()
    page.get_by_role("heading", name="Connect your pipeline").wait_for()
    looking.judge("the token", page)
    assert not looking.wrong, "\n".join(looking.wrong)


def test_no_page_is_left_out() -> None:
    everything = set(names(get_resolver().url_patterns))
    rows = (
        DRAFT,
        ANY_TIME,
        LATER,
        AROUND,
        CHECKS,
        REVIEW,
        CHANGES,
        SIGN,
        APPROVED,
        POLICY,
        RUNNING,
        LEARNT,
        WAIVER,
        ADMINISTRATION,
    )
    looked_at = {name for part in rows for name, *_ in part}
    assert len(everything) > 40
    assert everything - looked_at - set(NO_PAGES) - set(CLOSED) == set(), "a page nobody looks at"
    assert not (set(NO_PAGES) | set(CLOSED)) - everything, "named here, gone there"
