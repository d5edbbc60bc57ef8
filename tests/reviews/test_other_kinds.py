"""Applications and data pipelines from handing in to the decision, with files as their tools write them and real collectors."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gates.models import GateOutcome
from gates.services.running import run_light
from governance.domain.vocabulary import Role, State, Verdict
from governance.models import AuditEvent, DataSource, Person, Submission
from governance.selectors.access import caller_for
from reviews.demo import other_kinds
from reviews.demo.handing_in import hand_in
from reviews.selectors.compliance import ComplianceFilters, compliance
from reviews.services.settling import settle
from tests.governance import making

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def dana() -> Person:
    making.policy()
    unit = making.unit("shop")
    DataSource.objects.create(unit=unit, name=other_kinds.CLICKS, owner="shop-analytics", approved=True)
    return making.person("dana", Role.SUBMITTER, of=unit)


def settled(dana: Person, version: Any) -> tuple[Submission, dict[str, GateOutcome]]:
    """Hand in, run every collector in this process's child, settle; the case and its outcomes by code."""
    row = hand_in(dana, making.unit("shop"), version)
    run_light(row.pk, worker="tests")
    settle(submission_id=row.pk)
    row.refresh_from_db()
    last = GateOutcome.objects.filter(submission=row).order_by("-round").values_list("round", flat=True).first()
    return row, {each.code: each for each in GateOutcome.objects.filter(submission=row, round=last)}


def test_applications_from_their_ci_files(dana: Person) -> None:
    first, outcomes = settled(dana, other_kinds.application("staff-directory", "1.0.0"))
    wrong = {code: row.says for code, row in outcomes.items() if row.verdict != Verdict.PASS}
    assert wrong == {}
    assert (first.state, first.track) == (State.IN_REVIEW, "yellow")
    assert first.version.artifact_digest == other_kinds.digest_of("staff-directory", "1.0.0")
    assert not [code for code in outcomes if code.startswith(("GP", "GF", "GX", "GM", "GD"))]

    weak, outcomes = settled(
        dana, other_kinds.application("checkout-web", "4.2.0", vulnerabilities=(("CVE-2026-21001", "critical", "imagetools"),))
    )
    assert weak.state == State.CHECKS_FAILED
    assert outcomes["GA106"].verdict == Verdict.FAIL and "CVE-2026-21001 in imagetools" in outcomes["GA106"].says

    # no personal data in a build, approved or not
    gifts, outcomes = settled(
        dana, other_kinds.application("gift-cards", "1.0.0", data__contains_pii=True, data__pii_approval="DGA-2026-014")
    )
    assert (gifts.state, gifts.track) == (State.CHECKS_FAILED, "red")
    assert outcomes["GA108"].verdict == Verdict.FAIL and outcomes["GA108"].blocking
    # security reads what the scanner found; the way there is the case itself
    page = making.browser(making.person("sami", Role.SECURITY, of=making.unit("shop"))).get(f"/submissions/{weak.number}")
    assert "CVE-2026-21001" in page.content.decode()

    own = other_kinds.application("basket-web", "1.0.0", approved_by=("dana", "pia"), failed=("test_photo_saves",))
    _, outcomes = settled(dana, own)
    assert outcomes["GA107"].verdict == Verdict.FAIL and "own approval does not count" in outcomes["GA107"].says
    assert outcomes["GA102"].verdict == Verdict.FAIL and "test_photo_saves" in outcomes["GA102"].says


def test_pipelines_from_their_own_record_and_one_trail_for_all_kinds(dana: Person) -> None:
    good, outcomes = settled(dana, other_kinds.pipeline("click-sessions", "1.0.0"))
    wrong = {code: row.says for code, row in outcomes.items() if row.verdict not in (Verdict.PASS, Verdict.NOT_APPLICABLE)}
    assert wrong == {}
    assert (good.state, good.track) == (State.IN_REVIEW, "yellow")

    dear, _ = settled(dana, other_kinds.pipeline("click-sessions", "1.1.0", cost__per_run=9.5))
    assert dear.state == State.IN_REVIEW
    assert {"platform_engineer", "budget_owner"} <= set(dear.steps.values_list("role", flat=True))

    bad, outcomes = settled(
        dana, other_kinds.pipeline("returns-feed", "0.1.0", reads=other_kinds.RETURNS, broken=40, ended="FAIL")
    )
    assert bad.state == State.CHECKS_FAILED
    assert other_kinds.RETURNS in outcomes["GL101"].says
    assert outcomes["GD101"].verdict == Verdict.FAIL

    # one query, the same fields, whatever the kind (S1.9)
    settled(dana, other_kinds.application("staff-directory", "1.0.0"))
    making.opened(making.new(system="credit"), by=caller_for(dana))
    told = [json.loads(row.payload)["data"] for row in AuditEvent.objects.filter(action="submission.opened").order_by("seq")]
    assert {row["kind"] for row in told} == {"ml_model", "application", "data_pipeline"}
    assert len({tuple(row) for row in told}) == 1
    for action in ("submission.track_assigned", "gates.judged", "gate_runs.planned"):
        about = {row.object: json.loads(row.payload)["data"] for row in AuditEvent.objects.filter(action=action)}
        assert len({tuple(row) for row in about.values()}) == 1, action
        assert len({kind_of(reference) for reference in about}) == 2

    ada = caller_for(making.person("ada", Role.AUDITOR, everywhere=True))
    rows, _, _ = compliance(ada, filters=ComplianceFilters())
    assert rows and not [row for row in rows if "a monitoring plan" in row.missing]


def kind_of(reference: str) -> str:
    return Submission.objects.get(pk=reference.split(":")[1]).kind
