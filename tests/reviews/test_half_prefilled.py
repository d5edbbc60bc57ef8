"""Two files that every MLflow user has fill at least half of the questionnaire, and each answer says file and place."""

from __future__ import annotations

import pytest

from governance.domain.vocabulary import Role
from governance.selectors.access import SYSTEM
from governance.services.packs import load_shipped_packs
from tests.reviews import making
from tests.reviews.test_api import Api
from tests.reviews.test_api_shipped_pack import METADATA

pytestmark = pytest.mark.django_db(transaction=True)

FILES = ("mlflow-3.17.2.MLmodel.yaml", "mlflow-3.17.2.run.json")


def test_an_mlmodel_and_a_run_fill_half_of_the_questions_and_each_shows_file_and_place() -> None:
    load_shipped_packs(caller=SYSTEM)
    ci = Api(making.person("dana", Role.SUBMITTER))
    sources = [{"name": name, "content": (METADATA / name).read_text()} for name in FILES]
    verdict = ci("POST", "/submissions", {"system": "credit-default", "version": "2.3.0", "sources": sources}).json()
    questions = verdict["questions"]
    assert questions["prefilled"] >= questions["total"] / 2, questions
    view = ci("GET", f"/submissions/{verdict['submission']}").json()
    filled = [answer for answer in view["answers"] if answer["answered"]]
    assert len(filled) == questions["prefilled"]
    for answer in filled:
        origin, place = answer["provenance"]["origin"], answer["provenance"]["locator"]
        assert origin and place, answer
    read = {answer["provenance"]["origin"] for answer in filled}
    assert read & set(FILES), read
