"""Revising over REST: files, evidence and answers with the move, what is not sent stays, the same request once."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from governance.domain.vocabulary import Role, State
from governance.models import AuditEvent, Submission
from governance.selectors.access import SYSTEM
from governance.services.packs import load_shipped_packs
from tests.reviews import making
from tests.reviews.test_api import Api

pytestmark = pytest.mark.django_db(transaction=True)

METADATA = Path(__file__).resolve().parent.parent / "data" / "metadata"
MLMODEL, RUN, CARD = "mlflow-3.17.2.MLmodel.yaml", "mlflow-3.17.2.run.json", "hf-model-card.README.md"


def source(name: str) -> dict[str, str]:
    return {"name": name, "content": (METADATA / name).read_text()}


def stored(ci: Api, content: bytes) -> str:
    headers = {"Authorization": f"Bearer {ci.secret}"}
    answer = ci.client.generic("POST", "/api/v1/evidence?name=rows.csv", content, content_type="text/csv", headers=headers)
    return str(answer.json()["sha256"])


@pytest.fixture
def ci() -> Api:
    load_shipped_packs(caller=SYSTEM)
    return Api(making.person("dana", Role.SUBMITTER))


@pytest.fixture
def row(ci: Api) -> Submission:
    """Handed in with two files, two answers and the predictions; its checks failed."""
    body = {
        "system": "credit-default",
        "version": "2.3.0",
        "sources": [source(MLMODEL), source(RUN)],
        "answers": {"impact.financial": "medium", "decision.automated": True},
        "evidence": [{"role": "candidate_predictions", "sha256": stored(ci, b"id,y,p\n1,0,0\n"), "columns": {"label": "y"}}],
    }
    number = ci("POST", "/submissions", body).json()["submission"]
    return failed(Submission.objects.get(pk=int(number.removeprefix("S-"))))


def failed(row: Submission) -> Submission:
    """As if its checks had failed: it can be revised again."""
    Submission.objects.filter(pk=row.pk).update(state=State.CHECKS_FAILED, turn="submitter")
    row.refresh_from_db()
    return row


def test_it_brings_files_evidence_and_answers_and_the_rest_stays(ci: Api, row: Submission) -> None:
    sample = stored(ci, b"age\n30\n")
    better = stored(ci, b"id,y,p\n1,0,0\n2,1,1\n")
    sent: dict[str, Any] = {
        "note": "A card, the sample, and more rows.",
        "sources": [source(CARD), {"name": RUN, "content": source(RUN)["content"].replace("0.9228326373434023", "0.93")}],
        "evidence": [
            {"role": "reference_sample", "sha256": sample},
            {"role": "candidate_predictions", "sha256": better, "columns": {"label": "y", "prediction": "p"}},
        ],
        "answers": {"impact.financial": {"value": "high", "reason": "Limits were raised."}, "monitoring.plan": ["data drift"]},
    }
    answer = ci("POST", f"/submissions/{row.number}/revise", sent)
    assert answer.status_code == 200, answer.content
    assert answer.json()["state"] == "in_checks"
    first, second = row.revisions.order_by("number")
    assert {s["name"] for s in first.sources} == {MLMODEL, RUN}
    assert {s["name"] for s in second.sources} == {MLMODEL, RUN, CARD}
    said = {a["question"]: a["value"] for a in second.answers}
    assert said == {"impact.financial": "high", "decision.automated": True, "monitoring.plan": ["data drift"]}
    assert {e["role"]: e["sha256"] for e in second.evidence} == {"reference_sample": sample, "candidate_predictions": better}
    assert second.note == "A card, the sample, and more rows."
    assert {e["role"] for e in first.evidence} == {"candidate_predictions"}
    actions = set(AuditEvent.objects.filter(object=f"submission:{row.pk}").values_list("action", flat=True))
    assert {"submission.source_added", "submission.evidence_attached", "submission.answered", "submission.revise"} <= actions


def test_the_same_request_is_one_revision(ci: Api, row: Submission) -> None:
    sent = {"answers": {"monitoring.plan": ["data drift"]}}
    path = f"/submissions/{row.number}/revise"
    assert [ci("POST", path, sent, Idempotency_Key="r2").status_code for _ in range(2)] == [200, 200]
    assert ci("POST", path, sent).status_code == 200  # the answer was lost, the key too
    assert row.revisions.count() == 2
    other = ci("POST", path, {"answers": {"monitoring.plan": ["concept drift"]}}, Idempotency_Key="r2")
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")
    news = ci("POST", path, {"answers": {"monitoring.plan": ["concept drift"]}})
    assert (news.status_code, news.json()["code"]) == (409, "frozen")
    failed(row)
    assert ci("POST", path, sent, Idempotency_Key="r2").json()["state"] == "checks_failed"  # known: nothing happens
    assert row.revisions.count() == 2
    assert ci("POST", path, sent).json()["state"] == "in_checks"  # without a key it is meant once more
    assert row.revisions.count() == 3


def test_the_same_request_at_once_is_one_revision(ci: Api, row: Submission) -> None:
    start, answers = threading.Barrier(4), []

    def send() -> None:
        try:
            start.wait()
            answers.append(ci("POST", f"/submissions/{row.number}/revise", {"note": "again"}, Idempotency_Key="same"))
        finally:
            connection.close()

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} == {200}, [answer.content for answer in answers]
    assert row.revisions.count() == 2


@pytest.mark.parametrize(
    ("sent", "pointer"),
    [
        ({"answers": {"no.such": 1}}, "/answers/no.such"),
        ({"evidence": [{"role": "reference_sample", "sha256": "0" * 64}]}, "/evidence/reference_sample/sha256"),
        ({"sources": [{"name": "a", "content": "x: 1"}, {"name": "a", "content": "x: 2"}]}, "/sources"),
        ({"carry_over": ["impact.financial"]}, "/carry_over"),
        ({"replies": {"77": "done"}}, "/replies/77"),
        ({"track": "green"}, "/track"),
    ],
)
def test_what_cannot_be_taken_changes_nothing(ci: Api, row: Submission, sent: dict[str, Any], pointer: str) -> None:
    answer = ci("POST", f"/submissions/{row.number}/revise", {"sources": [source(CARD)], **sent})
    assert answer.status_code == 422, answer.content
    assert answer.json()["errors"][0]["pointer"] == pointer
    row.refresh_from_db()
    assert (row.state, row.revision, row.sources.count()) == ("checks_failed", 1, 2)


def test_only_who_contributes_may_bring_something(ci: Api, row: Submission) -> None:
    other = Api(making.person("sam", Role.SUBMITTER))
    refused = other("POST", f"/submissions/{row.number}/revise", {"answers": {"monitoring.plan": ["x"]}})
    assert (refused.status_code, refused.json()["code"]) == (403, "not_contributor")
