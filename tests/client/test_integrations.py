"""What teams copy into their pipelines: it parses, names only commands the client has, and no input becomes text of a script."""

from __future__ import annotations

import re
import shlex
from typing import Any

import pytest
import yaml

from guiderail_client.cli import _parser
from tests.stack import ROOT

FOLDER = ROOT / "integrations"
ACTION: dict[str, Any] = yaml.safe_load((FOLDER / "github/action.yml").read_text(encoding="utf-8"))
EXAMPLE: dict[str, Any] = yaml.safe_load((FOLDER / "github/example.yml").read_text(encoding="utf-8"))
GITLAB: dict[str, Any] = yaml.safe_load((FOLDER / "gitlab/templates.yml").read_text(encoding="utf-8"))


def test_each_has_a_readme() -> None:
    index = (FOLDER / "README.md").read_text(encoding="utf-8")
    for folder in (path for path in FOLDER.iterdir() if path.is_dir()):
        assert (folder / "README.md").is_file(), folder.name
        assert f"[{folder.name}]({folder.name}/)" in index


def test_no_input_is_text_of_the_actions_script() -> None:
    for step in ACTION["runs"]["steps"]:
        assert "${{" not in step["run"], "an input with a quote in it would run as a command"
    script = ACTION["runs"]["steps"][-1]
    assert {f"${{{{ inputs.{name} }}}}" for name in ACTION["inputs"] if name != "working-directory"} == set(
        script["env"].values()
    )


def test_the_example_gives_the_action_only_inputs_it_has() -> None:
    used = [step for job in EXAMPLE["jobs"].values() for step in job["steps"] if "integrations/github" in step.get("uses", "")]
    assert len(used) == 4
    for step in used:
        assert set(step["with"]) <= set(ACTION["inputs"])
        assert {name for name, given in ACTION["inputs"].items() if given.get("required")} <= set(step["with"])


def lines() -> list[str]:
    found = [
        line.replace("$GUIDERAIL_EXPOSURE", "5")
        for job in GITLAB.values()
        if isinstance(job, dict)
        for line in job.get("script", ())
    ]
    jenkins = (FOLDER / "jenkins/Jenkinsfile").read_text(encoding="utf-8")
    found += [part for text in re.findall(r"'(guiderail [^']+)'", jenkins) for part in text.split(" && ")]
    (hook,) = yaml.safe_load((FOLDER / "pre-commit/.pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    argo = yaml.safe_load((FOLDER / "argo/workflow-template.yaml").read_text(encoding="utf-8"))
    scripts = [template["script"]["source"] for template in argo["spec"]["templates"]]
    kubeflow = yaml.safe_load((FOLDER / "kubeflow/component.yaml").read_text(encoding="utf-8"))
    scripts.append(kubeflow["implementation"]["container"]["args"][0].replace('"$2"', "checks"))
    called = [
        f"guiderail {words}" for text in scripts for words in re.findall(r"^(?:\S+=\S+ )?guiderail (.+)$", text, re.MULTILINE)
    ]
    return [*found, hook["entry"], *called]


def test_a_step_ends_where_its_command_fails() -> None:
    argo = yaml.safe_load((FOLDER / "argo/workflow-template.yaml").read_text(encoding="utf-8"))
    for template in argo["spec"]["templates"]:
        assert template["script"]["command"] == ["sh", "-e"]
        assert template["script"]["env"][1]["valueFrom"]["secretKeyRef"]["name"] == "guiderail", "no token in the text"
    container = yaml.safe_load((FOLDER / "kubeflow/component.yaml").read_text(encoding="utf-8"))["implementation"]["container"]
    assert container["command"] == ["sh", "-ec"]
    assert "{{" not in container["args"][0], "inputs are arguments, never text of the script"


@pytest.mark.parametrize("line", lines())
def test_the_client_understands_every_line(line: str) -> None:
    program, *words = shlex.split(line)
    assert program == "guiderail"
    assert callable(_parser().parse_args(words).run)
