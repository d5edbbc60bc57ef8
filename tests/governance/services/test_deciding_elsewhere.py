"""Decisions in Rego: what a real engine says, and that no answer is never a yes."""

from __future__ import annotations

import copy
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from governance.services.deciding_elsewhere import FACTS, PIPELINES, NoDecision, decide
from tests.stack import ROOT

MANIFESTS = ROOT / "tests" / "data" / "manifests"


def documents(name: str) -> list[Any]:
    return list(yaml.safe_load_all((MANIFESTS / name).read_text()))


@pytest.mark.parametrize("name", ["argo-workflow.yaml", "kfp-2.17.0.pipeline.yaml"])
def test_a_manifest_with_a_monitoring_step_passes_and_without_it_the_label_is_named(name: str) -> None:
    given = documents(name)
    assert decide(PIPELINES, {"documents": given}).allowed
    text = json.dumps(given).replace('"guiderail.io/step": "monitoring"', '"guiderail.io/step": "training"')
    refused = decide(PIPELINES, {"documents": json.loads(text)})
    assert refused.deny == (
        "credit-default-training has no step with the label 'monitoring'. "
        "Give the pod of that step the label guiderail.io/step: monitoring.",
    )


def test_a_cron_workflow_and_what_kubeflow_pipelines_1_compiles_to() -> None:
    template = documents("argo-workflow.yaml")[0]
    cron = {**copy.deepcopy(template), "kind": "CronWorkflow", "spec": {"schedule": "@daily", "workflowSpec": template["spec"]}}
    assert decide(PIPELINES, {"documents": [cron]}).allowed
    cron["spec"]["workflowSpec"] = {"templates": [{"name": "train"}]}
    assert not decide(PIPELINES, {"documents": [cron]}).allowed
    old = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"generateName": "churn-"},
        "spec": {"templates": []},
    }
    assert "churn-" in decide(PIPELINES, {"documents": [old]}).deny[0]


@pytest.mark.parametrize("given", [[], [{}], [None], ["text"], [{"kind": "Pod", "apiVersion": "v1"}], {}, None])
def test_what_is_no_pipeline_is_not_allowed(given: Any) -> None:
    assert "no pipeline manifest" in decide(PIPELINES, {"documents": given}).deny[0]


def test_the_example_over_facts(settings: Any, tmp_path: Path) -> None:
    with pytest.raises(NoDecision, match="GUIDERAIL_OPA_URL"):
        decide(FACTS, {"facts": {}})
    settings.REGO_DIR = str(ROOT / "integrations" / "opa")
    full = decide(FACTS, {"facts": {"rollout.strategy": "full", "decision.automated": True, "vendor.third_party": True}})
    assert len(full.deny) == 1 and "canary" in full.deny[0] and "procurement" in full.warn[0]
    assert decide(FACTS, {"facts": {"rollout.strategy": "canary"}}).allowed
    with pytest.raises(NoDecision, match="No Rego module"):
        decide(PIPELINES, {"documents": []})
    settings.REGO_DIR = str(tmp_path)
    with pytest.raises(NoDecision, match=r"no \.rego file"):
        decide(FACTS, {})
    (tmp_path / "broken.rego").write_text("package guiderail.decision\nallow if {")
    with pytest.raises(NoDecision, match="cannot be evaluated"):
        decide(FACTS, {})
    (tmp_path / "broken.rego").write_text("package guiderail.decision\n\nimport rego.v1\n\ndefault allow := false\n")
    assert "gives no reason" in decide(FACTS, {}).deny[0], "a changed file is read again"


@pytest.fixture
def opa(settings: Any) -> Iterator[Callable[[int, Any], list[Any]]]:
    asked: list[Any] = []
    said: dict[str, Any] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            asked.append((self.path, self.headers.get("Authorization"), json.loads(body)))
            out = said["body"] if isinstance(said["body"], bytes) else json.dumps(said["body"]).encode()
            self.send_response(said["status"])
            self.send_header("Content-Length", str(len(out)))
            self.end_headers()
            self.wfile.write(out)

        def log_message(self, *given: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings.OPA_URL = f"http://127.0.0.1:{server.server_port}"

    def answer(status: int, body: Any) -> list[Any]:
        said.update(status=status, body=body)
        return asked

    yield answer
    server.shutdown()
    server.server_close()


def test_an_opa_server_is_asked_with_the_facts(opa: Callable[[int, Any], list[Any]], monkeypatch: Any) -> None:
    monkeypatch.setenv("GUIDERAIL_OPA_TOKEN", "s3cret")
    asked = opa(200, {"result": {"allow": False, "deny": [{"msg": "Not in\nthis region."}], "warn": ["Slow."]}})
    decision = decide(FACTS, {"facts": {"decision.domain": "credit"}})
    assert (decision.deny, decision.warn) == (("Not in this region.",), ("Slow.",))
    assert asked == [("/v1/data/guiderail/decision", "Bearer s3cret", {"input": {"facts": {"decision.domain": "credit"}}})]
    opa(200, {"result": {"deny": []}})
    assert decide(FACTS, {}).allowed
    opa(200, {"result": {"allow": True}})
    assert decide(FACTS, {}).allowed


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, {}),  # undefined: OPA leaves the result out
        (200, {"result": {}}),
        (200, {"result": True}),
        (200, {"result": {"allow": "true"}}),
        (200, {"result": {"allow": 1}}),
        (200, {"result": {"deny": "no"}}),
        (200, {"result": {"allow": "no", "deny": []}}),  # an odd one beside an empty list is still odd
        (200, {"result": {"deny": None, "allow": None}}),
        (200, b"<h1>proxy</h1>"),
        (200, []),
        (500, {"code": "internal_error"}),
        (401, {"code": "unauthorized"}),
        (302, b""),
    ],
)
def test_no_answer_is_no_yes(opa: Callable[[int, Any], list[Any]], status: int, body: Any) -> None:
    opa(status, body)
    with pytest.raises(NoDecision):
        decide(FACTS, {"facts": {}})


def test_a_server_that_is_away_decides_nothing(settings: Any) -> None:
    settings.OPA_URL = "http://127.0.0.1:9"
    with pytest.raises(NoDecision, match="gave no decision"):
        decide(FACTS, {"facts": {}})
