"""The pipeline's side of the main job on real public data: evidence, preview, submit, poll, answers, permit.

Everything runs: gunicorn, a Celery worker, PostgreSQL and the broker. Nothing here looks into the database to find an answer that
the API should give.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from fairlearn.metrics import (
    MetricFrame,
    demographic_parity_ratio,
    false_positive_rate,
    selection_rate,
    true_positive_rate,
)
from sklearn.metrics import roc_auc_score

from gates.simulator.metadata import RunFacts, all_files, frame_digest
from gates.simulator.models import predictions, train
from gates.simulator.populations import Population
from governance.domain.vocabulary import EvidenceRole
from governance.models import Person, Submission, Unit
from reviews.demo.cast import Cast
from reviews.demo.handing_in import Version, build, parquet
from reviews.demo.people import PASSWORD, load_people, load_tokens
from reviews.demo.publicdata import compas_case, taiwan
from reviews.demo.reading import read_everything
from reviews.demo.usual import FIRST, MONITORS, standard_facts
from tests.journeys.speaking import Pipeline, SignedIn, readings
from tests.stack import Running

CONTEXT = "Decides whether the credit card limit of a customer is raised; a refusal costs the customer a purchase."


@dataclass
class Office:
    """The running organisation: its people, and a pipeline with the demo's token."""

    url: str
    people: dict[str, Person]
    ci: Pipeline
    reader: Pipeline

    def sign_in(self, who: str) -> SignedIn:
        return SignedIn(self.url, who, PASSWORD)

    def cast(self) -> Cast:
        return Cast(self.people, {unit.slug: unit for unit in Unit.objects.all()}, lambda text: None)


@pytest.fixture
def office(worker: Running, web: Running) -> Iterator[Office]:
    people = load_people()
    tokens = load_tokens(people)
    yield Office(web.url, people, Pipeline(web.url, tokens["ci"]), Pipeline(web.url, tokens["readonly"]))


def file_of(shared_data: Path, name: str) -> Path:
    path = shared_data / name
    if not path.exists():
        pytest.skip(f"{name} is not in {shared_data} (set GUIDERAIL_SHARED_DATA)")
    return path


def some(population: Population, rows: int) -> Population:
    return replace(population, frame=population.frame.head(rows).reset_index(drop=True))


def taiwan_version(
    version: str, data: Path, *, seed: int, champion: Any = None, unsaid: str = "", **more: Any
) -> tuple[Version, Any, Population]:
    """A small model trained on part of the real applicants, evaluated on 10,000 others. `unsaid`: what its files leave out."""
    training, evaluation = taiwan(data)
    training = some(training, 6_000)
    model = train(training, seed=seed, trees=25, depth=3)
    said = {name: value for name, value in standard_facts("credit").items() if name != unsaid}
    new = build(
        system="taiwan-default",
        version=version,
        candidate=model,
        champion=champion,
        training=training,
        evaluation=evaluation,
        source="s3://lake/credit/applications/taiwan-2005.csv",
        intended_use=CONTEXT,
        limitations="Taiwan, 2005. Undocumented codes in education and marriage were left out.",
        owner="credit-risk",
        governance={**said, "data.consent_basis": "contract"},
        sensitive=["sex"],
        **more,
    )
    return new, model, evaluation


def measured(view: Any, metric: str, group: str = "") -> Any:
    """One measurement of the decision view, by name and group."""
    found = [row for gate in view["gates"] for row in gate["measures"] if row["metric"] == metric and row["group"] == group]
    assert found, f"{metric} of “{group}” is not among the measurements"
    return found[0]


def test_a_credit_model_goes_from_files_to_permit(office: Office, shared_data: Path) -> None:
    file_of(shared_data, "taiwan/UCI_Credit_Card.csv")
    new, model, evaluation = taiwan_version("1.0.0", shared_data, seed=1, unsaid="monitoring.plan")
    ci = office.ci
    asked = "/api/v1/permits?system=taiwan-default&version=1.0.0&environment=production&exposure=5"

    # evidence is stored once by content
    first = ci.ask("POST", "/api/v1/evidence?name=a.csv", raw=b"a,b\n1,2\n", Content_Type="text/csv")
    again = ci.ask("POST", "/api/v1/evidence?name=b.csv", raw=b"a,b\n1,2\n", Content_Type="text/csv")
    assert (first.status, again.status) == (201, 200)
    assert first.json["sha256"] == again.json["sha256"]

    # the preview says everything and records nothing
    body = ci.body_of(new)
    preview = ci.ask("POST", "/api/v1/preview", body)
    assert preview.status == 200, preview.text
    assert (preview.json["track"], preview.json["submission"]) == ("red", None)
    assert ci.get("/api/v1/submissions").json["results"] == []

    # what a pipeline may never send is refused by name
    refused = ci.ask("POST", "/api/v1/submissions", {**body, "track": "green"})
    assert refused.status == 422
    assert refused.json["errors"][0]["pointer"] == "/track"
    assert refused.headers["Content-Type"].startswith("application/problem+json")

    # one answer with everything, before any gate has run
    made = ci.ask("POST", "/api/v1/submissions", body, Idempotency_Key="build-17")
    assert made.status == 201, made.text
    document, number = made.json, made.json["submission"]
    assert (document["state"], document["track"], document["track_is_final"]) == ("in_checks", "red", False)
    assert {"decision.domain"} <= {reason["fact"] for reason in document["reasons"]}
    assert all(reason["says"] and reason["rule"] for reason in document["reasons"])
    assert [way["to"] for way in document["would_change"]] and not document["would_change"][0]["possible"]
    assert {row["id"] for row in document["questions"]["missing"]} >= {"monitoring.plan"}
    counts = document["questions"]
    assert counts["prefilled"] >= 0.75 * counts["total"], counts
    assert document["missing_evidence"] == []

    # a draft without its samples says which are missing and why
    kept = [item for item in body["evidence"] if not item["role"].endswith("_sample")]
    draft = ci.ask("POST", "/api/v1/submissions", {**body, "version": "1.0.2", "evidence": kept, "draft": True}).json
    assert (draft["state"], draft["track"]) == ("draft", "red")
    assert {row["role"] for row in draft["missing_evidence"]} >= {"reference_sample", "current_sample"}
    assert all(row["why"] for row in draft["missing_evidence"])

    # the same again is the same submission; the same key with other content is refused
    assert ci.ask("POST", "/api/v1/submissions", body, Idempotency_Key="build-17").status == 200
    assert ci.ask("POST", "/api/v1/submissions", body).json["submission"] == number
    other = ci.ask("POST", "/api/v1/submissions", {**body, "version": "1.0.1"}, Idempotency_Key="build-17")
    assert other.status == 409, other.text

    # without a monitoring plan it stops at the checks, and says so; nothing may be deployed
    stopped = ci.through(number)
    assert stopped["state"] == "checks_failed", stopped["says"]
    assert stopped["exit_code"] == 1
    stopping = [gate for gate in stopped["gates"] if gate["blocking"] and gate["verdict"] in ("fail", "not_assessed")]
    assert "GM101" in {gate["code"] for gate in stopping}
    assert all(gate["fix"] for gate in stopping)
    before = ci.get(asked).json
    assert (before["allowed"], before["permit"]) == (False, None)
    assert before["reasons"]

    # answers and the missing file mend it; only what changed is measured again
    answered = ci.ask(
        "PATCH", f"/api/v1/submissions/{number}/answers", {"answers": {"monitoring.plan": MONITORS, "business.context": CONTEXT}}
    )
    assert answered.status == 200, answered.text
    revised = ci.ask("POST", f"/api/v1/submissions/{number}/revise", {"note": "monitors named"})
    assert revised.status == 200, revised.text
    reviewed = ci.through(number)
    assert reviewed["state"] == "in_review", (reviewed["says"], [g for g in reviewed["gates"] if g["verdict"] != "pass"])
    assert (reviewed["track_is_final"], reviewed["turn"][0], reviewed["exit_code"]) == (True, "analyst", 3)
    assert (reviewed["steps"][0]["role"], reviewed["steps"][-1]["role"]) == ("analyst", "risk_officer")

    # nothing new: 304, and a poll that waits
    seen = ci.get(f"/api/v1/submissions/{number}/verdict")
    same = ci.get(f"/api/v1/submissions/{number}/verdict?wait=1", If_None_Match=seen.headers["ETag"])
    assert (same.status, same.body) == (304, b"")

    # the formats of pipelines hold the same verdict
    markdown = ci.get(f"/api/v1/submissions/{number}/verdict", Accept="text/markdown")
    assert "Red track" in markdown.text and number in markdown.text
    sarif = json.loads(ci.get(f"/api/v1/submissions/{number}/verdict", Accept="application/sarif+json").text)
    codes = {gate["code"] for gate in reviewed["gates"]}
    assert sarif["version"] == "2.1.0" and {rule["id"] for rule in sarif["runs"][0]["tool"]["driver"]["rules"]} >= codes
    junit = ElementTree.fromstring(ci.get(f"/api/v1/submissions/{number}/verdict", Accept="application/junit+xml").body)
    assert {case.get("name", "").split()[0] for case in junit.iter("testcase")} & codes

    # a token decides nothing, whatever its scopes; the submitter does not either, and the risk officer waits for the analyst
    approval = {"dossier_digest": seen.json["dossier_digest"], "decision": "approve"}
    token = ci.ask("POST", f"/api/v1/submissions/{number}/decisions", approval)
    assert (token.status, token.json["code"]) == (403, "person_needed")
    people = {who: office.sign_in(who) for who in ("dana", "amir", "ruth")}
    assert people["dana"].decide(number, decision="approve").status == 403
    assert people["ruth"].decide(number, decision="approve", readings=readings(reviewed, "Ruth")).status == 403

    # people decide, each on the dossier as it is
    stale = people["amir"].decide(number, decision="approve", dossier_digest="sha256:" + "0" * 64)
    assert (stale.status, stale.json["code"]) == (409, "stale_dossier")
    unread = people["amir"].decide(number, decision="approve", comment="Bounded.", readings=readings(reviewed, "Amir"))
    assert (unread.status, unread.json["code"]) == (409, "not_attested")
    read_everything({who.username: who for who in Person.objects.all()}, Submission.objects.get(pk=number.removeprefix("S-")))
    assert readings(reviewed, "Amir"), "this case is meant to have a gate to be read"
    silent = people["amir"].decide(number, decision="approve", comment="fine")
    assert silent.status == 422
    unsaid = {error["pointer"].split("/")[1] for error in silent.json["errors"]}
    assert unsaid == {"readings", "checks", "comment", "rationale", "alternatives"}
    by_role = {"analyst": "amir", "privacy": "priya", "ethics": "esi", "risk_officer": "ruth"}
    while turns := ci.verdict(number)["turn"]:
        who = by_role[turns[0]]
        person = people.get(who) or office.sign_in(who)
        steps = ci.get(f"/api/v1/submissions/{number}").json["steps"]
        asked_of_it = next(step["checklist"] for step in steps if step["role"] == turns[0])
        signed = person.decide(
            number,
            decision="approve",
            comment="Read with the evidence and bounded.",
            rationale="It refuses fewer people wrongly than the champion, in every group.",
            alternatives="Keeping the champion, which refuses more of the young.",
            checks={item["id"]: {"answer": "yes"} for item in asked_of_it},
            readings=readings(reviewed, who),
            residual_risk="Wrong refusals of young customers remain; they can appeal, and a canary bounds the number.",
            residual_level="medium",
            residual_plan="The owner reads refusals by age each week and takes the canary back.",
            residual_review_on=(datetime.now(UTC) + timedelta(days=60)).date().isoformat(),
        )
        assert signed.status == 200, signed.text

    # the permit opens
    final = ci.verdict(number)
    assert (final["state"], final["exit_code"], final["final"]) == ("approved", 0, True)
    after = ci.get(asked).json
    assert after["allowed"] and after["submission"] == number and after["expires_at"]
    staging = ci.get(asked.replace("production", "staging")).json
    assert not staging["allowed"]
    assert office.reader.ask("POST", f"/api/v1/submissions/{number}/withdraw", {}).status == 403

    # the numbers are Fairlearn's own on the same file, and scikit-learn's
    view = ci.get(f"/api/v1/submissions/{number}").json
    scored = predictions(model, evaluation)
    y, decided = scored["label"], scored["decision"]
    rates = {
        "selection_rate": selection_rate,
        "true_positive_rate": true_positive_rate,
        "false_positive_rate": false_positive_rate,
    }
    frame = MetricFrame(metrics=rates, y_true=y, y_pred=decided, sensitive_features=scored["sex"])
    for metric in rates:
        for group, value in frame.by_group[metric].items():
            assert measured(view, f"fairness.{metric}", f"sex={group}")["value"] == pytest.approx(value, abs=1e-12)
    lowest, highest = sorted(frame.by_group["selection_rate"])
    pair = next(row for gate in view["gates"] for row in gate["measures"] if row["metric"] == "fairness.selection_rate_pair")
    assert pair["value"] == pytest.approx(demographic_parity_ratio(y, decided, sensitive_features=scored["sex"]), abs=1e-12)
    assert pair["value"] == pytest.approx(lowest / highest, abs=1e-12)
    auc = roc_auc_score(y, scored["score"])
    assert measured(view, "performance.candidate.roc_auc")["value"] == pytest.approx(auc, abs=1e-9)
    assert all(item["sha256"] for item in view["evidence"])


def test_two_published_models_on_332_900_rows_are_joined_whatever_their_order(office: Office, shared_data: Path) -> None:
    """Real prediction files, the candidate's and the champion's rows in another order: joined on their key."""
    folder = file_of(shared_data, "folktables/ACSIncome.test.parquet").parent
    rows = pd.read_parquet(folder / "ACSIncome.test.parquet")
    rows["sex"] = np.where(rows["SEX"] == 1.0, "male", "female")
    own, other = (
        pd.read_parquet(folder / "predictions" / name).join(rows[["PINCP", "sex"]], how="left", validate="one_to_one")
        for name in ("fairgbm_folktables.29.parquet", "group_threshold_folktables.20.parquet")
    )
    assert not own.index.equals(other.index)
    columns = {"label": "PINCP", "prediction": "predictions", "id": "index", "sensitive": ["sex"]}
    run = RunFacts(
        system="acs-income", version="29.0", framework="lightgbm", model_class="fairgbm.FairGBMClassifier", serialization="txt",
        features=["AGEP", "SCHL", "WKHP"], label="PINCP", auc=0.8, threshold=0.5, source_uri="s3://lake/credit/applications/acs-2018.parquet",
        intended_use="Estimates income for a first credit limit.", limitations="United States, 2018.", owner="credit-risk",
        trained_by="dana.okafor", dataset_digest=frame_digest(rows[["PINCP"]]), governance=standard_facts("credit"),
    )  # fmt: skip
    new = Version(
        "acs-income",
        "29.0",
        all_files(run, rows.head(1000)),
        {
            EvidenceRole.CANDIDATE_PREDICTIONS: ("fairgbm.parquet", parquet(own.reset_index()), columns, ""),
            EvidenceRole.BASELINE_PREDICTIONS: ("threshold.parquet", parquet(other.reset_index()), columns, ""),
        },
        FIRST,
    )
    number = office.ci.ask("POST", "/api/v1/submissions", office.ci.body_of(new)).json["submission"]
    office.ci.through(number)
    view = office.ci.get(f"/api/v1/submissions/{number}").json

    champion = other["predictions"].reindex(own.index)
    rate = measured(view, "rollback.flip_rate")
    assert (rate["n"], rate["value"]) == (332_900, pytest.approx((own["predictions"] != champion).mean(), abs=1e-12))
    by_group = MetricFrame(
        metrics=selection_rate, y_true=own["PINCP"], y_pred=own["predictions"], sensitive_features=own["sex"]
    ).by_group
    for group, value in by_group.items():
        found = measured(view, "fairness.selection_rate", f"sex={group}")
        assert (found["value"], found["n"]) == (pytest.approx(value, abs=1e-12), int((own["sex"] == group).sum()))


def test_compas_shows_the_false_positive_rates_that_propublica_reported(office: Office, shared_data: Path) -> None:
    file_of(shared_data, "compas/compas-scores-two-years.nopii.csv")
    published = {item["id"]: item["expected"] for item in json.loads(file_of(shared_data, "reference_figures.json").read_text())}
    compas_case(office.cast(), shared_data)
    row = office.ci.get("/api/v1/submissions?system=compas").json["results"][0]
    assert row["state"] == "checks_failed"
    view = office.ci.get(f"/api/v1/submissions/{row['submission']}").json
    groups = {"race=African-American": "propublica_black", "race=Caucasian": "propublica_white", "": "propublica_all"}
    for group, name in groups.items():
        found = measured(view, "fairness.false_positive_rate", group)
        assert round(100 * found["value"], 2) == published[name]["fpr_pct"]
        assert found["n"] == published[name]["fp"] + published[name]["tn"]
    gate = next(gate for gate in view["gates"] if gate["code"] == "GF103")
    assert gate["verdict"] == "fail" and "African-American" in gate["says"] + gate["group"]
