"""Which decisions become different: said on release as it was measured, on rollback the other way round."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gates.collecting import Collected, Inputs
from gates.metrics import rollback
from gates.selectors.decision_differences import differences_going_back, differences_of
from gates.services.claiming import claim_light
from gates.services.finishing import Result, finish
from governance.domain.vocabulary import Role, Track
from governance.models import AuditEvent, Submission
from reviews.models import ChangeNote, DownstreamTeam, Notification
from reviews.selectors.dossier import current_digest
from reviews.services.deciding import decide
from tests.gates import making as runs
from tests.gates.readers.making import evidence
from tests.reviews import making
from tests.reviews.test_deployments import approved, call, deploy

pytestmark = pytest.mark.django_db(transaction=True)
COLUMNS = {"id": "k", "label": "y", "prediction": "d", "score": "p", "sensitive": ["region"]}


def measured(folder: Path) -> Collected:
    """A thousand cases: sixty in the north go from 0 to 1, and twenty in the south from 1 to 0."""
    n = 1_000
    champion = np.where(np.arange(n) < 500, 0.3, 0.7)
    candidate = champion.copy()
    candidate[:60], candidate[980:] = 0.6, 0.35
    region = np.where(np.arange(n) < 200, "north", "south")
    files = {}
    for role, scores in (("candidate_predictions", candidate), ("baseline_predictions", champion)):
        frame = pd.DataFrame({"k": np.arange(n), "y": 0, "p": scores, "d": (scores >= 0.5).astype(int), "region": region})
        frame.to_parquet(folder / f"{role}.parquet")
        files[role] = evidence(folder / f"{role}.parquet", COLUMNS, role=role)
    return rollback.collect(Inputs(files, {}))


def compared(row: Submission, champion: Submission, folder: Path) -> None:
    Submission.objects.filter(pk=row.pk).update(champion=champion)
    runs.run(row, "rollback")
    (claim,) = claim_light(row.pk, worker="w")
    finish([Result(claim, collected=measured(folder))])


def test_counts_segments_and_examples_and_the_same_the_other_way_round(tmp_path: Path) -> None:
    first, second = making.in_review(Track.YELLOW, version="1.0"), making.in_review(Track.YELLOW, version="2.0")
    assert differences_of(second) is None
    compared(second, first, tmp_path)
    there = differences_of(making.fresh(second))
    assert there is not None and (there.rows, there.up, there.down) == (1_000, 60, 20)
    assert [(part.group, round(part.rate * part.rows), part.rows) for part in there.segments] == [
        ("region=north", 60, 200),
        ("region=south", 20, 800),
    ]
    assert there.says == (
        "80 of 1,000 compared decisions (8.0%) become different: 60 from 0 to 1, 20 from 1 to 0. "
        "Most in region=north 30.0% of 200; region=south 2.5% of 800."
    )
    assert there.examples[0] == ("980", "0.7000", "0.3500") and len(there.examples) == 10
    back = differences_going_back(making.fresh(second), "1.0")
    assert back is not None and (back.up, back.down, back.examples[0]) == (20, 60, ("980", "0.3500", "0.7000"))
    assert differences_going_back(making.fresh(second), "0.9") is None, "another version was never compared"


def test_a_rollback_says_which_decisions_change_back_to_everybody_who_has_to_know(tmp_path: Path) -> None:
    people = making.everybody() | {"cora": making.person("cora", Role.PRODUCT)}
    first = approved(people, "1.0")
    DownstreamTeam.objects.create(
        system_id=first.system_id,
        unit_id=first.unit_id,
        name="Collections",
        uses="Sorts by it.",
        contact=people["cora"],
        added_by=people["pia"],
    )
    deploy(people, "1.0")
    facts = making.facts_for(Track.YELLOW, rollout__rollback_target="1.0")
    second = making.in_review(Track.YELLOW, version="2.0", facts=facts)
    compared(second, first, tmp_path)
    second = making.fresh(second)
    decide(
        caller=making.call(people["pia"]),
        submission_id=second.pk,
        dossier_digest=current_digest(second.pk),
        decision=making.approve(),
    )
    live = deploy(people, "2.0").json()["id"]
    words = "80 of 1,000 compared decisions (8.0%) become different: 60 from 0 to 1"
    assert words in ChangeNote.objects.get(what="deployed", submission=second).says
    assert call(people, f"deployments/{live}/rollback", {"reason": "It answers far too slowly."}).status_code == 200
    again = "80 of 1,000 compared decisions (8.0%) become different: 20 from 0 to 1, 60 from 1 to 0. Most in region=north"
    assert again in ChangeNote.objects.get(what="rolled_back").says
    assert again in Notification.objects.filter(kind="rolled_back").first().says  # type: ignore[union-attr]
    event = json.loads(AuditEvent.objects.get(action="deployment.rolled_back").payload)["data"]
    assert event["differences"]["up"] == 20 and event["differences"]["segments"][0][0] == "region=north"
    assert event["differences"]["examples"][0] == ["980", "0.3500", "0.7000"]
