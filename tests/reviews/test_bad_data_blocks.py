"""A data set with errors on purpose, handed in as a pipeline does: the build fails, and it says which columns and how often."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from governance.domain.vocabulary import Role
from governance.selectors.access import SYSTEM
from governance.services.packs import load_shipped_packs
from reviews.services.settling import settle
from tests.gates.engine.test_engine import all_finished, until
from tests.reviews import making
from tests.reviews.test_api import Api
from tests.reviews.test_api_shipped_pack import METADATA, body

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(280)]


@pytest.fixture
def relay(stack: Any, worker: Any, database_url: str) -> Iterator[Any]:
    """The beat that sends what nobody took: what this process sends does not have to arrive."""
    running = stack.start_beat(database_url)
    yield running
    running.stop(seconds=2)


def result(*, broken: bool) -> bytes:
    """A Great Expectations result of "age between 0 and 120" and "no nulls in target"."""

    def one(kind: str, column: str, unexpected: int) -> dict[str, Any]:
        counted = {"element_count": 1_000, "unexpected_count": unexpected, "unexpected_percent": unexpected / 10}
        more = {"min_value": 0, "max_value": 120} if "between" in kind else {}
        return {
            "success": not unexpected,
            "expectation_config": {"type": kind, "kwargs": {"column": column, **more}, "meta": {}},
            "result": counted,
            "meta": {},
            "exception_info": {"raised_exception": False},
        }

    rows = [
        one("expect_column_values_to_be_between", "age", 37 if broken else 0),
        one("expect_column_values_to_not_be_null", "target", 12 if broken else 0),
    ]
    good = sum(row["success"] for row in rows)
    sample = json.loads((METADATA / "gx-1.24.1.validation_result.json").read_text())
    counted = {
        "evaluated_expectations": 2,
        "successful_expectations": good,
        "unsuccessful_expectations": 2 - good,
        "success_percent": 50.0 * good,
    }
    return json.dumps({**sample, "success": not broken, "results": rows, "statistics": counted}).encode()


def built(ci: Api, version: str, report: bytes) -> dict[str, Any]:
    """What the pipeline is told in the end."""
    stored = ci.client.generic(
        "POST",
        "/api/v1/evidence?name=validation.json",
        report,
        content_type="application/json",
        headers={"Authorization": f"Bearer {ci.secret}"},
    )
    assert stored.status_code in (200, 201), stored.content
    evidence = [{"role": "data_quality_report", "sha256": stored.json()["sha256"]}]
    made = ci("POST", "/submissions", {**body(), "version": version, "evidence": evidence})
    assert made.status_code == 201, made.content
    number = made.json()["submission"]
    assert until(all_finished, 150, relay=False)
    settle(submission_id=int(number.removeprefix("S-")))
    return dict(ci("GET", f"/submissions/{number}/verdict").json())


def gate(verdict: dict[str, Any], code: str) -> dict[str, Any]:
    return next(dict(each) for each in verdict["gates"] if each["code"] == code)


def test_a_data_set_with_errors_blocks_the_build_and_names_columns_and_counts(worker: Any, relay: Any) -> None:
    load_shipped_packs(caller=SYSTEM)
    ci = Api(making.person("dana", Role.SUBMITTER))
    bad = built(ci, "2.3.0", result(broken=True))
    assert (bad["state"], bad["exit_code"]) == ("checks_failed", 1)
    said = gate(bad, "GD101")
    assert (said["verdict"], said["blocking"]) == ("fail", True)
    assert "age" in said["says"] and "37 rows" in said["says"], said["says"]
    assert "GD101" in {finding["about"] for finding in bad["findings"] if finding["state"] == "open"}
    # the gate's sentence is about the worst one; the case names them all
    whole = gate(dict(ci("GET", f"/submissions/{bad['submission']}").json()), "GD101")
    failed = {row["group"].rpartition("column=")[2]: row["value"] for row in whole["measures"] if "column=" in row["group"]}
    assert (failed["age"], failed["target"]) == (37, 12), whole["measures"]
    good = built(ci, "2.4.0", result(broken=False))
    assert gate(good, "GD101")["verdict"] != "fail"
