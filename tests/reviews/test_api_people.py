"""What people do together, through the API: the rules of the pages, one unit at a time, and no token speaks for a person."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from governance.domain.vocabulary import DecisionKind, Role, Scope, Track
from governance.models import AuditEvent, GrantRequest, Person, RoleGrant, Submission
from reviews.models import DeclaredConflict, Finding, Remark, Thread
from reviews.services.deciding import decide
from reviews.services.decision_input import NewCondition, NewDecision
from tests.governance.making import bearer, browser, token
from tests.governance.making import policy as shipped_policy
from tests.governance.ui.test_administration_pages import signed_in
from tests.reviews import making

pytestmark = pytest.mark.django_db(transaction=True)


class Api:
    """Somebody's calls: with the session of a person signed in, or with a token."""

    def __init__(self, who: Person, *, by_token: bool = False, client: Client | None = None) -> None:
        self.headers: dict[str, Any] = bearer(token(who, *Scope, of=who.unit)) if by_token else {}
        self.client = client or (Client() if by_token else browser(who))

    def __call__(self, method: str, path: str, body: Any = None, status: int = 200, key: str = "") -> Any:
        headers = {**self.headers, **({"HTTP_IDEMPOTENCY_KEY": key} if key else {})}
        sent = "" if body is None else json.dumps(body)
        answer = self.client.generic(method, f"/api/v1{path}", sent, content_type="application/json", **headers)
        assert answer.status_code == status, (method, path, answer.status_code, answer.content[:400])
        return answer.json() if answer.content else None


@pytest.fixture
def people() -> dict[str, Person]:
    found = making.everybody()
    found["gus"] = making.person("gus", Role.SUBMITTER, Role.ANALYST, at=making.unit("shop"))
    return found


@pytest.fixture
def row(people: dict[str, Person]) -> Submission:
    return making.in_review()


def offered(document: Any) -> set[str]:
    return {action["action"] for action in document["actions"] if action["available"]}


class TestThreads:
    def test_drafts_come_out_together_and_what_must_be_fixed_is_resolved_by_a_reviewer(
        self, people: dict[str, Person], row: Submission
    ) -> None:
        amir, dana, ci = Api(people["amir"]), Api(people["dana"]), Api(people["dana"], by_token=True)
        at = f"/submissions/{row.number}"
        new = {"about_kind": "gate", "about": "GP101", "text": "Why?", "disposition": "must_fix"}
        first = amir("POST", f"{at}/threads", new, 201, key="one")
        assert amir("POST", f"{at}/threads", new, 200, key="one")["id"] == first["id"], "the same call makes nothing new"
        assert amir("POST", f"{at}/threads", {**new, "text": "Else?"}, 409, key="one")["code"] == "idempotency_key_reused"
        spare = amir("POST", f"{at}/threads", {**new, "about_kind": "question", "about": "decision.domain"}, 201)
        assert amir("POST", f"{at}/threads", {**new, "about": "GX999"}, 422)["errors"][0]["pointer"] == "/about"
        assert [draft["id"] for draft in amir("GET", f"{at}/remarks/drafts")["results"]] == [first["id"], spare["id"]]
        assert ci("GET", f"{at}/threads")["results"] == [] == dana("GET", f"{at}/remarks/drafts")["results"]
        dana("DELETE", f"{at}/remarks/drafts/{spare['id']}", status=404)
        amir("DELETE", f"{at}/remarks/drafts/{spare['id']}", status=204)
        assert amir("POST", f"{at}/remarks/publish") == {"published": 1}
        amir("POST", f"{at}/remarks/publish", status=422)
        (thread,) = ci("GET", f"{at}/threads")["results"]
        assert (thread["disposition"], [r["text"] for r in thread["remarks"]]) == ("must_fix", ["Why?"])
        assert offered(thread) == set(), "a token has nothing to say"
        (thread,) = dana("GET", f"{at}/threads")["results"]
        assert offered(thread) == {"question"}, "who built it answers; who reviews it resolves"
        answers = f"{at}/threads/{thread['id']}/answers"
        dana("POST", answers, {"text": "Fixed now.", "disposition": "resolved"}, 403)
        dana("POST", answers, {"text": "Fixed now."}, 201)
        dana("POST", f"{at}/remarks/publish")
        amir("POST", answers, {"text": "It is.", "disposition": "resolved"}, 201)
        amir("POST", f"{at}/remarks/publish")
        assert Thread.objects.get(pk=thread["id"]).disposition == "resolved" and Remark.objects.count() == 3
        for who, path in ((ci, f"{at}/threads"), (ci, answers), (ci, f"{at}/remarks/publish")):
            assert who("POST", path, new if path.endswith("threads") else {"text": "x"}, 403)["code"] == "person_needed"
        mine = dana("POST", f"{at}/threads", {**new, "disposition": "question"}, 201)
        ci("DELETE", f"{at}/remarks/drafts/{mine['id']}", status=403)
        assert ci("GET", f"{at}/remarks/drafts")["results"] == [], "not even dana's own token reads them"

    def test_the_list_has_pages(self, people: dict[str, Person], row: Submission) -> None:
        for about in ("business.context", "decision.domain", "rollout.rollback_target"):
            thread = Thread.objects.create(submission=row, about_kind="question", about=about, opened_by=people["amir"])
            Remark.objects.create(
                thread=thread, submission=row, revision=1, by=people["amir"], disposition="question", text=about,
                published_at=timezone.now(),
            )  # fmt: skip
        amir, seen = Api(people["amir"]), []
        amir("GET", f"/submissions/{row.number}/threads")
        costs = []
        for limit in (1, 3):
            with CaptureQueriesContext(connection) as queries:
                amir("GET", f"/submissions/{row.number}/threads?limit={limit}")
            costs.append(len(queries))
        assert costs[0] == costs[1], "three threads cost what one does"
        path = f"/submissions/{row.number}/threads?limit=2"
        while path:
            page = amir("GET", path)
            seen += [thread["about"] for thread in page["results"]]
            path = (page["next"] or "").partition("/api/v1")[2]
        assert seen == ["business.context", "decision.domain", "rollout.rollback_target"]


def test_who_declares_a_conflict_of_interest_decides_nothing_and_declares_it_once(
    people: dict[str, Person], row: Submission
) -> None:
    at = f"/submissions/{row.number}/conflicts-of-interest"
    amir, dana = Api(people["amir"]), Api(people["dana"])
    assert offered(amir("GET", at)) == {"declare"} and offered(dana("GET", at)) == set()
    assert amir("GET", "/queue")["results"][0]["submission"] == row.number
    dana("POST", at, {"why": "I advised the team."}, 403)
    amir("POST", at, {"why": "I"}, 422)
    told = amir("POST", at, {"why": "I advised the team on its features."}, 201)
    assert [entry["by"] for entry in told["results"]] == ["Amir"] and offered(told) == set()
    assert amir("POST", at, {"why": "I advised the team."}, 409)["code"] == "declared_already"
    assert amir("GET", "/queue")["results"] == [] and DeclaredConflict.objects.count() == 1


def test_a_case_is_taken_on_given_back_and_handed_over(people: dict[str, Person], row: Submission) -> None:
    at, amir = f"/submissions/{row.number}", Api(people["amir"])
    ann = making.person("ann", Role.ANALYST)
    assert amir("POST", f"{at}/claim") == {"submission": row.number, "claimed_by": "Amir"}
    assert Api(ann)("POST", f"{at}/claim", status=409)["code"] == "claimed"
    assert amir("POST", f"{at}/release")["claimed_by"] == ""
    Api(people["dana"])("POST", f"{at}/claim", status=403)
    refused = amir("POST", f"{at}/hand-over", {"to": "dana", "note": "Please look at the groups."}, 422)
    assert refused["errors"][0]["code"] == "cannot_decide"
    amir("POST", f"{at}/hand-over", {"to": "nobody", "note": "Please look at the groups."}, 422)
    assert amir("POST", f"{at}/hand-over", {"to": "ann", "note": "Please look at the groups."})["claimed_by"] == "Ann"
    assert Api(ann)("GET", "/queue?claimed=me")["results"][0]["note"] == "Please look at the groups."
    amir("GET", "/queue?scope=theirs", status=422)


def test_a_finding_is_raised_fixed_and_verified_by_somebody_else(people: dict[str, Person], row: Submission) -> None:
    amir, dana = Api(people["amir"]), Api(people["dana"])
    at = f"/submissions/{row.number}/findings"
    new = {
        "about": "GP101", "severity": "high", "says": "It falls for the youngest.", "fix": "Show it by group.", "owner": "dana"
    }  # fmt: skip
    dana("POST", at, new, 403)
    amir("POST", at, {**new, "owner": "gus"}, 422)
    found = amir("POST", at, new, 201, key="f")
    assert amir("POST", at, new, 200, key="f")["id"] == found["id"] and Finding.objects.count() == 1
    one = f"/findings/{found['id']}"
    assert offered(found) == {"assign"} and offered(dana("GET", one)) == {"fix", "assign"}
    due = (timezone.now() + timedelta(days=9)).date().isoformat()
    assert amir("POST", f"{one}/assign", {"owner": "dana", "due_on": due})["due_on"] == due
    fix = {"remediation": "A table by group is in the card.", "evidence": "The card in S-12."}
    assert dana("POST", f"{one}/fix", fix)["state"] == "fixed"
    assert dana("POST", f"{one}/verify", {"result": "good", "why": "I looked at it."}, 403)["code"] == "role_needed"
    again = amir("POST", f"{one}/verify", {"result": "not_enough", "why": "The table is not there."})
    assert again["state"] == "open"
    dana("POST", f"{one}/fix", fix)
    closed = amir("POST", f"{one}/verify", {"result": "good", "why": "The table is there."})
    assert (closed["state"], closed["verified_by"], closed["fixed_by"]) == ("closed", "Amir", "Dana")
    ci = Api(people["dana"], by_token=True)
    assert ci("POST", f"{one}/fix", fix, 403)["code"] == "person_needed" and offered(ci("GET", one)) == set()


def test_a_condition_is_confirmed_by_somebody_else_and_an_evaluation_has_to_be_scheduled(people: dict[str, Person]) -> None:
    case = making.in_review(Track.YELLOW)
    due = timezone.now().date() + timedelta(days=5)
    approval = NewDecision(
        DecisionKind.APPROVE_WITH_CONDITIONS, conditions=(NewCondition("Watch the smallest group.", people["dana"].pk, due),)
    )
    decide(caller=making.call(people["pia"]), submission_id=case.pk, dossier_digest=case.dossier_digest, decision=approval)
    dana, pia = Api(people["dana"]), Api(people["pia"])
    (mine,) = dana("GET", "/conditions?state=open&owner=me")["results"]
    assert (mine["submission"], offered(mine)) == (case.number, set())
    assert dana("GET", "/conditions?state=overdue")["results"] == [] and pia("GET", "/conditions?owner=me")["results"] == []
    dana("GET", "/conditions?state=odd", status=422)
    dana("POST", f"/conditions/{mine['id']}/met", {"evidence": "The board shows it."}, 403)
    assert pia("POST", f"/conditions/{mine['id']}/met", {"evidence": "The board shows it."})["confirmed_by"] == "Pia"
    pia("POST", f"/conditions/{mine['id']}/met", {"evidence": "The board shows it."}, 409)
    assert len(pia("GET", "/conditions?state=met")["results"]) == 1
    found = {"result": "as_expected", "found": "It does what it did before the release.", "evidence": "The board."}
    pia("POST", f"/submissions/{case.number}/evaluation", found, 404)


def test_a_rule_that_does_not_fit_becomes_a_precedent_that_holds_everywhere(people: dict[str, Person]) -> None:
    shipped_policy()
    dana, gus = Api(people["dana"]), Api(people["gus"])
    new = {"about": "TR-050", "workload": "Pseudonymised tickets.", "why": "No person can be found in them."}
    asked = dana("POST", "/rule-conflicts", new, 201, key="c")
    assert dana("POST", "/rule-conflicts", new, 200, key="c")["number"] == asked["number"]
    assert asked["ruling"] is None and offered(asked) == set() and asked["url"] == f"/conflicts/{asked['id']}"
    dana("POST", "/rule-conflicts", {**new, "about": "TR-999"}, 404)
    assert gus("GET", "/rule-conflicts")["results"] == []
    gus("GET", f"/rule-conflicts/{asked['id']}", status=404)
    gwen = making.person("gwen", Role.POLICY_AUTHOR)
    assert offered(Api(gwen)("GET", f"/rule-conflicts/{asked['id']}")) == {"rule"}
    assert gus("GET", "/precedents?about=TR-050")["results"] == []
    ruling = {"decision": "precedent", "handling": "Name the key holder."}
    assert browser(gwen).post(f"/conflicts/{asked['id']}", ruling).status_code == 302
    (precedent,) = gus("GET", "/precedents?pack=ml_model&about=TR-050")["results"]
    assert (precedent["conflict"], precedent["handling"]) == (asked["number"], "Name the key holder.")
    outside = gus("GET", f"/rule-conflicts/{asked['id']}")
    assert (outside["workload"], outside["asked_by"], outside["ruling"]["decision"]) == ("", "", "precedent")
    assert dana("GET", "/rule-conflicts?state=open")["results"] == [] != dana("GET", "/rule-conflicts?state=decided")["results"]
    ci = Api(people["dana"], by_token=True)
    ci("POST", "/rule-conflicts", new, 422)


def test_messages_are_read_by_their_person_alone(people: dict[str, Person], row: Submission) -> None:
    amir, dana = Api(people["amir"]), Api(people["dana"])
    new = {"about_kind": "gate", "about": "GP101", "text": "Why? @dana"}
    amir("POST", f"/submissions/{row.number}/threads", new, 201)
    amir("POST", f"/submissions/{row.number}/remarks/publish")
    message = dana("GET", "/inbox?unread=true")["results"][0]
    assert message["kind"] == "mentioned" and message["path"].startswith("/submissions/")
    assert amir("POST", "/inbox/read", {"message": message["id"]}) == {"read": 0}, "it is not amir's"
    assert dana("POST", "/inbox/read", {"message": message["id"]}) == {"read": 1}
    assert dana("POST", "/inbox/read") == {"read": 0} and dana("GET", "/inbox?unread=true")["results"] == []
    assert Api(people["dana"], by_token=True)("GET", "/inbox", status=403)["code"] == "person_needed"


class TestRoles:
    def test_a_role_is_asked_for_with_a_fresh_sign_in_and_approved_in_the_browser_alone(self, people: dict[str, Person]) -> None:
        boss = making.person("adm", Role.ADMIN)
        eli = making.person("eli", Role.SUBMITTER)
        new = {"person": "eli", "role": "analyst", "unit": "lending", "reason": "Joins the team."}
        adm = Api(boss, client=signed_in(boss))
        stale = Api(boss)
        assert stale("POST", "/grants", new, 403)["code"] == "reauthentication_needed"
        asked = adm("POST", "/grants", new, 202, key="g")
        assert adm("POST", "/grants", new, 202, key="g")["id"] == asked["id"] and GrantRequest.objects.count() == 1
        assert asked["state"] == "waits" and "No program can" in asked["says"] and offered(asked) == set()
        assert asked["url"] == "/administration/requests"
        assert not RoleGrant.objects.filter(person=eli, role="analyst").exists(), "it does not hold yet"
        ruth = Api(people["ruth"])
        (waiting,) = ruth("GET", "/grants/requests?state=waits")["results"]
        assert offered(waiting) == {"answer"} and "no program" in waiting["actions"][0]["details"]
        for method in ("POST", "PUT", "PATCH"):
            ruth(method, f"/grants/requests/{asked['id']}", {"approve": True}, 404)
        given = adm("POST", "/grants", {**new, "role": "auditor"}, 201)
        assert given["holds"] is True and given["unit"] == "lending"
        assert stale("POST", f"/grants/{given['id']}/end", status=403)["code"] == "reauthentication_needed"
        assert adm("POST", f"/grants/{given['id']}/end")["holds"] is False
        held = adm("GET", "/grants?person=eli&state=holds")["results"]
        assert [grant["role"] for grant in held] == ["submitter"]
        assert AuditEvent.objects.filter(action__in=["role.asked", "role.granted", "role.ended"]).count() == 3

    def test_others_and_tokens_are_refused_and_other_units_do_not_exist(self, people: dict[str, Person]) -> None:
        boss = making.person("adm", Role.ADMIN)
        adm, dana = Api(boss, client=signed_in(boss)), Api(people["dana"])
        dana("GET", "/grants", status=403)
        dana("GET", "/grants/requests", status=403)
        new = {"person": "gus", "role": "auditor", "unit": "lending", "reason": "x"}
        adm("POST", "/grants", new, 404)
        adm("POST", f"/grants/{people['gus'].grants.first().pk}/end", status=404)  # type: ignore[union-attr]
        adm("POST", "/grants", {**new, "person": "dana", "unit": "nowhere"}, 422)
        assert adm("POST", "/grants", {**new, "person": "adm"}, 403)["code"] == "own_access"
        ci = Api(boss, by_token=True)
        for method, path in (("GET", "/grants"), ("POST", "/grants"), ("GET", "/stand-ins"), ("POST", "/stand-ins/1/end")):
            assert ci(method, path, new if path == "/grants" and method == "POST" else None, 403)["code"] == "person_needed"

    def test_who_stands_in_is_listed_and_ended_by_the_two_of_them(self, people: dict[str, Person]) -> None:
        ann, eve = making.person("ann", Role.ANALYST), making.person("eve", Role.SUBMITTER)
        grant = RoleGrant.objects.create(
            person=eve, role="analyst", unit=ann.unit, reason="Leave.", granted_by=ann, delegated_by=ann,
            valid_until=timezone.now() + timedelta(days=3),
        )  # fmt: skip
        assert [row["name"] for row in Api(ann)("GET", "/stand-ins")["for_you"]] == ["Eve"]
        assert [row["stands_in_for"] for row in Api(eve)("GET", "/stand-ins")["you_for_others"]] == ["Ann"]
        Api(people["dana"])("POST", f"/stand-ins/{grant.pk}/end", status=404)
        assert Api(eve)("POST", f"/stand-ins/{grant.pk}/end")["holds"] is False


OF_A_CASE: list[tuple[str, str]] = [
    ("GET", "threads"),
    ("POST", "threads"),
    ("POST", "threads/1/answers"),
    ("GET", "remarks/drafts"),
    ("DELETE", "remarks/drafts/1"),
    ("POST", "remarks/publish"),
    ("GET", "conflicts-of-interest"),
    ("POST", "conflicts-of-interest"),
    ("POST", "claim"),
    ("POST", "release"),
    ("POST", "hand-over"),
    ("POST", "findings"),
    ("POST", "waivers"),
    ("POST", "evaluation"),
]
BODIES: dict[str, Any] = {
    "threads": {"about_kind": "gate", "about": "GP101", "text": "Why?"},
    "threads/1/answers": {"text": "So."},
    "conflicts-of-interest": {"why": "I advised the team on it."},
    "hand-over": {"to": "gus", "note": "Please look at the groups."},
    "findings": {"about": "x", "severity": "low", "says": "It falls a bit there.", "fix": "Say where.", "owner": "gus"},
    "waivers": {
        "gate": "GP101", "reason": "It does not fit this case.", "compensating_control": "Somebody looks each day.",
        "owner": "gus", "expires_on": "2030-01-01", "audit_owner": "gus", "audit_due_on": "2029-12-01", "read_risk": True,
    },
    "evaluation": {"result": "worse", "found": "It is worse than it was before.", "evidence": "A report in the drive."},
}  # fmt: skip


def test_a_case_of_another_unit_does_not_exist(people: dict[str, Person], row: Submission) -> None:
    found = Finding.objects.create(submission=row, revision=1, about="GP101", severity="low", says="It fell.")
    gus, events = Api(people["gus"]), AuditEvent.objects.count()
    for method, path in OF_A_CASE:
        gus(method, f"/submissions/{row.number}/{path}", BODIES.get(path), 404)
    moves = {"fix": {"remediation": "A table is in the card.", "evidence": "S-1 shows"}, "assign": {"owner": "gus"}}
    for move, body in {**moves, "verify": {"result": "good", "why": "I looked at it."}}.items():
        gus("POST", f"/findings/{found.pk}/{move}", body, 404)
    gus("GET", f"/findings/{found.pk}", status=404)
    assert gus("GET", "/queue?scope=all")["results"] == []
    assert AuditEvent.objects.count() == events
