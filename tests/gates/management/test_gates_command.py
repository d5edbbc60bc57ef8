"""`manage.py gates`."""

from __future__ import annotations

import io
import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from gates import registry
from gates.models import GateRun
from governance.domain.vocabulary import RunStatus
from tests.gates import making
from tests.stack import ROOT


def said(*words: str, **options: object) -> str:
    out = io.StringIO()
    call_command("gates", *words, stdout=out, **options)
    return out.getvalue()


def test_list_names_every_gate() -> None:
    lines = said("list").splitlines()
    assert [line.split()[0] for line in lines] == list(registry.gates())


def test_explain_prints_the_documentation_and_the_examples() -> None:
    text = said("explain", "gf101")
    for heading in ("What it checks", "Why it matters", "What good enough looks like", "How to fix", "Tools", "Worked examples"):
        assert f"\n## {heading}\n" in text
    assert "| fail |" in text


def test_an_unknown_gate_or_submission_is_said_with_the_way_out(db: None) -> None:
    with pytest.raises(CommandError, match="gates list"):
        said("explain", "GZ999")
    for wrong in ("S-99999", "nonsense"):
        with pytest.raises(CommandError, match="S-1042"):
            said("status", wrong)


def test_the_pages_in_the_repository_are_those_of_the_catalogue() -> None:
    said("docs", "--check", "--folder", str(ROOT / "docs" / "gates"))


def test_a_page_that_differs_is_named_and_written_anew(tmp_path: Path) -> None:
    said("docs", "--folder", str(tmp_path))
    said("docs", "--check", "--folder", str(tmp_path))
    (tmp_path / "GF101.md").write_text("old")
    (tmp_path / "GZ999.md").write_text("a gate that is gone")
    with pytest.raises(CommandError, match=r"GF101\.md, GZ999\.md differ"):
        said("docs", "--check", "--folder", str(tmp_path))
    said("docs", "--folder", str(tmp_path))
    assert not (tmp_path / "GZ999.md").exists()
    said("docs", "--check", "--folder", str(tmp_path))


@pytest.mark.django_db(transaction=True)
def test_run_measures_in_the_terminal_without_worker_or_broker(plugin: str) -> None:
    of = making.submission()
    making.run(of, "tally_one")
    making.run(of, "heavy_tally", heavy=True)
    text = said("run", f"S-{of.pk}")
    assert "2 checks taken." in text
    assert "All 2 checks finished." in text
    assert set(GateRun.objects.values_list("status", flat=True)) == {RunStatus.DONE}


COLUMNS = (
    "--column",
    "label=y",
    "--column",
    "score=p",
    "--column",
    "prediction=d",
    "--column",
    "id=id",
    "--column",
    "sensitive=sex",
)


def scored(folder: Path, *, gap: float) -> Path:
    """4,000 scored people; `gap` is taken from the score of half of them."""
    chance = random.Random(7)
    lines = ["id,y,p,d,sex"]
    for number in range(4_000):
        label = chance.random() < 0.3
        sex = "f" if number % 2 else "m"
        score = min(0.99, max(0.01, (0.65 if label else 0.3) + chance.gauss(0, 0.15) - gap * (sex == "f")))
        lines.append(f"{number},{int(label)},{score:.4f},{int(score >= 0.5)},{sex}")
    path = folder / "scored.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def run_as_a_program(*words: str) -> subprocess.CompletedProcess[str]:
    """A process of its own with a database that nobody answers: nothing of `gates run CODE` may ask for it."""
    environment = {**os.environ, "DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none"}
    command = [sys.executable, "manage.py", "gates", *words]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_a_gate_is_tried_on_local_files_without_a_database(tmp_path: Path) -> None:
    path = scored(tmp_path, gap=0.2)
    failed = run_as_a_program("run", "gf101", "--candidate", str(path), *COLUMNS)
    assert failed.returncode == 1, failed.stderr
    assert failed.stdout.startswith("GF101 Groups selected at different rates: FAIL\n")
    assert "What to do:" in failed.stdout and "fairness: measured in" in failed.stdout
    as_json = run_as_a_program("run", "GF101", "--candidate", str(path), *COLUMNS, "--json", "--limit", "min_ratio=0.01")
    assert as_json.returncode == 0, as_json.stderr
    found = json.loads(as_json.stdout)
    assert (found["verdict"], found["exit_code"], found["limits"]["min_ratio"]) == ("pass", 0, 0.01)
    assert found["interval"][0] < found["observed"] < found["interval"][1]
    assert {row["group"] for row in found["measures"]} >= {"sex=f", "sex=m"}
    (ran,) = found["collectors"]
    assert (ran["name"], ran["status"]) == ("fairness", "done") and ran["versions"]["fairlearn"]


def test_what_is_missing_or_unreadable_blocks_and_says_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as ended:
        said("run", "GF101")
    assert ended.value.code == 1
    broken = tmp_path / "scored.csv"
    broken.write_bytes(b"\x80\x04pickle")
    out = io.StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("gates", "run", "GF101", "--candidate", str(broken), stdout=out)
    assert ended.value.code == 1
    assert "NOT ASSESSED" in out.getvalue() and "scored.csv" in out.getvalue()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("run", "GZ999"), "There is no gate GZ999"),
        (("run", "GF101", "--candidate", "/nowhere.csv"), "There is no file /nowhere.csv"),
        (("run", "GF101", "--limit", "made_up=1"), "GF101 has no limit “made_up”"),
        (("run", "GF101", "--column", "label"), "expected NAME=VALUE"),
        (("run", "GF101", "--evidence", "made_up=x.csv"), "there is no role “made_up”"),
        (("run", "GF101", "--folder", "/nowhere"), "manage.py simulate"),
        (("run", "GF101", "--metadata", "/nowhere"), "There is no file /nowhere"),
        (("run", "GF101", "--pack", "/nowhere"), "There is no policy pack /nowhere"),
    ],
)
def test_what_cannot_be_understood_is_exit_code_two(words: tuple[str, ...], message: str) -> None:
    with pytest.raises(CommandError, match=message) as refused:
        said(*words)
    assert refused.value.returncode == 2


def test_facts_come_from_metadata_files_and_the_command_line() -> None:
    metadata = ROOT / "tests" / "data" / "metadata"
    file = sorted(metadata.rglob("*MLmodel*"))[0]
    with pytest.raises(SystemExit) as ended:
        said("run", "GM101", "--metadata", str(file))
    assert ended.value.code == 1
    plan = {"metrics": ["psi"], "owner": "credit-risk", "cadence": "daily", "alert": "pager", "threshold": 0.2}
    found = json.loads(said("run", "GM101", "--fact", f"monitoring.plan={json.dumps(plan)}", "--track", "yellow", "--json"))
    assert (found["track"], found["collectors"][0]["status"], found["exit_code"]) == ("yellow", "done", 0)
    assert found["verdict"] in ("pass", "warn")


def test_list_and_explain_speak_json() -> None:
    assert [row["code"] for row in json.loads(said("list", "--json"))] == list(registry.gates())
    found = json.loads(said("explain", "GF101", "--json"))
    assert found["limits"]["min_ratio"] == 0.8 and found["plugin"] is None
