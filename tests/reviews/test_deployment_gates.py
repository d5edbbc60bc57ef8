"""Deployments of GitHub and GitLab wait until the case of exactly their commit is decided, and are told so once."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.utils import timezone

from governance.domain.vocabulary import DecisionKind, Role, Track
from governance.models import AuditEvent, Person, Revision, Submission, System
from governance.selectors.access import SYSTEM, caller_for
from reviews.models import DeploymentGate, DeploymentReport, DeploymentRequest
from reviews.services.deciding import decide
from reviews.services.decision_input import NewDecision
from reviews.services.deployment_gates import gate_deployments
from reviews.services.deployment_reports import deliver_due, note_changes
from reviews.services.deployment_requests import ask_gitlab
from reviews.services.github_app import callback_path
from reviews.services.intake import withdraw
from reviews.services.permits import revoke
from tests.governance.ui.test_administration_pages import signed_in, text_of
from tests.reviews import making as cases
from tests.reviews.code_hosts import (
    APP,
    CALLBACK,
    COMMIT,
    INSTALLATION,
    PEM,
    PROJECT,
    REPOSITORY,
    SECRET,
    TOKEN,
    CodeHosts,
    asks,
    running,
    signature,
)

pytestmark = pytest.mark.django_db(transaction=True)
WHERE = "/administration/deployment-gates"
OTHER = "1d3e" * 10


@pytest.fixture(scope="module")
def _hosts() -> Iterator[CodeHosts]:
    with running() as hosts:
        yield hosts


@pytest.fixture
def hosts(_hosts: CodeHosts, settings: Any, monkeypatch: Any, tmp_path: Path, broker: object) -> CodeHosts:
    for kept in (_hosts.told, _hosts.answers, _hosts.blocked, _hosts.asked, _hosts.scopes):
        kept.clear()
    settings.GITHUB_API = settings.GITLAB_URL = _hosts.url
    settings.GITHUB_APP_ID = APP
    (tmp_path / "app.pem").write_text(PEM, encoding="utf-8")
    monkeypatch.setenv("GUIDERAIL_GITHUB_APP_KEY_FILE", str(tmp_path / "app.pem"))
    monkeypatch.setenv("GUIDERAIL_GITHUB_WEBHOOK_SECRET", SECRET)
    monkeypatch.setenv("GUIDERAIL_GITLAB_WEBHOOK_SECRET", TOKEN)
    monkeypatch.setenv("GUIDERAIL_GITLAB_TOKEN", "glpat-x")
    return _hosts


@contextmanager
def unfenced(table: str, fence: str) -> Iterator[Any]:
    """Time goes by: a column is set back, which the fence refuses to everybody."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {fence}")
        yield cursor
        cursor.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {fence}")


def gated(provider: str = "github", **more: Any) -> DeploymentGate:
    cases.policy()
    dana = cases.person("dana", Role.SUBMITTER)
    system = System.objects.get_or_create(
        unit=cases.unit(), slug="credit-default", defaults={"name": "Credit", "kind": "ml_model", "owner": dana}
    )[0]
    github = provider == "github"
    given = {
        "project": str(REPOSITORY if github else PROJECT),
        "installation": str(INSTALLATION) if github else "",
        "environment_there": "production",
        "environment": "production",
        **more,
    }
    return gate_deployments(caller=SYSTEM, provider=provider, system=system, **given)


def send(body: bytes, headers: Any | None = None) -> Any:
    given = signature(body) if headers is None else headers
    return Client().post("/api/v1/github/deployments", body, content_type="application/json", **given)


def tell() -> int:
    note_changes()
    return deliver_due()


def again_now() -> None:
    DeploymentReport.objects.update(not_before=timezone.now())


def approve(row: Submission, by: Person) -> None:
    decide(caller=caller_for(by), submission_id=row.pk, dossier_digest=row.dossier_digest, decision=cases.approve())


def test_track_and_why_come_first_and_the_approval_when_people_have_decided(hosts: CodeHosts) -> None:
    people = cases.everybody()
    gated()
    row = cases.in_review(Track.YELLOW, version=COMMIT)
    assert send(asks(hosts)).json() == {"noted": 1}
    assert (tell(), tell()) == (1, 0), "it is said once"
    first = hosts.told[0]
    assert "state" not in first and first["environment_name"] == "production"
    assert first["comment"].startswith("Guiderail answers here when it is decided. Yellow track: ")
    assert "auc changes by +6.0%" in first["comment"] and "turn of: platform engineer" in first["comment"]
    assert first["comment"].endswith(f"/submissions/{row.number}")
    approve(row, people["pia"])
    assert (tell(), tell()) == (1, 0)
    assert hosts.told[1]["state"] == "approved" and hosts.told[1]["comment"].startswith("Approved by Guiderail.")
    assert hosts.scopes[-1] == {"repository_ids": [REPOSITORY], "permissions": {"actions": "read", "deployments": "write"}}
    asked = DeploymentRequest.objects.get()
    assert (asked.state, asked.submission_id) == ("approved", row.pk)
    events = AuditEvent.objects.filter(action__startswith="deployment_gate.").order_by("seq")
    assert [event.action.removeprefix("deployment_gate.") for event in events] == ["made", "asked", "told", "told"]
    assert json.loads(events[3].payload)["data"]["answer"] == "approved" and events[3].object == f"submission:{row.pk}"
    revoke(caller=caller_for(people["pia"]), submission_id=row.pk, reason="It fails on the new region.")
    assert tell() == 0, "an answer is an answer"


def big(hosts: CodeHosts) -> bytes:
    return asks(hosts, more="x" * 300_000)


REFUSED: dict[str, tuple[int, Callable[[CodeHosts], tuple[bytes, Any]]]] = {
    "no signature": (401, lambda h: (asks(h), {"HTTP_X_GITHUB_EVENT": "deployment_protection_rule"})),
    "another secret": (401, lambda h: (asks(h), signature(asks(h), secret="guessed"))),
    "an empty secret": (401, lambda h: (asks(h), signature(asks(h), secret=""))),
    "another body": (401, lambda h: (asks(h, environment="staging"), signature(asks(h)))),
    "one byte more": (401, lambda h: (asks(h) + b" ", signature(asks(h)))),
    "the older signature": (401, lambda h: (asks(h), {**signature(asks(h)), "HTTP_X_HUB_SIGNATURE_256": "sha1=" + "0" * 40})),
    "no ASCII": (401, lambda h: (asks(h), {**signature(asks(h)), "HTTP_X_HUB_SIGNATURE_256": "sha256=é"})),
    "too large": (413, lambda h: (big(h), signature(big(h)))),
    "no JSON": (400, lambda h: (b"{", signature(b"{"))),
    "another repository": (404, lambda h: (asks(h, repository={"id": 1}), None)),
    "the repository's name": (404, lambda h: (asks(h, repository={"full_name": "octo-org/credit"}), None)),
    "its number as text": (404, lambda h: (asks(h, repository={"id": str(REPOSITORY)}), None)),
    "another environment": (404, lambda h: (asks(h, environment="staging"), None)),
    "another installation": (404, lambda h: (asks(h, installation={"id": 78}), None)),
    "no installation": (404, lambda h: (asks(h, installation=None), None)),
    "no commit": (422, lambda h: (asks(h, deployment={"sha": "main"}), None)),
    "no deployment": (422, lambda h: (asks(h, deployment={"id": None}), None)),
    "no delivery id": (422, lambda h: (asks(h), {**signature(asks(h)), "HTTP_X_GITHUB_DELIVERY": ""})),
    "an answer elsewhere": (422, lambda h: (asks(h, deployment_callback_url="https://evil.example" + "/repos/a/b"), None)),
    "an answer inside": (422, lambda h: (asks(h, deployment_callback_url="http://169.254.169.254/"), None)),
    "an answer to another call": (422, lambda h: (asks(h, deployment_callback_url=f"{h.url}/repos/a/b/merges"), None)),
    "an answer up the tree": (
        422,
        lambda h: (asks(h, deployment_callback_url=f"{h.url}/repos/../b/actions/runs/1/deployment_protection_rule"), None),
    ),
}


def test_what_is_not_githubs_or_not_pinned_is_refused(hosts: CodeHosts, monkeypatch: Any) -> None:
    gated()
    answers = {why: send(*make(hosts)) for why, (_, make) in REFUSED.items()}
    assert {why: answer.status_code for why, answer in answers.items()} == {why: code for why, (code, _) in REFUSED.items()}
    monkeypatch.setenv("GUIDERAIL_GITHUB_WEBHOOK_SECRET", "")
    assert send(asks(hosts), signature(asks(hosts), secret="")).status_code == 401, "without a secret nothing is taken"
    monkeypatch.setenv("GUIDERAIL_GITHUB_WEBHOOK_SECRET", SECRET)
    for body, event in ((b'{"zen": "Design for failure."}', "ping"), (asks(hosts, action="other"), "deployment_protection_rule")):
        assert send(body, signature(body, event=event)).json() == {"noted": 0}
    assert not DeploymentRequest.objects.exists() and not hosts.asked


def test_an_answer_goes_to_the_api_the_operator_named_and_nowhere_else(settings: Any) -> None:
    settings.GITHUB_API = "https://github.example.org/api/v3"
    assert callback_path(settings.GITHUB_API + CALLBACK) == CALLBACK
    for other in ("https://github.example.org", "https://github.example.org/api/v3.evil.example", "https://api.github.com", ""):
        assert callback_path(other + CALLBACK) == "", other
    for wrong in (CALLBACK + "?x=1", CALLBACK + "/", CALLBACK.replace("5151", "5151/../1"), CALLBACK.replace("octo-org", "..")):
        assert callback_path(settings.GITHUB_API + wrong) == "", wrong


def test_a_message_is_taken_once(hosts: CodeHosts) -> None:
    gated()
    body, delivery = asks(hosts), str(uuid.uuid4())
    assert send(body, signature(body, delivery=delivery)).status_code == 202
    again = send(body, signature(body, delivery=delivery))
    assert (again.status_code, again.json()["code"]) == (409, "delivered_before")
    assert send(body).status_code == 409, "the delivery id is not signed: the deployment counts as well"
    other = asks(hosts, deployment={"id": 88})
    assert send(other, signature(other, delivery=delivery)).status_code == 409
    assert send(other).status_code == 202
    assert DeploymentRequest.objects.count() == 2


def named(*commits: str) -> Any:
    """Facts of a yellow case that name commits."""
    facts = cases.facts_for(Track.YELLOW)
    first = next(iter(facts))
    return facts.with_facts(
        type(first)("code.commit", commit, first.assurance, f"scan-{number}.sarif") for number, commit in enumerate(commits)
    )


def approved(**given: Any) -> Submission:
    row = cases.in_review(Track.YELLOW, **given)
    approve(row, cases.everybody()["pia"])
    return cases.fresh(row)


def refused(commit: str) -> None:
    row = cases.in_review(Track.YELLOW, version=commit)
    no = NewDecision(DecisionKind.REJECT, comment="It fails for the young.", accepted_instead="A model that does not.")
    decide(caller=caller_for(cases.everybody()["pia"]), submission_id=row.pk, dossier_digest=row.dossier_digest, decision=no)


def withdrawn(commit: str) -> None:
    row = cases.in_review(Track.YELLOW, version=commit)
    withdraw(caller=caller_for(row.submitter), submission_id=row.pk)


def revoked(commit: str) -> None:
    row = approved(version=commit)
    revoke(caller=caller_for(cases.everybody()["pia"]), submission_id=row.pk, reason="It fails on the new region.")


def elsewhere(commit: str) -> None:
    """The same slug and commit in another unit, approved there."""
    at = cases.unit("retail")
    approved(version=commit, at=at, submitter=cases.person("gus", Role.SUBMITTER, at=at))


def anew(commit: str) -> None:
    revoked(commit)
    cases.in_review(Track.YELLOW, facts=named(commit))


def other_permit(commit: str) -> None:
    """A version whose permit holds is handed in again, built from another commit: that was not approved."""
    row = approved(facts=named(OTHER))
    again = Submission.objects.get(pk=row.pk)
    again.pk, again.state, again.revision, again.closed_at = None, "rejected", 1, timezone.now()
    again.save(force_insert=True)
    Revision.objects.create(
        submission=again, number=1, facts=named(commit).to_json(), answers=[], evidence=[], sources=[], submitted_by=row.submitter
    )


OUTCOMES: dict[str, tuple[str, str, Callable[[str], object]]] = {
    "approved before": ("approved", "; valid until", lambda c: approved(version=c)),
    "named by a file": ("approved", "; valid until", lambda c: approved(facts=named(c))),
    "named by two files": ("approved", "; valid until", lambda c: approved(facts=named(c, c))),
    "files that differ": ("rejected", "nobody handed in commit", lambda c: approved(facts=named(c, OTHER))),
    "another commit": ("rejected", "nobody handed in commit", lambda c: approved(version=OTHER)),
    "the start of a commit": ("rejected", "nobody handed in commit", lambda c: approved(version=c[:12])),
    "another system": ("rejected", "nobody handed in commit", lambda c: approved(version=c, system="fraud")),
    "another unit": ("rejected", "nobody handed in commit", elsewhere),
    "nothing": ("rejected", "guiderail submit --release", lambda c: None),
    "a permit of another commit": ("rejected", "is about another commit", other_permit),
    "refused by people": ("rejected", "is rejected, so there is no permit", refused),
    "withdrawn": ("rejected", "is withdrawn, so there is no permit", withdrawn),
    "revoked": ("rejected", "The permit was revoked", revoked),
    "revoked and handed in anew": ("", "is in review", anew),
    "under review": ("", "is in review", lambda c: cases.in_review(Track.RED, version=c)),
    "a draft": ("", "is draft", lambda c: cases.draft(Track.RED, version=c)),
}


def test_only_a_permit_of_exactly_this_commit_approves(hosts: CodeHosts) -> None:
    cases.everybody()
    gated()
    for number, (name, (_, _, prepare)) in enumerate(OUTCOMES.items(), 1):
        commit = hashlib.sha1(name.encode()).hexdigest()
        prepare(commit)
        assert send(asks(hosts, deployment={"id": number, "sha": commit})).status_code == 202, name
    assert tell() == len(OUTCOMES)
    said = dict(zip(OUTCOMES, hosts.told, strict=True))
    assert {name: told.get("state", "") for name, told in said.items()} == {name: row[0] for name, row in OUTCOMES.items()}
    assert [(name, told["comment"]) for name, told in said.items() if OUTCOMES[name][1] not in told["comment"]] == []
    stands = DeploymentRequest.objects.order_by("id").values_list("state", flat=True)
    assert list(stands) == [row[0] or "waiting" for row in OUTCOMES.values()]


def test_a_permit_that_ran_out_is_told_with_the_way_out(hosts: CodeHosts) -> None:
    cases.everybody()
    gated()
    approved(version=COMMIT)
    with unfenced("reviews_permit", "permit_frozen") as cursor:
        cursor.execute("UPDATE reviews_permit SET expires_at = now() - interval '1 minute'")
    send(asks(hosts))
    tell()
    assert hosts.told[0]["state"] == "rejected" and "Submit the version again" in hosts.told[0]["comment"]


def test_a_permit_for_a_canary_lets_only_the_canary_through(hosts: CodeHosts) -> None:
    cases.everybody()
    gated()
    gated(environment_there="canary", exposure=5)
    approved(version=COMMIT)
    with unfenced("reviews_permit", "permit_frozen") as cursor:
        cursor.execute("UPDATE reviews_permit SET exposure = 5")
    send(asks(hosts))
    send(asks(hosts, deployment={"id": 88}, environment="canary"))
    assert tell() == 2
    assert [(told["environment_name"], told["state"]) for told in hosts.told] == [
        ("production", "rejected"),
        ("canary", "approved"),
    ]
    assert "Stay at 5 %" in hosts.told[0]["comment"]


def test_500_then_200_and_given_up_where_it_is_final(hosts: CodeHosts) -> None:
    people = cases.everybody()
    gate = gated()
    row = cases.in_review(Track.YELLOW, version=COMMIT)
    hosts.answers = [500, 503]
    send(asks(hosts))
    assert (tell(), tell()) == (0, 0)
    report = DeploymentReport.objects.get()
    assert (report.state, report.attempts) == ("due", 1) and "GitHub answered 500: Try later." in report.problem
    assert report.not_before > timezone.now()
    again_now()
    assert deliver_due() == 0
    again_now()
    assert deliver_due() == 1 and DeploymentReport.objects.get().attempts == 3
    # the decision overtakes a comment that cannot be said; a final refusal waits for somebody
    approve(row, people["pia"])
    hosts.answers = [422]
    assert tell() == 0 and tell() == 0
    assert list(DeploymentReport.objects.order_by("id").values_list("state", flat=True)) == ["sent", "failed"]
    adm = signed_in(cases.person("adm", Role.ADMIN, everywhere=True))
    assert "given up" in text_of(adm.get(WHERE)) and "GitHub answered 422" in text_of(adm.get(WHERE))
    assert "1 will be tried again" in text_of(adm.post(f"{WHERE}/{gate.pk}/again", follow=True))
    assert tell() == 1 and hosts.told[-1]["state"] == "approved"


def test_a_decision_overtakes_a_comment_that_was_not_taken(hosts: CodeHosts) -> None:
    people = cases.everybody()
    gated()
    row = cases.in_review(Track.YELLOW, version=COMMIT)
    hosts.answers = [500]
    send(asks(hosts))
    tell()
    approve(row, people["pia"])
    assert tell() == 1
    assert [told.get("state") for told in hosts.told] == ["approved"]
    assert list(DeploymentReport.objects.order_by("id").values_list("state", flat=True)) == ["dropped", "sent"]


def test_nothing_is_approved_that_is_not_allowed_when_it_is_said(hosts: CodeHosts) -> None:
    people = cases.everybody()
    gated()
    row = approved(version=COMMIT)
    send(asks(hosts))
    note_changes()
    revoke(caller=caller_for(people["pia"]), submission_id=row.pk, reason="It fails on the new region.")
    assert deliver_due() == 0
    assert DeploymentReport.objects.get().state == "dropped" and not hosts.told
    assert tell() == 1 and hosts.told[0]["state"] == "rejected"


def test_comments_end_before_github_stops_taking_them_and_text_stays_text(hosts: CodeHosts) -> None:
    gated()
    facts = cases.facts_for(Track.YELLOW, performance__metric="auc](https://evil.example) @everyone <img>")
    cases.in_review(Track.YELLOW, version=COMMIT, facts=facts)
    send(asks(hosts))
    for _ in range(12):
        DeploymentRequest.objects.update(told="")
        tell()
    assert len(hosts.told) == 9
    said = hosts.told[0]["comment"]
    assert r"auc\](https\:\/\/evil.example) \@everyone &lt;img&gt;" in said


def test_a_key_that_cannot_be_used_is_told_without_it(hosts: CodeHosts, monkeypatch: Any, settings: Any) -> None:
    gated()
    send(asks(hosts))
    monkeypatch.delenv("GUIDERAIL_GITHUB_APP_KEY_FILE")
    monkeypatch.setenv("GUIDERAIL_GITHUB_APP_KEY", "no-key-at-all")
    assert tell() == 0
    problem = DeploymentReport.objects.get().problem
    assert "The GitHub app's key cannot be used" in problem and "no-key" not in problem and not hosts.asked
    monkeypatch.setenv("GUIDERAIL_GITHUB_APP_KEY", PEM.replace("\n", "\\n"))
    again_now()
    assert tell() == 1, "in a variable the breaks may be written as two characters"
    settings.GITHUB_APP_ID = "1"
    send(asks(hosts, deployment={"id": 88}))
    assert tell() == 0
    assert "GitHub answered 401" in DeploymentReport.objects.order_by("-id")[0].problem


def hook(said: Any, token: str | None = TOKEN) -> Any:
    headers = {"HTTP_X_GITLAB_EVENT": "Deployment Hook", **({} if token is None else {"HTTP_X_GITLAB_TOKEN": token})}
    return Client().post("/api/v1/gitlab/deployments", json.dumps(said), content_type="application/json", **headers)


def deployed(**more: Any) -> dict[str, Any]:
    """What GitLab sends; the payload of its documentation, shortened."""
    said = {"object_kind": "deployment", "status": "blocked", "deployment_id": 15, "environment": "production"}
    return {**said, "project": {"id": PROJECT}, "short_sha": OTHER[:8], "ref": "main", **more}


def test_gitlab_is_looked_at_and_answered(hosts: CodeHosts) -> None:
    people = cases.everybody()
    gate = gated("gitlab")
    row = cases.in_review(Track.YELLOW, version=COMMIT)
    hosts.wait(15, COMMIT)
    hosts.wait(16, OTHER)
    hosts.wait(17, COMMIT, environment="staging")
    hosts.wait(18, COMMIT, status="running")
    DeploymentGate.objects.update(asked_at=timezone.now())
    assert ask_gitlab() == 0, "it was asked just now"
    assert hook(deployed()).json() == {"noted": 1}
    assert (ask_gitlab(), ask_gitlab()) == (2, 0), "what a message says of a commit is not believed; GitLab is asked"
    assert tell() == 1
    assert hosts.told == [{"deployment": 16, "status": "rejected", "comment": hosts.told[0]["comment"]}]
    assert "--release " + OTHER in hosts.told[0]["comment"], "GitLab shows text as it is"
    approve(row, people["pia"])
    assert (tell(), tell()) == (1, 0)
    assert (hosts.told[1]["deployment"], hosts.told[1]["status"]) == (15, "approved")
    assert dict(gate.requests.values_list("deployment", "state")) == {"15": "approved", "16": "rejected"}


def test_what_is_not_gitlabs_is_refused_and_what_was_cancelled_is_over(hosts: CodeHosts, monkeypatch: Any) -> None:
    gate = gated("gitlab")
    assert [hook(deployed(), token=token).status_code for token in (None, "", "guessed", TOKEN + "x", "é")] == [401] * 5
    wrong = ({"project": {"id": 31}}, {"project": {"id": str(PROJECT)}}, {"project": None}, {"environment": "staging"})
    assert [hook(deployed(**more)).status_code for more in wrong] == [404] * 4
    assert [hook(said).json() for said in ({}, [], deployed(object_kind="push"))] == [{"noted": 0}] * 3
    monkeypatch.setenv("GUIDERAIL_GITLAB_WEBHOOK_SECRET", "")
    assert hook(deployed(), token="").status_code == 401, "an empty secret is none"
    cases.in_review(Track.YELLOW, version=COMMIT)
    hosts.wait(15, COMMIT)
    assert ask_gitlab() == 1 and tell() == 0, "GitLab takes no comment without a decision"
    assert not hosts.told and not DeploymentReport.objects.exists()
    hosts.blocked.clear()
    DeploymentGate.objects.update(asked_at=None)
    later = timezone.now() - timedelta(minutes=2)
    with unfenced("reviews_deploymentrequest", "deployment_request_frozen") as cursor:
        cursor.execute("UPDATE reviews_deploymentrequest SET received_at = %s", [later])
    assert ask_gitlab() == 0 and DeploymentRequest.objects.get().state == "over"
    monkeypatch.setenv("GUIDERAIL_GITLAB_TOKEN", "wrong")
    DeploymentGate.objects.update(asked_at=None)
    ask_gitlab()
    gate.refresh_from_db()
    assert "GitLab answered 401" in gate.problem


def test_the_page_makes_shows_and_ends_rules(hosts: CodeHosts) -> None:
    dana = cases.person("dana", Role.SUBMITTER)
    cases.policy()
    system = System.objects.create(unit=cases.unit(), slug="credit-default", name="Credit", kind="ml_model", owner=dana)
    adm = signed_in(cases.person("adm", Role.ADMIN, everywhere=True))
    form = {
        "provider": "github",
        "project": str(REPOSITORY),
        "installation": str(INSTALLATION),
        "environment_there": "production",
        "system": system.pk,
        "environment": "production",
        "exposure": "100",
    }
    assert "The number, not the name" in text_of(adm.post(WHERE, {**form, "project": "octo-org/credit"}))
    assert "The number at the end" in text_of(adm.post(WHERE, {**form, "installation": ""}))
    assert "Only apps on GitHub have one" in text_of(adm.post(WHERE, {**form, "provider": "gitlab"}))
    assert "wait for a permit of credit-default" in text_of(adm.post(WHERE, form, follow=True))
    assert "has a rule already" in text_of(adm.post(WHERE, form))
    send(asks(hosts))
    tell()
    shown = text_of(adm.get(WHERE))
    assert COMMIT[:12] in shown and "rejected" in shown and "/api/v1/github/deployments" in shown
    gate = DeploymentGate.objects.get()
    assert "The rule has ended" in text_of(adm.post(f"{WHERE}/{gate.pk}/end", follow=True))
    assert send(asks(hosts, deployment={"id": 88})).status_code == 404
    actions = AuditEvent.objects.filter(object=f"deploymentgate:{gate.pk}").order_by("seq").values_list("action", flat=True)
    assert list(actions) == [f"deployment_gate.{what}" for what in ("made", "asked", "told", "ended")]
    assert signed_in(dana).get(WHERE).status_code == 403


def test_what_was_asked_and_said_stays(hosts: CodeHosts) -> None:
    gated()
    send(asks(hosts))
    tell()
    for change in (
        "UPDATE reviews_deploymentgate SET system_id = system_id + 1",
        "UPDATE reviews_deploymentgate SET project = '1'",
        "UPDATE reviews_deploymentrequest SET commit = 'x'",
        "UPDATE reviews_deploymentreport SET says = 'x'",
        "DELETE FROM reviews_deploymentreport",
    ):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(change)
