"""Nominal 95 % means 95 %: each interval is drawn again and again from known truth (see `coverage.py`).

A few hundred repetitions here; the campaign is `python -m pytest -m nightly tests/gates/metrics/statistics/test_coverage.py`.
"""

from __future__ import annotations

import math

import pytest

from tests.gates.metrics.statistics.coverage import CASES, Case, covered

LOW, HIGH = 0.93, 0.97


def judged(case: Case, runs: int) -> None:
    """Within 93 to 97 %, give or take three standard errors of a simulation of this length."""
    slack = 3 * math.sqrt(0.95 * 0.05 / runs)
    found = covered(case, runs)
    outside = {name: share for name, share in found.items() if not LOW - slack <= share <= HIGH + slack}
    assert not outside, f"{case.says}, {case.size}: {outside} in {runs:,} repetitions"


@pytest.mark.parametrize("case", [case for case in CASES if case.quick], ids=lambda case: case.name)
def test_the_interval_holds_the_truth_as_often_as_it_says(case: Case) -> None:
    judged(case, case.quick)


@pytest.mark.nightly
@pytest.mark.timeout(7_200)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_campaign(case: Case) -> None:
    judged(case, case.full)


def test_an_interval_that_is_too_short_is_found() -> None:
    case = next(case for case in CASES if case.name == "rate-100")
    from_80 = Case("80 %", "an interval at 80 %", "100 rows", lambda rng: {"rate": bool(rng.random() < 0.80)}, 2_000, 2_000)
    judged(case, 2_000)
    with pytest.raises(AssertionError, match="an interval at 80 %"):
        judged(from_80, 2_000)
