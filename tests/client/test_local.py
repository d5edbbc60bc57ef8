"""`preview --local`: the three CI examples stop, each by its own gate, without a server; and the Kubeflow component runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from gates.services.local_runs import LocalFile
from governance.domain.errors import InvalidInput
from governance.policy import load_pack
from governance.services.packs import PACKS
from guiderail_client.project import read_project
from reviews.services.local_preview import preview_locally
from tests.client.running import Client
from tests.client.test_faulty_server import VERDICT, Served, say, serve
from tests.stack import ROOT

__all__ = ["serve"]
EXAMPLES = ROOT / "docs" / "examples" / "ci"


def judged(folder: Path) -> dict[str, Any]:
    project = read_project(folder / "guiderail.yaml", files=True, version="", environment="")
    pack = load_pack((PACKS / "ml_model.yaml").read_text(), (PACKS / "questionnaires" / "ml_model.yaml").read_text())
    return preview_locally(
        system=project.system,
        version=project.version,
        environment=project.environment,
        sources=[(source.name, source.path.read_bytes()) for source in project.sources],
        answers=project.answers,
        evidence=[LocalFile(item.role, item.path, item.columns, item.format) for item in project.evidence],
        pack=pack,
    )


@pytest.mark.parametrize(
    ("name", "gate", "says"),
    [("policy-violation", "GR101", "pickle"), ("leakage", "GD109", "collection_letters"), ("bias", "GF101", "sex=female")],
)
def test_each_example_is_stopped_by_its_gate(name: str, gate: str, says: str) -> None:
    document = judged(EXAMPLES / name)
    found = {row["code"]: row for row in document["gates"]}
    assert document["exit_code"] == 1 and document["track"] == "red"
    assert found[gate]["verdict"] == "fail" and found[gate]["blocking"] and says in found[gate]["says"]
    others = {"GR101", "GD109", "GF101"} - {gate}
    assert not [code for code in others if found[code]["verdict"] == "fail"], "each shows one mistake"


def test_the_client_says_what_it_needs_and_asks_no_server(tmp_path: Path) -> None:
    client = Client(tmp_path, url="http://127.0.0.1:9", token="")
    client.project(answers={"decision.domain": "marketing"})
    ran = client("preview", "--local")
    assert ran.code == 2 and "GUIDERAIL_SERVER_DIR" in ran.err
    ran = client("preview", "--local", "--format", "github", GUIDERAIL_SERVER_DIR=str(ROOT))
    assert ran.code == 1, ran.err
    assert "::error" in ran.out and "red track" in ran.out


def test_the_component_of_kubeflow_pipelines_runs_the_client(serve: Callable[..., Served], tmp_path: Path) -> None:
    """Its script, with the arguments as Kubeflow gives them, against a server that answers."""
    component = yaml.safe_load((ROOT / "integrations/kubeflow/component.yaml").read_text(encoding="utf-8"))
    container = component["implementation"]["container"]
    served = serve(say(200, VERDICT, ETag='"1"'))
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "pip").write_text("#!/bin/sh\nexit 0\n")
    (programs / "guiderail").write_text(f'#!/bin/sh\nexec {sys.executable} -m guiderail_client "$@"\n')
    for program in programs.iterdir():
        program.chmod(0o755)
    verdict = tmp_path / "outputs" / "verdict" / "data"
    values = {"inputPath": {"project": str(tmp_path)}, "inputValue": {"url": served.client.url, "until": "checks"}}
    args = []
    for part in container["args"]:
        kind, name = next(iter(part.items())) if isinstance(part, dict) else ("", part)
        args.append(str(verdict) if kind == "outputPath" else values[kind][name] if kind else part)
    environment = {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT / "client" / "src"),
        "GUIDERAIL_TOKEN": "grl_x",
    }
    done = subprocess.run(
        [*container["command"], *args], env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(verdict.read_text())["submission"] == "S-1"
    refused = serve(say(200, {**VERDICT, "state": "checks_failed", "exit_code": 1}, ETag='"1"'))
    args[args.index(served.client.url)] = refused.client.url
    again = subprocess.run(
        [*container["command"], *args], env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert again.returncode == 1, "a failed gate fails the step"


def test_an_unknown_role_is_named() -> None:
    pack = load_pack((PACKS / "ml_model.yaml").read_text(), (PACKS / "questionnaires" / "ml_model.yaml").read_text())
    with pytest.raises(InvalidInput, match="no role “predictions”"):
        preview_locally(
            system="s",
            version="1",
            environment="production",
            sources=[],
            answers={},
            evidence=[LocalFile("predictions", Path("x"))],
            pack=pack,
        )


def test_a_preview_for_github_is_one_request(serve: Callable[..., Served], tmp_path: Path) -> None:
    preview = {**VERDICT, "submission": None, "url": None, "state": "preview", "rendered": "# Red track"}
    served = serve(say(200, preview))
    summary = tmp_path / "summary.md"
    ran = served.client("preview", "--format", "github", GITHUB_STEP_SUMMARY=str(summary))
    assert ran.code == 0, ran.err
    assert served.asked == ["POST /api/v1/preview?rendered=markdown"] and summary.read_text() == "# Red track\n"
