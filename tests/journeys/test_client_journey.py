"""A pipeline with the `guiderail` command against the running product, shaped like GitHub's and GitLab's, until people decide."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import urllib.request
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from gates.simulator.models import train
from gates.simulator.populations import lender
from governance.models import Submission, Unit
from reviews.demo.cast import Cast, approve_red
from reviews.demo.handing_in import Version, build, write_sample
from reviews.demo.people import load_people, load_tokens
from reviews.demo.usual import FIRST, standard_facts
from tests.client.running import Client, Ran
from tests.client.test_integrations import ACTION, GITLAB
from tests.stack import ROOT, Running


def loan_model(disparity: float = 0.0) -> Version:
    """`disparity`: how unfair the labels it learns from are to women."""
    training, evaluation = lender(4_000, seed=31, disparity=disparity), lender(3_000, seed=32)
    return build(
        system="loan-approval",
        version="1.0.0",
        candidate=train(training, seed=3, trees=20, depth=3),
        champion=None,
        training=training,
        evaluation=evaluation,
        source="s3://lake/credit/applications/2026.parquet",
        intended_use="Decides whether a loan of up to 5,000 euros is granted at once; a refusal goes to a person.",
        limitations="Applicants of one country, 2024 to 2026.",
        owner="credit-risk",
        governance=standard_facts("credit", **{"data.consent_basis": "contract"}),
        answers=FIRST,
    )


def write_project(client: Client, new: Version, **more: Any) -> None:
    write_sample(new, client.folder)
    client.project(
        system=new.system,
        version=new.version,
        sources=list(new.files),
        answers=dict(new.answers),
        evidence=[
            {"role": role.value, "path": name, "columns": dict(columns), **({"format": kind} if kind else {})}
            for role, (name, _, columns, kind) in new.evidence.items()
        ],
        **more,
    )


def as_the_action(client: Client, **given: str) -> Ran:
    """Run the composite action's script as GitHub does: bash, with the inputs as variables."""
    inputs = {name: str(item.get("default", "")) for name, item in ACTION["inputs"].items()}
    inputs |= {"url": client.url, "token": client.token}
    plain = {name: value for name, value in given.items() if name.isupper()}
    inputs |= {name.replace("_", "-"): value for name, value in given.items() if not name.isupper()}
    script = ACTION["runs"]["steps"][-1]
    variables = {name: inputs[value.removeprefix("${{ inputs.").removesuffix(" }}")] for name, value in script["env"].items()}
    return in_bash(client, script["run"], {**variables, **plain})


def as_the_job(client: Client, name: str, **more: str) -> Ran:
    """Run a job of the GitLab template as GitLab's runner does: its lines in one bash that ends at the first that fails."""
    variables = {**GITLAB[".guiderail"]["variables"], "GUIDERAIL_URL": client.url, "GUIDERAIL_TOKEN": client.token, **more}
    return in_bash(client, "\n".join(GITLAB[name]["script"]), variables)


def in_bash(client: Client, script: str, variables: dict[str, str]) -> Ran:
    """`guiderail` is there as pip would have put it."""
    programs = client.folder / "bin"
    programs.mkdir(exist_ok=True)
    command = programs / "guiderail"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m guiderail_client "$@"\n', encoding="utf-8")
    command.chmod(0o755)
    done = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", script],
        cwd=client.folder,
        env={"PATH": f"{programs}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT / "client" / "src"), **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def cast(worker: Running) -> Cast:
    return Cast(load_people(), {unit.slug: unit for unit in Unit.objects.all()}, lambda text: None)


def test_a_pipeline_from_preview_to_permit(cast: Cast, web: Running, tmp_path: Path) -> None:
    client = Client(tmp_path, url=web.url, token=load_tokens(cast.people)["ci"])
    new = loan_model()
    write_project(client, new)

    # on the pull request, as the action does it: annotations, a summary, outputs; nothing is recorded
    step, outputs = tmp_path / "summary.md", tmp_path / "outputs"
    shown = as_the_action(client, command="preview", GITHUB_STEP_SUMMARY=str(step), GITHUB_OUTPUT=str(outputs))
    assert shown.code == 0, (shown.out, shown.err)
    assert "::notice file=guiderail.yaml,line=1,title=Guiderail%3A red track so far" in shown.out
    assert sum(line.startswith(("::error", "::warning")) for line in shown.out.splitlines()) <= 10
    assert "Red track" in step.read_text(encoding="utf-8")
    assert "red" in outputs.read_text(encoding="utf-8").splitlines()
    assert not Submission.objects.exists()

    # on the merge request, as the job of GitLab does it: the same, as a code quality report
    looked = as_the_job(client, "guiderail-preview")
    assert looked.code == 0, (looked.out, looked.err)
    kept = json.loads((tmp_path / GITLAB["guiderail-preview"]["artifacts"]["reports"]["codequality"]).read_text("utf-8"))
    assert kept == [], "nothing is wrong so far"
    assert not Submission.objects.exists()

    # on the main branch, as the job of GitLab does it: it is handed in, the gates run, a report is kept; then it waits for people
    ran = as_the_job(client, "guiderail-submit")
    assert ran.code in GITLAB["guiderail-submit"]["allow_failure"]["exit_codes"] == [3], ran.out + ran.err
    assert "already there" in ran.err, "the preview stored the evidence; nothing is sent twice"
    submission = Submission.objects.get()
    assert ran.out.rstrip().splitlines()[-1] == f"{web.url}/submissions/{submission.number}"
    names = {case.get("name", "").split()[0] for case in ElementTree.parse(tmp_path / "guiderail.xml").iter("testcase")}
    assert {"GF101", "decision"} <= names

    # a re-run of the job makes no second submission
    assert client("submit").code == 3
    assert Submission.objects.count() == 1

    # the formats of the other systems
    sarif = client("status", submission.number, "--format", "sarif")
    assert json.loads(sarif.out)["version"] == "2.1.0"
    quality = client("status", "--format", "codequality")
    assert (quality.code, {row["location"]["path"] for row in quality.json}) == (3, {"guiderail.yaml"})
    assert len({row["fingerprint"] for row in quality.json}) == len(quality.json)
    assert quality.json == client("status", "--format", "codequality").json
    assert client("explain", "GF101").out.startswith("GF101 ")

    # nothing may be deployed yet, and an input with a quote in it is only an odd version
    assert as_the_action(client, command="permit", release='1"; exit 0; "').code == 1
    assert as_the_action(client, command="preview; exit 0").code == 2
    refused = as_the_job(client, "guiderail-permit")
    assert refused.code == 1 and refused.out.startswith("Not allowed.")

    # the job that waits ends when people have decided
    ended: list[Ran] = []
    waiting = threading.Thread(target=lambda: ended.append(client("wait", "--timeout", "90", "--format", "json")))
    waiting.start()
    approve_red(cast, submission)
    waiting.join(120)
    assert ended[0].code == 0, (ended[0].out, ended[0].err)
    assert (ended[0].json["state"], ended[0].json["submission"]) == ("approved", submission.number)

    # the deployer asks by version and by the artefact's bytes; other bytes are not allowed
    assert as_the_job(client, "guiderail-permit", GUIDERAIL_EXPOSURE="5").code == 0
    assert as_the_action(client, command="permit", exposure="5").code == 0
    # a red approval begins with few; who does not say how far it goes asks for all of it
    far = client("permit")
    assert far.code == 1 and "Stay at 5 %" in far.out, far.out
    model = client("permit", "--artifact", "model.ubj", "--exposure", "5", "--attestation", "permit.json")
    assert model.code == 0, (model.out, model.err)

    # a machine without a way to the server checks the signed permit; one flipped byte anywhere denies
    (tmp_path / "keys.json").write_bytes(urllib.request.urlopen(f"{web.url}/.well-known/guiderail/keys.json").read())
    offline = replace(client, url="", token="")
    verify = ("verify", "permit.json", "--keys", "keys.json", "--artifact", "model.ubj", "--exposure", "5")
    assert offline(*verify).code == 0, offline(*verify).err
    assert offline(*verify[:-1], "6").code == 1
    assert offline(*verify, "--environment", "staging").code == 1
    data = bytearray((tmp_path / "model.ubj").read_bytes())
    data[-1] ^= 1
    (tmp_path / "model.ubj").write_bytes(bytes(data))
    assert client("permit", "--artifact", "model.ubj").code == 1
    assert offline(*verify).code == 1
    assert client("permit", "--environment", "staging").code == 1


def test_an_unfair_model_fails_the_build(cast: Cast, web: Running, tmp_path: Path) -> None:
    client = Client(tmp_path, url=web.url, token=load_tokens(cast.people)["ci"])
    write_project(client, loan_model(disparity=2.5))
    ran = client("submit", "--wait", "--until", "checks", "--timeout", "100")
    assert ran.code == 1, (ran.out, ran.err)
    assert "FAIL   GF101" in ran.out and "→" in ran.out, ran.out
    assert client("status", "--soft-fail").code == 0
    assert client("permit").code == 1

    # a token that may only read hands nothing in
    reader = replace(client, token=load_tokens(cast.people)["readonly"])
    assert reader("submit").code == 4
    assert replace(client, token="grl_forged")("status").code == 4
