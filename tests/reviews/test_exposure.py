"""Exposure: a permit holds for a share, more of it is a request of its own, decided by another role on what it saw."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from governance.domain.canonical import digest
from governance.domain.errors import Conflict, DomainError
from governance.domain.vocabulary import Role, Scope, Track
from governance.models import AuditEvent, Person, Submission
from governance.selectors.access import SYSTEM
from governance.services.tokens import issue_token
from reviews.models import DeclaredConflict, Deployment, ExposureRequest, Notification, Permit
from reviews.selectors.attestations import permit_statement
from reviews.selectors.evidence_pack import write_pack
from reviews.selectors.exposure_view import exposure_view
from reviews.selectors.permits import PermitAnswer, permit_answer
from reviews.services.deciding import decide
from reviews.services.deploying import reconcile
from reviews.services.exposure import NewExposure, decide_exposure, grant_due, request_exposure, withdraw_exposure
from reviews.services.permits import revoke
from tests.governance.policy.test_exposure import PLAN
from tests.reviews import making
from tests.reviews.test_monitoring import LIMITS
from tests.reviews.test_waiver_pages import client_of, proved

pytestmark = pytest.mark.django_db

ASK = {"reason": "Nobody complained and it decides faster.", "monitoring_says": "Two weeks of drift reports, all within limits."}
WHY = "The worst group holds up at five percent."


@pytest.fixture
def people(monkeypatch: pytest.MonkeyPatch) -> dict[str, Person]:
    step = {**PLAN["tracks"]["yellow"]["steps"][0], "automatic": {"after_days": 3, "signals": ["drift"]}}
    tracks = {**PLAN["tracks"], "yellow": {"first": 25, "steps": [step]}}
    monkeypatch.setitem(making.PACK, "exposure", {**PLAN, "tracks": tracks})
    monkeypatch.setitem(making.PACK, "monitoring", LIMITS)
    return making.everybody()


def approved(people: dict[str, Person], track: Track = Track.RED) -> Submission:
    row = making.in_review(track, version="1.0")
    for who in ("amir", "ruth") if track is Track.RED else ("pia",):
        sign(people[who], row)
    return making.fresh(row)


def sign(who: Person, row: Submission) -> None:
    decide(caller=making.call(who), submission_id=row.pk, dossier_digest=row.dossier_digest, decision=making.approve())


def ask(who: Person, row: Submission, wanted: int = 25, **given: str) -> ExposureRequest:
    return request_exposure(caller=making.call(who), submission_id=row.pk, new=NewExposure(wanted, **{**ASK, **given}))


def answer(who: Person, request: ExposureRequest, *, grant: bool = True, why: str = WHY, **given: Any) -> ExposureRequest:
    caller = making.call(who)
    given.setdefault("seen_digest", exposure_view(request.pk, caller).digest)
    given.setdefault("proved_at", timezone.now())
    return decide_exposure(caller=caller, request_id=request.pk, grant=grant, why=why, **given)


def may(people: dict[str, Person], exposure: int = 100) -> PermitAnswer:
    return permit_answer(making.call(people["dana"]), system="credit-default", version="1.0", exposure=exposure)


def test_an_approval_allows_what_its_track_begins_with_and_not_saying_how_far_means_all_of_it(people: dict[str, Person]) -> None:
    row = approved(people)
    assert [may(people, share).allowed for share in (1, 5, 6, 100)] == [True, True, False, False]
    refused = may(people)
    assert (refused.verdict, refused.exposure) == ("over_exposure", 5)
    assert "Stay at 5 %" in refused.reasons[0] and row.number in refused.reasons[0]


def test_a_step_further_is_granted_by_the_role_the_pack_names_and_permitted_anew(people: dict[str, Person]) -> None:
    row = approved(people)
    request = ask(people["dana"], row)
    assert (request.role, request.outcome, may(people, 25).allowed) == ("analyst", "", False)
    assert set(Notification.objects.filter(kind="exposure_to_decide").values_list("person__username", flat=True)) == {"amir"}
    granted = answer(people["amir"], request)
    first, second = Permit.objects.order_by("issued_at")
    assert (second.exposure, second.raised_by, second.expires_at) == (25, granted, first.expires_at), "not a day longer"
    assert may(people, 25).permit == str(second.pk) and not may(people, 26).allowed
    assert granted.seen_digest == granted.shown_digest and granted.seen["present"] == 5
    said = [json.loads(e.payload)["data"] for e in AuditEvent.objects.filter(action__startswith="exposure.").order_by("seq")]
    assert [(d["from"], d["to"], d["seen"]) for d in said] == [(5, 25, request.shown_digest)] * 2
    assert AuditEvent.objects.filter(action="permit.issued").count() == 2


def test_the_attestation_names_the_share(people: dict[str, Person]) -> None:
    row = approved(people)
    answer(people["amir"], ask(people["dana"], row))
    stated = [permit_statement(making.call(people["ada"]), str(p.pk)) for p in Permit.objects.order_by("issued_at")]
    assert [statement["predicate"]["guiderail"]["exposurePercent"] for statement in stated] == [5, 25]


def test_three_permissions_data_use_model_update_and_exposure(people: dict[str, Person]) -> None:
    """Who signs the data does not sign the model, and neither of them raises exposure."""
    facts = making.facts_for(Track.RED, data__contains_pii=True)
    row = making.in_review(Track.RED, version="1.0", facts=facts)
    with pytest.raises(DomainError, match="belongs to the ML Governance Analyst"):
        sign(people["priya"], row)
    for who in ("amir", "priya", "ruth"):
        sign(people[who], row)
    request = ask(people["dana"], making.fresh(row))
    for who in ("priya", "ruth", "pia"):
        with pytest.raises(DomainError, match="ML Governance Analyst"):
            answer(people[who], request)
    assert answer(people["amir"], request).outcome == "granted"


def test_a_refusal_says_why_and_a_request_can_be_taken_back(people: dict[str, Person]) -> None:
    row = approved(people)
    request = ask(people["dana"], row)
    with pytest.raises(Conflict, match="waits already"):
        ask(people["dana"], row)
    with pytest.raises(DomainError, match="Say why"):
        answer(people["amir"], request, grant=False, why="no")
    assert answer(people["amir"], request, grant=False, why="The worst group was not watched yet.").outcome == "refused"
    assert Permit.objects.count() == 1 and not may(people, 25).allowed
    with pytest.raises(Conflict, match="refused already"):
        answer(people["amir"], request)
    again = ask(people["dana"], row)
    with pytest.raises(DomainError, match="Whoever asked"):
        withdraw_exposure(caller=making.call(people["pia"]), request_id=again.pk)
    assert withdraw_exposure(caller=making.call(people["dana"]), request_id=again.pk).outcome == "withdrawn"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"wanted": 100}, "One step at a time"),
        ({"wanted": 5}, "already"),
        ({"reason": "better"}, "Say why"),
        ({"monitoring_says": "fine fine"}, "monitoring shows"),
    ],
)
def test_what_a_request_must_say(people: dict[str, Person], given: dict[str, Any], says: str) -> None:
    row = approved(people)
    with pytest.raises(DomainError, match=says):
        ask(people["dana"], row, **given)
    with pytest.raises(DomainError, match="submitted the version or own"):
        ask(people["pia"], row)
    assert not ExposureRequest.objects.exists()


def test_nobody_decides_their_own_request_stale_or_without_a_fresh_sign_in(people: dict[str, Person]) -> None:
    row = approved(people)
    making.RoleGrant.objects.create(person=people["dana"], role=Role.ANALYST, unit=making.unit(), reason="for the test")
    request = ask(people["dana"], row)
    with pytest.raises(DomainError, match="asked for it"):
        answer(people["dana"], request)
    with pytest.raises(DomainError, match="fresh sign-in"):
        answer(people["amir"], request, proved_at=timezone.now() - timedelta(minutes=6))
    seen = exposure_view(request.pk, making.call(people["amir"])).digest
    deployed(people, row, at=timezone.now())
    with pytest.raises(DomainError, match="changed since you opened"):
        answer(people["amir"], request, seen_digest=seen)
    assert answer(people["amir"], request).outcome == "granted"


@pytest.mark.parametrize(
    ("who", "track", "change"),
    [
        ("dana", Track.RED, {}),
        ("ruth", Track.RED, {}),
        ("amir", Track.RED, {"reauthenticated_at": None}),
        ("amir", Track.RED, {"seen_digest": ""}),
        (None, Track.RED, {}),
    ],
)
def test_the_database_refuses_what_the_service_would(
    people: dict[str, Person], who: str | None, track: Track, change: dict[str, Any]
) -> None:
    request = ask(people["dana"], approved(people, track))
    values = {
        "outcome": "granted", "decided_by": people[who] if who else None, "decided_at": timezone.now(), "why": "because",
        "reauthenticated_at": timezone.now(), "seen": {}, "seen_digest": "sha256:x", **change,
    }  # fmt: skip
    with pytest.raises(IntegrityError), transaction.atomic():
        ExposureRequest.objects.filter(pk=request.pk).update(**values)
    copy = Permit.objects.values("unit_id", "submission_id", "version_id", "environment", "dossier_digest", "policy_digest").get()
    for more in ({}, {"raised_by": request}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Permit.objects.create(**copy, exposure=25, expires_at=timezone.now() + timedelta(days=1), **more)


@pytest.mark.parametrize("how", ["stands in for who asked", "declared a conflict"])
def test_what_bars_from_the_case_bars_from_its_exposure(people: dict[str, Person], how: str) -> None:
    row, noor, grant = approved(people), making.person("noor"), making.RoleGrant.objects.create
    given = {
        "role": Role.ANALYST,
        "unit": making.unit(),
        "reason": "for the test",
        "valid_from": timezone.now() - timedelta(days=1),
    }
    request = ask(people["dana"], row)
    if how == "declared a conflict":
        grant(person=noor, **given)
        DeclaredConflict.objects.create(submission=row, by=noor, why="My brother built it.")
    else:
        grant(person=people["dana"], **given)
        until = timezone.now() + timedelta(days=7)
        grant(person=noor, valid_until=until, granted_by=people["dana"], delegated_by=people["dana"], **given)
    with pytest.raises(DomainError, match=r"so somebody else decides|so neither do you"):
        answer(noor, request)
    values = {"outcome": "granted", "decided_by": noor, "decided_at": timezone.now(), "why": "because", "seen": {}}
    with pytest.raises(IntegrityError, match=r"somebody else decides|neither do you"), transaction.atomic():
        ExposureRequest.objects.filter(pk=request.pk).update(**values, seen_digest="x", reauthenticated_at=timezone.now())


def test_the_evidence_pack_tells_who_let_it_go_further_on_what(people: dict[str, Person]) -> None:
    row = approved(people)
    answer(people["amir"], ask(people["dana"], row))
    packed = io.BytesIO()
    write_pack(making.call(people["ada"]), row.pk, packed)
    with zipfile.ZipFile(packed) as archive:
        told = json.loads(archive.read("exposure.json"))[0]
        assert "exposure.json" in archive.read("README.txt").decode()
    assert (told["state"], told["decided_by"], told["why"], told["present"], told["wanted"]) == ("granted", "Amir", WHY, 5, 25)
    assert digest(told["seen"]) == told["seen_digest"]


def test_with_the_permit_goes_what_was_asked_under_it(people: dict[str, Person]) -> None:
    row = approved(people)
    request = ask(people["dana"], row)
    revoke(caller=making.call(people["pia"]), submission_id=row.pk, reason="Complaints came in.")
    assert exposure_view(request.pk, making.call(people["amir"])).row.state == "lapsed"
    with pytest.raises(DomainError, match="does not hold any more"):
        answer(people["amir"], request)
    with pytest.raises(DomainError, match="no permit"):
        ask(people["dana"], making.fresh(row))


def deployed(people: dict[str, Person], row: Submission, *, at: Any, exposure: int = 5) -> Deployment:
    """A deployment as it would stand had it been reported at that time."""
    return Deployment.objects.create(
        unit=row.unit, system=row.system.slug, version=row.version, version_name="1.0", environment="production", at=at,
        permit=Permit.objects.filter(submission=row).first(), exposure=exposure, reported_by=people["dana"],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("days", "values", "outcome"), [(4, [0.02], "granted"), (2, [0.02], ""), (4, [], ""), (4, [None], ""), (4, [0.02, 0.3], "")]
)
def test_the_policy_grants_by_itself_only_what_was_measured_and_good(
    people: dict[str, Person], days: int, values: list[float | None], outcome: str
) -> None:
    row = approved(people, Track.YELLOW)
    deployed(people, row, at=timezone.now() - timedelta(days=days), exposure=25)
    for value in values:
        signal(people, value)
    request = ask(people["dana"], row, 100)
    assert request.outcome == outcome
    assert may(people).allowed is (outcome == "granted")
    view = exposure_view(request.pk, making.call(people["pia"]))
    if outcome:
        assert (view.row.decided_by, request.reauthenticated_at) == ("policy", None)
        assert "ml_model 2026.11.1" in request.why and "drift" in request.why
        granted = AuditEvent.objects.get(action="exposure.granted")
        assert granted.actor == "policy" and row.policy is not None and row.policy.digest in granted.payload
    else:
        assert view.people_because and view.cannot_decide == ""
        assert answer(people["pia"], request).decided_by == people["pia"]


def test_what_waits_is_granted_once_the_reports_are_in(people: dict[str, Person]) -> None:
    row = approved(people, Track.YELLOW)
    deployed(people, row, at=timezone.now() - timedelta(days=4), exposure=25)
    ask(people["dana"], row, 100)
    assert grant_due() == 0 and not may(people).allowed
    signal(people, 0.02)
    assert (grant_due(), grant_due()) == (1, 0)
    assert may(people).allowed


def signal(people: dict[str, Person], value: float | None) -> None:
    token = issue_token(caller=SYSTEM, person=people["dana"], unit=making.unit(), name="m", scopes=(Scope.MONITOR,))[1]
    body = {
        "id": f"k-{value}", "kind": "drift", "system": "credit-default", "version": "1.0", "environment": "production",
        "at": timezone.now().isoformat(), "readings": [{"metric": "psi", "value": value}],
    }  # fmt: skip
    sent = Client().post("/api/v1/monitoring/events", json.dumps(body), "application/json", HTTP_AUTHORIZATION=f"Bearer {token}")
    assert sent.status_code == 201, sent.content


def test_deployments_are_held_to_their_share(people: dict[str, Person]) -> None:
    row = approved(people)
    assert post(people, "deployments", {"system": "credit-default", "version": "1.0"}).json()["code"] == "no_permit"
    live = post(people, "deployments", {"system": "credit-default", "version": "1.0", "exposure": 5})
    assert (live.status_code, live.json()["exposure"]) == (201, 5)
    assert post(people, "deployments", {"system": "credit-default", "version": "1.0"}).status_code == 200, "as it is live"
    answer(people["amir"], ask(people["dana"], row))
    assert post(people, "deployments", {"system": "credit-default", "version": "1.0", "exposure": 25}).status_code == 201
    assert list(Deployment.objects.order_by("id").values_list("exposure", "state")) == [(5, "replaced"), (25, "live")]
    assert reconcile() == 0
    over = {"system": "credit-default", "version": "1.0", "exposure": 60, "observed": True}
    assert post(people, "deployments", over).json()["allowed"] is False
    assert reconcile() == 1, "seen running at more than the permit allows"


def test_programs_ask_and_read_and_never_decide(people: dict[str, Person]) -> None:
    row = approved(people)
    body = {"exposure": 25, **ASK}
    assert post(people, f"submissions/{row.number}/exposure-requests", body, Scope.READ).json()["code"] == "scope_needed"
    asked = post(people, f"submissions/{row.number}/exposure-requests", body, Scope.SUBMIT, Scope.READ)
    assert (asked.status_code, asked.json()["state"], asked.json()["role"]) == (201, "waiting", "analyst")
    path = f"exposure-requests/{asked.json()['id']}"
    decided = post(people, f"{path}/decision", {"grant": True, "seen": asked.json()["digest"], "why": WHY}, Scope.SUBMIT)
    assert (decided.status_code, decided.json()["code"]) == (403, "person_needed")
    session = client_of(people["amir"])
    listed = session.get("/api/v1/exposure-requests?only=waiting").json()["results"]
    assert [(each["number"], each["present"], each["wanted"]) for each in listed] == [(asked.json()["number"], 5, 25)]
    stale = session.post(f"/api/v1/{path}/decision", {"grant": True, "seen": "sha256:0", "why": WHY}, "application/json")
    assert stale.status_code == 403 and stale.json()["code"] == "reauthentication_needed"
    assert post(people, f"{path}/withdraw", {}, Scope.SUBMIT).json()["state"] == "withdrawn"
    assert Client().get("/api/v1/exposure-requests").status_code == 401
    assert session.get("/api/v1/permits?system=credit-default&version=1.0&exposure=5").json()["allowed"] is True
    assert session.get("/api/v1/permits?system=credit-default&version=1.0&exposure=5.5").status_code == 422


def post(people: dict[str, Person], path: str, body: dict[str, Any], *scopes: Scope) -> Any:
    token = issue_token(caller=SYSTEM, person=people["dana"], unit=making.unit(), name="t", scopes=scopes or (Scope.DEPLOY,))[1]
    return Client().post(f"/api/v1/{path}", json.dumps(body), "application/json", HTTP_AUTHORIZATION=f"Bearer {token}")


def test_the_pages_lead_from_the_permit_to_the_decision(people: dict[str, Person]) -> None:
    row = approved(people)
    dana, pia, amir = client_of(people["dana"]), client_of(people["pia"]), proved(people["amir"])
    case = dana.get(f"/submissions/{row.number}").content.decode()
    assert "up to 5 % of traffic or people" in case and f"/submissions/{row.number}/exposure" in case
    page = dana.get(f"/submissions/{row.number}/exposure").content.decode()
    assert "The way up on red" in page and "nothing was reported to run" in page
    assert pia.get(f"/submissions/{row.number}/exposure").status_code == 403
    short = dana.post(f"/submissions/{row.number}/exposure", {"wanted": "x", "reason": "", "monitoring_says": ""})
    assert short.status_code == 422 and b"1 to 100" in short.content
    sent = dana.post(f"/submissions/{row.number}/exposure", {"wanted": "25", **ASK})
    request = ExposureRequest.objects.get()
    assert sent["Location"] == f"/exposure/{request.pk}"
    assert "Take the request back" in dana.get(sent["Location"]).content.decode()
    assert "You do not hold that role here" in pia.get(sent["Location"]).content.decode()
    homes = [client.get("/").content.decode() for client in (amir, pia, dana)]
    assert ["1 request for more exposure waits for you" in home for home in homes] == [True, False, False]
    assert request.number in amir.get("/exposure?scope=mine").content.decode()
    assert request.number not in pia.get("/exposure?scope=mine").content.decode()
    shown = amir.get(sent["Location"]).content.decode()
    assert "Grant 25 %" in shown and request.shown_digest in shown
    form = {"do": "grant", "why": WHY, "seen": request.shown_digest}
    assert amir.post(f"{sent['Location']}/decide", {**form, "seen": "sha256:0"}).status_code == 409
    assert amir.post(f"{sent['Location']}/decide", {**form, "why": ""}).status_code == 422
    assert amir.post(f"{sent['Location']}/decide", form).status_code == 302
    assert "The decision" in amir.get(sent["Location"]).content.decode()
    assert request.number in amir.get("/exposure?scope=decided").content.decode()
    assert may(people, 25).allowed


def test_who_may_authorise_what_is_read_from_the_pack_and_the_grants(people: dict[str, Person]) -> None:
    making.policy()
    page = client_of(people["dana"]).get("/authority").content.decode()
    for words in (
        "Data use",
        "Model updates",
        "Exposure",
        "Waivers",
        "up to 25 %",
        "up to 80 %",
        "No gate can be waived",
        "Priya",
    ):
        assert words in page, words
    assert "/roles#risk_officer" in page and "The policy grants it by itself after 3 days" in page
