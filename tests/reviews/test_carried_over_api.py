"""The champion's answers over REST: listed as offers with where they come from, taken over by naming them, facts only then."""

from __future__ import annotations

from typing import Any

import pytest
from django.db.models.functions import Now

from governance.domain.vocabulary import Role, State
from governance.models import Answer, Submission
from governance.selectors.access import SYSTEM
from governance.services.packs import load_shipped_packs
from tests.reviews import making
from tests.reviews.test_api import Api

pytestmark = pytest.mark.django_db(transaction=True)

SAID = {"decision.automated": False, "impact.financial": "low", "rollout.strategy": "canary"}


def body(version: str, **more: Any) -> dict[str, Any]:
    return {"system": "credit-default", "version": version, "environment": "production", **more}


@pytest.fixture
def ci() -> Api:
    """Version 1 is in force with three answers."""
    load_shipped_packs(caller=SYSTEM)
    ci = Api(making.person("dana", Role.SUBMITTER))
    first = ci("POST", "/submissions", body("1.0.0", answers=SAID)).json()["submission"]
    Submission.objects.filter(pk=int(first.removeprefix("S-"))).update(state=State.APPROVED, closed_at=Now())
    return ci


def offers(document: Any) -> dict[str, Any]:
    return {row["id"]: row["value"] for row in document["questions"]["offered"]}


def missing(document: Any) -> set[str]:
    return {row["id"] for row in document["questions"]["missing"]}


def test_preview_create_and_get_list_what_is_offered_and_count_it_as_open(ci: Api) -> None:
    draft = ci("POST", "/submissions", body("2.0.0", draft=True)).json()
    answers = [
        ci("POST", "/preview", body("2.0.0")).json(),
        draft,
        ci("GET", f"/submissions/{draft['submission']}").json(),
        ci("GET", f"/submissions/{draft['submission']}/verdict").json(),
        ci("POST", "/submissions", body("2.0.1")).json(),  # handed in at once
    ]
    answers.append(ci("GET", f"/submissions/{answers[-1]['submission']}/verdict").json())
    for document in answers:
        assert offers(document) == SAID
        assert set(SAID) <= missing(document)
        assert {row["origin"] for row in document["questions"]["offered"]} == {"carried over from 1.0.0"}
        assert all(row["locator"].startswith("answer for the champion, 1.0.0") for row in document["questions"]["offered"])
    assert {reason["rule"] for reason in answers[0]["reasons"]} >= {"TR-060"}  # the impact counts as not known
    assert not Answer.objects.filter(submission__version__version__startswith="2").exists()


def test_naming_them_takes_them_over_with_the_name_of_who_did(ci: Api) -> None:
    number = ci("POST", "/submissions", body("2.0.0", draft=True)).json()["submission"]
    answered = ci("PATCH", f"/submissions/{number}/answers", {"carry_over": ["impact.financial"]})
    assert answered.status_code == 200, answered.content
    assert offers(answered.json()) == {name: SAID[name] for name in ("decision.automated", "rollout.strategy")}
    assert "TR-060" not in {reason["rule"] for reason in answered.json()["reasons"]}
    (row,) = Answer.objects.filter(submission=int(number.removeprefix("S-")))
    assert (row.question, row.value, row.provenance, row.by.username) == ("impact.financial", "low", "carried_over", "dana")
    assert row.reason == "Still holds, carried over from 1.0.0."
    both = {"carry_over": ["rollout.strategy"], "answers": {"decision.automated": True}}
    rest = ci("PATCH", f"/submissions/{number}/answers", both)
    assert offers(rest.json()) == {}
    said = dict(Answer.objects.filter(submission=int(number.removeprefix("S-"))).values_list("question", "provenance"))
    assert said == {"impact.financial": "carried_over", "rollout.strategy": "carried_over", "decision.automated": "typed"}


def test_a_submission_and_its_preview_take_them_over_at_once(ci: Api) -> None:
    whole = body("2.0.0", carry_over=sorted(SAID))
    preview = ci("POST", "/preview", whole)
    assert preview.status_code == 200, preview.content
    made = ci("POST", "/submissions", whole, Idempotency_Key="k1")
    assert (made.status_code, made.json()["state"]) == (201, "in_checks")
    for document in (preview.json(), made.json()):
        assert offers(document) == {}
        assert not set(SAID) & missing(document)
        assert "TR-060" not in {reason["rule"] for reason in document["reasons"]}
    assert preview.json()["reasons"] == made.json()["reasons"]
    assert ci("POST", "/submissions", whole, Idempotency_Key="k1").status_code == 200
    other = ci("POST", "/submissions", body("2.0.0"), Idempotency_Key="k1")
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")


@pytest.mark.parametrize(
    ("sent", "code", "says"),
    [
        ({"carry_over": ["monitoring.plan"]}, "not_offered", "Offered are: decision.automated, impact.financial"),
        ({"carry_over": ["impact.financial"], "answers": {"impact.financial": "high"}}, "twice", "at once"),
        ({}, "value_error", "carry_over"),
    ],
)
def test_what_is_not_offered_is_refused_with_what_is(ci: Api, sent: dict[str, Any], code: str, says: str) -> None:
    number = ci("POST", "/submissions", body("2.0.0", draft=True)).json()["submission"]
    refused = ci("PATCH", f"/submissions/{number}/answers", sent)
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["code"] == code
    assert says in refused.json()["detail"]
    assert not Answer.objects.filter(submission=int(number.removeprefix("S-"))).exists()
    if sent:
        assert ci("POST", "/preview", body("2.0.0", **sent)).status_code == 422


def test_what_a_file_says_now_is_no_offer(ci: Api) -> None:
    block = "flavors:\n  sklearn: {}\nmetadata:\n  guiderail: {impact.financial: high}\n"
    preview = ci("POST", "/preview", body("2.0.0", sources=[{"name": "MLmodel", "content": block}])).json()
    assert offers(preview) == {name: SAID[name] for name in ("decision.automated", "rollout.strategy")}
