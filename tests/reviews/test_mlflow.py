"""From a version registered in MLflow to its draft, its decision, and what is written back: never more than was approved."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.utils import timezone

from gates.disparity import example_pair
from gates.models import Measurement
from governance.domain.errors import Conflict
from governance.domain.vocabulary import Role, RunStatus, State, Track
from governance.models import AuditEvent, Person, Submission, System
from governance.selectors.access import SYSTEM, Caller, caller_for
from reviews.models import BarredBuild, Permit, RegistryLink, RegistryVersion, RegistryWrite
from reviews.selectors.decision_view import view_for_verdict
from reviews.selectors.permits import permit_answer
from reviews.selectors.verdict import verdict_document
from reviews.services.deciding import decide
from reviews.services.permits import revoke
from reviews.services.registry_links import link_model
from reviews.services.registry_versions import open_due, poll
from reviews.services.registry_writes import deliver_due, note_changes
from reviews.services.settling import settle
from reviews.services.waiving import NewWaiver, request_waiver
from tests.gates import making as gates_making
from tests.governance.ui.test_administration_pages import signed_in, text_of
from tests.reviews import making as cases
from tests.reviews.mlflow_server import FakeMLflow, event, running, signature

pytestmark = pytest.mark.django_db(transaction=True)
WHERE = "/administration/registries"
SECRET = "mlflow-and-guiderail-share-this"


@pytest.fixture
def mlflow(settings: Any, monkeypatch: Any) -> Iterator[FakeMLflow]:
    with running() as fake:
        settings.MLFLOW_SERVERS = {"main": fake.url}
        monkeypatch.setenv("GUIDERAIL_MLFLOW_MAIN_WEBHOOK_SECRET", SECRET)
        monkeypatch.setenv("GUIDERAIL_MLFLOW_MAIN_TOKEN", "read-and-write")
        yield fake


def linked(alias: str = "champion") -> RegistryLink:
    cases.policy()
    dana = cases.person("dana", Role.SUBMITTER)
    system = System.objects.get_or_create(
        unit=cases.unit(), slug="credit-default", defaults={"name": "Credit", "kind": "ml_model", "owner": dana}
    )[0]
    return link_model(
        caller=SYSTEM, server="main", model="credit-default", system=system, environment="production", alias=alias, acts_for=dana
    )


def send(body: bytes, headers: dict[str, str], server: str = "main") -> Any:
    return Client().post(f"/api/v1/mlflow/{server}/webhook", body, content_type="application/json", **headers)


def deliver() -> int:
    note_changes()
    return deliver_due()


def seen(row: Submission, link: RegistryLink, mlflow: FakeMLflow, source: str = "models:/m-1") -> Submission:
    """A submission whose version MLflow knows."""
    mlflow.register(row.version.version, source)
    RegistryVersion.objects.create(link=link, version=row.version.version, source=source, submission=row, state="opened")
    return row


def test_a_signed_event_becomes_one_draft_with_what_the_registry_says(mlflow: FakeMLflow, broker: object) -> None:
    link = linked()
    mlflow.register("7")
    body = event("7")
    assert send(body, signature(SECRET, body)).json() == {"noted": 1}
    assert send(body, signature(SECRET, body)).json() == {"noted": 0}, "sent again it is the same version"
    assert (open_due(), open_due()) == (1, 0)
    row = Submission.objects.get()
    assert (row.state, row.origin, row.version.version, row.submitter.username) == ("draft", "mlflow", "7", "dana")
    assert {source.reader for source in row.sources.all()} == {"mlflow_model_version", "mlflow_run", "mlflow_mlmodel"}
    facts = {fact["name"] for source in row.sources.all() for fact in source.facts}
    assert {"model.features", "performance.metrics", "training.run_id", "data.sources"} <= facts
    assert all(token == "Bearer read-and-write" for _, _, token in mlflow.asked)
    assert deliver() == 2
    assert mlflow.tags["7"]["governance.status"] == "draft"
    assert mlflow.tags["7"]["governance.review_url"].endswith(f"/submissions/{row.number}")
    assert AuditEvent.objects.filter(action="registry.version_opened", object=f"submission:{row.pk}").count() == 1
    assert RegistryVersion.objects.get(link=link).source == "models:/m-1"


def test_what_is_not_signed_by_the_server_is_refused(mlflow: FakeMLflow, monkeypatch: Any) -> None:
    linked()
    body = event("7")
    good = signature(SECRET, body)
    wrong = {
        "no signature": (body, {}, "main"),
        "another secret": (body, signature("guessed", body), "main"),
        "another body": (event("8"), good, "main"),
        "too old": (body, signature(SECRET, body, at=time.time() - 301), "main"),
        "from the future": (body, signature(SECRET, body, at=time.time() + 420), "main"),
        "another moment": (body, {**good, "HTTP_X_MLFLOW_TIMESTAMP": str(int(time.time()) - 5)}, "main"),
        "another delivery": (body, {**good, "HTTP_X_MLFLOW_DELIVERY_ID": "x"}, "main"),
        "another version of signing": (body, {**good, "HTTP_X_MLFLOW_SIGNATURE": "v2,x"}, "main"),
        "a server without a secret": (body, good, "lab"),
    }
    assert {why: send(*given).status_code for why, given in wrong.items()} == dict.fromkeys(wrong, 401)
    monkeypatch.setenv("GUIDERAIL_MLFLOW_MAIN_WEBHOOK_SECRET", "")
    assert send(body, signature("", body)).status_code == 401, "an empty secret signs nothing"
    assert not RegistryVersion.objects.exists()


def test_events_that_mean_nothing_here_open_nothing(mlflow: FakeMLflow) -> None:
    linked()
    for body in (
        event("7", action="deleted"),
        event("7", entity="registered_model"),
        event("1; drop"),
        event("7", data=None),
        event("7", data={"name": "another", "version": "1"}),
        b"[]",
    ):
        assert send(body, signature(SECRET, body)).json() == {"noted": 0}
    assert send(b"{", signature(SECRET, b"{")).status_code == 400


def test_asking_finds_versions_made_since_the_link_and_says_when_it_cannot(mlflow: FakeMLflow) -> None:
    link = linked()
    mlflow.register("1", created=time.time() - 9_000)
    mlflow.register("2")
    assert (poll(), poll()) == (1, 0)
    assert RegistryVersion.objects.get().version == "2"
    mlflow.broken = True
    RegistryLink.objects.update(asked_at=timezone.now() - timedelta(minutes=2))
    assert (poll(), open_due()) == (0, 0)
    link.refresh_from_db()
    assert "The database restarts" in link.problem
    row = RegistryVersion.objects.get()
    assert (row.state, row.attempts) == ("due", 1) and row.not_before > timezone.now()


def test_a_version_that_was_handed_in_already_is_followed_not_opened_twice(mlflow: FakeMLflow) -> None:
    link = linked()
    row = cases.draft(Track.RED, version="9")
    mlflow.register("9")
    RegistryVersion.objects.create(link=link, version="9")
    assert open_due() == 1
    assert RegistryVersion.objects.get().submission_id == row.pk and Submission.objects.count() == 1


def test_the_alias_comes_with_the_approval_and_goes_with_its_revocation(mlflow: FakeMLflow) -> None:
    people, link = cases.everybody(), linked()
    row = seen(cases.in_review(Track.YELLOW), link, mlflow)
    version = row.version.version
    deliver()
    assert mlflow.tags[version]["governance.status"] == "in_review" and not mlflow.aliases
    approve(row, people["pia"])
    deliver()
    assert mlflow.tags[version]["governance.status"] == "approved" and mlflow.aliases == {"champion": version}
    assert deliver() == 0, "what was written is not written again"
    revoke(caller=caller_for(people["pia"]), submission_id=row.pk, reason="It fails on the new region.")
    deliver()
    assert mlflow.tags[version]["governance.status"] == "revoked" and mlflow.aliases == {}


def test_no_alias_for_what_is_not_allowed_when_it_is_written(mlflow: FakeMLflow) -> None:
    """The approval ends between its note and the writing of it; and an alias that points elsewhere is left alone."""
    people, link = cases.everybody(), linked()
    row = seen(cases.in_review(Track.YELLOW), link, mlflow)
    approve(row, people["pia"])
    note_changes()
    revoke(caller=caller_for(people["pia"]), submission_id=row.pk, reason="It fails on the new region.")
    mlflow.aliases = {"champion": "1"}
    mlflow.register("1")
    deliver()
    held = RegistryWrite.objects.get(kind="set_alias")
    assert held.state == "dropped" and "revoked" in held.problem
    assert mlflow.aliases == {"champion": "1"}


def test_writes_are_tried_again_in_order_and_given_up_for_what_is_gone(mlflow: FakeMLflow) -> None:
    row = seen(cases.in_review(Track.YELLOW), linked(), mlflow)
    mlflow.broken = True
    assert deliver() == 0
    first, second = RegistryWrite.objects.order_by("id")
    assert (first.state, first.attempts, second.attempts) == ("due", 1, 0), "the second waits for the first"
    mlflow.broken = False
    RegistryWrite.objects.update(not_before=timezone.now())
    assert deliver_due() == 2 and mlflow.tags[row.version.version]["governance.status"] == "in_review"
    mlflow.versions.clear()
    RegistryWrite.objects.update(state="due")
    assert deliver_due() == 0 and set(RegistryWrite.objects.values_list("state", flat=True)) == {"failed"}


def approve(row: Submission, by: Person) -> None:
    decide(caller=caller_for(by), submission_id=row.pk, dossier_digest=row.dossier_digest, decision=cases.approve())


GATE = {
    "gate": "GF101",
    "why": "Groups are selected at different rates.",
    "tracks": ["green", "yellow", "red"],
    "limits": {"min_ratio": 0.8},
    "blocking": True,
    "note": "four-fifths rule",
}


def measured(row: Submission, ratio: float = 0.61) -> Submission:
    """A case whose fairness was measured, ready to be settled under a pack with that gate."""
    Submission.objects.filter(pk=row.pk).update(policy=cases.policy(GATE))
    run = gates_making.run(row, "fairness", status=RunStatus.DONE, finished_at=timezone.now())
    pair = example_pair("selection_rate", ratio / 2, 0.5, low=ratio - 0.05, high=ratio + 0.05)
    said = {name: getattr(pair, name) for name in ("metric", "group", "value", "low", "high", "n", "detail")}
    Measurement.objects.create(run=run, submission=row, **{**said, "detail": dict(pair.detail)})
    return row


def test_a_fairness_failure_bars_the_build_for_ever(mlflow: FakeMLflow) -> None:
    people, link = cases.everybody(), linked()
    row = seen(measured(cases.in_checks(Track.RED)), link, mlflow)
    assert settle(submission_id=row.pk) is State.CHECKS_FAILED
    deliver()
    version = row.version.version
    assert mlflow.tags[version]["biased"] == "true" and mlflow.tags[version]["governance.status"] == "checks_failed"
    assert not mlflow.aliases
    unit = Caller(person=row.submitter, home_unit=row.unit_id)
    said = permit_answer(unit, system="credit-default", version=version)
    assert (said.allowed, said.verdict) == (False, "refused") and "GF101" in said.reasons[0]
    document = verdict_document(view_for_verdict(row.pk, SYSTEM))
    assert (document["exit_code"], document["reason_code"]) == (1, "barred")
    # somebody takes the tag away: nothing changes here
    mlflow.tags[version].clear()
    assert not permit_answer(unit, system="credit-default", version=version).allowed
    assert not permit_answer(unit, digest=row.version.artifact_digest).allowed
    soon = timezone.now().date() + timedelta(days=9)
    waiver = NewWaiver("GF101", "We need it.", "A person looks.", row.submitter_id, soon, people["ada"].pk, soon)
    with pytest.raises(Conflict, match="barred for good"):
        request_waiver(caller=caller_for(row.submitter), submission_id=row.pk, new=waiver)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM reviews_barredbuild")


def test_the_same_build_under_a_new_number_is_refused_although_its_gates_pass(mlflow: FakeMLflow) -> None:
    people, link = cases.everybody(), linked()
    # approved before the failure was seen, with the same digest
    earlier = seen(cases.in_review(Track.YELLOW, version="1"), link, mlflow, "models:/m-0")
    decide(
        caller=caller_for(people["pia"]),
        submission_id=earlier.pk,
        dossier_digest=earlier.dossier_digest,
        decision=cases.approve(),
    )
    deliver()
    assert mlflow.aliases == {"champion": "1"}
    first = seen(measured(cases.in_checks(Track.RED, version="2")), link, mlflow)
    settle(submission_id=first.pk)
    again = cases.in_checks(Track.GREEN, version="3")
    assert settle(submission_id=again.pk) is State.CHECKS_FAILED
    assert again.findings.get(about="registry.barred").severity == "high"
    assert BarredBuild.objects.count() == 2
    unit = Caller(person=first.submitter, home_unit=first.unit_id)
    assert Permit.objects.count() == 1
    assert [permit_answer(unit, system="credit-default", version=v).verdict for v in "123"] == ["refused"] * 3
    assert verdict_document(view_for_verdict(earlier.pk, SYSTEM))["exit_code"] == 1
    deliver()
    assert mlflow.tags["1"]["biased"] == "true" and not mlflow.aliases, "an alias it had is taken away"


def test_the_same_content_registered_anew_is_barred_when_its_draft_opens(mlflow: FakeMLflow) -> None:
    cases.everybody()
    link = linked()
    first = seen(measured(cases.in_checks(Track.RED, version="2")), link, mlflow, "models:/m-biased")
    settle(submission_id=first.pk)
    mlflow.register("3", "models:/m-biased")
    mlflow.register("4", "models:/m-other")
    for version in "34":
        RegistryVersion.objects.create(link=link, version=version)
    assert open_due() == 2
    deliver()
    assert mlflow.tags["3"]["biased"] == "true" and "biased" not in mlflow.tags["4"]


def test_a_failed_fairness_gate_of_what_no_registry_knows_can_still_be_waived(mlflow: FakeMLflow) -> None:
    row = measured(cases.in_checks(Track.RED))
    settle(submission_id=row.pk)
    assert not BarredBuild.objects.exists()


def test_the_page_links_shows_and_unlinks(mlflow: FakeMLflow, settings: Any) -> None:
    dana = cases.person("dana", Role.SUBMITTER)
    system = System.objects.create(unit=cases.unit(), slug="credit-default", name="Credit", kind="ml_model", owner=dana)
    adm = signed_in(cases.person("adm", Role.ADMIN, everywhere=True))
    form = {"server": "main", "model": "credit-default", "system": system.pk, "environment": "production", "acts_for": dana.pk}
    assert "not latest" in text_of(adm.post(WHERE, {**form, "alias": "latest"}))
    assert "Versions registered from now on" in text_of(adm.post(WHERE, {**form, "alias": "champion"}, follow=True))
    assert "is linked for production already" in text_of(adm.post(WHERE, form))
    link = RegistryLink.objects.get()
    RegistryVersion.objects.create(link=link, version="5", state="failed", problem="It is gone.")
    shown = text_of(adm.get("/administration/registries"))
    assert "Version 5 was not opened: It is gone." in shown and "/api/v1/mlflow/main/webhook" in shown
    assert "1 will be tried again" in text_of(adm.post(f"/administration/registries/{link.pk}/again", follow=True))
    assert "not linked any more" in text_of(adm.post(f"/administration/registries/{link.pk}/end", follow=True))
    actions = ["registry.linked", "registry.tried_again", "registry.unlinked"]
    assert (
        list(AuditEvent.objects.filter(action__startswith="registry.").order_by("seq").values_list("action", flat=True))
        == actions
    )
    mlflow.register("6")
    assert poll() == 0, "an ended link is not asked"
