"""A run says what it could not do; where everything is required, what could not be done is a failure."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.stack import ROOT

CONFTEST = "from tests.skips import pytest_make_collect_report, pytest_runtest_makereport, pytest_terminal_summary\n"
SOME = """
import pytest

def test_passes(): pass

@pytest.mark.skipif(True, reason="no browser at /nowhere")
def test_skipped(): pass

@pytest.mark.xfail(reason="known", strict=True)
def test_expected_to_fail(): assert False

@pytest.fixture
def thing(): pytest.skip("no thing here")

def test_skipped_by_its_fixture(thing): pass
"""
WHOLE_FILE = "import pytest\npytest.skip('not on this machine', allow_module_level=True)\n"


def run(folder: Path, required: str, *, whole_file: str = WHOLE_FILE) -> subprocess.CompletedProcess[str]:
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "test_some.py").write_text(SOME)
    (folder / "test_whole_file.py").write_text(whole_file)
    environment = {**os.environ, "REQUIRE_ALL": required, "PYTHONPATH": str(ROOT)}
    plain = [word for plugin in ("django", "randomly", "cacheprovider") for word in ("-p", f"no:{plugin}")]
    words = [sys.executable, "-m", "pytest", *plain, "-c", os.devnull, "."]
    return subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("required", ["", "0"])
def test_what_was_not_run_is_listed_with_its_reason(tmp_path: Path, required: str) -> None:
    done = run(tmp_path, required)
    assert done.returncode == 0, done.stdout
    for reason in ("no browser at /nowhere", "no thing here", "not on this machine"):
        assert f"1 × {reason}" in done.stdout


def test_where_everything_is_required_a_skip_is_a_failure(tmp_path: Path) -> None:
    done = run(tmp_path, "1", whole_file="")
    assert done.returncode == 1
    assert "1 passed, 1 xfailed, 2 errors" in done.stdout
    assert "REQUIRE_ALL=1, and this was skipped: no browser at /nowhere" in done.stdout


def test_where_everything_is_required_a_skipped_file_is_a_failure(tmp_path: Path) -> None:
    done = run(tmp_path, "1")
    assert done.returncode == 2, done.stdout
    assert "REQUIRE_ALL=1, and this was skipped: not on this machine" in done.stdout
