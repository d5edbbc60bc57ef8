"""The message after the last run settles a submission, in a real worker. A relay runs beside it: a message may be lost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from governance.domain.vocabulary import Role
from governance.selectors.access import SYSTEM
from governance.services.packs import load_shipped_packs
from tests.reviews import making
from tests.reviews.test_api import Api
from tests.reviews.test_api_shipped_pack import body


@pytest.fixture
def relay(stack: Any, worker: Any, database_url: str) -> Iterator[Any]:
    """The beat that sends again what nobody took: earlier tests leave the sender thinking that the broker is away."""
    running = stack.start_beat(database_url)
    yield running
    running.stop(seconds=2)


def test_a_submission_is_measured_and_settled_by_the_worker(worker: Any, relay: Any) -> None:
    load_shipped_packs(caller=SYSTEM)
    ci = Api(making.person("dana", Role.SUBMITTER))
    made = ci("POST", "/submissions", body())
    verdict, tag = made.json(), ""
    for _ in range(8):
        answer = ci("GET", f"/submissions/{verdict['submission']}/verdict?wait=20", **({"If_None_Match": tag} if tag else {}))
        if answer.status_code == 200:
            verdict, tag = answer.json(), answer["ETag"]
        if verdict["turn"] != ["machine"]:
            break
    assert verdict["state"] == "checks_failed", worker.said()[-2000:]
    assert verdict["track_is_final"] is True
    # no predictions were handed in: what needs them is not assessed and says which file is missing
    missing = [g for g in verdict["gates"] if g["verdict"] == "not_assessed" and g["blocking"]]
    assert missing
    assert any("candidate_predictions" in g["says"] for g in missing)
