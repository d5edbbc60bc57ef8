"""The REST API of the review, through HTTP: handing in, replays, scopes, units, verdict in every format, decisions, permits."""

from __future__ import annotations

import json
import threading
import time
from datetime import timedelta
from typing import Any
from xml.etree import ElementTree

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from markdown_it import MarkdownIt

from governance.domain.vocabulary import Role, Scope, State, Track
from governance.models import AuditEvent, Person, Revision, RoleGrant, Submission, System, Unit
from governance.selectors.access import SYSTEM
from governance.services.tokens import issue_token
from reviews.models import Permit, SignOff
from reviews.services.deciding import decide
from reviews.services.permits import expire_due, revoke
from tests.reviews import making
from tests.reviews.making import Gate

pytestmark = pytest.mark.django_db(transaction=True)

BODY: dict[str, Any] = {
    "system": "credit-default",
    "kind": "ml_model",
    "version": "2.3.0",
    "environment": "production",
    "answers": {"decision.domain": "credit"},
}


class Api:
    """A client with a bearer token of somebody in a unit."""

    def __init__(self, who: Person, *scopes: Scope, unit: Unit | None = None) -> None:
        chosen = scopes or (Scope.SUBMIT, Scope.EVIDENCE, Scope.READ, Scope.PERMIT)
        _, self.secret = issue_token(caller=SYSTEM, person=who, unit=unit or making.unit(), name="ci", scopes=chosen)
        self.client = Client()

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        return self.client.generic(
            method,
            f"/api/v1{path}",
            "" if body is None else json.dumps(body),
            content_type="application/json",
            headers={"Authorization": f"Bearer {self.secret}", **{k.replace("_", "-"): v for k, v in headers.items()}},
        )


@pytest.fixture
def dana() -> Person:
    making.policy()
    return making.person("dana", Role.SUBMITTER)


@pytest.fixture
def ci(dana: Person) -> Api:
    return Api(dana)


class TestHandingIn:
    def test_one_response_says_track_reasons_way_out_and_what_is_missing(self, ci: Api) -> None:
        answer = ci("POST", "/submissions", BODY)
        assert answer.status_code == 201, answer.content
        verdict = answer.json()
        assert verdict["schema"] == "guiderail/verdict/1"
        assert verdict["track"] == "red"
        assert verdict["track_is_final"] is False
        reason = next(r for r in verdict["reasons"] if r["rule"] == "TR-020")
        assert (reason["says"], reason["value"], reason["source"], reason["editable_by"]) == (
            "makes credit decisions",
            "credit",
            "answer",
            "nobody",
        )
        assert [(way["to"], way["possible"]) for way in verdict["would_change"]] == [("yellow", False), ("green", False)]
        assert {q["id"] for q in verdict["questions"]["missing"]} == {"business.context"}
        assert (verdict["state"], verdict["turn"], verdict["exit_code"]) == ("in_checks", ["machine"], 3)
        assert answer["Location"] == f"/api/v1/submissions/{verdict['submission']}"
        assert verdict["policy"]["version"] == "2026.11.1"

    def test_a_replay_changes_nothing(self, ci: Api) -> None:
        first = ci("POST", "/submissions", BODY, Idempotency_Key="k1")
        events = AuditEvent.objects.count()
        again = ci("POST", "/submissions", BODY, Idempotency_Key="k1")
        other_key = ci("POST", "/submissions", BODY)
        assert (first.status_code, again.status_code, other_key.status_code) == (201, 200, 200)
        assert first.json()["submission"] == again.json()["submission"] == other_key.json()["submission"]
        assert (Submission.objects.count(), Revision.objects.count(), AuditEvent.objects.count()) == (1, 1, events)
        clash = ci("POST", "/submissions", {**BODY, "answers": {"decision.domain": "fraud"}}, Idempotency_Key="k1")
        assert (clash.status_code, clash.json()["code"]) == (409, "idempotency_key_reused")
        second = ci("POST", "/submissions", {**BODY, "answers": {"decision.domain": "fraud"}})
        assert (second.status_code, second.json()["code"]) == (409, "already_open")

    def test_the_same_request_eight_times_at_once_is_one_submission(self, ci: Api) -> None:
        start, answers = threading.Barrier(8), []

        def send() -> None:
            try:
                start.wait()
                answers.append(ci("POST", "/submissions", BODY, Idempotency_Key="same"))
            finally:
                connection.close()

        threads = [threading.Thread(target=send) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted({a.status_code for a in answers}) == [200, 201], [a.content for a in answers]
        assert Submission.objects.count() == Revision.objects.count() == 1

    def test_nobody_sends_the_track(self, ci: Api) -> None:
        for extra in ({"track": "green"}, {"answers": {"track": "green"}}, {"state": "approved"}):
            answer = ci("POST", "/submissions", {**BODY, **extra})
            assert answer.status_code == 422, extra
            assert "policy" in answer.json()["detail"]
        assert not Submission.objects.exists()

    def test_a_draft_is_kept_answered_and_submitted(self, ci: Api) -> None:
        made = ci("POST", "/submissions", {**BODY, "draft": True})
        number = made.json()["submission"]
        assert (made.status_code, made.json()["state"]) == (201, "draft")
        bad = ci("PATCH", f"/submissions/{number}/answers", {"answers": {"no.such": 1}})
        assert bad.status_code == 422
        assert bad.json()["errors"][0]["pointer"] == "/answers/no.such"
        good = ci("PATCH", f"/submissions/{number}/answers", {"answers": {"business.context": "Limits of new cards."}})
        assert good.json()["questions"]["missing"] == []
        assert ci("POST", f"/submissions/{number}/submit").json()["state"] == "in_checks"
        again = ci("POST", f"/submissions/{number}/submit")
        assert (again.status_code, again.json()["code"]) == (409, "wrong_state")
        frozen = ci("PATCH", f"/submissions/{number}/answers", {"answers": {"business.context": "x"}})
        assert (frozen.status_code, frozen.json()["code"]) == (409, "frozen")
        assert ci("POST", f"/submissions/{number}/withdraw").json()["state"] == "withdrawn"

    def test_a_preview_records_nothing(self, ci: Api) -> None:
        counts = [model.objects.count() for model in (Submission, System, AuditEvent, Revision)]
        answer = ci("POST", "/preview", BODY)
        assert answer.status_code == 200, answer.content
        preview = answer.json()
        assert (preview["track"], preview["submission"], preview["state"], preview["exit_code"]) == ("red", None, "preview", 0)
        # whether it uses personal data is not known, so the data steward is asked as well
        assert [s["role"] for s in preview["steps"]] == ["analyst", "privacy", "risk_officer"]
        assert [model.objects.count() for model in (Submission, System, AuditEvent, Revision)] == counts
        made = ci("POST", "/submissions", BODY).json()
        assert set(preview) - {"advice"} == set(made)
        assert preview["reasons"] == made["reasons"]


class TestWhoMay:
    @pytest.mark.parametrize(
        ("scope", "allowed"),
        [
            (Scope.READ, {"list", "view", "verdict", "permit"}),
            (Scope.SUBMIT, {"create", "preview", "answers", "submit", "withdraw"}),
            (Scope.PERMIT, {"permit"}),
            (Scope.EVIDENCE, set()),
            (Scope.DEPLOY, set()),
            (Scope.MONITOR, set()),
        ],
    )
    def test_each_scope_opens_what_it_names(self, dana: Person, scope: Scope, allowed: set[str]) -> None:
        draft = making.draft(submitter=dana)
        api, at = Api(dana, scope), f"/submissions/{draft.pk}"
        answers = {
            "list": api("GET", "/submissions"),
            "view": api("GET", at),
            "verdict": api("GET", f"{at}/verdict"),
            "permit": api("GET", "/permits?system=a&version=1"),
            "create": api("POST", "/submissions", {**BODY, "version": "9"}),
            "preview": api("POST", "/preview", BODY),
            "answers": api("PATCH", f"{at}/answers", {"answers": {"business.context": "words"}}),
            "submit": api("POST", f"{at}/submit"),
            "withdraw": api("POST", f"{at}/withdraw"),
            "decide": api("POST", f"{at}/decisions", {"dossier_digest": "x", "decision": "approve"}),
        }
        assert {name for name, answer in answers.items() if answer.status_code < 400} == allowed
        assert {answers[name].status_code for name in set(answers) - allowed} == {403}

    def test_without_a_token_or_with_a_wrong_one(self, dana: Person) -> None:
        for headers in ({}, {"Authorization": "Bearer grl_nonsense"}):
            answer = Client().get("/api/v1/submissions", headers=headers)
            assert answer.status_code == 401
            assert answer["Content-Type"] == "application/problem+json"

    def test_another_unit_finds_nothing(self, ci: Api) -> None:
        number = ci("POST", "/submissions", BODY).json()["submission"]
        shop = making.unit("shop")
        sam = making.person("sam", Role.SUBMITTER, Role.ANALYST, at=shop)
        other = Api(sam, unit=shop)
        moves = [("POST", f"/{move}") for move in ("submit", "withdraw", "revise")]
        for method, path in [("GET", ""), ("GET", "/verdict"), ("PATCH", "/answers"), *moves]:
            answer = other(method, f"/submissions/{number}{path}", {"answers": {"a.b": 1}} if path == "/answers" else None)
            assert answer.status_code == 404, path
            assert (
                other(method, f"/submissions/S-99999{path}", {"answers": {"a.b": 1}} if path == "/answers" else None).status_code
                == 404
            )
        assert other("GET", "/submissions").json()["results"] == []
        assert other("GET", "/submissions?q=credit").json()["results"] == []
        assert other("POST", "/submissions", BODY, Idempotency_Key="x").status_code == 201  # its own inventory


def session(who: Person, *, fresh: bool = False) -> Client:
    client = Client()
    client.force_login(who)
    if fresh:
        store = client.session
        store["account_authentication_methods"] = [{"method": "password", "at": time.time()}]
        store["account_authentication_methods_user"] = str(who.pk)
        store.save()
    return client


def send(client: Client, row: Submission, **body: Any) -> Any:
    parts = {
        "comment": "Performance by group was read against the champion.",
        "rationale": "It is better for every group that was measured.",
        "alternatives": "Keeping the champion, which is worse for the young.",
        "residual_level": "low",
        "residual_plan": "The owner reads the errors by group each week.",
        "residual_review_on": (timezone.now().date() + timedelta(days=30)).isoformat(),
    }
    given = {"dossier_digest": row.dossier_digest, "decision": "approve", **parts, **body}
    return client.post(f"/api/v1/submissions/{row.number}/decisions", json.dumps(given), content_type="application/json")


class TestDecidingOverHttp:
    def test_the_red_journey(self) -> None:
        people, row = making.everybody(), making.in_review()
        first = send(session(people["amir"]), row)
        assert (first.status_code, first.json()["turn"]) == (200, ["risk_officer"])
        row, words = making.fresh(row), "Small groups stay uncertain and are watched."
        stale_login = send(session(people["ruth"]), row, residual_risk=words)
        assert (stale_login.status_code, stale_login.json()["code"]) == (403, "reauthentication_needed")
        done = send(session(people["ruth"], fresh=True), row, residual_risk=words)
        assert (done.status_code, done.json()["state"], done.json()["exit_code"]) == (200, "approved", 0)
        assert done.json()["permit"]["valid"] is True

    def test_segregation(self) -> None:
        people, row = making.everybody(), making.in_review()
        RoleGrant.objects.create(person=people["dana"], role=Role.ANALYST, reason="test")
        own = send(session(people["dana"]), row)
        assert (own.status_code, own.json()["code"]) == (403, "segregation_of_duties")
        assert send(session(people["pia"]), row).status_code == 403
        assert send(session(people["ruth"]), row).status_code == 403
        assert not SignOff.objects.exists()

    def test_a_superuser_is_no_exception(self) -> None:
        row = making.in_review()
        root = Person.objects.create_superuser("root", "root@example.org", "x" * 12, unit=row.unit)
        assert send(session(root), row).status_code == 403

    def test_a_stale_dossier_is_a_conflict_that_says_what_changed(self) -> None:
        people, row = making.everybody(), making.in_review()
        row.answers.update(value="fraud")
        answer = send(session(people["amir"]), row)
        assert (answer.status_code, answer.json()["code"]) == (409, "stale_dossier")
        assert "credit → fraud" in answer.json()["detail"]

    def test_the_session_needs_its_csrf_token(self) -> None:
        people, row = making.everybody(), making.in_review()
        client = Client(enforce_csrf_checks=True)
        client.force_login(people["amir"])
        assert send(client, row).status_code == 403
        assert not SignOff.objects.exists()

    def test_the_body_cannot_say_when_the_person_signed_in(self) -> None:
        people, row = making.everybody(), making.in_review()
        answer = send(session(people["amir"]), row, reauthenticated_at="2026-11-21T09:00:00Z")
        assert answer.status_code == 422


class TestVerdict:
    def test_etag_and_304(self, dana: Person, ci: Api) -> None:
        row = making.in_review()
        first = ci("GET", f"/submissions/{row.number}/verdict")
        assert first.status_code == 200
        again = ci("GET", f"/submissions/{row.pk}/verdict", If_None_Match=first["ETag"])
        assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
        people = making.everybody()
        decide(
            caller=making.call(people["amir"]), submission_id=row.pk, dossier_digest=row.dossier_digest, decision=making.approve()
        )
        changed = ci("GET", f"/submissions/{row.pk}/verdict", If_None_Match=first["ETag"])
        assert (changed.status_code, changed.json()["turn"]) == (200, ["risk_officer"])
        assert changed["ETag"] != first["ETag"]

    def test_waiting_answers_when_it_changes_and_not_before(self, dana: Person, ci: Api) -> None:
        people, row = making.everybody(), making.in_review(Track.YELLOW)
        begun = time.monotonic()
        tag = ci("GET", f"/submissions/{row.pk}/verdict")["ETag"]
        assert ci("GET", f"/submissions/{row.pk}/verdict?wait=1", If_None_Match=tag).status_code == 304
        assert time.monotonic() - begun >= 1

        def later() -> None:
            time.sleep(0.7)
            decide(
                caller=making.call(people["pia"]),
                submission_id=row.pk,
                dossier_digest=row.dossier_digest,
                decision=making.approve(),
            )
            connection.close()

        thread = threading.Thread(target=later)
        thread.start()
        begun = time.monotonic()
        answer = ci("GET", f"/submissions/{row.pk}/verdict?wait=30", If_None_Match=tag)
        thread.join()
        assert answer.json()["state"] == "approved"
        assert 0.5 < time.monotonic() - begun < 10
        begun = time.monotonic()
        assert ci("GET", f"/submissions/{row.pk}/verdict?wait=30").status_code == 200  # final: nothing to wait for
        assert time.monotonic() - begun < 5

    @pytest.mark.parametrize("wait", ["-1", "x", "1e9", "٣"])
    def test_a_wait_that_is_no_number_is_refused(self, ci: Api, wait: str) -> None:
        row = making.in_review()
        assert ci("GET", f"/submissions/{row.pk}/verdict?wait={wait}").status_code == 422

    def test_the_formats_of_ci_systems(self, ci: Api) -> None:
        hostile = "<script>alert(1)</script> | [x](http://evil) @everyone \x0b"
        gates = (
            Gate("GP101"),
            Gate("GF101", "warn", says=hostile),
            Gate("GM101", "not_applicable", says="No monitor is needed."),
        )
        row = making.in_review(gates=gates)
        at = f"/submissions/{row.pk}/verdict"

        text = ci("GET", at, Accept="text/markdown")
        assert text["Content-Type"] == "text/markdown; charset=utf-8"
        words = text.content.decode()
        assert "**Red track**" in words and "GP101" in words
        assert "@everyone" not in words
        shown = MarkdownIt("commonmark").enable("table").render(words.rsplit("<http", 1)[0])
        assert "<script" not in shown and "href" not in shown and "<img" not in shown

        sarif = json.loads(ci("GET", at, Accept="application/sarif+json").content)
        run = sarif["runs"][0]
        assert (sarif["version"], run["tool"]["driver"]["name"]) == ("2.1.0", "Guiderail")
        assert [(r["ruleId"], r["level"]) for r in run["results"]] == [("GF101", "warning")]
        assert all(run["tool"]["driver"]["rules"][r["ruleIndex"]]["id"] == r["ruleId"] for r in run["results"])

        suite = ElementTree.fromstring(ci("GET", at, Accept="application/junit+xml").content)[0]
        assert suite.attrib["tests"] == "4"
        assert (suite.attrib["failures"], suite.attrib["errors"], suite.attrib["skipped"]) == ("0", "0", "2")

        missing = ci("GET", "/submissions/99999/verdict", Accept="text/markdown")
        assert (missing.status_code, missing.json()["code"]) == (404, "not_found")

    def test_a_failed_gate_fails_the_pipeline_and_says_why_and_what_next(self, ci: Api) -> None:
        row = making.in_review(gates=(Gate("GF101", "fail", says="The ratio is 0.71, limit >= 0.80."),))
        Submission.objects.filter(pk=row.pk).update(state=State.CHECKS_FAILED)
        verdict = ci("GET", f"/submissions/{row.pk}/verdict").json()
        assert (verdict["exit_code"], verdict["reason_code"], verdict["final"]) == (1, "gate:GF101", False)
        assert "0.71" in verdict["says"]
        assert verdict["next_step"]
        suite = ElementTree.fromstring(ci("GET", f"/submissions/{row.pk}/verdict", Accept="application/junit+xml").content)[0]
        assert suite.attrib["failures"] == "2"

    def test_every_state_has_its_exit_code(self, ci: Api) -> None:
        row = making.in_review()
        expected = {
            **dict.fromkeys((State.APPROVED, State.SUPERSEDED), 0),
            **dict.fromkeys((State.CHECKS_FAILED, State.REJECTED, State.WITHDRAWN, State.REVOKED, State.EXPIRED), 1),
            **dict.fromkeys((State.DRAFT, State.IN_CHECKS, State.IN_REVIEW, State.CHANGES_REQUESTED), 3),
        }
        assert set(expected) == set(State)
        for state, code in expected.items():
            Submission.objects.filter(pk=row.pk).update(state=state)
            assert ci("GET", f"/submissions/{row.pk}/verdict").json()["exit_code"] == code, state


class TestLists:
    def test_pages_by_cursor_in_both_directions_with_one_query_each(self, dana: Person, ci: Api) -> None:
        numbers = [making.draft(submitter=dana, version=f"v{n}").number for n in range(7)][::-1]
        seen, path = [], "/submissions?limit=3"
        pages = []
        while path:
            page = ci("GET", path).json()
            pages.append(page)
            seen += [row["submission"] for row in page["results"]]
            path = (page["next"] or "").partition("/api/v1")[2]
        assert seen == numbers
        assert pages[0]["previous"] is None
        back = ci("GET", pages[2]["previous"].partition("/api/v1")[2]).json()
        assert [r["submission"] for r in back["results"]] == [r["submission"] for r in pages[1]["results"]]
        assert ci("GET", back["previous"].partition("/api/v1")[2]).json()["previous"] is None

        def count(limit: int) -> int:
            with CaptureQueriesContext(connection) as caught:
                ci("GET", f"/submissions?limit={limit}")
            return len(caught)

        assert count(1) == count(7)

    def test_filters(self, dana: Person, ci: Api) -> None:
        red, yellow = making.in_review(), making.in_review(Track.YELLOW, system="gift-ideas")
        other = making.draft(submitter=dana)

        def found(query: str) -> set[str]:
            return {row["submission"] for row in ci("GET", f"/submissions?{query}").json()["results"]}

        assert found("track=red") == {red.number}
        assert found("state=draft") == {other.number}
        assert found("system=gift-ideas") == {yellow.number}
        assert found("turn=platform_engineer") == {yellow.number}
        assert found(f"q={red.number}") == {red.number}
        assert found("track=red&state=draft") == set()
        for bad in ("track=purple", "state=x", "turn=nobody", "cursor=zzz", "limit=0", "limit=101", "limit=x", "cursor=WzEsMl0"):
            assert ci("GET", f"/submissions?{bad}").status_code == 422, bad

    def test_words_find_what_was_handed_in(self, ci: Api) -> None:
        number = ci("POST", "/submissions", BODY).json()["submission"]
        for words in ("credit", "credit-default", "2.3.0"):
            assert [r["submission"] for r in ci("GET", f"/submissions?q={words}").json()["results"]] == [number], words
        assert ci("GET", "/submissions?q=%00%27%22;--").status_code == 200


class TestPermits:
    def test_what_is_not_known_is_not_allowed(self, ci: Api) -> None:
        answer = ci("GET", "/permits?system=nothing&version=1&environment=production")
        assert (answer.status_code, answer.json()["allowed"], answer.json()["verdict"]) == (200, False, "unknown")

    def test_from_review_to_approval_to_revocation(self, dana: Person, ci: Api) -> None:
        people, row = making.everybody(), making.in_review(Track.YELLOW)
        digest = row.version.artifact_digest
        questions = (f"system=credit-default&version={row.version.version}", f"digest={digest}")

        def ask(environment: str = "production") -> list[tuple[bool, str]]:
            answers = [ci("GET", f"/permits?{q}&environment={environment}").json() for q in questions]
            return [(a["allowed"], a["verdict"]) for a in answers]

        assert ask() == [(False, "under_review")] * 2
        decide(
            caller=making.call(people["pia"]), submission_id=row.pk, dossier_digest=row.dossier_digest, decision=making.approve()
        )
        assert ask() == [(True, "allowed")] * 2
        assert ask("staging") == [(False, "unknown")] * 2
        revoke(caller=making.call(people["ruth"]), submission_id=row.pk, reason="Customers were refused by mistake.")
        assert ask() == [(False, "revoked")] * 2

    def test_an_expired_permit_is_not_allowed_and_the_approval_lapses(self, ci: Api) -> None:
        people, row = making.everybody(), making.in_review(Track.YELLOW)
        decide(
            caller=making.call(people["pia"]), submission_id=row.pk, dossier_digest=row.dossier_digest, decision=making.approve()
        )
        assert expire_due() == 0
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE reviews_permit DISABLE TRIGGER permit_frozen")
            Permit.objects.update(expires_at="2026-01-01T00:00:00Z")
            cursor.execute("ALTER TABLE reviews_permit ENABLE TRIGGER permit_frozen")
        assert ci("GET", f"/permits?system=credit-default&version={row.version.version}").json()["verdict"] == "expired"
        assert (expire_due(), expire_due()) == (1, 0)
        assert making.fresh(row).state == State.EXPIRED

    def test_the_question_has_to_be_whole(self, ci: Api) -> None:
        for query in ("", "system=a", "version=1", "digest=zz", f"digest={'a' * 64}&system=a"):
            assert ci("GET", f"/permits?{query}").status_code == 422, query

    def test_the_version_before_stays_allowed_for_the_way_back(self, ci: Api) -> None:
        people = making.everybody()
        rows = [making.in_review(Track.YELLOW) for _ in range(2)]
        for row in rows:
            decide(
                caller=making.call(people["pia"]),
                submission_id=row.pk,
                dossier_digest=row.dossier_digest,
                decision=making.approve(),
            )
        answer = ci("GET", f"/permits?system=credit-default&version={rows[0].version.version}").json()
        assert answer["allowed"]
        assert "later version" in answer["reasons"][0]
