"""`manage.py simulate`: known truth in, and what the real collectors measure on the files is that truth within its interval."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from gates.management.local import facts_of, files_of, pack_at
from gates.services.local_runs import LocalRun, run_locally
from gates.simulator.planting import LEAK, Dials, plant
from governance.domain.vocabulary import Track, Verdict
from governance.services.packs import PACKS

GIVEN: dict[str, tuple[str, ...]] = {
    "uneven": ("--disparity", "2", "--drift", "0.5", "--forget", "utilisation", "--rows", "8000", "--seed", "3"),
    "leaking": ("--leak", "0.97", "--overlap", "0.05", "--seed", "4"),
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Both portfolios, written once by the command itself."""
    made = {name: tmp_path_factory.mktemp(name) / "portfolio" for name in GIVEN}
    for name, words in GIVEN.items():
        call_command("simulate", str(made[name]), *words, stdout=io.StringIO())
    return made


def tried(folder: Path, code: str) -> LocalRun:
    options: dict[str, Any] = {
        "folder": folder, "column": [], "evidence": [], "metadata": [], "fact": [], "candidate": None, "baseline": None,
        "reference": None, "current": None, "model": None, "baseline_model": None, "explain": None, "quality": None,
    }  # fmt: skip
    facts, problems = facts_of(options)
    assert not problems
    return run_locally(code, files=files_of(options), facts=facts, pack=pack_at(PACKS / "ml_model.yaml"), track=Track.RED)


@pytest.mark.parametrize(
    ("name", "code", "verdict"),
    [
        ("uneven", "GP102", None),
        ("uneven", "GF101", Verdict.FAIL),
        ("uneven", "GD104", None),
        ("uneven", "GX101", None),
        ("leaking", "GD109", Verdict.FAIL),
    ],
)
def test_what_was_planted_is_what_the_gate_measures(
    folders: dict[str, Path], name: str, code: str, verdict: Verdict | None
) -> None:
    said = json.loads((folders[name] / "truth.json").read_text())["truths"]
    wanted = [truth for truth in said if truth["gate"] == code]
    assert wanted, f"nothing is known for {code}"
    run = tried(folders[name], code)
    rows = {(row["metric"], row["group"]): row for row in run.to_json()["measures"]}
    for truth in wanted:
        row = rows[truth["metric"], truth["group"]]
        if truth["expected"] is not None:
            low, high = truth["expected"]
            assert low - 1e-9 <= row["value"] <= high + 1e-9, (truth, row)
        else:
            assert row["low"] <= truth["value"] <= row["high"], (truth, row)
        if truth["text"]:
            assert row["text"] == truth["text"]
    if verdict is not None:
        assert run.result.verdict is verdict, run.result.says


def test_nothing_planted_is_nothing_claimed() -> None:
    even = plant(Dials(rows=600, training_rows=900, seed=8))
    assert LEAK not in even.training.features
    assert even.candidate.features == even.champion.features
    assert not set(even.training.frame["case_id"]) & set(even.evaluation.frame["case_id"])


def test_the_same_dials_give_the_same_data_and_models() -> None:
    dials = Dials("hospital", rows=600, training_rows=900, drift=0.3, leak=0.5, overlap=0.1, seed=9)
    one, two = plant(dials), plant(dials)
    assert one.evaluation.frame.equals(two.evaluation.frame) and one.training.frame.equals(two.training.frame)
    assert one.candidate.booster.save_raw() == two.candidate.booster.save_raw()
    shared = set(one.training.frame["case_id"]) & set(one.evaluation.frame["case_id"])
    assert len(shared) == 60


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--forget", "shoe_size"), "is no feature of the lender"),
        (("--leak", "2"), "shares from 0 to 1"),
        (("--rows", "10"), "at least 500 rows"),
    ],
)
def test_a_dial_that_means_nothing_is_refused(tmp_path: Path, words: tuple[str, ...], message: str) -> None:
    with pytest.raises(CommandError, match=message) as refused:
        call_command("simulate", str(tmp_path / "new"), *words)
    assert refused.value.returncode == 2


def test_a_folder_with_other_files_is_not_written_into(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(CommandError, match="holds other files"):
        call_command("simulate", str(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
