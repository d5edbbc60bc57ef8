"""The Tekton task: its script runs as a pod would run it, and no parameter becomes text of it."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from tests.client.running import Ran
from tests.client.test_faulty_server import ALLOWED, VERDICT, Served, say, serve
from tests.stack import ROOT

__all__ = ["serve"]
TASK: dict[str, Any] = yaml.safe_load((ROOT / "integrations/tekton/task.yaml").read_text(encoding="utf-8"))
WAITING = {**VERDICT, "state": "in_review", "final": False, "exit_code": 3, "turn": ["analyst"]}
(STEP,) = TASK["spec"]["steps"]


def run(served: Served, **params: str) -> Ran:
    """The step's script with the parameters as variables, as Tekton fills them in; `pip` only notes what it should install."""
    programs = served.client.folder / "bin"
    programs.mkdir(exist_ok=True)
    client = f'#!/bin/sh\nexec {sys.executable} -m guiderail_client "$@"\n'
    # `python -m pip install` is all the script asks of Python
    for name, text in (("guiderail", client), ("python", f'#!/bin/sh\necho "$@" > {programs}/installed\n')):
        (programs / name).write_text(text, encoding="utf-8")
        (programs / name).chmod(0o755)
    given = {row["name"]: row.get("default", "") for row in TASK["spec"]["params"]} | {"url": served.client.url} | params
    known = {f"$(params.{name})": value for name, value in given.items()}
    known |= {f"$(results.{row['name']}.path)": str(served.client.folder / row["name"]) for row in TASK["spec"]["results"]}
    variables = {row["name"]: known[row["value"]] if "value" in row else "grl_x" for row in STEP["env"]}
    path = f"{programs}:/usr/bin:/bin"
    done = subprocess.run(
        ["sh", "-c", STEP["script"]],
        cwd=served.client.folder,
        env={"PATH": path, "PYTHONPATH": str(ROOT / "client" / "src"), "GUIDERAIL_TRIES": "1", **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def test_the_task_is_whole_and_its_script_holds_no_parameter() -> None:
    assert (TASK["apiVersion"], TASK["kind"]) == ("tekton.dev/v1", "Task")
    assert "$(" not in re.sub(r"\$\(mktemp\)", "", STEP["script"]), "a parameter with a quote in it would run as a command"
    used = set(re.findall(r"\$\(([a-z.-]+)\)", yaml.safe_dump({"env": STEP["env"], "dir": STEP["workingDir"]})))
    there = {f"params.{row['name']}" for row in TASK["spec"]["params"]} | {
        f"results.{row['name']}.path" for row in TASK["spec"]["results"]
    }
    assert used == there | {"workspaces.project.path"}
    assert "GUIDERAIL_TOKEN" in {row["name"] for row in STEP["env"] if "secretKeyRef" in row.get("valueFrom", {})}


@pytest.mark.parametrize(
    ("params", "answer", "code"),
    [
        ({"command": "submit"}, VERDICT, 0),
        ({"command": "submit", "until": "decision", "timeout": "0"}, WAITING, 3),
        ({"command": "preview", "release": '1"; exit 0; "'}, {**VERDICT, "state": "checks_failed", "exit_code": 1}, 1),
        ({"command": "permit"}, ALLOWED, 0),
        ({"command": "permit"}, {**ALLOWED, "allowed": False, "permit": None}, 1),
        ({"command": "permit"}, {}, 5),
        ({"command": "submit; exit 0"}, VERDICT, 2),
    ],
)
def test_it_ends_as_the_client_does(serve: Callable[..., Served], params: dict[str, str], answer: Any, code: int) -> None:
    served = serve(say(200, answer, ETag='"1"'))
    ran = run(served, **params)
    assert ran.code == code, (ran.out, ran.err)
    if code == 2:
        assert "submit, wait or permit" in ran.err and not served.asked
        return
    assert (served.client.folder / "exit-code").read_text() == str(code)
    assert (served.client.folder / "bin" / "installed").read_text().endswith(" guiderail-client\n")
    if params["command"] == "submit":
        assert (served.client.folder / "url").read_text() == VERDICT["url"]
