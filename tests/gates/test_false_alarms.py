"""Few false alarms, and the figures by which limits were chosen are reproduced: a part of `python -m tests.gates.alarms`.

All of it, as often as the page docs/false-alarms.md says: `python -m pytest -m nightly tests/gates/test_false_alarms.py`.
"""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from tests.gates.alarms import rules, whole
from tests.gates.alarms.case import Case, shares

QUICK = {"fair-0.1-100-2": 1_000, "fair-0.1-100-6": 1_000, "fair-0.3-300-6": 1_000, "unfair-0.3-1000": 600, "psi-200": 1_500}
QUICK |= {"psi-500": 1_500, "noise-500-0.05": 100, "noise-500-0.2": 150, "arms-10000-0.5": 5_000, "arms-10000-0.49": 5_000}
MOST_FAILING = 0.08
NEAR = 0.06
"""How far a share may be from the one measured when limits were chosen, besides its own error: their populations are not ours."""


def judged(case: Case, runs: int, folder: Path) -> None:
    found = shares(case, runs, folder)
    for event, published in (case.published or {}).items():
        slack = NEAR + 3 * math.sqrt(max(published * (1 - published), 0.002) / runs)
        assert abs(found[event] - published) <= slack, f"{case.about}, {case.size}: {event} {found[event]:.3f}, was {published}"
    if not case.key.startswith(("unfair", "arms")):
        slack = 3 * math.sqrt(MOST_FAILING * (1 - MOST_FAILING) / runs)
        failing = {event: share for event, share in found.items() if event.endswith("fails") and share > MOST_FAILING + slack}
        assert not failing, f"{case.about}, {case.size}: {failing} in {runs:,} draws"


def of(key: str) -> Case:
    return next(case for case in (*rules.CASES, *whole.CASES) if case.key == key)


@pytest.mark.parametrize("key", QUICK)
def test_the_rules_alarm_as_often_as_when_they_were_chosen(tmp_path: Path, key: str) -> None:
    judged(of(key), QUICK[key], tmp_path)


def test_two_samples_of_one_population_have_not_drifted(tmp_path: Path) -> None:
    found = shares(of("samples-500"), 12, tmp_path)
    assert not any(share for event, share in found.items() if event.endswith("fails")), found


def test_chance_alone_passes_the_point_rule_with_small_groups_but_not_the_gate(tmp_path: Path) -> None:
    found = shares(of("fair-0.1-100-6"), 500, tmp_path)
    assert found["point over 1.25"] > 0.95
    assert found["GF101 fails"] < 0.08


@pytest.mark.nightly
@pytest.mark.timeout(7_200)
@pytest.mark.parametrize("case", (*rules.CASES, *whole.CASES), ids=lambda case: case.key)
def test_the_campaign(tmp_path: Path, case: Case) -> None:
    judged(case, case.full, tmp_path)
