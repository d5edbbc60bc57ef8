"""The import contracts hold because each of them fails when it is broken: on purpose here, in a copy."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.stack import ROOT

LINT = "import sys; from importlinter.cli import lint_imports_command; lint_imports_command()"

# contract, file, what is added to it, what the complaint names
BREAKS = (
    ("direction", "governance/domain/vocabulary.py", "import gates.spec", "governance.domain.vocabulary -> gates.spec"),
    ("direction", "gates/spec.py", "import reviews.services", "gates.spec -> reviews.services"),
    ("direction", "governance/models/people.py", "import governance.services", "governance.models.people -> governance.services"),
    ("direction", "reviews/ui/__init__.py", "import governance.config.settings", "reviews.ui -> governance.config.settings"),
    ("inside", "reviews/models/__init__.py", "import reviews.ui", "reviews.models -> reviews.ui"),
    ("inside", "gates/somewhere.py", "", "gates.somewhere"),
    ("pure", "governance/domain/facts.py", "import django.conf", "governance.domain.facts -> django"),
    ("pure", "gates/spec.py", "def later() -> None:\n    import numpy", "gates.spec -> numpy"),
    (
        "independent",
        "gates/catalog/first_of_two.py",
        "from gates.catalog import second_of_two",
        "first_of_two -> gates.catalog.second_of_two",
    ),
    (
        "independent",
        "governance/prefill/readers/first_of_two.py",
        "from governance.prefill.readers import second_of_two",
        "first_of_two -> governance.prefill.readers.second_of_two",
    ),
    ("heavy", "reviews/services/__init__.py", "def later() -> None:\n    import shap", "reviews.services -> shap"),
    ("heavy", "gates/registry.py", "import duckdb", "gates.registry -> duckdb"),
    ("heavy", "governance/ui/errors.py", "from numpy import float64", "governance.ui.errors -> numpy"),
)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The three packages and their contracts, to be broken."""
    for package in ("governance", "gates", "reviews"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__", "packs"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def lint(folder: Path, contract: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "200"}
    words = [sys.executable, "-c", LINT, "--no-cache", "--contract", contract]
    return subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("contract", "path", "text", "named"), BREAKS, ids=[f"{case[0]}: {case[1]}" for case in BREAKS])
def test_a_broken_contract_is_refused(copy: Path, contract: str, path: str, text: str, named: str) -> None:
    file = copy / path
    if "first_of_two" in path:
        file.with_name("second_of_two.py").touch()
    file.write_text((file.read_text() if file.exists() else "") + f"\n{text}\n")

    done = lint(copy, contract)

    assert done.returncode == 1, done.stdout + done.stderr
    assert named in done.stdout


def test_every_contract_is_kept_as_it_stands() -> None:
    done = subprocess.run([sys.executable, "-c", LINT, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "5 kept, 0 broken" in done.stdout
