"""Previews with gates: real collectors on the evidence sent, judged as a submission is, and nothing that any list could show."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now

from gates.models import GateOutcome, GateRun, Measurement
from governance.domain.vocabulary import Role, Scope
from governance.models import AuditEvent, Revision, Submission, System, TrackDecision
from governance.selectors.access import SYSTEM
from governance.services.packs import load_shipped_packs
from reviews.models import Finding, GatePreview, ReviewStep
from reviews.services import trying_gates
from tests.reviews import making
from tests.reviews.test_api import Api
from tests.reviews.test_api_shipped_pack import body as files

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(280)]

RECORDS = (Submission, System, Revision, TrackDecision, GateRun, GateOutcome, Measurement, Finding, ReviewStep)


@pytest.fixture
def ci() -> Api:
    load_shipped_packs(caller=SYSTEM)
    return Api(making.person("dana", Role.SUBMITTER))


def rows(*, good: bool = True) -> bytes:
    """Predictions of 1,200 people: those of a model that knows something, or of one that guesses."""
    chance = random.Random(7)
    lines = ["id,y,pred,p,sex"]
    for number in range(1_200):
        label = chance.random() < 0.4
        score = min(max((0.62 if label and good else 0.38) + chance.gauss(0, 0.15), 0.0), 1.0)
        lines.append(f"{number},{int(label)},{int(score >= 0.5)},{score:.4f},{'f' if number % 2 else 'm'}")
    return "\n".join(lines).encode()


def stored(ci: Api, content: bytes, name: str = "rows.csv") -> str:
    headers = {"Authorization": f"Bearer {ci.secret}"}
    answer = ci.client.generic("POST", f"/api/v1/evidence?name={name}", content, content_type="text/csv", headers=headers)
    assert answer.status_code in (200, 201), answer.content
    return str(answer.json()["sha256"])


def body(ci: Api, content: bytes | None = None, **more: Any) -> dict[str, Any]:
    columns = {"label": "y", "prediction": "pred", "score": "p", "id": "id", "sensitive": ["sex"]}
    evidence = [{"role": "candidate_predictions", "sha256": stored(ci, content or rows()), "columns": columns}]
    return files(evidence=evidence, **more)


def asked(ci: Api, sent: dict[str, Any]) -> str:
    """The address of a preview's result."""
    answer = ci("POST", "/preview", {**sent, "gates": True})
    assert answer.status_code == 202, answer.content
    return str(answer["Location"]).removeprefix("/api/v1")


def key(where: str) -> str:
    return where.rsplit("/", 1)[-1]


def test_gates_run_and_nothing_is_recorded(ci: Api) -> None:
    sent = body(ci)
    events = AuditEvent.objects.count()
    rules_alone = ci("POST", "/preview", sent).json()
    where = asked(ci, sent)
    waiting = ci("GET", where)
    assert (waiting.status_code, waiting.json()["status"], waiting["Retry-After"]) == (202, "queued", "2")
    assert trying_gates.measure(key(where)) is True
    answer = ci("GET", where)
    document = answer.json()
    assert (answer.status_code, document["schema"], document["state"]) == (200, "guiderail/verdict/1", "preview")
    assert (document["submission"], document["track"], document["track_is_final"]) == (None, "red", True)
    assert set(document) == set(rules_alone), "the same document, with gates"
    gates = {gate["code"]: gate for gate in document["gates"]}
    assert gates["GP102"]["verdict"] == "pass" and gates["GP102"]["observed"] > 0.8 and gates["GP102"]["n"] == 1_200
    assert gates["GF101"]["observed"] is not None
    assert gates["GD101"]["verdict"] == "fail" and "age" in gates["GD101"]["says"], "the Great Expectations file was read too"
    assert gates["GD104"]["verdict"] == "not_assessed" and "reference sample" in gates["GD104"]["says"]
    assert (document["exit_code"], document["reason_code"].partition(":")[0]) == (1, "gate")
    assert all(gate["fix"] for gate in document["gates"] if gate["verdict"] in ("fail", "not_assessed"))
    # it leaks nowhere: no submission, no run, no outcome, no event; lists and queues are empty
    assert [model.__name__ for model in RECORDS if model.objects.exists()] == []
    assert AuditEvent.objects.count() == events
    assert ci("GET", "/submissions").json()["results"] == []
    markdown = ci("GET", where, Accept="text/markdown")
    assert "Red track" in markdown.content.decode()
    row = GatePreview.objects.get(pk=key(where))
    assert (row.inputs, row.facts) == ({}, []), "only the answer is kept"
    assert trying_gates.measure(key(where)) is False, "a message that comes twice does nothing"


def test_the_same_request_is_the_same_preview_and_a_unit_has_few_at_a_time(ci: Api) -> None:
    sent = body(ci)
    assert asked(ci, sent) == asked(ci, sent)
    for number in range(trying_gates.MOST_UNFINISHED - 1):
        asked(ci, {**sent, "version": f"9.{number}"})
    busy = ci("POST", "/preview", {**sent, "version": "10", "gates": True})
    assert (busy.status_code, busy.json()["code"]) == (409, "previews_busy")
    assert ci("POST", "/preview", {**sent, "version": "10"}).status_code == 200, "the rules answer all the same"


def test_who_may_ask_and_read(ci: Api) -> None:
    where = asked(ci, body(ci))
    shop = making.unit("shop")
    assert Api(making.person("sam", Role.SUBMITTER, at=shop), unit=shop)("GET", where).status_code == 404
    reader = Api(making.person("ray", Role.SUBMITTER), Scope.READ)
    assert reader("GET", where).status_code == 403
    assert reader("POST", "/preview", {**files(), "gates": True}).status_code == 403
    assert ci("GET", "/preview/7d444840-9dc0-11d1-b245-5ffdce74fad2").status_code == 404
    unknown = {"evidence": [{"role": "candidate_predictions", "sha256": "0" * 64}], "gates": True}
    refused = ci("POST", "/preview", files(**unknown))
    assert (refused.status_code, refused.json()["code"]) == (422, "unknown_evidence")
    assert ci("POST", "/submissions", {**files(), "gates": True}).status_code == 422


def test_a_bad_file_is_a_verdict_and_not_a_fault(ci: Api) -> None:
    where = asked(ci, body(ci, b"id,y,pred\n1,0,0\n2,maybe,1\n"))
    assert trying_gates.measure(key(where)) is True
    gates = {gate["code"]: gate for gate in ci("GET", where).json()["gates"]}
    assert gates["GP102"]["verdict"] == "not_assessed"
    assert "rows.csv" in gates["GP102"]["says"]


def test_it_expires_and_is_cleaned_up(ci: Api) -> None:
    where = asked(ci, body(ci))
    GatePreview.objects.update(expires_at=Now() - timedelta(seconds=1))
    assert ci("GET", where).status_code == 404
    assert trying_gates.measure(key(where)) is False
    trying_gates.tidy()
    assert not GatePreview.objects.exists()


def test_one_that_takes_workers_down_is_given_up(ci: Api) -> None:
    where = asked(ci, body(ci))
    rows = GatePreview.objects.filter(pk=key(where))
    late = Now() - timedelta(seconds=1)
    rows.update(status="running", attempt=1, lease_until=late)
    trying_gates.tidy()
    assert rows.get().status == "running", "it may be tried once more"
    rows.update(attempt=trying_gates.MOST_ATTEMPTS)
    assert trying_gates.measure(key(where)) is False
    trying_gates.tidy()
    answer = ci("GET", where)
    assert (answer.status_code, answer["Content-Type"]) == (503, "application/problem+json")
    assert "could not be run" in answer.json()["detail"] and "Send it again" in answer.json()["detail"]
    assert asked(ci, body(ci)) != where, "sent again it is measured afresh"


def test_whoever_took_it_over_has_it(ci: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    where = asked(ci, body(ci))
    document = trying_gates._document

    def taken_over(*given: Any) -> Any:
        GatePreview.objects.filter(pk=key(where)).update(attempt=2)
        return document(*given)

    monkeypatch.setattr(trying_gates, "_document", taken_over)
    assert trying_gates.measure(key(where)) is False
    assert GatePreview.objects.get(pk=key(where)).status == "running"


@pytest.fixture
def relay(stack: Any, worker: Any, database_url: str) -> Iterator[Any]:
    """The beat that sends again what nobody took."""
    running = stack.start_beat(database_url)
    yield running
    running.stop(seconds=2)


def test_a_worker_says_of_a_preview_what_it_says_of_the_submission(worker: Any, relay: Any, ci: Api) -> None:
    sent = body(ci)
    where = asked(ci, sent)
    number = ci("POST", "/submissions", sent).json()["submission"]
    until = time.monotonic() + 200
    preview, verdict = ci("GET", where), ci("GET", f"/submissions/{number}/verdict").json()
    while (preview.status_code != 200 or verdict["turn"] == ["machine"]) and time.monotonic() < until:
        time.sleep(1)
        preview, verdict = ci("GET", where), ci("GET", f"/submissions/{number}/verdict").json()
    assert preview.status_code == 200, worker.said()[-3000:]
    tried = preview.json()
    said = [{gate["code"]: gate for gate in document["gates"]} for document in (tried, verdict)]
    assert said[0].keys() == said[1].keys() and len(said[0]) > 10
    assert {code: (gate, said[1][code]) for code, gate in said[0].items() if gate != said[1][code]} == {}
    assert (tried["track"], tried["reasons"]) == (verdict["track"], verdict["reasons"])
