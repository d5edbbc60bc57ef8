"""Conditions in CEL from the pack to the verdict: tried before it comes into force, measured in the child, stored, judged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gates.models import GateRun, Measurement
from gates.services.judging import judge
from gates.services.local_runs import run_locally
from gates.services.planning import plan_runs
from gates.services.running import run_light
from governance.domain.errors import Conflict
from governance.domain.facts import FactSet
from governance.domain.vocabulary import RunStatus, Track, Verdict
from governance.models import PolicyPack, Revision
from governance.policy import Pack, evaluate, load_pack
from governance.selectors.access import SYSTEM
from governance.services.packs import load_pack_file
from governance.services.work import unit_of_work
from tests.gates import making
from tests.governance import making as people
from tests.reviews.making import PACK, QUESTIONNAIRE

pytestmark = pytest.mark.django_db

DOMAIN = {
    "id": "CE-001",
    "why": "The board asks for it.",
    "holds": 'facts["decision.domain"] != "credit" || facts["decision.human_review"] != ""',
    "says": "Decisions about credit name who looks at them.",
    "examples": [
        {"name": "elsewhere", "facts": {"decision.domain": "marketing"}, "gives": "holds"},
        {"name": "nobody looks", "facts": {"decision.domain": "credit", "decision.human_review": ""}, "gives": "broken"},
        {"name": "not said", "facts": {"decision.domain": "credit"}, "gives": "unknown"},
    ],
}


def text_of(*conditions: dict[str, Any]) -> str:
    use = {"gate": "GR108", "why": "House rules.", "tracks": ["green", "yellow", "red"], "blocking": True, "note": "house rule"}
    return json.dumps({**PACK, "gates": [use], "cel_conditions": conditions})


def planned(pack: Pack, **facts: Any) -> Any:
    of = making.submission(facts=facts)
    revision = Revision.objects.get(submission=of)
    known = FactSet.from_json(revision.facts)
    with unit_of_work(SYSTEM) as work:
        plan_runs(work, submission=of, revision=revision, pack=pack, assessment=evaluate(pack, known), facts=known)
    return of


def test_from_the_pack_to_a_stored_verdict() -> None:
    pack = load_pack(text_of(DOMAIN), json.dumps(QUESTIONNAIRE))
    for facts, verdict, words in (
        ({"decision.domain": "marketing"}, Verdict.PASS, "Every condition of the policy holds."),
        ({"decision.domain": "credit", "decision.human_review": ""}, Verdict.FAIL, "CE-001: Decisions about credit name"),
        ({"decision.domain": "credit"}, Verdict.NOT_ASSESSED, "Nobody has said decision.human_review."),
    ):
        of = planned(pack, **facts)
        assert run_light(of.pk, worker="w") == 1
        run = GateRun.objects.get(submission=of)
        assert (run.collector, run.status) == ("policy_conditions", RunStatus.DONE), run.error
        assert run.inputs["settings"]["cel_conditions"][0]["facts"] == facts, "frozen with the run"
        stored = Measurement.objects.get(run=run)
        assert (stored.metric, stored.group) == ("condition.holds", "condition=CE-001")
        with unit_of_work(SYSTEM) as work:
            (outcome,) = judge(work, submission=of, revision=1, pack=pack, track=Track.RED)
        assert (outcome.code, outcome.verdict, outcome.blocking) == ("GR108", verdict, True)
        assert words in outcome.says


def test_without_a_server_the_same_is_said() -> None:
    pack = load_pack(text_of(DOMAIN), json.dumps(QUESTIONNAIRE))
    ran = run_locally("GR108", files=[], facts=FactSet.of([]), pack=pack, track=Track.RED)
    assert ran.result.verdict is Verdict.NOT_ASSESSED and "Nobody has said decision.domain" in ran.result.says


def test_a_pack_with_an_example_that_fails_does_not_come_into_force(tmp_path: Path) -> None:
    file = tmp_path / "ml_model.yaml"
    (tmp_path / "questionnaires").mkdir()
    (tmp_path / "questionnaires" / "ml_model.yaml").write_text(json.dumps(QUESTIONNAIRE))
    wrong = {**DOMAIN, "examples": [*DOMAIN["examples"][:2], {**DOMAIN["examples"][2], "gives": "holds"}]}
    file.write_text(text_of(wrong))
    with pytest.raises(
        Conflict, match=r"“not said” should give holds, and gives unknown \(Nobody has said decision.human_review\)"
    ):
        load_pack_file(caller=SYSTEM, path=file)
    assert not PolicyPack.objects.exists()
    file.write_text(text_of(DOMAIN))
    assert load_pack_file(caller=SYSTEM, path=file)[1]
    page = people.browser(people.person("dana")).get("/policies").content.decode()
    assert 'id="CE-001"' in page and "Decisions about credit name who looks at them." in page and "nobody looks: broken" in page
