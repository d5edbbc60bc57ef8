"""The scorecard of a system: accuracy, people and law side by side, of the version in force, else of the newest judged."""

from __future__ import annotations

import pytest
from django.test import Client

from governance.domain.vocabulary import Track
from reviews.selectors.scorecard import ACCURACY, LAW, PEOPLE, family_of, scorecard
from reviews.services.deciding import decide
from tests.reviews import making

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    ("code", "family"), [("GP101", ACCURACY), ("GF101", PEOPLE), ("GX101", PEOPLE), ("GX104", LAW), ("GD108", LAW), ("GR101", "")]
)
def test_each_gate_has_its_family(code: str, family: str) -> None:
    assert family_of(code) == family


def test_three_families_of_the_version_in_force() -> None:
    people = making.everybody()
    gates = (
        making.Gate("GP101", "pass", says="as good as before"),
        making.Gate("GF101", "warn", says="one group is close to the limit"),
        making.Gate("GD108", "pass", says="every source has its legal basis"),
    )
    first = making.in_review(Track.YELLOW, version="1.0", gates=gates)
    early = scorecard(first.system)
    assert early is not None and not early.champion and early.submission == first
    readings = {"GF101": "The group is watched weekly and the canary bounds what it can cost anybody."}
    approval = making.approve(readings=readings)
    decide(caller=making.call(people["pia"]), submission_id=first.pk, dossier_digest=first.dossier_digest, decision=approval)
    making.in_review(Track.YELLOW, version="2.0", gates=gates)
    card = scorecard(first.system)
    assert card is not None and card.champion and card.submission.version.version == "1.0"
    assert [(family.title, [row.code for row in family.rows]) for family in card.families] == [
        (ACCURACY, ["GP101"]),
        (PEOPLE, ["GF101"]),
        (LAW, ["GD108"]),
    ]
    client = Client()
    client.force_login(people["amir"], backend="django.contrib.auth.backends.ModelBackend")
    page = client.get(f"/systems/{first.system_id}").content.decode()
    assert "Scorecard of 1.0" in page and "one group is close to the limit" in page and "every source has its legal basis" in page
