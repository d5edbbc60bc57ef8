"""A changed policy file judges what is handed in from then on, and nothing that was handed in before."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from governance.domain.vocabulary import Role, Track
from governance.models import PolicyPack, Submission, TrackDecision
from governance.selectors.access import SYSTEM
from governance.selectors.policy import pack_of
from governance.services.packs import PACKS, load_pack_file
from reviews.services.intake import submit
from tests.governance import making

pytestmark = pytest.mark.django_db


def changed_pack(folder: Path) -> PolicyPack:
    """Red asks for a security review first, and the fairness gate is gone."""
    document = yaml.safe_load((PACKS / "ml_model.yaml").read_text())
    document["version"] = "2026.12.1"
    steps = document["tracks"]["red"]["steps"]
    document["tracks"]["red"]["steps"] = [{**steps[0], "role": "security", "attests": "It holds no code."}, *steps]
    document["gates"] = [use for use in document["gates"] if use["gate"] != "GF101"]
    document = json.loads(json.dumps(document))  # a step written twice would be dumped as an alias
    (folder / "questionnaires").mkdir()
    (folder / "questionnaires" / "ml_model.yaml").write_text((PACKS / "questionnaires" / "ml_model.yaml").read_text())
    path = folder / "ml_model.yaml"
    path.write_text(yaml.safe_dump(document, allow_unicode=True))
    return load_pack_file(caller=SYSTEM, path=path)[0]


def handed_in(version: str) -> Submission:
    row = making.opened(making.new(version, answers={"decision.domain": "credit"}))
    submit(caller=making.caller(), submission_id=row.pk)
    return Submission.objects.select_related("policy").get(pk=row.pk)


def plan(row: Submission) -> tuple[list[str], set[str]]:
    """(roles that have to sign, gates) by the decision that was stored for it."""
    stored = TrackDecision.objects.filter(submission=row).latest("id").assessment
    return [step["role"] for step in stored["steps"]], {gate["code"] for gate in stored["gates"]}


def test_a_new_pack_changes_new_submissions_and_no_old_one(tmp_path: Path) -> None:
    making.policy()
    old = handed_in("1.0.0")
    before = plan(old)
    assert old.policy is not None
    first = old.policy
    second = changed_pack(tmp_path)
    new = handed_in("2.0.0")

    assert (old.track, new.track) == (Track.RED, Track.RED)
    assert plan(Submission.objects.get(pk=old.pk)) == before
    assert before[0][0] == Role.ANALYST and "GF101" in before[1]
    roles, gates = plan(new)
    assert roles[0] == Role.SECURITY and "GF101" not in gates

    again = Submission.objects.select_related("policy").get(pk=old.pk)
    assert again.policy == first and new.policy == second
    assert pack_of(first).version != pack_of(second).version == "2026.12.1"
