"""Every page that is about a policy is there for each kind; a kind is added by pack files alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from governance.domain.vocabulary import Kind
from governance.models import Submission, System
from governance.selectors.access import SYSTEM
from governance.selectors.policy import installed_kinds, pack_in_force
from governance.services.packs import PACKS, load_pack_file
from tests.governance import making

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _policy() -> None:
    making.policy()


@pytest.mark.parametrize(("kind", "says"), [("application", "GA105"), ("data_pipeline", "GL101"), ("ml_model", "GP101")])
def test_policy_what_if_and_new_submission_for_each_kind(kind: str, says: str) -> None:
    client = making.browser(making.person("dana"))
    page = client.get(f"/policies?kind={kind}").content.decode()
    assert f'href="/policies?kind={kind}"' in page and says in page
    page = client.get(f"/what-if?kind={kind}").content.decode()
    assert f'name="kind" value="{kind}"' in page
    assert f'<option value="{kind}"' in client.get("/submissions/new").content.decode()
    client.post("/submissions/new", {"system": "shop", "kind": kind, "version": "1.0.0", "environment": "production"})
    row = Submission.objects.get()
    assert (row.kind, row.system.kind) == (kind, kind)
    assert client.get(f"/submissions/{row.number}/prepare").status_code == 200


def test_what_if_of_an_application_moves_with_its_facts() -> None:
    client = making.browser(making.person("dana"))
    usual = {"kind": "application", "app.exposure": "internal", "app.data_classes": "internal", "change.touches": "none"}
    inside = client.post("/what-if", {**usual, "data.contains_pii": "true"}).content.decode()
    assert "holds personal data inside the build" in inside
    without = client.post("/what-if", {**usual, "data.contains_pii": "false"}).content.decode()
    assert "holds personal data inside the build" not in without
    assert not System.objects.exists()


def test_each_rule_is_explained_under_an_address_of_its_own() -> None:
    """Two kinds may have a rule of the same number; what is explained is that of the kind."""
    slugs = {kind.kind: {rule.learn for rule in pack_in_force(kind.kind)[1].rules} for kind in installed_kinds()}
    assert not set.intersection(*slugs.values()) and sum(map(len, slugs.values())) == len(set.union(*slugs.values()))
    page = making.browser(making.person("dana")).get("/learn/personal-data-in-builds").content.decode()
    assert "no exceptions" in page


def test_a_kind_nobody_wrote_a_pack_for_is_refused() -> None:
    client = making.browser(making.person("dana"))
    assert client.get("/what-if?kind=rocket").status_code == 404
    token = making.token(making.person("dana"))
    body = {"system": "moon", "kind": "rocket", "version": "1.0.0"}
    answer = client.post("/api/v1/submissions", body, content_type="application/json", **making.bearer(token))
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "no_policy")
    asked = client.post("/api/v1/preview", body, content_type="application/json", **making.bearer(token))
    assert (asked.status_code, asked.json()["errors"][0]["pointer"]) == (422, "/kind")
    odd = client.post("/api/v1/submissions", {**body, "kind": "No!"}, content_type="application/json", **making.bearer(token))
    assert (odd.status_code, odd.json()["errors"][0]["pointer"]) == (422, "/kind")
    assert not System.objects.exists()


def test_a_kind_is_added_by_two_files(tmp_path: Path) -> None:
    """A pack and a questionnaire for `genai`: form, API, policy page and gates know it, and no code or migration changed."""
    (tmp_path / "questionnaires").mkdir()
    source = (PACKS / "ml_model.yaml").read_text(encoding="utf-8")
    questions = (PACKS / "questionnaires" / "ml_model.yaml").read_text(encoding="utf-8")
    source = source.replace("pack: ml_model", "pack: genai", 1).replace("title: ML models", "title: Generative models", 1)
    source = source.replace("kind: ml_model", "kind: genai\njudged_like: ml_model", 1)
    source = source.replace("questionnaires/ml_model.yaml", "questionnaires/genai.yaml")
    (tmp_path / "genai.yaml").write_text(source, encoding="utf-8")
    text = questions.replace("questionnaire: ml_model", "questionnaire: genai", 1)
    (tmp_path / "questionnaires" / "genai.yaml").write_text(text, encoding="utf-8")
    load_pack_file(caller=SYSTEM, path=tmp_path / "genai.yaml")

    assert [each.kind for each in installed_kinds()] == [Kind.ML_MODEL, Kind.APPLICATION, Kind.DATA_PIPELINE, Kind("genai")]
    dana = making.person("dana")
    client = making.browser(dana)
    assert '<option value="genai"' in client.get("/submissions/new").content.decode()
    assert "Generative models" in client.get("/policies?kind=genai").content.decode()
    bearer = making.bearer(making.token(dana))
    body = {"system": "answers", "kind": "genai", "version": "1.0.0", "answers": {"decision.domain": "credit"}}
    preview = client.post("/api/v1/preview", body, content_type="application/json", **bearer).json()
    assert (preview["track"], preview["policy"]["pack"]) == ("red", "genai")
    made = client.post("/api/v1/submissions", body, content_type="application/json", **bearer)
    assert made.status_code == 201, made.content
    row = Submission.objects.get()
    assert (row.kind, row.policy and row.policy.name) == ("genai", "genai")
    assert client.get("/api/v1/gates?kind=genai", **bearer).json() == client.get("/api/v1/gates?kind=ml_model", **bearer).json()
    assert client.get("/api/v1/policies/genai", **bearer).json()["pack"]["judged_like"] == "ml_model"
