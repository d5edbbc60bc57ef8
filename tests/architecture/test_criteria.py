"""docs/criteria.md tells the truth about the tests it names: each criterion once, each test there, no state without its proof."""

from __future__ import annotations

import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "criteria.md"
# how many criteria each section has: a line that was dropped is noticed without the document they come from
SECTIONS = {"S1": 16, "S2": 11, "S3": 10, "S4": 36, "S5": 23, "S6": 23, "S7": 35, "S8": 23, "S9": 17, "S10": 17, "S11": 27}
STATES = {"met", "part", "open"}
MET_P0_AT_LEAST = 60

_ROW = re.compile(r"^\| (S\d+\.\d+) \| (.+?) \| (P0|P1|P2|S) \| (\w+) \| (.+) \|$", re.MULTILINE)
_TEST = re.compile(r"`(tests/[\w/]+\.py)::([\w:]+)`")
_COMMAND = re.compile(r"`((?:make|manage\.py|python -m) [^`]+)`")


class Criterion(NamedTuple):
    """One line of the page."""

    number: str
    phrase: str
    priority: str
    state: str
    shown: str

    @property
    def tests(self) -> list[tuple[str, str]]:
        return _TEST.findall(self.shown)


CRITERIA = [Criterion(*found) for found in _ROW.findall(PAGE.read_text(encoding="utf-8"))]


@cache
def names_in(file: str) -> frozenset[str]:
    """Names of the tests of a file, those of classes as `TestClass::test_name`."""
    names: set[str] = set()
    for node in ast.parse((ROOT / file).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.ClassDef):
            names |= {
                f"{node.name}::{each.name}" for each in node.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)
            }
    return frozenset(name for name in names if name.rpartition(":")[2].startswith("test_"))


def missing(criterion: Criterion) -> list[str]:
    """Tests a line names that are not there."""
    return [f"{file}::{name}" for file, name in criterion.tests if not (ROOT / file).is_file() or name not in names_in(file)]


def test_every_criterion_is_listed_once_and_in_order() -> None:
    wanted = [f"{section}.{n}" for section, count in SECTIONS.items() for n in range(1, count + 1)]
    assert [criterion.number for criterion in CRITERIA] == wanted


def test_states_and_summary_are_true() -> None:
    assert {criterion.state for criterion in CRITERIA} <= STATES
    counted = Counter((criterion.state, criterion.priority) for criterion in CRITERIA)
    page = PAGE.read_text(encoding="utf-8")
    for state in ("met", "part", "open"):
        line = " | ".join(str(counted[state, priority]) for priority in ("P0", "P1", "P2", "S"))
        assert f"| {state} | {line} |" in page, f"the summary should say: | {state} | {line} |"


@pytest.mark.parametrize("criterion", CRITERIA, ids=lambda criterion: criterion.number)
def test_what_is_named_exists(criterion: Criterion) -> None:
    assert not missing(criterion)
    if criterion.state == "met":
        assert criterion.tests or _COMMAND.search(criterion.shown), "met, but nothing shows it"
    if criterion.state == "part":
        assert criterion.shown.rpartition("`")[2].strip(" –<br>"), "part, but it does not say what is missing"
    if criterion.state == "open":
        assert not criterion.tests, "something shows it, so it is not open"


def test_a_test_that_is_gone_is_noticed() -> None:
    gone = Criterion("S1.1", "x", "P0", "met", "`tests/architecture/test_criteria.py::test_that_never_was`")
    here = Criterion("S1.1", "x", "P0", "met", "`tests/architecture/test_criteria.py::test_a_test_that_is_gone_is_noticed`")
    assert missing(gone) == ["tests/architecture/test_criteria.py::test_that_never_was"]
    assert missing(here) == []


def test_enough_of_the_core_is_met() -> None:
    met = [criterion.number for criterion in CRITERIA if (criterion.priority, criterion.state) == ("P0", "met")]
    assert len(met) >= MET_P0_AT_LEAST, f"{len(met)} met: {met}"
