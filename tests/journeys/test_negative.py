"""What must not get through does not: in the browser of the submitter, in the reviewers' queue, over REST and by exit code.

Five versions with one planted fault each, and a sound one beside them, on the same servers: age outside 0 to 120, nulls in the
target, AUC under 0.8, disparity ratio over 1.25, no monitor. The house pack asks for 0.8 in so many words.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gates.simulator.models import auc, predictions, train
from gates.simulator.populations import lender
from governance.domain.vocabulary import EvidenceRole
from governance.models import Person
from governance.selectors.access import SYSTEM
from governance.services.packs import PACKS, load_pack_file
from reviews.demo.handing_in import Version, build
from reviews.demo.people import load_people, load_tokens
from reviews.demo.usual import FIRST, standard_facts
from tests.client.running import Client
from tests.journeys.at_the_screen import Screen
from tests.journeys.speaking import Pipeline
from tests.reviews.test_bad_data_blocks import result
from tests.stack import Running, Stack

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.timeout(600)
ROWS = 2_500


@dataclass(frozen=True)
class Fault:
    """One planted fault: the gate that has to stop it, and words that have to be in its reason."""

    gate: str
    words: tuple[str, ...]


FAULTS: Mapping[str, Fault] = {
    "age-out-of-range": Fault("GD101", ("age", "37")),
    "nulls-in-the-target": Fault("GD101", ("target", "12")),
    "auc-under-0.8": Fault("GP102", ("AUC", "0.80")),
    "disparity-over-1.25": Fault("GF101", ("sex=", "1.25")),
    "no-monitor": Fault("GM101", ("monitor",)),
}


@pytest.fixture
def demo_web(stack: Stack, worker: Running, transactional_db: None, database_url: str) -> Iterator[Running]:
    """The web server with the demo's sign-in links, and the beat whose relay sends what nobody took."""
    beat = stack.start_beat(database_url)
    running = stack.start_web(database_url, GUIDERAIL_DEMO="1")
    yield running
    running.stop(seconds=3)
    beat.stop(seconds=2)


@pytest.fixture
def people(demo_web: Running, tmp_path: Path) -> dict[str, Person]:
    """The demo's people, and a house pack in force that wants an AUC of 0.8 for credit (the ratio of 0.8 is the shipped one)."""
    people = load_people()
    shipped = (PACKS / "ml_model.yaml").read_text(encoding="utf-8")
    stricter = shipped.replace("credit: {floors: {roc_auc: 0.70,", "credit: {floors: {roc_auc: 0.80,")
    assert stricter != shipped and "limits: {min_ratio: 0.8}" in shipped
    (tmp_path / "questionnaires").mkdir()
    (tmp_path / "questionnaires" / "ml_model.yaml").write_text((PACKS / "questionnaires" / "ml_model.yaml").read_text())
    (tmp_path / "ml_model.yaml").write_text(stricter, encoding="utf-8")
    load_pack_file(caller=SYSTEM, path=tmp_path / "ml_model.yaml")
    return people


def quality_report(column: str) -> bytes:
    """A Great Expectations result with one of the two expectations failing."""
    body = json.loads(result(broken=True))
    for row in body["results"]:
        if row["expectation_config"]["kwargs"]["column"] != column:
            row["success"] = True
            row["result"] |= {"unexpected_count": 0, "unexpected_percent": 0.0}
    body["statistics"] |= {"successful_expectations": 1, "unsuccessful_expectations": 1, "success_percent": 50.0}
    return json.dumps(body).encode()


def versions() -> dict[str, Version]:
    """One system each, so that none is the champion of another. All but the sound one bring only what their own gate reads."""
    training, evaluation = lender(ROWS, seed=71), lender(ROWS, seed=72)
    sound = train(training, seed=1, trees=25, depth=3)
    weak = train(training, seed=1, trees=25, depth=3, scramble=("utilisation",))
    assert 0.70 < auc(predictions(weak, evaluation)) < 0.79 < 0.82 < auc(predictions(sound, evaluation))
    uneven = train(lender(ROWS, seed=71, disparity=3.0), seed=1, trees=25, depth=3)

    def version(name: str, *roles: EvidenceRole, candidate: Any = sound, **governance: Any) -> Version:
        facts = standard_facts("credit", **{"data.consent_basis": "contract"}) | governance
        return build(
            system=name,
            version="1.0.0",
            candidate=candidate,
            champion=None,
            training=training,
            evaluation=evaluation,
            source="s3://lake/credit/applications/2026q3.parquet",
            intended_use="Decides on limit increases for existing customers of the lender.",
            limitations="Trained on customers with six months of history.",
            owner="credit-risk",
            governance={name: value for name, value in facts.items() if value is not None},
            answers=FIRST,
            leave_out=[role for role in EvidenceRole if roles and role not in roles],
        )

    def with_report(name: str, column: str) -> Version:
        new = version(name, EvidenceRole.DATA_QUALITY_REPORT)
        report = ("validation.json", quality_report(column), {}, "")
        return replace(new, evidence={**new.evidence, EvidenceRole.DATA_QUALITY_REPORT: report})

    scored = EvidenceRole.CANDIDATE_PREDICTIONS
    return {
        "sound": version("sound"),
        "age-out-of-range": with_report("age-out-of-range", "age"),
        "nulls-in-the-target": with_report("nulls-in-the-target", "target"),
        "auc-under-0.8": version("auc-under-08", scored, candidate=weak),
        "disparity-over-1.25": version("disparity-over-125", scored, candidate=uneven),
        "no-monitor": version("no-monitor", EvidenceRole.DOCUMENT, **{"monitoring.plan": None}),
    }


def test_each_fault_blocks_in_the_browser_over_rest_and_by_exit_code(
    browser: Browser, demo_web: Running, people: dict[str, Person], tmp_path: Path
) -> None:
    token = load_tokens(people)["ci"]
    ci, command = Pipeline(demo_web.url, token), Client(tmp_path, demo_web.url, token)
    began = time.monotonic()
    numbers = {}
    for name, new in versions().items():
        made = ci.ask("POST", "/api/v1/submissions", ci.body_of(new))
        assert made.status == 201, made.text
        numbers[name] = made.json["submission"]
    print(f"handed in after {time.monotonic() - began:.0f} s")
    verdicts = {name: ci.through(number, seconds=300) for name, number in numbers.items()}
    print(f"six submissions measured in {time.monotonic() - began:.0f} s")

    # the sound one goes to its reviewers, so an empty queue proves nothing
    assert verdicts["sound"]["state"] == "in_review", stopping(verdicts["sound"])
    fine = {gate["code"] for gate in verdicts["sound"]["gates"] if gate["verdict"] in ("pass", "warn")}
    assert fine >= {fault.gate for fault in FAULTS.values()}
    dana, amir = (Screen.open(browser, demo_web.url, people[who]) for who in ("dana", "amir"))
    amir.go("/queue")
    queue = amir.text()
    assert numbers["sound"] in queue
    for name, fault in FAULTS.items():
        number, verdict = numbers[name], verdicts[name]
        # over REST
        assert (verdict["state"], verdict["final"], verdict["turn"]) == ("checks_failed", False, ["submitter"]), name
        said = next(gate for gate in verdict["gates"] if gate["code"] == fault.gate)
        assert (said["verdict"], said["blocking"]) == ("fail", True), (name, said)
        assert all(word in said["says"] for word in fault.words), (name, said["says"])
        assert fault.gate in {finding["about"] for finding in verdict["findings"] if finding["state"] == "open"}
        asked = f"/api/v1/permits?system={verdict['system']}&version=1.0.0&environment=production"
        assert ci.get(asked).json["allowed"] is False
        # by exit code
        assert verdict["exit_code"] == 1
        waited = command("wait", number)
        assert waited.code == 1, (name, waited.out, waited.err)
        assert fault.gate in waited.out
        # in the browser: the submitter is told what and what to do, and reviewers do not see it
        dana.go(f"/submissions/{number}")
        page = dana.text()
        assert "Checks failed" in page and said["says"] in page and said["fix"] in page, name
        assert number not in queue
        amir.go(f"/submissions/{number}")
        assert amir.page.get_by_role("link", name="Approve", exact=True).count() == 0
    for screen in (dana, amir):
        assert not screen.said
        screen.close()


def stopping(verdict: Any) -> list[tuple[str, str]]:
    return [(gate["code"], gate["says"]) for gate in verdict["gates"] if gate["blocking"] and gate["verdict"] != "pass"]
