"""What handing in over REST costs in statements: the same for the hundredth submission of a system as for the third."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from governance.domain.vocabulary import Role
from governance.selectors.access import SYSTEM
from governance.services.packs import load_shipped_packs
from tests.bench.inproc import CONTROL
from tests.reviews import making
from tests.reviews.test_api import Api
from tests.reviews.test_api_shipped_pack import METADATA

pytestmark = pytest.mark.django_db(transaction=True)

FILES = ("mlflow-3.17.2.MLmodel.yaml", "mlflow-3.17.2.run.json")
ANSWERS = {
    "decision.domain": "credit",
    "decision.automated": True,
    "data.contains_pii": True,
    "rollout.strategy": "canary",
    "business.context": "Pre-screens applications for credit.",
}


def statements(ci: Api, version: str, **more: Any) -> list[str]:
    sent = {"system": "cost-credit", "version": version, "environment": "production", **more}
    with CaptureQueriesContext(connection) as caught:
        answer = ci("POST", "/submissions", sent)
    assert answer.status_code == 201, answer.content
    return [query["sql"] for query in caught.captured_queries if not query["sql"].startswith(CONTROL)]


def test_statements_of_one_request() -> None:
    load_shipped_packs(caller=SYSTEM)
    ci = Api(making.person("dana", Role.SUBMITTER))
    sources = [{"name": name, "content": (METADATA / name).read_text()} for name in FILES]
    for n in range(3):  # imports, caches, the system itself
        statements(ci, f"1.{n}.0", sources=sources, answers=ANSWERS)
    found = statements(ci, "2.0.0", sources=sources, answers=ANSWERS)
    assert len(found) <= 30, f"{len(found)} statements\n" + "\n".join(text[:200] for text in found)


def test_the_answer_made_from_memory_is_the_verdict_read_back() -> None:
    load_shipped_packs(caller=SYSTEM)
    ci = Api(making.person("dana", Role.SUBMITTER))
    for version, name in (
        ("1.0.0", FILES[0]),
        ("1.1.0", "gx-1.24.1.validation_result.json"),
        ("1.2.0", "hf-model-card.README.md"),
    ):
        sources = [{"name": name, "content": (METADATA / name).read_text()}, {"name": "broken.json", "content": "{"}]
        sent = {"system": "cost-credit", "version": version, "environment": "production", "sources": sources, "answers": ANSWERS}
        answer = ci("POST", "/submissions", sent)
        assert answer.status_code == 201, answer.content
        document = answer.json()
        assert answer.headers["Location"] == f"/api/v1/submissions/{document['submission']}"
        assert document["dossier_digest"] and document["reasons"]
        assert document["source_problems"]
        assert document == ci("GET", f"/submissions/{document['submission']}/verdict").json()
