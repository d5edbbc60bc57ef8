"""A price from end to end: a model is explained in the product's words, its owner approves them, and only then is it decided.

The collector really runs in its child process, the gate judges what it stored, and everything people do goes over HTTP.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.db.models.functions import Now
from django.test import Client

from gates.models import GateOutcome
from gates.services.claiming import claim_heavy
from gates.services.planning import plan_runs
from gates.services.running import measure
from governance.domain.vocabulary import Role, State, Track
from governance.models import Person, PolicyPack, Revision, Submission
from governance.policy import evaluate, load_pack
from governance.selectors.access import SYSTEM
from governance.services.work import unit_of_work
from reviews.services.settling import settle
from tests.gates import making as evidence_making
from tests.gates.readers import model_files
from tests.reviews import making

pytestmark = pytest.mark.django_db(transaction=True)

GATES = [
    {"gate": code, "why": "Somebody answers for it.", "tracks": ["red"], "blocking": True, "note": "convention"}
    for code in ("GX105", "GX106")
]


def asks(what: str, role: str, title: str) -> dict[str, object]:
    return {"id": what, "role": role, "title": title, "asks": "May we say this?", "statement": "I read them.", "reads": 5}


ASKED = [
    asks("explanations_read", "analyst", "Reading sampled explanations"),
    asks("product_words", "product", "Approving the reasons of prices"),
]
WORDS = {"features": {"a": "how many people wait", "b": "how far it is", "c": "the time of day", "d": "the weather"}}
FACTS = {"decision__domain": "pricing", "performance__relative_change": 0.2, "model__decision_threshold": 0.5}


@pytest.fixture
def case(tmp_path: Path) -> Submission:
    """A red case about prices whose explanations were measured and whose checks are settled."""
    frame, label = model_files.sample(rows=800)
    frame = frame[["a", "b", "c", "d"]]
    frame.assign(id=range(len(frame))).to_parquet(tmp_path / "rows.parquet")
    model_files.train_xgboost(tmp_path / "model.ubj", frame, label, rounds=20)
    named = WORDS["features"].items()
    codes = [{"code": f"P{at}", "words": f"Because of {words}", "features": [name]} for at, (name, words) in enumerate(named)]
    model, rows = (tmp_path / name for name in ("model.ubj", "rows.parquet"))
    files = [
        evidence_making.evidence("candidate_model", model.read_bytes(), name="model.ubj"),
        evidence_making.evidence("explanation_sample", rows.read_bytes(), name="rows.parquet", columns={"id": "id"}),
        evidence_making.evidence("reason_codes", json.dumps({**WORDS, "codes": codes}).encode(), name="words.json"),
    ]  # fmt: skip
    source = json.dumps({**making.PACK, "gates": GATES, "attestations": ASKED})
    questions = json.dumps(making.QUESTIONNAIRE)
    pack = load_pack(source, questions)
    making.policy()
    policy = PolicyPack.objects.create(
        name=pack.name, kind=pack.kind, version="2026.11.3", digest=pack.digest, source=source, questionnaire=questions
    )
    row = making.draft(Track.RED)
    facts = making.facts_for(Track.RED, champion__exists=False, **FACTS)
    revision = Revision.objects.create(
        submission=row, number=1, facts=facts.to_json(), answers=[], evidence=files, sources=[], submitted_by=row.submitter
    )
    Submission.objects.filter(pk=row.pk).update(
        state=State.IN_CHECKS, revision=1, policy=policy, turn="machine", submitted_at=Now(), track=Track.RED
    )
    row.refresh_from_db()
    with unit_of_work(SYSTEM) as work:
        (run,) = plan_runs(
            work, submission=row, revision=revision, pack=pack, assessment=evaluate(pack, facts, pending=frozenset()), facts=facts
        )
    measure(claim_heavy(run.pk, worker="w"), worker="w", queues={"gates.heavy"})
    settle(submission_id=row.pk)
    return making.fresh(row)


def client_of(somebody: Person) -> Client:
    client = Client()
    client.force_login(somebody)
    return client


def verdict(row: Submission, code: str) -> str:
    return GateOutcome.objects.filter(submission=row, code=code).order_by("-round")[0].verdict


def sent(page: str, what: str) -> dict[str, str]:
    """The form as a browser sends it with every answer yes: what the page holds, nothing made up."""
    form = page.split(f'value="{what}"', 1)[1].split("</form>", 1)[0]
    subject = form.split('name="subject" value="', 1)[1].split('"', 1)[0]
    return {"what": what, "subject": subject, **{f"{what}-{at}": "true" for at in range(1, 6)}}


def test_the_business_owner_approves_the_reasons_in_product_words_and_nobody_else_can(case: Submission) -> None:
    people, mona = making.everybody(), making.person("mona", Role.PRODUCT, everywhere=True)
    assert case.state == State.IN_REVIEW, list(GateOutcome.objects.filter(submission=case).values("code", "verdict", "says"))
    assert (verdict(case, "GX105"), verdict(case, "GX106")) == ("not_assessed", "not_assessed")
    path = f"/submissions/{case.pk}/attest"
    owner = client_of(mona)
    page = owner.get(path).content.decode()
    assert "how many people wait" in page and "Because of how far it is" in page
    given = sent(page, "product_words")
    # each gate is judged by its own role: the analyst reads GX105, the owner of the product GX106, the other is refused
    analyst = client_of(people["amir"])
    refused = analyst.post(path, given)
    assert refused.status_code == 403 and verdict(case, "GX106") == "not_assessed"
    own = sent(analyst.get(path).content.decode(), "explanations_read")
    assert owner.post(path, own).status_code == 403
    assert client_of(people["ruth"]).post(path, own).status_code == 403
    assert verdict(case, "GX105") == "not_assessed"
    assert analyst.post(path, own).status_code == 302 and owner.post(path, given).status_code == 302
    assert (verdict(case, "GX105"), verdict(case, "GX106")) == ("pass", "pass")
    says = GateOutcome.objects.filter(submission=case, code="GX106").order_by("-round")[0].says
    assert says.startswith("5 of 5 explanations were approved as reasons for customers (Mona")
